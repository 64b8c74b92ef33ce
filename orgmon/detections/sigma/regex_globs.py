"""Regular expressions as string shapes: both pattern languages have those, EventBridge has no regular expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from orgmon.detections.condition import Glob

MAX_SHAPES = 16
STAR = None
"""Any characters, among the pieces of a shape."""

Shape = tuple[str | None, ...]


def globs_of(pattern: str) -> tuple[Glob, ...] | None:
    """The shapes of which a string must have one for the expression to be found in it, or None where that is no such
    list. Characters, ``.*``, ``^``, ``$``, alternatives and small character sets can be said.
    """
    try:
        parsed = list(_parser.parse(pattern))
    except re.error:
        return None
    begins, ends = _is_at(parsed[:1], kinds.AT_BEGINNING), _is_at(parsed[-1:], kinds.AT_END)
    middle = parsed[begins : len(parsed) - ends]
    shapes = _sequence(middle)
    if shapes is None:
        return None
    head, tail = (() if begins else (STAR,)), (() if ends else (STAR,))
    return tuple(dict.fromkeys(_glob((*head, *shape, *tail)) for shape in shapes))


def _is_at(items: Sequence[Any], where: Any) -> bool:
    return bool(items) and items[0] == (kinds.AT, where)


def _sequence(items: Sequence[Any]) -> list[Shape] | None:
    found: list[Shape] = [()]
    for item in items:
        choices = _choices(item)
        if choices is None or len(found) * len(choices) > MAX_SHAPES:
            return None
        found = [(*left, *right) for left in found for right in choices]
    return found


def _choices(item: Any) -> list[Shape] | None:
    """What one part of the expression can stand for."""
    kind, argument = item
    if kind is kinds.LITERAL:
        return [(chr(argument),)]
    if kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT):
        return _repeated(*argument)
    if kind is kinds.SUBPATTERN:
        return _sequence(argument[3])
    if kind is kinds.BRANCH:
        parts = [_sequence(branch) for branch in argument[1]]
        return None if None in parts else [shape for part in parts for shape in part or ()]
    if kind is kinds.IN and all(one is kinds.LITERAL for one, _ in argument):
        return [(chr(code),) for _, code in argument]
    return None


def _repeated(low: int, high: Any, inner: Sequence[Any]) -> list[Shape] | None:
    if [kind for kind, _ in inner] == [kinds.ANY] and high is kinds.MAXREPEAT and low == 0:
        return [(STAR,)]
    if (low, high) == (0, 1):
        once = _sequence(inner)
        return None if once is None else [(), *once]
    return None


def _glob(shape: Shape) -> Glob:
    """The shape's characters put together, with stars side by side made one."""
    pieces = [""]
    for part in shape:
        if part is STAR:
            pieces.append("")
        else:
            pieces[-1] += part
    return Glob.of(pieces)
