"""Sets of values of one field, in the shapes that one EventBridge leaf list can say.

EventBridge has no AND on one field: a second matcher for the same field replaces the first. So all tests of a
conjunction on one field are first reduced to one set here, exactly, or refused.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import assert_never

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.condition import (
    COMPARE,
    Absent,
    Compares,
    Finds,
    Flag,
    Glob,
    Matches,
    Placeholder,
    Present,
    Test,
    Within,
)
from orgmon.detections.fields import Array, FieldType, Kind, field_type

ANY_STRING = Glob(("", ""))
OPPOSITE = {"<": (">=",), "<=": (">",), ">": ("<=",), ">=": ("<",), "=": ("<", ">")}


@dataclass(frozen=True)
class Text:
    """Strings of a shape."""

    glob: Glob


@dataclass(frozen=True)
class Other:
    """Every value that is there, null included, except strings of these shapes: ``anything-but``."""

    globs: frozenset[Glob]


@dataclass(frozen=True)
class Constant:
    """JSON null, true or false."""

    value: bool | None


@dataclass(frozen=True)
class Missing:
    """The field is not there."""


@dataclass(frozen=True)
class Anything:
    """The field is there, null included."""


@dataclass(frozen=True)
class Range:
    """Numbers within bounds, each a sign and a number; equality is ``=`` alone."""

    bounds: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Block:
    """Texts of addresses in a block."""

    cidr: str


Atom = Text | Other | Constant | Missing | Anything | Range | Block
FieldSet = frozenset[Atom]

_NO_NUMBER: FieldSet = frozenset(
    {Text(ANY_STRING), Constant(True), Constant(False), Constant(None), Missing()}
)


def fieldset(test: Test, *, negated: bool) -> FieldSet:
    """The values that make the test true (or false). Raises InexpressibleError."""
    kind = field_type(test.field) or FieldType(Kind.OPEN)
    if not negated:
        return _values(test)
    if kind.array is not Array.NO:
        raise InexpressibleError(
            Code.ARRAY_NEG, test.field, "a negation over an array", "a test that an element must pass"
        )
    return _other_values(test, kind.kind)


def _values(test: Test) -> FieldSet:
    match test:
        case Matches(_, glob):
            return frozenset({Text(glob)})
        case Flag(_, wanted, text_too):
            word = Text(Glob((str(wanted).lower(),)))
            return frozenset({Constant(wanted), word} if text_too else {Constant(wanted)})
        case Absent():
            return frozenset({Constant(None), Missing()})
        case Present():
            return frozenset({Anything()})
        case Compares(_, operator, number):
            return frozenset({Range(((operator, number),))})
        case Within(_, block):
            return frozenset({Block(block)})
        case Finds(path, pattern):
            raise InexpressibleError(
                Code.REGEX_SYNTAX,
                path,
                f"the regular expression {pattern} in an event pattern",
                "startswith, endswith or contains",
            )
        case Placeholder(path):
            raise InexpressibleError(
                Code.PLACEHOLDER, path, "a placeholder without values", "the same with values filled in"
            )
        case _:
            assert_never(test)


def _other_values(test: Test, kind: Kind) -> FieldSet:
    match test:
        case Matches(_, glob):
            return frozenset({Other(frozenset({glob})), Missing()})
        case Present():
            return frozenset({Missing()})
        case Absent():
            return _with_value(kind)
        case Compares():
            return _not_in_relation(test) | _NO_NUMBER
        case Flag(_, wanted, False):
            return frozenset({Constant(not wanted), Constant(None), Missing()})
        case Flag() | Within() | Finds() | Placeholder():
            raise InexpressibleError(
                Code.NOT_CIDR if isinstance(test, Within) else Code.NEGATION,
                test.field,
                f"the negation of {type(test).__name__.lower()} on {kind.value}",
                "the values that are wanted",
            )
        case _:
            assert_never(test)


def _with_value(kind: Kind) -> FieldSet:
    """What a field of this kind can hold besides null."""
    strings: FieldSet = frozenset({Text(ANY_STRING)}) if kind is not Kind.BOOL else frozenset()
    flags: FieldSet = frozenset({Constant(True), Constant(False)}) if kind is not Kind.STRING else frozenset()
    return strings | flags


def _not_in_relation(test: Compares) -> FieldSet:
    """The numbers for which the comparison is false."""
    return frozenset(Range(((sign, test.number),)) for sign in OPPOSITE[test.operator])


def meet(path: str, one: FieldSet, other: FieldSet) -> FieldSet:
    """The values in both sets. Raises InexpressibleError where no leaf list can say it."""
    found: FieldSet = frozenset()
    for left in one:
        for right in other:
            found |= _meet(path, left, right)
    return found


def _meet(path: str, one: Atom, other: Atom) -> FieldSet:
    if one == other:
        return frozenset({one})
    for left, right in ((one, other), (other, one)):
        found = _meet_in_order(path, left, right)
        if found is not None:
            return found
    raise InexpressibleError(
        Code.SAME_FIELD, path, "an address block together with another shape", "one of the two"
    )


def _meet_in_order(path: str, left: Atom, right: Atom) -> FieldSet | None:
    """The values in both; None where the pair is to be asked the other way round."""
    if isinstance(left, Missing):
        return frozenset()
    if isinstance(left, Anything):
        return frozenset() if isinstance(right, Missing) else frozenset({right})
    if isinstance(left, Other):
        return _meet_other(path, left, right)
    if isinstance(left, Text) and isinstance(right, Text):
        return _both(path, left.glob, right.glob)
    if isinstance(left, Text) and left.glob.literal is not None and isinstance(right, Block):
        return frozenset({left}) if Within(path, right.cidr).fits(left.glob.literal) else frozenset()
    if isinstance(left, Range) and isinstance(right, Range):
        return _overlap(left, right)
    if isinstance(left, Block) and isinstance(right, Block):
        return _inner_block(left, right)
    return frozenset() if isinstance(left, Constant | Range) and isinstance(right, _SCALARS) else None


_SCALARS = (Text, Constant, Range, Block)


def _meet_other(path: str, left: Other, right: Atom) -> FieldSet | None:
    if isinstance(right, Other):
        return frozenset({Other(left.globs | right.globs)})
    if isinstance(right, Text):
        return _without(path, right, left)
    return frozenset({right}) if isinstance(right, Constant | Range) else None


def covers(wide: Glob, narrow: Glob) -> bool:
    """Whether every string of the narrow shape surely has the wide one."""
    return wide.fits("\uffff".join(narrow.pieces))


def apart(one: Glob, other: Glob) -> bool:
    """Whether surely no string has both shapes."""
    for left, right in ((one, other), (other, one)):
        if left.literal is not None:
            return not right.fits(left.literal)
    heads = one.pieces[0], other.pieces[0]
    tails = one.pieces[-1], other.pieces[-1]
    return not (heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])) or not (
        tails[0].endswith(tails[1]) or tails[1].endswith(tails[0])
    )


def _both(path: str, one: Glob, other: Glob) -> FieldSet:
    if apart(one, other):
        return frozenset()
    for wide, narrow in ((one, other), (other, one)):
        if covers(wide, narrow):
            return frozenset({Text(narrow)})
    for head, tail in ((one.prefix, other.suffix), (other.prefix, one.suffix)):
        if head is not None and tail is not None:
            touching = {
                head + tail[length:]
                for length in range(1, min(len(head), len(tail)) + 1)
                if head.endswith(tail[:length])
            }
            return frozenset({Text(Glob((head, tail)))} | {Text(Glob((word,))) for word in touching})
    raise InexpressibleError(
        Code.SAME_FIELD, path, f"both {one} and {other} on one field", "one shape with * between the pieces"
    )


def _without(path: str, text: Text, other: Other) -> FieldSet:
    left = [glob for glob in other.globs if not apart(text.glob, glob)]
    if not left:
        return frozenset({text})
    if any(covers(glob, text.glob) for glob in left):
        return frozenset()
    shapes = ", ".join(str(glob) for glob in sorted(left))
    raise InexpressibleError(
        Code.SAME_FIELD, path, f"{text.glob} but not {shapes} on one field", "the wanted values as a list"
    )


def _overlap(one: Range, other: Range) -> FieldSet:
    bounds = set(one.bounds + other.bounds)
    for sign, number in sorted(bounds):
        if sign == "=":
            fits = all(COMPARE[limit](number, bound) for limit, bound in bounds)
            return frozenset({Range(((sign, number),))}) if fits else frozenset()
    low = max(((number, sign == ">", sign) for sign, number in bounds if sign in (">", ">=")), default=None)
    high = min(((number, sign == "<=", sign) for sign, number in bounds if sign in ("<", "<=")), default=None)
    if low is None or high is None:
        return frozenset({Range(tuple((end[2], end[0]) for end in (low, high) if end is not None))})
    if low[0] == high[0] and (low[2], high[2]) == (">=", "<="):
        return frozenset({Range((("=", low[0]),))})
    return frozenset({Range(((low[2], low[0]), (high[2], high[0])))}) if low[0] < high[0] else frozenset()


def _inner_block(one: Block, other: Block) -> FieldSet:
    left, right = ipaddress.ip_network(one.cidr), ipaddress.ip_network(other.cidr)
    if left.version != right.version or not left.overlaps(right):
        return frozenset()
    return frozenset({one if left.prefixlen > right.prefixlen else other})
