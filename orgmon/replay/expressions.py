"""A condition as a Python expression over the parts of a record, with exactly the condition's meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orgmon.detections.condition import Absent, All, Condition, Either, Glob, Matches, Not, Test
from orgmon.replay.access import Access
from orgmon.replay.anywhere import anywhere, first_text
from orgmon.replay.inline import EQUALS, PLAIN_JSON, SEARCH, TEXT, inline, shaped
from orgmon.replay.paths import Layout, Shape, Slot


class Emitter:
    """The body of one function of a record ``r``: the variables it loads, and the constants it names."""

    def __init__(self, layout: Layout, access: Access, note: Callable[[str], None]) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = access.constants()
        self._layout, self._access, self._note = layout, access, note
        self._variables: dict[tuple[str, ...], str] = {}
        self._parsed: dict[tuple[str, ...], str] = {}

    def constant(self, value: object) -> str:
        """A name for a value."""
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def variable(self, way: tuple[str, ...]) -> str:
        """The variable that holds a part of the record, loaded once at the function's beginning."""
        if way not in self._variables:
            load = self._reached(way, self._access.member)
            self._variables[way] = f"n{len(self._variables)}"
            self.lines.append(f"{self._variables[way]} = {load}")
        return self._variables[way]

    def lazy(self, way: tuple[str, ...]) -> str:
        """An expression of a part that is parsed when it is first asked for."""
        if way not in self._variables:
            self._parsed[way] = self._reached(way, self._access.raw)
            self._variables[way] = f"n{len(self._variables)}"
            self.lines.append(f"{self._variables[way]} = N")
            self.constants["N"] = _NOT_YET
        name = self._variables[way]
        return f"({name} if {name} is not N else ({name} := {self._parsed[way]}))"

    def _reached(self, way: tuple[str, ...], load: Callable[[str, str], str]) -> str:
        if len(way) == 1:
            return load("r", way[0])
        above = self.variable(way[:-1])
        return f"{load(above, way[-1])} if {above} else U"

    def value(self, path: str) -> str:
        """An expression of the first plain value at a path, or None."""
        slot = self._layout.slots[path]
        if path in self._layout.scalars:
            name = self.variable(slot.way)
            return f"({name} if {name} is not U else None)"
        self.constants["first_text"] = first_text
        if slot.shape is Shape.LIST:
            array = self.variable(slot.way)
            return f"first_text([{self._access.member('e', slot.rest[0])} for e in {array} or ()], ())"
        return f"first_text({self.lazy(slot.way)}, {slot.rest!r})"

    def condition(self, condition: Condition | bool) -> tuple[int, str]:
        """The cost of a condition, and its expression."""
        match condition:
            case bool():
                return 0, str(condition)
            case Not(part):
                cost, text = self.condition(part)
                return cost + TEXT, f"not {text}"  # exceptions rarely decide
            case All():
                return _join(" and ", [self.condition(part) for part in _flat(condition)], "True")
            case Either():
                texts, others = self._texts(_flat(condition))
                return _join(" or ", [*texts, *(self.condition(part) for part in others)], "False")
            case _:
                return self._test(condition)

    def _texts(self, parts: Iterable[Condition]) -> tuple[list[tuple[int, str]], list[Condition]]:
        """Alternatives for the text of a scalar field, field by field, and the other parts."""
        globs: dict[str, list[Glob]] = {}
        others: list[Condition] = []
        for part in parts:
            if isinstance(part, Matches) and part.field in self._layout.scalars:
                globs.setdefault(part.field, []).append(part.glob)
            else:
                others.append(part)
        return [
            alternative for path, shapes in globs.items() for alternative in self._one_of(path, shapes)
        ], others

    def _one_of(self, path: str, globs: list[Glob]) -> Iterator[tuple[int, str]]:
        name = self.variable(self._layout.slots[path].way)
        literals = {glob.literal for glob in globs if glob.literal is not None}
        if len(literals) == 1:
            yield EQUALS, f"{name} == {literals.pop()!r}"
        elif literals:
            yield EQUALS, f"{name} in {self.constant(frozenset(literals))}"
        shapes = [shaped(glob, name, self.constant) for glob in globs if glob.literal is None]
        if shapes:
            cost, text = _join(" or ", shapes, "False")
            yield cost, f"({name}.__class__ is str and {text})"

    def _test(self, test: Test) -> tuple[int, str]:
        slot = self._layout.slots[test.field]
        if test.field in self._layout.scalars:
            return inline(test, self.variable(slot.way), self.constant)
        if slot.shape is Shape.LIST:
            return self._of_elements(test, slot)
        holds = anywhere(test, slot.rest, self._access.missing, self._note)
        return PLAIN_JSON, f"{self.constant(holds)}({self.lazy(slot.way)})"

    def _of_elements(self, test: Test, slot: Slot) -> tuple[int, str]:
        element = self._access.member("e", slot.rest[0])
        asked = Not(test) if isinstance(test, Absent) else test
        cost, text = inline(test, "x", self.constant)
        text = f"not {text}" if isinstance(asked, Not) else text
        array = self.variable(slot.way)
        search = f"any({text} for e in {array} for x in ({element},))"
        return (
            cost + SEARCH,
            f"(not {array} or not {search})" if asked is not test else f"({array} and {search})",
        )


class _NotYet:
    """Not asked for yet."""


_NOT_YET = _NotYet()


def _flat(condition: All | Either) -> Iterator[Condition]:
    """The parts, and the parts of those that are joined in the same way."""
    for part in condition.parts:
        if isinstance(part, All | Either) and isinstance(condition, All) == isinstance(part, All):
            yield from _flat(part)
        else:
            yield part


def _join(sign: str, terms: list[tuple[int, str]], empty: str) -> tuple[int, str]:
    ordered = sorted(terms, key=lambda term: term[0])
    if len(ordered) == 1:
        return ordered[0]
    cost = ordered[0][0] + sum(cost for cost, _ in ordered[1:]) // 2 if ordered else 0
    return cost, f"({sign.join(text for _, text in ordered)})" if ordered else empty
