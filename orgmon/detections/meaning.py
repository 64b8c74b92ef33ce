"""What a detection means, without any pattern language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orgmon.detections.condition import (
    Condition,
    Either,
    Glob,
    Matches,
    Not,
    Placeholder,
    Test,
)
from orgmon.detections.model import Detection
from orgmon.errors import DetectionError


def matches(detection: Detection, record: Mapping[str, Any]) -> bool:
    """Whether the detection takes a CloudTrail record (the record, not EventBridge's envelope around it).

    A threshold is not looked at. Raises DetectionError while placeholders are open.
    """
    if detection.placeholders:
        names = ", ".join(sorted(detection.placeholders))
        raise DetectionError(
            f"detection {detection.id}: no values for {names}", "fill the placeholders with resolve()"
        )
    return detection.condition.holds(record)


def resolve(detection: Detection, values: Mapping[str, tuple[str, ...]]) -> Detection | None:
    """The detection with its placeholders filled in; None where a placeholder has no value at all.

    A detection without placeholders comes back as it is.
    """
    if not detection.placeholders:
        return detection
    if not all(values.get(name) for name in detection.placeholders):
        return None
    return replace(detection, condition=_filled(detection.condition, values))


def _filled(condition: Condition, values: Mapping[str, tuple[str, ...]]) -> Condition:
    if isinstance(condition, Placeholder):
        return Either(tuple(_with(condition, value) for value in values[condition.name]))
    if isinstance(condition, Test):
        return condition
    if isinstance(condition, Not):
        return Not(_filled(condition.part, values))
    return type(condition)(tuple(_filled(part, values) for part in condition.parts))


def _with(test: Placeholder, value: str) -> Matches:
    *head, left = test.before
    right, *tail = test.after
    return Matches(test.field, Glob((*head, left + value + right, *tail)))
