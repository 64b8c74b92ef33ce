"""The right-hand sides of a condition: strings with wildcards, numbers, regular expressions."""

from __future__ import annotations

import functools
import json
import math
import re
from dataclasses import dataclass
from typing import TypeGuard

from orgmon.errors import PatternError

BARE = re.compile(r"[A-Za-z0-9_.*-]+")
"""Words that need no quotes. Only letters and digits are documented; dots and stars work in practice."""

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")

REGEX_TOKEN = re.compile(r"[A-Za-z0-9:_#=@/;,^$?\[\]{}|*+.-]|\\(?:[dDsSwW]|x[0-9A-Fa-f]{2}|[^A-Za-z0-9])")
"""What a regular expression may hold: no groups, no space, ASCII only."""


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


@functools.lru_cache(maxsize=1024)
def glob(text: str) -> re.Pattern[str]:
    """A string with ``*`` as a regular expression over the whole value.

    A ``*`` inside the string is taken as a wildcard too. AWS's guide of 2019 says it is literal there, a run on
    AWS in 2026 says it is not: our compiler never writes one.
    """
    return re.compile(".*".join(re.escape(piece) for piece in text.split("*")), re.DOTALL)


@dataclass(frozen=True)
class Text:
    """A string in which ``*`` stands for any characters, none included. ``quoted`` is how it was written.

    A wildcard without quotes is also tried on the digits of a number (``$.status = 4*``), and a lone ``*``
    accepts every number.
    """

    value: str
    quoted: bool = True

    def __post_init__(self) -> None:
        if not self.quoted and (not BARE.fullmatch(self.value) or NUMBER.fullmatch(self.value)):
            raise PatternError(f"{self.value!r} cannot be written without quotes", "put it in double quotes")

    def equals(self, value: object) -> bool:
        """Whether the JSON value is this string. Case counts."""
        if isinstance(value, str):
            return glob(self.value).fullmatch(value) is not None
        if is_number(value) and (self.value == "*" or not self.quoted):
            return glob(self.value).fullmatch(json.dumps(value)) is not None
        return False

    def comparable(self, value: object) -> bool:
        """Whether ``!=`` can be true of the JSON value: only strings and numbers are value nodes."""
        return isinstance(value, str) or is_number(value)

    def __str__(self) -> str:
        if not self.quoted:
            return self.value
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'


@dataclass(frozen=True)
class Number:
    """A number. It equals JSON numbers only; text is never taken for a number."""

    value: int | float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise PatternError(
                f"{self.value} is not a number that a filter pattern can hold", "write a finite one"
            )

    def equals(self, value: object) -> bool:
        """Whether the JSON value is this number."""
        return is_number(value) and value == self.value

    def comparable(self, value: object) -> bool:
        """Whether ``!=`` can be true of the JSON value."""
        return is_number(value)

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class Regex:
    """A regular expression, found anywhere in a string. AWS's subset: no groups, no ignore-case."""

    pattern: str

    def __post_init__(self) -> None:
        position = 0
        while position < len(self.pattern):
            token = REGEX_TOKEN.match(self.pattern, position)
            if token is None:
                raise PatternError(
                    f"{self.pattern[position]!r} is not allowed in a filter pattern's regular expression",
                    "write it as \\xhh",
                )
            position = token.end()
        try:
            _compiled(self.pattern)
        except re.error as error:
            raise PatternError(
                f"%{self.pattern}% is not a regular expression: {error}", "correct it"
            ) from error
        if not self.pattern:
            raise PatternError("a regular expression may not be empty", "write at least one character")

    def equals(self, value: object) -> bool:
        """Whether the expression is found in the JSON value, which must be a string."""
        return isinstance(value, str) and _compiled(self.pattern).search(value) is not None

    def comparable(self, value: object) -> bool:
        """Whether ``!=`` can be true of the JSON value."""
        return isinstance(value, str)

    def __str__(self) -> str:
        return f"%{self.pattern}%"


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


Value = Text | Number | Regex
