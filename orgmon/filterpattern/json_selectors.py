"""JSON patterns, ``{ $.eventName = "StopLogging" }``: their parts, how they print, what they accept."""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orgmon.errors import PatternError
from orgmon.filterpattern.values import Number, Regex, Value, is_number

MAX_WILDCARD_SELECTORS = 3
"""Selectors with ``[*]`` or ``.*`` in one pattern; each may have one."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")
ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Member:
    """``.name``: a member of an object. Names with a dot and the like print as ``.['name']``."""

    name: str

    def __post_init__(self) -> None:
        if not self.name or "'" in self.name:
            raise PatternError(f"a selector cannot name the member {self.name!r}", "match another field")

    def children(self, node: object) -> Iterator[object]:
        """The member's value, or nothing."""
        if isinstance(node, dict) and self.name in node:
            yield node[self.name]

    def __str__(self) -> str:
        return f".{self.name}" if PLAIN_NAME.fullmatch(self.name) else f".['{self.name}']"


@dataclass(frozen=True)
class Index:
    """``[n]``: the n-th element of an array, from 0."""

    number: int

    def children(self, node: object) -> Iterator[object]:
        """The element, or nothing when there is no such element or no array."""
        if isinstance(node, list) and self.number < len(node):
            yield node[self.number]

    def __str__(self) -> str:
        return f"[{self.number}]"


@dataclass(frozen=True)
class AnyElement:
    """``[*]``: any element of an array."""

    def children(self, node: object) -> Iterator[object]:
        """Every element."""
        if isinstance(node, list):
            yield from node

    def __str__(self) -> str:
        return "[*]"


@dataclass(frozen=True)
class AnyMember:
    """``.*``: any member of an object."""

    def children(self, node: object) -> Iterator[object]:
        """The value of every member."""
        if isinstance(node, dict):
            yield from node.values()

    def __str__(self) -> str:
        return ".*"


Step = Member | Index | AnyElement | AnyMember


@dataclass(frozen=True)
class Selector:
    """A path from the root of the log event. It does not descend into arrays by itself."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise PatternError("a selector needs at least one step", "write $.field")
        if sum(isinstance(step, AnyElement | AnyMember) for step in self.steps) > 1:
            raise PatternError(f"the selector {self} has two wildcards", "a selector may have one [*] or .*")

    @classmethod
    def of(cls, *names: str) -> Selector:
        """A selector through the members of these names."""
        return cls(tuple(Member(name) for name in names))

    @property
    def has_wildcard(self) -> bool:
        """Whether the selector can reach several values."""
        return any(isinstance(step, AnyElement | AnyMember) for step in self.steps)

    def values(self, document: object) -> list[object]:
        """The values that the selector reaches; an empty list means that there is none."""
        nodes = [document]
        for step in self.steps:
            nodes = [child for node in nodes for child in step.children(node)]
        return nodes

    def __str__(self) -> str:
        return "$" + "".join(str(step) for step in self.steps)


@dataclass(frozen=True)
class Comparison:
    """``$.a = "x"``. A missing field, null, true, false, an object and an array make every operator false."""

    selector: Selector
    operator: str
    value: Value

    def __post_init__(self) -> None:
        if self.operator not in ("=", "!=") and not (
            self.operator in ORDER and isinstance(self.value, Number)
        ):
            raise PatternError(
                f"{self.operator} cannot be used with {self.value}",
                "strings and regular expressions take = and !=",
            )

    def holds(self, document: object) -> bool:
        """Whether a value at the selector fits."""
        return any(self._fits(value) for value in self.selector.values(document))

    def _fits(self, value: object) -> bool:
        if self.operator == "=":
            return self.value.equals(value)
        if self.operator == "!=":
            return self.value.comparable(value) and not self.value.equals(value)
        assert isinstance(self.value, Number)
        return is_number(value) and ORDER[self.operator](value, self.value.value)

    def selectors(self) -> Iterator[Selector]:
        """The selectors of the condition."""
        yield self.selector

    def regexes(self) -> int:
        """How many regular expressions the condition holds."""
        return int(isinstance(self.value, Regex))

    def __str__(self) -> str:
        return f"{self.selector} {self.operator} {self.value}"


@dataclass(frozen=True)
class Is:
    """``$.a IS NULL``, ``IS TRUE``, ``IS FALSE``. A missing field is none of them."""

    selector: Selector
    value: bool | None

    def holds(self, document: object) -> bool:
        """Whether the value is that JSON constant."""
        return any(value is self.value for value in self.selector.values(document))

    def selectors(self) -> Iterator[Selector]:
        """The selectors of the condition."""
        yield self.selector

    def regexes(self) -> int:
        """No regular expression."""
        return 0

    def __str__(self) -> str:
        return f"{self.selector} IS {'NULL' if self.value is None else str(self.value).upper()}"


@dataclass(frozen=True)
class NotExists:
    """``$.a NOT EXISTS``: nothing is there, not even null. A missing parent counts."""

    selector: Selector

    def holds(self, document: object) -> bool:
        """Whether the selector reaches nothing."""
        return not self.selector.values(document)

    def selectors(self) -> Iterator[Selector]:
        """The selectors of the condition."""
        yield self.selector

    def regexes(self) -> int:
        """No regular expression."""
        return 0

    def __str__(self) -> str:
        return f"{self.selector} NOT EXISTS"


@dataclass(frozen=True)
class _Group:
    parts: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise PatternError(
                "a group of conditions needs two parts", "write the single condition without a group"
            )

    def selectors(self) -> Iterator[Selector]:
        """The selectors of all parts."""
        for part in self.parts:
            yield from part.selectors()

    def regexes(self) -> int:
        """How many regular expressions all parts hold."""
        return sum(part.regexes() for part in self.parts)

    def _joined(self, sign: str) -> str:
        return sign.join(f"({part})" if isinstance(part, _Group) else str(part) for part in self.parts)


@dataclass(frozen=True)
class All(_Group):
    """``a && b``. Groups inside a group are printed in parentheses."""

    def holds(self, document: object) -> bool:
        """Whether every part holds."""
        return all(part.holds(document) for part in self.parts)

    def __str__(self) -> str:
        return self._joined(" && ")


@dataclass(frozen=True)
class Any(_Group):
    """``a || b``."""

    def holds(self, document: object) -> bool:
        """Whether a part holds."""
        return any(part.holds(document) for part in self.parts)

    def __str__(self) -> str:
        return self._joined(" || ")


Condition = Comparison | Is | NotExists | All | Any


@dataclass(frozen=True)
class JsonSelectors:
    """A whole JSON pattern."""

    condition: Condition

    def __post_init__(self) -> None:
        if sum(selector.has_wildcard for selector in self.condition.selectors()) > MAX_WILDCARD_SELECTORS:
            raise PatternError(
                f"a filter pattern may hold {MAX_WILDCARD_SELECTORS} selectors with a wildcard", "use fewer"
            )

    def matches(self, message: str) -> bool:
        """Whether the message is one JSON document for which the condition holds."""
        try:
            document = _document(message)
        except ValueError:
            return False
        return self.condition.holds(document)

    def regexes(self) -> int:
        """How many regular expressions the pattern holds."""
        return self.condition.regexes()

    def __str__(self) -> str:
        return f"{{ {self.condition} }}"


@functools.lru_cache(maxsize=16)
def _document(message: str) -> object:
    """The message as JSON; kept for a moment because many patterns look at the same log event."""
    return json.loads(message)
