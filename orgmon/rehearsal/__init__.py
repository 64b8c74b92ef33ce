"""Rehearsals: a config's organization on the embedded AWS, and the story that the demo tells there."""
