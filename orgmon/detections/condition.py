"""What a detection asks of a CloudTrail record: a tree of tests with one exact meaning.

The meaning, which every compiled form must share: case counts; a missing field makes a test false and its
negation true; ``not`` is the complement; a field below an array holds when any element does. Null counts as missing
for ``Absent`` and as present for ``Present``.
"""

from __future__ import annotations

import functools
import ipaddress
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, order=True)
class Glob:
    """A string shape: literal pieces with any characters between them.

    ("x",) is exactly x; ("x", "") begins with x; ("", "x") ends with x; ("", "x", "") contains x; ("", "") is
    any string.
    """

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, pieces: Sequence[str]) -> Glob:
        """The shape of pieces with ``*`` between them, in which stars side by side are one."""
        *inner, last = pieces
        return cls((*(piece for place, piece in enumerate(inner) if piece or place == 0), last))

    @property
    def literal(self) -> str | None:
        """The one string that fits, or None where there are several."""
        return self.pieces[0] if len(self.pieces) == 1 else None

    @property
    def prefix(self) -> str | None:
        """The beginning, if that is all that is asked (and is not empty)."""
        head, *rest = self.pieces
        return head if rest == [""] and head else None

    @property
    def suffix(self) -> str | None:
        """The end, if that is all that is asked (and is not empty)."""
        *rest, tail = self.pieces
        return tail if rest == [""] and tail else None

    @property
    def takes_all(self) -> bool:
        """Whether every string fits."""
        return len(self.pieces) > 1 and not any(self.pieces)

    @property
    def regex(self) -> re.Pattern[str]:
        """The shape as a regular expression for the whole string."""
        return _regex(self.pieces)

    def fits(self, text: str) -> bool:
        """Whether the string has the shape."""
        return self.regex.fullmatch(text) is not None

    def __str__(self) -> str:
        return "*".join(self.pieces)


@functools.lru_cache(maxsize=4096)
def _regex(pieces: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in pieces), re.DOTALL)


def values_at(record: object, path: tuple[str, ...]) -> Iterator[object]:
    """The values at a path of member names; arrays on the way and at its end are gone through."""
    if isinstance(record, list):
        for element in record:
            yield from values_at(element, path)
    elif not path:
        yield record
    elif isinstance(record, Mapping) and path[0] in record:
        yield from values_at(record[path[0]], path[1:])


@dataclass(frozen=True)
class _OfField:
    """A question about one field, named by its dotted path."""

    field: str

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the members that lead to the field."""
        return tuple(self.field.split("."))


@dataclass(frozen=True)
class _OfValue(_OfField, ABC):
    """A question about each value of a field alone; a field that is not there never fits."""

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether a value of the field fits."""
        return any(self.fits(value) for value in values_at(record, self.path))

    @abstractmethod
    def fits(self, value: object) -> bool:
        """Whether this JSON value fits."""


@dataclass(frozen=True)
class Matches(_OfValue):
    """The field is a string of this shape. ``secret`` is what of the shape no member account may know, if anything."""

    glob: Glob
    secret: str = ""

    def fits(self, value: object) -> bool:
        """Whether the value is a string of the shape."""
        return isinstance(value, str) and self.glob.fits(value)


@dataclass(frozen=True)
class Finds(_OfValue):
    """The field is a string in which a regular expression is found."""

    pattern: str

    def fits(self, value: object) -> bool:
        """Whether the expression is found in the value."""
        return isinstance(value, str) and expression(self.pattern).search(value) is not None


@functools.lru_cache(maxsize=256)
def expression(pattern: str) -> re.Pattern[str]:
    """The expression as CloudWatch Logs reads it: classes such as ``\\d`` are ASCII."""
    return re.compile(pattern, re.ASCII)


@dataclass(frozen=True)
class Flag(_OfValue):
    """The field is true, or false. ``text_too`` also takes the words "true" and "false"."""

    wanted: bool
    text_too: bool = False

    def fits(self, value: object) -> bool:
        """Whether the value says so."""
        return value is self.wanted or (self.text_too and value == str(self.wanted).lower())


@dataclass(frozen=True)
class Compares(_OfValue):
    """The field is a number in this relation."""

    operator: str
    number: int | float

    def fits(self, value: object) -> bool:
        """Whether the value is a number (true and false are none) and the relation holds."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return COMPARE[self.operator](value, self.number)


@dataclass(frozen=True)
class Within(_OfValue):
    """The field is the text of an address in this block."""

    block: str

    def fits(self, value: object) -> bool:
        """Whether the value is such an address; host names are not."""
        if not isinstance(value, str):
            return False
        try:
            return ipaddress.ip_address(value) in ipaddress.ip_network(self.block)
        except ValueError:
            return False


@dataclass(frozen=True)
class Present(_OfValue):
    """The field is there, whatever its value."""

    def fits(self, value: object) -> bool:
        """Always: there is a value."""
        return True


@dataclass(frozen=True)
class Absent(_OfField):
    """The field is missing or null: CloudTrail leaves out what does not apply."""

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether no value but null is there."""
        return all(value is None for value in values_at(record, self.path))


@dataclass(frozen=True)
class Placeholder(_OfField):
    """The field has the shape with one of the values of ``name`` in it, after the pieces in ``before``."""

    before: tuple[str, ...]
    name: str
    after: tuple[str, ...]

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Never: a placeholder without values fits nothing."""
        return False


ValueTest = Matches | Finds | Flag | Compares | Within | Present
"""The tests that look at one value at a time."""

Test = ValueTest | Absent | Placeholder
"""Every kind of question about one field. Whoever tells them apart does it with an exhaustive ``match``."""


@dataclass(frozen=True)
class All:
    """Every part holds; without parts it always holds."""

    parts: tuple[Condition, ...]

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether every part holds for the record."""
        return all(part.holds(record) for part in self.parts)


@dataclass(frozen=True)
class Either:
    """A part holds; without parts it never holds."""

    parts: tuple[Condition, ...]

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether a part holds for the record."""
        return any(part.holds(record) for part in self.parts)


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether the part does not hold for the record."""
        return not self.part.holds(record)


Condition = Test | All | Either | Not


def either(parts: Iterable[Condition]) -> Condition:
    """The condition that a part holds; a single part is that itself."""
    alternatives = tuple(parts)
    return alternatives[0] if len(alternatives) == 1 else Either(alternatives)


def negations_inward(condition: Condition, *, negated: bool = False) -> Condition:
    """The same condition with ``Not`` only around single tests."""
    match condition:
        case Not(part):
            return negations_inward(part, negated=not negated)
        case All(parts) | Either(parts):
            inward = tuple(negations_inward(part, negated=negated) for part in parts)
            return All(inward) if isinstance(condition, All) != negated else Either(inward)
        case _:
            return Not(condition) if negated else condition


def tests_of(condition: Condition) -> Iterator[Test]:
    """Every test in the tree, from left to right."""
    match condition:
        case Not(part):
            yield from tests_of(part)
        case All(parts) | Either(parts):
            for part in parts:
                yield from tests_of(part)
        case _:
            yield condition
