"""Regular expressions as string shapes: both pattern languages have those, EventBridge has no regular expressions.

Read here are characters, ``.*``, ``^``, ``$``, groups, alternatives, ``?`` and small character sets. What else Python's
``re`` knows is left alone; Python's own parser of expressions is private.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orgmon.detections.condition import Glob

MAX_SHAPES = 16
STAR, BEGIN, END = object(), object(), object()
"""Any characters, the beginning and the end of the text: what is no character among the pieces of a shape."""

Shape = tuple[object, ...]

_REPEATED = re.compile(r"[*+?]|\{\d*,?\d+\}|\{\d+,?\d*\}|\{,\}")
_GROUP = re.compile(r"\((?:\?:|\?P<\w+>)?(?!\?)")
_SET = re.compile(r"\[(\]?(?:[^]\\]|\\.)*)\]", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class _NoShapesError(Exception):
    """The expression is no list of shapes, or no expression at all."""


def globs_of(pattern: str) -> tuple[Glob, ...] | None:
    """The shapes of which a string must have one for the expression to be found in it, or None where that is no such
    list.
    """
    try:
        re.compile(pattern)
        shapes, end = _alternatives(pattern, 0)
        return tuple(dict.fromkeys(map(_glob, shapes))) if end == len(pattern) else None
    except (re.error, _NoShapesError):
        return None


def _alternatives(pattern: str, at: int) -> tuple[list[Shape], int]:
    """What stands between ``|``, up to the end or the ``)`` of the group."""
    shapes, at = _sequence(pattern, at)
    while pattern.startswith("|", at):
        more, at = _sequence(pattern, at + 1)
        shapes += more
    if len(shapes) > MAX_SHAPES:
        raise _NoShapesError
    return shapes, at


def _sequence(pattern: str, at: int) -> tuple[list[Shape], int]:
    """What stands one after the other."""
    shapes: list[Shape] = [()]
    while at < len(pattern) and pattern[at] not in "|)":
        choices, at = _item(pattern, at)
        if len(shapes) * len(choices) > MAX_SHAPES:
            raise _NoShapesError
        shapes = [(*left, *right) for left in shapes for right in choices]
    return shapes, at


def _item(pattern: str, at: int) -> tuple[list[Shape], int]:
    """One part, with how often it may stand there."""
    begin = at
    choices, at = _part(pattern, at)
    repeated = _REPEATED.match(pattern, at)
    if repeated is None:
        if pattern[begin] == ".":
            raise _NoShapesError
        return choices, at
    at = repeated.end() + pattern.startswith("?", repeated.end())
    if pattern[begin] == "." and repeated[0] == "*":
        choices = [(STAR,)]
    elif repeated[0] == "?" and pattern[begin] not in ".^$":
        choices = [(), *choices]
    else:
        raise _NoShapesError
    if _REPEATED.match(pattern, at):  # possessive
        raise _NoShapesError
    return choices, at


def _part(pattern: str, at: int) -> tuple[list[Shape], int]:
    sign = pattern[at]
    if sign == "(":
        return _group(pattern, at)
    if sign == "[":
        return _set(pattern, at)
    if sign == "\\":
        return [(_escaped(pattern[at + 1]),)], at + 2
    anchors = {"^": BEGIN, "$": END}
    return [(anchors.get(sign, sign),)], at + 1


def _group(pattern: str, at: int) -> tuple[list[Shape], int]:
    opened = _GROUP.match(pattern, at)
    if opened is None:
        raise _NoShapesError
    shapes, at = _alternatives(pattern, opened.end())
    return shapes, at + 1


def _set(pattern: str, at: int) -> tuple[list[Shape], int]:
    """A set that lists its characters."""
    match = _SET.match(pattern, at)
    if match is None or match[1].startswith("^") or re.search(r"[^\\]-.", match[1]):
        raise _NoShapesError
    signs = re.findall(r"\\?.", match[1], re.DOTALL)
    return [(_escaped(sign[1]) if len(sign) == 2 else sign,) for sign in signs], match.end()


def _escaped(sign: str) -> str:
    """The character that stands behind a backslash, where it is one and no class or place."""
    if sign in _ESCAPES or not sign.isalnum():
        return _ESCAPES.get(sign, sign)
    raise _NoShapesError


def _glob(shape: Shape) -> Glob:
    """The shape's characters put together; without ``^`` or ``$`` anything may stand around them."""
    begins, ends = shape[:1] == (BEGIN,), shape[-1:] == (END,)
    inner = shape[begins : len(shape) - ends]
    pieces = [""]
    for part in _open(inner, begins, ends):
        if isinstance(part, str):
            pieces[-1] += part
        elif part is STAR:
            pieces.append("")
        else:
            raise _NoShapesError
    return Glob.of(pieces)


def _open(inner: Shape, begins: bool, ends: bool) -> Sequence[object]:
    return (*(() if begins else (STAR,)), *inner, *(() if ends else (STAR,)))
