"""What checks look at, and how they say what they found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from orgmon.config.model import Config
from orgmon.config.positions import Document
from orgmon.errors import Problem
from orgmon.positions import Where


@dataclass(frozen=True)
class Subject:
    """A config with its positions."""

    config: Config
    document: Document

    def problem(self, where: Where, what: str, remedy: str, *, at_key: bool = False) -> Problem:
        """A problem at a path of the file."""
        return self.document.problem(where, what, remedy, at_key=at_key)


def nearest(name: str, known: Sequence[str], otherwise: str) -> str:
    """A hint at the nearest known name, or something else to do."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else otherwise


def repeated(items: Sequence[Any]) -> Iterator[int]:
    """The places of items that were there before."""
    seen = set()
    for number, item in enumerate(items):
        if item in seen:
            yield number
        seen.add(item)
