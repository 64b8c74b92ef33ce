"""The conditions of Insights' ``filter``: what holds of an event, what does not, and what nobody has written down.

Source: CloudWatch Logs user guide, "Boolean, comparison, numeric, datetime, and other functions". What ``!=`` and its
like say of a field that is not there is not documented: an event whose fate hangs on it makes the query be refused.
"""

from __future__ import annotations

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from orgmon.sandbox.queries.fields import Row, number

_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Truth(Enum):
    """ABSENT is a comparison with a field that is not there: not true. UNKNOWN is what no source tells."""

    TRUE = "true"
    FALSE = "false"
    ABSENT = "absent"
    UNKNOWN = "unknown"


def _truth(value: bool) -> Truth:
    return Truth.TRUE if value else Truth.FALSE


class Condition(ABC):
    """Something that is asked of an event's fields."""

    @abstractmethod
    def of(self, row: Row) -> Truth:
        """Whether it holds."""


@dataclass(frozen=True)
class All(Condition):
    """Conditions with ``and`` between them."""

    parts: tuple[Condition, ...]

    def of(self, row: Row) -> Truth:
        """False as soon as one is not true."""
        found = {part.of(row) for part in self.parts}
        return next(
            (each for each in (Truth.FALSE, Truth.ABSENT, Truth.UNKNOWN) if each in found), Truth.TRUE
        )


@dataclass(frozen=True)
class Any(Condition):
    """Conditions with ``or`` between them."""

    parts: tuple[Condition, ...]

    def of(self, row: Row) -> Truth:
        """True as soon as one is true."""
        found = {part.of(row) for part in self.parts}
        return next(
            (each for each in (Truth.TRUE, Truth.UNKNOWN, Truth.ABSENT) if each in found), Truth.FALSE
        )


@dataclass(frozen=True)
class Not(Condition):
    """The opposite; of a field that is not there nobody knows it."""

    part: Condition

    def of(self, row: Row) -> Truth:
        """The opposite truth."""
        opposite = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}
        return opposite.get(self.part.of(row), Truth.UNKNOWN)


@dataclass(frozen=True)
class Equal(Condition):
    """A field is one of some values: numbers by their value, texts letter by letter."""

    field: str
    values: tuple[str, ...]

    def of(self, row: Row) -> Truth:
        """Whether one of them is the field's."""
        value = row.get(self.field)
        if value is None:
            return Truth.ABSENT
        return _truth(any(_is_same(value, wanted) for wanted in self.values))


@dataclass(frozen=True)
class Ordered(Condition):
    """A field is less or more than a number."""

    field: str
    sign: str
    bound: float

    def of(self, row: Row) -> Truth:
        """Whether it is; of a text nobody knows."""
        if self.field not in row:
            return Truth.ABSENT
        value = number(row[self.field])
        return Truth.UNKNOWN if value is None else _truth(_ORDER[self.sign](value, self.bound))


@dataclass(frozen=True)
class Like(Condition):
    """A text or a regular expression is found anywhere in a field; case counts."""

    field: str
    pattern: re.Pattern[str]

    def of(self, row: Row) -> Truth:
        """Whether it is found."""
        value = row.get(self.field)
        return Truth.ABSENT if value is None else _truth(self.pattern.search(value) is not None)


@dataclass(frozen=True)
class Present(Condition):
    """``ispresent``, ``isempty`` (absent or an empty text), ``isblank`` (absent, empty, or spaces alone)."""

    field: str
    function: str

    def of(self, row: Row) -> Truth:
        """What the function says of the field."""
        value = row.get(self.field)
        if self.function == "ispresent":
            return _truth(value is not None)
        return _truth(not value or (self.function == "isblank" and not value.strip()))


def _is_same(value: str, wanted: str) -> bool:
    one, other = number(value), number(wanted)
    return one == other if one is not None and other is not None else value == wanted
