"""Sets of values of one field, in the shapes that one EventBridge leaf list can say.

EventBridge has no AND on one field: a second matcher for the same field replaces the first. So each test is such a
set, exactly, or refused, and those of a conjunction are reduced to one (``meeting``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from orgmon.detections.codes import Code, InexpressibleError
from orgmon.detections.condition import (
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
from orgmon.detections.fields import Array, Kind, taken_type

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
    return _other_values(test, kind_to_negate(test.field)) if negated else _values(test)


def kind_to_negate(path: str) -> Kind:
    """The kind of a field about which something is denied. Raises InexpressibleError where an array is involved."""
    taken = taken_type(path)
    if taken.array is not Array.NO:
        raise InexpressibleError(
            Code.ARRAY_NEG, path, "a negation over an array", "a test that an element must pass"
        )
    return taken.kind


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
