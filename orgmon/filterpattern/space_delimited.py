"""Space-delimited patterns, ``[ip, user, ..., status = 4*, bytes > 1000]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orgmon.errors import PatternError
from orgmon.filterpattern.json_selectors import ORDER
from orgmon.filterpattern.values import NUMBER, Number, Regex, Value

NAME = re.compile(r"[A-Za-z0-9_]+")
FIELD = re.compile(r'"[^"]*"|\[[^\]]*\]|\S+')
"""One field of a log line: spaces inside double quotes and square brackets do not split it."""


@dataclass(frozen=True)
class AnyFields:
    """``...``: any number of fields."""

    def regexes(self) -> int:
        """No regular expression."""
        return 0

    def __str__(self) -> str:
        return "..."


@dataclass(frozen=True)
class FieldCondition:
    """An operator and a value, to be tried on the text of one field."""

    operator: str
    value: Value

    def __post_init__(self) -> None:
        if self.operator not in ("=", "!=") and not (
            self.operator in ORDER and isinstance(self.value, Number)
        ):
            raise PatternError(f"{self.operator} cannot be used with {self.value}", "use = or !=")

    def fits(self, text: str) -> bool:
        """Whether the field's text fits; a number is compared with text that reads as a number."""
        if not isinstance(self.value, Number):
            return self.value.equals(text) == (self.operator == "=")
        if not NUMBER.fullmatch(text):
            return False
        if self.operator in ORDER:
            return ORDER[self.operator](float(text), float(self.value.value))
        return (float(text) == self.value.value) == (self.operator == "=")


@dataclass(frozen=True)
class Field:
    """A named field and its conditions: an OR of ANDs, all about this field. No condition takes anything."""

    name: str
    alternatives: tuple[tuple[FieldCondition, ...], ...] = ()

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or not all(self.alternatives):
            raise PatternError(
                f"{self.name!r} is not a field of a space-delimited pattern", "use letters and digits"
            )

    def fits(self, text: str) -> bool:
        """Whether the text of the field fits. Quotes and brackets around it do not belong to it."""
        bare = text[1:-1] if len(text) > 1 and (text[0], text[-1]) in (('"', '"'), ("[", "]")) else text
        return not self.alternatives or any(
            all(condition.fits(bare) for condition in both) for both in self.alternatives
        )

    def regexes(self) -> int:
        """How many regular expressions the conditions hold."""
        return sum(isinstance(condition.value, Regex) for both in self.alternatives for condition in both)

    def __str__(self) -> str:
        return (
            " || ".join(
                " && ".join(f"{self.name} {condition.operator} {condition.value}" for condition in both)
                for both in self.alternatives
            )
            or self.name
        )


@dataclass(frozen=True)
class SpaceDelimited:
    """A whole space-delimited pattern: one entry for every field of the line."""

    fields: tuple[Field | AnyFields, ...]

    def __post_init__(self) -> None:
        if sum(isinstance(field, AnyFields) for field in self.fields) > 1 or not self.fields:
            raise PatternError(
                "a space-delimited pattern needs fields, and at most one '...'", "name the fields"
            )

    def matches(self, message: str) -> bool:
        """Whether the line has as many fields, and each fits."""
        texts = FIELD.findall(message)
        open_ended = [place for place, field in enumerate(self.fields) if isinstance(field, AnyFields)]
        if not open_ended:
            return self._fit(self.fields, texts)
        place = open_ended[0]
        after = len(self.fields) - place - 1
        if len(texts) < place + after:
            return False
        return self._fit(self.fields[:place], texts[:place]) and self._fit(
            self.fields[place + 1 :], texts[len(texts) - after :]
        )

    @staticmethod
    def _fit(fields: tuple[Field | AnyFields, ...], texts: list[str]) -> bool:
        return len(fields) == len(texts) and all(
            isinstance(field, Field) and field.fits(text) for field, text in zip(fields, texts, strict=True)
        )

    def regexes(self) -> int:
        """How many regular expressions the fields hold."""
        return sum(field.regexes() for field in self.fields)

    def __str__(self) -> str:
        return f"[{', '.join(str(field) for field in self.fields)}]"
