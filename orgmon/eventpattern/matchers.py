"""The elements of a leaf list: what they accept and how they print."""

from __future__ import annotations

import functools
import ipaddress
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeGuard

from orgmon.errors import PatternError

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Scalar = str | int | float | bool | None


def same(value: object, wanted: object) -> bool:
    """Equality of JSON values: no coercion, 1 is not true, 300 is 300.0."""
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def fold(text: str) -> str:
    """Ignoring case one character at a time: É is é, but ß is not SS."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


class Matcher(ABC):
    """One element of a leaf list."""

    takes_absent = False
    """Whether a field that is not there is accepted."""

    @abstractmethod
    def fits(self, value: object) -> bool:
        """Whether a leaf with this JSON value is accepted."""

    @abstractmethod
    def to_json(self) -> Any:
        """The element as it stands in a pattern."""

    def complexity(self) -> int:
        """What the element adds to the wildcard complexity of its field."""
        return 0


@dataclass(frozen=True)
class Exact(Matcher):
    """A JSON scalar, equal."""

    value: Scalar

    def fits(self, value: object) -> bool:
        """Whether the value is the same JSON scalar."""
        return same(value, self.value)

    def to_json(self) -> Any:
        """The scalar itself."""
        return self.value


def _with_case(operator_name: str, text: str, ignore_case: bool) -> dict[str, Any]:
    return {operator_name: {"equals-ignore-case": text} if ignore_case else text}


@dataclass(frozen=True)
class Prefix(Matcher):
    """``{"prefix": "x"}``; the empty prefix takes every string."""

    text: str
    ignore_case: bool = False

    def fits(self, value: object) -> bool:
        """Whether the value is a string with this beginning."""
        if not isinstance(value, str):
            return False
        return fold(value).startswith(fold(self.text)) if self.ignore_case else value.startswith(self.text)

    def to_json(self) -> Any:
        """The element in a pattern."""
        return _with_case("prefix", self.text, self.ignore_case)


@dataclass(frozen=True)
class Suffix(Matcher):
    """``{"suffix": "x"}``."""

    text: str
    ignore_case: bool = False

    def fits(self, value: object) -> bool:
        """Whether the value is a string with this end."""
        if not isinstance(value, str):
            return False
        return fold(value).endswith(fold(self.text)) if self.ignore_case else value.endswith(self.text)

    def to_json(self) -> Any:
        """The element in a pattern."""
        return _with_case("suffix", self.text, self.ignore_case)


@dataclass(frozen=True)
class IgnoreCase(Matcher):
    """``{"equals-ignore-case": "x"}``."""

    text: str

    def fits(self, value: object) -> bool:
        """Whether the value is this string in any case."""
        return isinstance(value, str) and fold(value) == fold(self.text)

    def to_json(self) -> Any:
        """The element in a pattern."""
        return {"equals-ignore-case": self.text}


def wildcard_tokens(text: str) -> tuple[str | None, ...]:
    r"""The characters of a wildcard string, with None for ``*``. ``\*`` and ``\\`` are the only escapes."""
    tokens: list[str | None] = []
    rest = iter(enumerate(text, 1))
    for place, char in rest:
        if char == "*":
            if tokens and tokens[-1] is None:
                raise PatternError(f"{text!r} has two wildcards in a row at {place}", "write one *")
            tokens.append(None)
            continue
        if char == "\\":
            place, char = next(rest, (place, ""))
            if char not in ("*", "\\"):
                raise PatternError(
                    f"{text!r} has an escape that is not allowed at {place}", r"write \* or \\"
                )
        tokens.append(char)
    return tuple(tokens)


@functools.lru_cache(maxsize=1024)
def _wildcard_regex(text: str) -> re.Pattern[str]:
    return re.compile(
        "".join(".*" if token is None else re.escape(token) for token in wildcard_tokens(text)), re.DOTALL
    )


@dataclass(frozen=True)
class Wildcard(Matcher):
    r"""``{"wildcard": "a*b"}``: ``*`` is any characters, none included; case counts."""

    text: str

    def __post_init__(self) -> None:
        wildcard_tokens(self.text)

    def fits(self, value: object) -> bool:
        """Whether the value is a string of this shape."""
        return isinstance(value, str) and _wildcard_regex(self.text).fullmatch(value) is not None

    def to_json(self) -> Any:
        """The element in a pattern."""
        return {"wildcard": self.text}

    def complexity(self) -> int:
        """How many beginnings of the wildcard string one value can match at once, at worst."""
        return wildcard_complexity(self.text)


@functools.lru_cache(maxsize=1024)
def wildcard_complexity(text: str, limit: int = 64) -> int:
    """The most beginnings of the wildcard string that a single value can match at the same time.

    That is how AWS's matcher scores a pattern. Counting stops at ``limit``.
    """
    tokens = wildcard_tokens(text)
    alphabet = {token for token in tokens if token is not None} | {""}
    start = _closed({0}, tokens)
    seen, queue, worst = {start}, [start], len(start - {0})
    while queue and worst < limit and len(seen) < 4096:
        states = queue.pop()
        for char in alphabet:
            after = _closed({moved for state in states for moved in _moves(state, char, tokens)}, tokens)
            if after not in seen:
                seen.add(after)
                queue.append(after)
                worst = max(worst, len(after - {0}))
    return worst if len(seen) < 4096 else limit


def _moves(state: int, char: str, tokens: tuple[str | None, ...]) -> set[int]:
    """Where one character leads from the state "the first n tokens are matched"."""
    moved = set()
    if state and tokens[state - 1] is None:
        moved.add(state)
    if state < len(tokens) and tokens[state] is not None and tokens[state] == char:
        moved.add(state + 1)
    return moved


def _closed(states: set[int], tokens: tuple[str | None, ...]) -> frozenset[int]:
    """With the states that a ``*`` reaches without a character."""
    after_star = {state + 1 for state in states if state < len(tokens) and tokens[state] is None}
    return frozenset(states | after_star)


@dataclass(frozen=True)
class AnythingBut(Matcher):
    """``{"anything-but": ...}``: any leaf that is there, null included, except what ``excluded`` takes.

    ``plain`` are values, otherwise one operator over values; ``single`` is how it was written: no list.
    """

    excluded: tuple[Matcher, ...]
    plain: bool = True
    single: bool = False

    def fits(self, value: object) -> bool:
        """Whether none of the excluded matchers takes the value."""
        return not any(matcher.fits(value) for matcher in self.excluded)

    def to_json(self) -> Any:
        """The element in a pattern."""
        inner = [matcher.to_json() for matcher in self.excluded]
        if self.plain:
            return {"anything-but": inner[0] if self.single else inner}
        name = next(iter(inner[0]))
        values = [element[name] for element in inner]
        return {"anything-but": {name: values[0] if self.single else values}}

    def complexity(self) -> int:
        """The sum over what is excluded."""
        return sum(matcher.complexity() for matcher in self.excluded)


@dataclass(frozen=True)
class Numeric(Matcher):
    """``{"numeric": [">", 0, "<=", 5]}``: one or two bounds, on JSON numbers only."""

    bounds: tuple[tuple[str, int | float], ...]

    def fits(self, value: object) -> bool:
        """Whether the value is a number within the bounds."""
        return is_number(value) and all(COMPARE[sign](value, bound) for sign, bound in self.bounds)

    def to_json(self) -> Any:
        """The element in a pattern."""
        return {"numeric": [part for bound in self.bounds for part in bound]}


@dataclass(frozen=True)
class Cidr(Matcher):
    """``{"cidr": "10.0.0.0/8"}``: the text of an address in the block; host names never match."""

    block: str

    def fits(self, value: object) -> bool:
        """Whether the value is an address in the block."""
        if not isinstance(value, str):
            return False
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return False
        return address in ipaddress.ip_network(self.block, strict=False)

    def to_json(self) -> Any:
        """The element in a pattern."""
        return {"cidr": self.block}


@dataclass(frozen=True)
class Exists(Matcher):
    """``{"exists": true}`` or ``false``, about leaves only."""

    wanted: bool

    @property
    def takes_absent(self) -> bool:  # type: ignore[override]
        """Whether the field must be absent."""
        return not self.wanted

    def fits(self, value: object) -> bool:
        """Any value, if the field must be there."""
        return self.wanted

    def to_json(self) -> Any:
        """The element in a pattern."""
        return {"exists": self.wanted}
