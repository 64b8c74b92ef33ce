"""Config, the live Organization and the detections -> the State that should be, and how to roll it out."""
