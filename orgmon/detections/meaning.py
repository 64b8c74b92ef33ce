"""What a detection means, without any pattern language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
)
from orgmon.detections.model import Detection
from orgmon.detections.secrecy import Filling
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


def resolve(detection: Detection, fillings: Iterable[Filling]) -> Detection | None:
    """The detection with its placeholders filled in; None where without values it could never match.

    A ``*`` in a value stands for any characters. A placeholder without values fits nothing: where it only excepts
    something, nothing is excepted. What is secret in a filling stays so in the detection.
    """
    if not detection.placeholders:
        return detection
    condition = _folded(_filled(detection.condition, tuple(fillings)))
    return None if condition == Either(()) else replace(detection, condition=condition)


def _filled(condition: Condition, fillings: Sequence[Filling]) -> Condition:
    match condition:
        case Placeholder(name=name):
            filled = (
                _with(condition, filling, value)
                for filling in fillings
                if filling.name == name
                for value in filling.values
            )
            return Either(tuple(filled))
        case Not(part):
            return Not(_filled(part, fillings))
        case All(parts) | Either(parts):
            return type(condition)(tuple(_filled(part, fillings) for part in parts))
        case _:
            return condition


def _folded(condition: Condition) -> Condition:
    """The same without parts that always or never hold."""
    match condition:
        case Not(inner):
            part = _folded(inner)
            constants: dict[Condition, Condition] = {All(()): Either(()), Either(()): All(())}
            return constants.get(part, Not(part))
        case All(parts):
            return _folded_group(All, parts, nothing=All(()), decisive=Either(()))
        case Either(parts):
            return _folded_group(Either, parts, nothing=Either(()), decisive=All(()))
        case _:
            return condition


def _folded_group(
    kind: type[All | Either], parts: tuple[Condition, ...], *, nothing: Condition, decisive: Condition
) -> Condition:
    left = tuple(folded for part in parts if (folded := _folded(part)) != nothing)
    if decisive in left:
        return decisive
    return left[0] if len(left) == 1 else kind(left)


def _with(test: Placeholder, filling: Filling, value: str) -> Matches:
    *head, left = test.before
    right, *tail = test.after
    first, *inner = value.split("*")
    pieces = [*head, left + first, *inner]
    pieces[-1] += right
    return Matches(test.field, Glob.of((*pieces, *tail)), value if filling.is_secret else "")
