"""How a detection that cannot be compiled is reported."""

from __future__ import annotations

from orgmon.detections.model import Detection
from orgmon.errors import DetectionError


def refusal(detection: Detection, path: str, construct: str, nearest: str) -> DetectionError:
    """The error that names file and line (where known), rule, field, construct and the nearest expressible form."""
    about = f" {path}:" if path else ""
    return rejection(detection, f"{about} cannot express {construct}", f"use {nearest}", path)


def rejection(detection: Detection, what: str, remedy: str, path: str = "") -> DetectionError:
    """The error at the line of a field, or of the file where it is about no field."""
    line = (detection.line_of(path) or 1) if detection.origin else 0
    return DetectionError(f"detection {detection.id}:{what}", remedy, file=detection.origin, line=line)
