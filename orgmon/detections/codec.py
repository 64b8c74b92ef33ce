"""A condition as JSON: how it travels to where an event is looked at again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from orgmon.detections.condition import All, Condition, Either, Glob, Matches, Not, Test

TESTS: Mapping[str, Callable[..., Test]] = {kind.__name__: kind for kind in get_args(Test)}


def to_json(condition: Condition) -> Any:
    """The condition as lists and strings: the name of its kind, then what it holds.

    Raises ValueError for a condition that tells a secret.
    """
    kind = type(condition).__name__
    match condition:
        case Not(part):
            return [kind, to_json(part)]
        case All(parts) | Either(parts):
            return [kind, *map(to_json, parts)]
        case Matches(_, _, secret) if secret:
            raise ValueError(
                "a secret is written nowhere: the whole organization can read the code of functions"
            )
        case Matches(path, glob):
            return [kind, path, list(glob.pieces)]
        case _:
            return [kind, *vars(condition).values()]


def from_json(value: Any) -> Condition:
    """The condition that ``to_json`` wrote."""
    kind, *values = value
    match kind:
        case "Not":
            return Not(from_json(values[0]))
        case "All":
            return All(tuple(map(from_json, values)))
        case "Either":
            return Either(tuple(map(from_json, values)))
        case "Matches":
            return Matches(values[0], Glob(tuple(values[1])))
        case _:
            return TESTS[kind](
                *(tuple(argument) if isinstance(argument, list) else argument for argument in values)
            )
