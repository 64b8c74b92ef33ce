"""What a condition comes down to once the event name is known, and what has to hold at least."""

from __future__ import annotations

from collections.abc import Iterable

from orgmon.detections.condition import (
    Absent,
    All,
    Condition,
    Either,
    Glob,
    Matches,
    Not,
    Placeholder,
    Test,
)
from orgmon.detections.projection import EVENT_NAME


def names_needed(condition: Condition) -> frozenset[str] | None:
    """The event names without which the condition never holds, or None; negations stand around single tests."""
    match condition:
        case Matches(field, Glob((literal,))) if field == EVENT_NAME:
            return frozenset({literal})
        case All(parts):
            known = [names for part in parts if (names := names_needed(part)) is not None]
            return frozenset.intersection(*known) if known else None
        case Either(parts):
            needed = [names_needed(part) for part in parts]
            known = [names for names in needed if names is not None]
            return frozenset().union(*known) if len(known) == len(needed) else None
        case _:
            return None


def settled(condition: Condition, name: str) -> Condition | bool:
    """What is left of a condition when the event name is known."""
    match condition:
        case Not(inner):
            part = settled(inner, name)
            return not part if isinstance(part, bool) else Not(part)
        case All(parts) | Either(parts):
            return _settled_group(type(condition), [settled(part, name) for part in parts])
        case _ if condition.field != EVENT_NAME:
            return condition
        case Absent() | Placeholder():
            return False
        case _:
            return condition.fits(name)


def _settled_group(kind: type[All | Either], left: list[Condition | bool]) -> Condition | bool:
    decisive = kind is Either
    if decisive in [part for part in left if isinstance(part, bool)]:
        return decisive
    parts = tuple(part for part in left if not isinstance(part, bool))
    if not parts:
        return not decisive
    return parts[0] if len(parts) == 1 else kind(parts)


def clues(condition: Condition, scalars: Iterable[str]) -> frozenset[Test] | None:
    """Tests, of these fields only, of which one holds wherever the condition does; None where there are none.

    Negations stand around single tests. Of several such sets it is the one that tells most, then the smallest.
    """
    match condition:
        case Not() | Absent():
            return None
        case All(parts):
            known = [tests for part in parts if (tests := clues(part, scalars)) is not None]
            return min(known, key=_telling, default=None)
        case Either(parts):
            sets = [clues(part, scalars) for part in parts]
            known = [tests for tests in sets if tests is not None]
            return frozenset().union(*known) if len(known) == len(sets) else None
        case _:
            return frozenset({condition}) if condition.field in scalars else None


def _telling(tests: frozenset[Test]) -> tuple[bool, int]:
    """Least for what few records have: a text, rather than any value at all."""
    return not all(isinstance(test, Matches) for test in tests), len(tests)
