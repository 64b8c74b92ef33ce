"""All conditions as generated code, in which most records are let go after a look at a few fields.

A condition that cannot hold without certain event names is only asked of records with these names, by a function for
each name, made when it is first met: whatever is asked of the name is settled then. All other conditions are asked
where a clue says that one of them may hold. The meaning is that of ``condition.holds(record)``; a record of an odd
shape is given to exactly that.

What is written for ``StopLogging`` where one condition wants it, of plain JSON and not by a service of AWS:

    def made(r):
        n0 = r.get('userIdentity', U)
        n1 = n0.get('invokedBy', U) if n0 else U
        h = ()
        if (n1 is None or n1 is U): h += (0,)
        return h
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from orgmon.detections.condition import Condition, Either, negations_inward, tests_of
from orgmon.detections.projection import EVENT_NAME
from orgmon.replay.access import Access
from orgmon.replay.expressions import Emitter
from orgmon.replay.narrowing import clues, names_needed, settled
from orgmon.replay.paths import Layout

Match = Callable[[Any], tuple[int, ...]]
Tell = Callable[[Any, tuple[int, ...], frozenset[str]], None]
Sweep = Callable[[list[Any], Tell], None]


class Matcher:
    """Says which conditions, by their place, hold for a record, and at which paths it holds something odd."""

    def __init__(self, conditions: Sequence[Condition], layout: Layout, access: Access) -> None:
        self._odd: set[str] = set()  # of the record that is looked at
        self._conditions = tuple(conditions)
        self._layout, self._access = layout, access
        self._always: list[int] = []
        self._guarded: dict[str, list[int]] = {}
        for place, condition in enumerate(self._conditions):
            names = names_needed(negations_inward(condition))
            if names is None:
                self._always.append(place)
            for name in names or ():
                self._guarded.setdefault(name, []).append(place)
        self.functions: dict[object, Match] = {name: self._at_first(name) for name in self._guarded}
        self.sweep = self._swept()

    def _at_first(self, name: str) -> Match:
        """A function that makes the one for this event name, leaves it in its own place, and asks it."""

        def match(record: Any) -> tuple[int, ...]:
            asked = [(place, settled(self._conditions[place], name)) for place in self._guarded[name]]
            self.functions[name] = self._function(asked)
            return self.functions[name](record)

        return match

    def _function(self, asked: Iterable[tuple[int, Condition | bool]]) -> Match:
        return _made(*self.written(asked))

    def written(self, asked: Iterable[tuple[int, Condition | bool]]) -> tuple[str, dict[str, Any]]:
        """The text of a function that asks these conditions, and what it names."""
        emitter = self._emitter()
        tests = [(place, emitter.condition(left)[1]) for place, left in asked if left is not False]
        lines = [*emitter.lines, "h = ()"]
        lines += [f"if {text}: h += ({place},)" for place, text in tests]
        return _source(lines, "h"), emitter.constants

    def _swept(self) -> Sweep:
        """A function that tells a callback of records for which conditions hold or that are odd: which, and where."""
        emitter = self._emitter()
        name = emitter.variable((EVENT_NAME,))
        _, clue = emitter.condition(self._clue())
        always = self._function((place, self._conditions[place]) for place in self._always)
        constants = {
            "own": self.functions.get,
            "always": always,
            "odd": self._odd,
            "taken": self._taken,
            **emitter.constants,
        }
        lines = [
            "for r in records:",
            *(f"    {line}" for line in emitter.lines),
            f"    f = own({name})",
            "    h = () if f is None else f(r)",
            f"    if {clue}: h += always(r)",
            "    if h or odd: tell(r, h, taken())",
        ]
        return _made(_source(lines, "None", "records, tell"), constants)

    def _clue(self) -> Condition | bool:
        """What holds of every record that is worth a look though its name has no function."""
        always = [
            clues(negations_inward(self._conditions[place]), self._layout.scalars) for place in self._always
        ]
        known = [tests for tests in always if tests is not None]
        return len(known) < len(always) or Either(tuple(sorted(frozenset().union(*known), key=repr)))

    def _taken(self) -> frozenset[str]:
        """What was odd in the record that is looked at; the next one begins anew."""
        odd = frozenset(self._odd)
        self._odd.clear()
        return odd

    def slow(self, record: Mapping[str, Any]) -> tuple[tuple[int, ...], frozenset[str]]:
        """The conditions that hold for plain JSON of any shape, and the paths at which it is odd."""
        places = tuple(place for place, condition in enumerate(self._conditions) if condition.holds(record))
        return places, self._layout.violations(record)

    def pluck(self, paths: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
        """A function of a record of the expected shape: plain values as texts, None for what is missing."""
        emitter = self._emitter()
        values = "".join(f"{emitter.value(path)}, " for path in paths)
        return _made(_source(emitter.lines, f"({values})"), emitter.constants)

    def column(self, name: str) -> Callable[[list[Any]], list[Any]]:
        """A function that takes one top member out of those of many records of the expected shape that have it."""
        member = self._access.member("r", name)
        return _made(
            _source((), f"[v for r in records if (v := {member})]", "records"), self._access.constants()
        )

    def _emitter(self) -> Emitter:
        return Emitter(self._layout, self._access, self._odd.add)


def _source(lines: Iterable[str], result: str, given: str = "r") -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"def made({given}):\n{body}    return {result}\n"


def _made(source: str, constants: dict[str, Any]) -> Callable[..., Any]:
    scope: dict[str, Any] = dict(constants)
    exec(source, scope)  # noqa: S102 - our own text; what users wrote is in it as literals only
    made: Callable[..., Any] = scope["made"]
    return made


def paths_of(conditions: Iterable[Condition]) -> frozenset[str]:
    """The fields that conditions mention."""
    return frozenset(test.field for condition in conditions for test in tests_of(condition))
