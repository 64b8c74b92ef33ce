"""Decoys that would give themselves away, or that lie where nobody looks."""

from __future__ import annotations

from collections.abc import Iterator

from orgmon.config.checks.subject import Subject, repeated
from orgmon.errors import Problem
from orgmon.positions import Where

TELLING = ("orgmon", "decoy", "honey", "canary", "trap", "bait", "fake", "dummy", "lure", "tripwire")


def check(subject: Subject) -> Iterator[Problem]:
    """Telling names, phrases that are there twice or begin alike, a placement that selects nothing."""
    section = subject.config.decoys
    if section is None:
        return
    if section.placement.is_empty:
        yield subject.problem(
            ("decoys", "placement"), "the decoys are placed nowhere", "name units, tags or accounts"
        )
    yield from _telling(subject, ("decoys", "stack_set"), section.stack_set)
    phrases = [item.phrase for item in section.items]
    for number, phrase in enumerate(phrases):
        yield from _telling(subject, ("decoys", "items", number, "phrase"), phrase)
    for number in repeated(phrases):
        yield subject.problem(
            ("decoys", "items", number, "phrase"), f"{phrases[number]} is there twice", "use another phrase"
        )


def _telling(subject: Subject, where: Where, name: str) -> Iterator[Problem]:
    words = [word for word in TELLING if word in name.lower()]
    if words:
        yield subject.problem(
            where, f"'{name}' says what it is ('{words[0]}')", "use a name that real things have"
        )
