"""The words of an Insights query, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orgmon.sandbox.calls import Refusal

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|\#[^\n]*)
    | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<regex>/(?:[^/\\\n]|\\.)+/)
    | (?P<number>-?\d+(?:\.\d+)?(?![A-Za-z_@]))
    | (?P<name>(?:[@A-Za-z_]|`[^`]+`)(?:[A-Za-z0-9_@.]|`[^`]+`)*)
    | (?P<span>\d+[a-z]+)
    | (?P<sign>!=|<=|>=|=~|[=<>()\[\],|*])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A word: its kind, as written, and where it begins (from 0)."""

    kind: str
    text: str
    at: int

    @property
    def value(self) -> str:
        """A string without its quotes, a name without its backticks, anything else as it is."""
        if self.kind == "string":
            return re.sub(r"\\(.)", r"\1", self.text[1:-1])
        return self.text.replace("`", "") if self.kind == "name" else self.text


def malformed(text: str, at: int, length: int = 1) -> Refusal:
    """The refusal of a query, with the place that it is about."""
    location = {"startCharOffset": at, "endCharOffset": at + length}
    message = f"{text} at character {at + 1}"
    details = {"queryCompileError": {"location": location, "message": message}}
    return Refusal("MalformedQueryException", message, details=details)


def tokens(query: str) -> Iterator[Token]:
    """The words of a query, the last one of kind ``end``. Raises Refusal for what is no word."""
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise malformed(f"unexpected symbol found {query[at]!r}", at)
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0], at)
        at = match.end()
    yield Token("end", "", at)
