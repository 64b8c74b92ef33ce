"""All conditions as generated code: one function for each event name, made when the name is first met.

Whatever a condition asks of the event name is settled when the function is made, so a function holds only the
conditions that its name leaves open. The meaning is that of ``condition.holds(record)``; a record of an odd shape is
given to exactly that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from orgmon.detections.condition import (
    Absent,
    All,
    Condition,
    Either,
    Matches,
    Not,
    Test,
    negations_inward,
    tests_of,
)
from orgmon.replay.access import Access
from orgmon.replay.expressions import EVENT_NAME, Emitter
from orgmon.replay.paths import Layout

Match = Callable[[Any], tuple[int, ...]]
MAX_NAMES = 4096
"""Functions kept. AWS has more event names, but no organization uses so many."""


class Matcher:
    """Says which conditions, by their place, hold for a record. ``odd`` are the paths of odd values met so far."""

    def __init__(self, conditions: Sequence[Condition], layout: Layout, access: Access) -> None:
        self.odd: set[str] = set()
        self._conditions = tuple(conditions)
        self._layout, self._access = layout, access
        self._always: list[int] = []
        self._guarded: dict[str, list[int]] = {}
        for place, condition in enumerate(self._conditions):
            names = guard(negations_inward(condition))
            if names is None:
                self._always.append(place)
            for name in names or ():
                self._guarded.setdefault(name, []).append(place)
        self.functions = _Functions(self.function)

    def function(self, name: object) -> Match:
        """The function for records of this event name, which may be null or missing."""
        values = () if name is self._access.missing else (name,)
        guarded = self._guarded.get(name, ()) if isinstance(name, str) else ()
        emitter = Emitter(self._layout, self._access, self.odd.add)
        asked: list[tuple[int, str]] = []
        for place in sorted((*self._always, *guarded)):
            left = settled(self._conditions[place], values)
            if left is not False:
                asked.append((place, emitter.condition(left)[1]))
        return _compiled(emitter, asked)

    def slow(self, record: Mapping[str, Any]) -> tuple[int, ...]:
        """The conditions that hold for plain JSON of any shape."""
        self.odd |= self._layout.violations(record)
        return tuple(place for place, one in enumerate(self._conditions) if one.holds(record))

    def pluck(self, paths: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
        """A function that takes plain values out of a record of the expected shape; None for what is not there."""
        emitter = Emitter(self._layout, self._access, self.odd.add)
        values = "".join(f"{emitter.value(path)}, " for path in paths)
        return _made(_source(emitter.lines, f"({values})"), emitter.constants)

    def column(self, name: str) -> Callable[[list[Any]], list[Any]]:
        """A function that takes one top member out of many records of the expected shape."""
        member = self._access.member("r", name)
        return _made(
            f"def made(records):\n    return [{member} for r in records]\n", self._access.constants()
        )


class _Functions(dict[object, Match]):
    """The functions by event name."""

    def __init__(self, make: Callable[[object], Match]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: object) -> Match:
        found = self._make(name)
        if len(self) < MAX_NAMES:
            self[name] = found
        return found


def _compiled(emitter: Emitter, asked: Sequence[tuple[int, str]]) -> Match:
    if not asked:
        return lambda record: ()
    lines = [*emitter.lines, "h = ()"]
    lines += [f"if {text}: h += ({place},)" for place, text in asked]
    return _made(_source(lines, "h"), emitter.constants)


def _source(lines: Iterable[str], result: str) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"def made(r):\n{body}    return {result}\n"


def _made(source: str, constants: dict[str, Any]) -> Callable[..., Any]:
    scope: dict[str, Any] = dict(constants)
    exec(source, scope)  # noqa: S102 - our own text; what users wrote is in it as literals only
    made: Callable[..., Any] = scope["made"]
    return made


def guard(condition: Condition) -> frozenset[str] | None:
    """The event names without which the condition never holds, or None; negations stand around single tests."""
    if (
        isinstance(condition, Matches)
        and condition.field == EVENT_NAME
        and condition.glob.literal is not None
    ):
        return frozenset({condition.glob.literal})
    if isinstance(condition, Test | Not):
        return None
    found = [guard(part) for part in condition.parts]
    known = [names for names in found if names is not None]
    if isinstance(condition, All):
        return frozenset.intersection(*known) if known else None
    return frozenset().union(*known) if len(known) == len(found) else None


def settled(condition: Condition, names: tuple[object, ...]) -> Condition | bool:
    """What is left of a condition when the event name is known; no name stands for a field that is missing."""
    if isinstance(condition, Test):
        if condition.field != EVENT_NAME:
            return condition
        if isinstance(condition, Absent):
            return all(name is None for name in names)
        return any(condition.fits(name) for name in names)
    if isinstance(condition, Not):
        part = settled(condition.part, names)
        return not part if isinstance(part, bool) else Not(part)
    decisive = isinstance(condition, Either)
    left = [settled(part, names) for part in condition.parts]
    if decisive in [part for part in left if isinstance(part, bool)]:
        return decisive
    parts = tuple(part for part in left if not isinstance(part, bool))
    if not parts:
        return not decisive
    return parts[0] if len(parts) == 1 else (Either(parts) if decisive else All(parts))


def paths_of(conditions: Iterable[Condition]) -> frozenset[str]:
    """The fields that conditions mention."""
    return frozenset(test.field for condition in conditions for test in tests_of(condition))
