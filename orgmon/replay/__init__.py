"""Replaying detections over CloudTrail records that are there already: pure, without AWS and without a terminal."""
