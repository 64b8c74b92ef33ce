"""How a detection that cannot be compiled is reported."""

from __future__ import annotations

from orgmon.detections.model import Detection
from orgmon.errors import DetectionError


def refusal(detection: Detection, path: str, construct: str, nearest: str) -> DetectionError:
    """The error that names file and line (where known), rule, field, construct and the nearest expressible form."""
    line = detection.line_of(path)
    place = f"{detection.origin}:{line}: " if detection.origin and line else ""
    about = f" {path}:" if path else ""
    return DetectionError(
        f"{place}detection {detection.id}:{about} cannot express {construct}", f"use {nearest}"
    )
