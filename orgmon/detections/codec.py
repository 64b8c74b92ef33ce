"""A condition as JSON: how it travels to where an event is looked at again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orgmon.detections.condition import (
    Absent,
    All,
    Compares,
    Condition,
    Either,
    Finds,
    Flag,
    Glob,
    Matches,
    Not,
    Placeholder,
    Present,
    Test,
    Within,
)

TESTS: Mapping[str, Callable[..., Test]] = {
    one.__name__: one for one in (Absent, Compares, Finds, Flag, Matches, Placeholder, Present, Within)
}


def to_json(condition: Condition) -> Any:
    """The condition as lists and strings: the name of its kind, then what it holds."""
    if isinstance(condition, Not):
        return ["Not", to_json(condition.part)]
    if isinstance(condition, All | Either):
        return [type(condition).__name__, *map(to_json, condition.parts)]
    assert isinstance(condition, Test)
    values = [list(one.pieces) if isinstance(one, Glob) else one for one in vars(condition).values()]
    return [type(condition).__name__, *values]


def from_json(value: Any) -> Condition:
    """The condition that ``to_json`` wrote."""
    kind, *values = value
    if kind == "Not":
        return Not(from_json(values[0]))
    if kind in ("All", "Either"):
        parts = tuple(map(from_json, values))
        return All(parts) if kind == "All" else Either(parts)
    if kind == "Matches":
        return Matches(values[0], Glob(tuple(values[1])))
    return TESTS[kind](*(tuple(one) if isinstance(one, list) else one for one in values))
