"""What a condition comes down to once the event name is known, and what has to hold at least."""

from __future__ import annotations

from collections.abc import Iterable

from orgmon.detections.condition import (
    Absent,
    All,
    Condition,
    Either,
    Matches,
    Not,
    Test,
)

EVENT_NAME = "eventName"


def names_needed(condition: Condition) -> frozenset[str] | None:
    """The event names without which the condition never holds, or None; negations stand around single tests."""
    if (
        isinstance(condition, Matches)
        and condition.field == EVENT_NAME
        and condition.glob.literal is not None
    ):
        return frozenset({condition.glob.literal})
    if isinstance(condition, Test | Not):
        return None
    found = [names_needed(part) for part in condition.parts]
    known = [names for names in found if names is not None]
    if isinstance(condition, All):
        return frozenset.intersection(*known) if known else None
    return frozenset().union(*known) if len(known) == len(found) else None


def settled(condition: Condition, name: str) -> Condition | bool:
    """What is left of a condition when the event name is known."""
    if isinstance(condition, Test):
        if condition.field != EVENT_NAME:
            return condition
        return not isinstance(condition, Absent) and condition.fits(name)
    if isinstance(condition, Not):
        part = settled(condition.part, name)
        return not part if isinstance(part, bool) else Not(part)
    decisive = isinstance(condition, Either)
    left = [settled(part, name) for part in condition.parts]
    if decisive in [part for part in left if isinstance(part, bool)]:
        return decisive
    parts = tuple(part for part in left if not isinstance(part, bool))
    if not parts:
        return not decisive
    return parts[0] if len(parts) == 1 else (Either(parts) if decisive else All(parts))


def clues(condition: Condition, scalars: Iterable[str]) -> frozenset[Test] | None:
    """Tests, of these fields only, of which one holds wherever the condition does; None where there are none.

    Negations stand around single tests. Of several such sets it is the one that tells most, then the smallest.
    """
    if isinstance(condition, Test):
        told = condition.field in scalars and not isinstance(condition, Absent)
        return frozenset({condition}) if told else None
    if isinstance(condition, Not):
        return None
    found = [clues(part, scalars) for part in condition.parts]
    known = [tests for tests in found if tests is not None]
    if isinstance(condition, All):
        return min(known, key=_telling, default=None)
    return frozenset().union(*known) if len(known) == len(found) else None


def _telling(tests: frozenset[Test]) -> tuple[bool, int]:
    """Least for what few records have: a text, rather than any value at all."""
    return not all(isinstance(test, Matches) for test in tests), len(tests)
