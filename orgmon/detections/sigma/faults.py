"""The mistakes and doubts of one rule file, collected so that all are told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from orgmon.detections.codes import Code
from orgmon.errors import DetectionError, Problem

REMEDY = "see `orgmon detections show` of a shipped rule for the form"
T = TypeVar("T")


class Faults:
    """Mistakes and doubts, each at the line of a key; ``lines`` says where keys first stand."""

    def __init__(self, origin: str, lines: Mapping[str, int]) -> None:
        self.origin, self.lines = origin, lines
        self._mistakes: list[DetectionError] = []
        self._doubts: list[Problem] = []

    def mistake(self, key: str, what: str, remedy: str = REMEDY, code: Code | None = None) -> None:
        """Something that keeps the file from being used."""
        coded = f"{what} [{code}]" if code else what
        self._mistakes.append(DetectionError(coded, remedy, file=self.origin, line=self.line(key)))

    def doubt(self, key: str, what: str, remedy: str, code: Code) -> None:
        """Something that may be wrong."""
        problem = Problem(self.origin, self.line(key), 1, f"{what} [{code}]", remedy)
        if problem not in self._doubts:
            self._doubts.append(problem)

    def line(self, key: str) -> int:
        """The line of a key, or the first."""
        return self.lines.get(key, 1)

    @property
    def doubts(self) -> tuple[Problem, ...]:
        """The doubts in the order in which they were found."""
        return tuple(self._doubts)

    def raise_any(self) -> None:
        """Raise DetectionError with every mistake, if there is one."""
        if self._mistakes:
            raise DetectionError.of(self._mistakes)

    def one_of(self, kind: Any, key: str, value: object, default: T) -> Any | T:
        """The member of an enum; a mistake gives the default."""
        try:
            return kind(value)
        except ValueError:
            self.mistake(
                key, f"{key} is {value!r}", f"write one of {', '.join(str(member) for member in kind)}"
            )
            return default

    def text(self, key: str, value: object) -> str:
        """A text that must be there."""
        if isinstance(value, str) and value.strip():
            return value.strip()
        self.mistake(key, f"{key} is missing", f"write a line of text under {key}")
        return ""

    def flag(self, key: str, value: object) -> bool:
        """True or false; a mistake is false."""
        if not isinstance(value, bool):
            self.mistake(key, f"{key} is {value!r}", "write true or false")
        return value is True

    def mapping(self, key: str, value: object, allowed: frozenset[str] | None = None) -> Mapping[str, Any]:
        """A mapping with no other than the allowed keys."""
        if not isinstance(value, Mapping):
            self.mistake(key, f"{key} is not a mapping")
            return {}
        for extra in sorted(map(str, value.keys() - allowed)) if allowed is not None else ():
            self.mistake(extra, f"{key} has no {extra}", f"write one of {', '.join(sorted(allowed or ()))}")
        return value

    def lists(self, key: str, value: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """A mapping from names to lists of texts, sorted by name."""
        entries = self.mapping(key, value)
        if not all(isinstance(texts, list) for texts in entries.values()):
            self.mistake(key, f"{key} is not a mapping of lists", f"write {key}: {{name: [value]}}")
            return ()
        return tuple(
            (str(name), tuple(str(text) for text in entries[name])) for name in sorted(entries, key=str)
        )
