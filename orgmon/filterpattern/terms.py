"""Term patterns: words to find anywhere in the raw text of a log event. Case counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orgmon.errors import PatternError
from orgmon.filterpattern.values import Regex

WORD = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Everything:
    """The empty pattern: every log event."""

    def matches(self, _message: str) -> bool:
        """Always."""
        return True

    def regexes(self) -> int:
        """No regular expression."""
        return 0

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Term:
    """One term. ``sign`` is "" (must be there), "?" (one of those must be there) or "-" (must not)."""

    text: str
    sign: str = ""

    def __post_init__(self) -> None:
        if self.sign not in ("", "?", "-") or not self.text:
            raise PatternError(
                f"{self.sign}{self.text} is not a term", "write term, ?term, -term or a quoted phrase"
            )

    def __str__(self) -> str:
        if WORD.fullmatch(self.text):
            return self.sign + self.text
        escaped = self.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.sign}"{escaped}"'


@dataclass(frozen=True)
class Terms:
    """Terms side by side. Optional terms are ignored as soon as there is another kind (AWS's guide)."""

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise PatternError("a term pattern needs a term", "use the empty pattern for every event")

    def matches(self, message: str) -> bool:
        """Whether the text has the required terms and none of the excluded ones."""
        optional = [term for term in self.terms if term.sign == "?"]
        if len(optional) == len(self.terms):
            return any(term.text in message for term in optional)
        return all((term.text in message) != (term.sign == "-") for term in self.terms if term.sign != "?")

    def regexes(self) -> int:
        """No regular expression."""
        return 0

    def __str__(self) -> str:
        return " ".join(str(term) for term in self.terms)


@dataclass(frozen=True)
class RegexTerm:
    """A lone regular expression over the raw text."""

    regex: Regex

    def matches(self, message: str) -> bool:
        """Whether the expression is found in the text."""
        return self.regex.equals(message)

    def regexes(self) -> int:
        """One."""
        return 1

    def __str__(self) -> str:
        return str(self.regex)
