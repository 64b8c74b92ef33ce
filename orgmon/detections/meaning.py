"""What a detection means, without any pattern language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orgmon.detections.condition import (
    All,
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
    """The detection with its placeholders filled in; None where without values it could never match.

    A ``*`` in a value stands for any characters. A placeholder without values fits nothing: where it only excepts
    something, nothing is excepted.
    """
    if not detection.placeholders:
        return detection
    condition = _folded(_filled(detection.condition, values))
    return (
        None
        if condition == Either(())
        else replace(detection, condition=condition, filled=detection.filled | detection.placeholders)
    )


def _filled(condition: Condition, values: Mapping[str, tuple[str, ...]]) -> Condition:
    if isinstance(condition, Placeholder):
        return Either(tuple(_with(condition, value) for value in values.get(condition.name, ())))
    if isinstance(condition, Test):
        return condition
    if isinstance(condition, Not):
        return Not(_filled(condition.part, values))
    return type(condition)(tuple(_filled(part, values) for part in condition.parts))


def _folded(condition: Condition) -> Condition:
    """The same without parts that always or never hold."""
    if isinstance(condition, Test):
        return condition
    if isinstance(condition, Not):
        part = _folded(condition.part)
        constants: dict[Condition, Condition] = {All(()): Either(()), Either(()): All(())}
        return constants.get(part, Not(part))
    nothing, decisive = (All(()), Either(())) if isinstance(condition, All) else (Either(()), All(()))
    parts = tuple(part for one in condition.parts if (part := _folded(one)) != nothing)
    if decisive in parts:
        return decisive
    return parts[0] if len(parts) == 1 else type(condition)(parts)


def _with(test: Placeholder, value: str) -> Matches:
    *head, left = test.before
    right, *tail = test.after
    first, *inner = value.split("*")
    pieces = [*head, left + first, *inner]
    pieces[-1] += right
    return Matches(test.field, Glob((*pieces, *tail)))
