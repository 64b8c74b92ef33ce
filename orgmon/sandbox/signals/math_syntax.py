"""How CloudWatch's math expressions are written: a text becomes a tree. Pure.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics" (operators; functions are written in
capitals, ids begin with a small letter). Which operator binds closer is not said there: it is as in arithmetic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?|\.\d+)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))""",
    re.VERBOSE,
)
_LEVELS = (
    ("OR", "||"),
    ("AND", "&&"),
    ("==", "!=", "<=", ">=", "<", ">"),
    ("+", "-"),
    ("*", "/"),
)
_SAME = {"&&": "AND", "||": "OR"}

Kind = Literal["number", "id", "word", "text", "list", "call", "operator", "minus"]


class MathError(Exception):
    """An expression that cannot be worked out. Its text is what follows ``Error in expression 'id':``."""


@dataclass(frozen=True)
class Node:
    """A part of an expression. ``value`` is the number, id, word, text, function or operator as it is written."""

    kind: Kind
    value: str = ""
    parts: tuple[Node, ...] = ()


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The tree of an expression. Raises MathError for what is none."""
    parser = _Parser(_tokens(text))
    tree = parser.operation(0)
    parser.end()
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        token = _TOKEN.match(text, position)
        if token is None or token.lastgroup is None:
            raise MathError("Invalid syntax")
        found.append((token.lastgroup, token[token.lastgroup]))
        position = token.end()
    return found


class _Parser:
    """Goes through the tokens once, from the loosest operator down to single values."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("end", "")]
        self._position = 0

    def operation(self, level: int) -> Node:
        """What the operators from this level on bind together, from left to right."""
        if level == len(_LEVELS):
            return self._signed()
        left = self.operation(level + 1)
        while self._next[1] in _LEVELS[level] and self._next[0] != "text":
            sign = self._take()
            left = Node("operator", _SAME.get(sign, sign), (left, self.operation(level + 1)))
        return left

    def end(self) -> None:
        """Raises MathError if anything is left."""
        if self._next[0] != "end":
            raise MathError("Invalid syntax")

    @property
    def _next(self) -> tuple[str, str]:
        return self._tokens[self._position]

    def _take(self) -> str:
        _, value = self._next
        self._position += 1
        return value

    def _expect(self, sign: str) -> None:
        if self._next != ("sign", sign):
            raise MathError("Invalid syntax")
        self._take()

    def _signed(self) -> Node:
        if self._next == ("sign", "-"):
            self._take()
            return Node("minus", "-", (self._signed(),))
        base = self._single()
        if self._next == ("sign", "^"):
            self._take()
            return Node("operator", "^", (base, self._signed()))
        return base

    def _single(self) -> Node:
        kind, value = self._next
        if (kind, value) == ("sign", "("):
            self._take()
            inner = self.operation(0)
            self._expect(")")
            return inner
        if (kind, value) == ("sign", "["):
            self._take()
            return Node("list", "", self._parts("]"))
        if kind == "word":
            return self._named(self._take())
        if kind == "number":
            return Node("number", self._take())
        if kind == "text":
            return Node("text", self._take()[1:-1])
        raise MathError("Invalid syntax")

    def _named(self, word: str) -> Node:
        if self._next == ("sign", "("):
            self._take()
            return Node("call", word, self._parts(")"))
        return Node("id" if word[0].islower() else "word", word)

    def _parts(self, closing: str) -> tuple[Node, ...]:
        if self._next == ("sign", closing):
            self._take()
            return ()
        parts = [self.operation(0)]
        while self._next == ("sign", ","):
            self._take()
            parts.append(self.operation(0))
        self._expect(closing)
        return tuple(parts)
