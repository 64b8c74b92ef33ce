"""How a detection that cannot be compiled is reported."""

from __future__ import annotations

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.model import Detection
from orgmon.errors import DetectionError


def refusal(detection: Detection, error: InexpressibleError) -> DetectionError:
    """The error that names file and line (where known), rule, field, construct and the nearest expressible form."""
    about = f" {error.field}:" if error.field else ""
    what = f"{about} cannot express {error.construct} [{error.code}]"
    return rejection(detection, what, f"use {error.nearest}", error.field)


def rejection(
    detection: Detection, what: str, remedy: str, path: str = "", code: Code | None = None
) -> DetectionError:
    """The error at the line of a field, or of the file where it is about no field."""
    line = (detection.line_of(path) or 1) if detection.origin else 0
    suffix = f" [{code}]" if code else ""
    return DetectionError(
        f"detection {detection.id}:{what}{suffix}", remedy, file=detection.origin, line=line
    )
