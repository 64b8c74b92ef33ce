"""A condition as a Python expression over the parts of a record, with exactly the condition's meaning."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orgmon.detections.condition import (
    Absent,
    All,
    Compares,
    Condition,
    Either,
    Finds,
    Flag,
    Glob,
    Matches,
    Not,
    Present,
    Test,
    Within,
    expression,
    values_at,
)
from orgmon.detections.fields import Array, field_type
from orgmon.replay.access import Access
from orgmon.replay.paths import Layout, Shape, Slot, breaks

# What a test costs, so that cheap ones are asked first: the order changes nothing else.
EQUALS, TEXT, SEARCH, ADDRESS, PLAIN_JSON = 1, 2, 5, 8, 20


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
            above = self.variable(way[:-1]) if len(way) > 1 else "r"
            name = f"n{len(self._variables)}"
            self._variables[way] = name
            load = self._access.member(above, way[-1])
            self.lines.append(f"{name} = {load}" + (f" if {above} else U" if len(way) > 1 else ""))
        return self._variables[way]

    def lazy(self, way: tuple[str, ...]) -> str:
        """An expression of a part that is parsed when it is first asked for."""
        if way not in self._variables:
            above = self.variable(way[:-1]) if len(way) > 1 else "r"
            self._variables[way] = f"n{len(self._variables)}"
            self._parsed[way] = self._access.raw(above, way[-1]) + (
                f" if {above} else U" if len(way) > 1 else ""
            )
            self.lines.append(f"{self._variables[way]} = N")
            self.constants["N"] = _NOT_YET
        name = self._variables[way]
        return f"({name} if {name} is not N else ({name} := {self._parsed[way]}))"

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
        if isinstance(condition, bool):
            return 0, str(condition)
        if isinstance(condition, Test):
            return self._test(condition)
        if isinstance(condition, Not):
            cost, text = self.condition(condition.part)
            return cost + TEXT, f"not {text}"  # exceptions rarely decide
        parts = _flat(condition)
        if isinstance(condition, All):
            return _join(" and ", [self.condition(part) for part in parts], "True")
        texts, others = self._texts(parts)
        return _join(" or ", [*texts, *(self.condition(part) for part in others)], "False")

    def _texts(self, parts: Iterable[Condition]) -> tuple[list[tuple[int, str]], list[Condition]]:
        """Alternatives for the text of a scalar field, field by field, and the other parts."""
        globs: dict[str, list[Glob]] = {}
        others: list[Condition] = []
        for part in parts:
            if isinstance(part, Matches) and part.field in self._layout.scalars:
                globs.setdefault(part.field, []).append(part.glob)
            else:
                others.append(part)
        return [one for path, found in globs.items() for one in self._one_of(path, found)], others

    def _one_of(self, path: str, globs: list[Glob]) -> Iterator[tuple[int, str]]:
        name = self.variable(self._layout.slots[path].way)
        literals = {glob.literal for glob in globs if glob.literal is not None}
        if len(literals) == 1:
            yield EQUALS, f"{name} == {literals.pop()!r}"
        elif literals:
            yield EQUALS, f"{name} in {self.constant(frozenset(literals))}"
        shapes = [_shaped(glob, name, self.constant) for glob in globs if glob.literal is None]
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
        found = f"any({text} for e in {array} for x in ({element},))"
        return (
            cost + SEARCH,
            f"(not {array} or not {found})" if asked is not test else f"({array} and {found})",
        )


def first_text(value: Any, rest: tuple[str, ...]) -> str | None:
    """The first plain value that ``rest`` leads to, as a text, or None."""
    found = (str(one) for one in values_at(value, rest) if isinstance(one, str | bool | int | float))
    return next(found, None)


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


def _join(sign: str, found: list[tuple[int, str]], empty: str) -> tuple[int, str]:
    ordered = sorted(found, key=lambda one: one[0])
    if len(ordered) == 1:
        return ordered[0]
    cost = ordered[0][0] + sum(cost for cost, _ in ordered[1:]) // 2 if ordered else 0
    return cost, f"({sign.join(text for _, text in ordered)})" if ordered else empty


def inline(test: Test, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
    """A test's cost and expression of one value in a variable, which may be missing but is no array."""
    if isinstance(test, Matches) and test.glob.literal is not None:
        return EQUALS, f"({name} == {test.glob.literal!r})"
    if isinstance(test, Matches):
        cost, text = _shaped(test.glob, name, constant)
        return cost, f"({name}.__class__ is str and {text})"
    if isinstance(test, Finds):
        search = constant(expression(test.pattern).search)
        return SEARCH, f"({name}.__class__ is str and {search}({name}) is not None)"
    if isinstance(test, Flag):
        word = str(test.wanted).lower()
        return EQUALS, f"({name} is {test.wanted}" + (f" or {name} == {word!r})" if test.text_too else ")")
    if isinstance(test, Compares):
        sign = "==" if test.operator == "=" else test.operator
        number = f"{name}.__class__ is int or {name}.__class__ is float"
        return TEXT, f"(({number}) and {name} {sign} {constant(test.number)})"
    if isinstance(test, Within):
        return ADDRESS, f"({name}.__class__ is str and {constant(within(test.block))}({name}))"
    if isinstance(test, Absent):
        return EQUALS, f"({name} is None or {name} is U)"
    assert isinstance(test, Present), test
    return EQUALS, f"({name} is not U)"


def _shaped(glob: Glob, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
    """The cost and expression of whether a text, which it is for sure, has a shape with wildcards."""
    head, *inner, tail = glob.pieces
    if glob.takes_all:
        return TEXT, "True"
    if not inner and not (head and tail):
        return TEXT, f"{name}.startswith({head!r})" if head else f"{name}.endswith({tail!r})"
    if len(inner) == 1 and not head and not tail:
        return TEXT, f"{inner[0]!r} in {name}"
    shape = re.compile(".*".join(re.escape(piece) for piece in glob.pieces), re.DOTALL)
    return SEARCH, f"{constant(shape.fullmatch)}({name}) is not None"


@functools.lru_cache(maxsize=256)
def within(block: str) -> Callable[[str], bool]:
    """Whether a text is an address in a block; the last addresses are remembered."""
    network = ipaddress.ip_network(block)

    @functools.lru_cache(maxsize=4096)
    def inside(text: str) -> bool:
        try:
            return ipaddress.ip_address(text) in network
        except ValueError:
            return False

    return inside


def anywhere(
    test: Test, rest: tuple[str, ...], missing: object, note: Callable[[str], None]
) -> Callable[[Any], bool]:
    """A test of the values that ``rest`` leads to, through plain JSON of any shape; odd types are noted."""
    fits, slow = _fits(test, missing), _of_any_shape(test, rest, missing, note)
    known = field_type(test.field)
    texts = str if known is None or known.array is Array.NO else None
    gone = isinstance(test, Absent)

    def holds(value: Any) -> bool:
        leaf = value
        for name in rest:
            if leaf.__class__ is not dict:
                return gone if leaf is missing or leaf is None else slow(value)
            leaf = leaf.get(name, missing)
        return gone if leaf is missing else fits(leaf) if leaf.__class__ is texts else slow(value)

    return holds


def _of_any_shape(
    test: Test, rest: tuple[str, ...], missing: object, note: Callable[[str], None]
) -> Callable[[Any], bool]:
    known = field_type(test.field)

    def seen(value: Any) -> Iterable[object]:
        if known is not None and breaks(known, value, rest):
            note(test.field)
        return values_at(value, rest)

    if isinstance(test, Absent):
        return lambda value: all(one is None for one in seen(value))
    fits = _fits(test, missing)
    return lambda value: any(fits(one) for one in seen(value))


def _fits(test: Test, missing: object) -> Callable[[Any], bool]:
    """The test of one value as a function of its own."""
    constants: dict[str, Any] = {"U": missing}

    def constant(value: object) -> str:
        constants[f"c{len(constants)}"] = value
        return f"c{len(constants) - 1}"

    found: Callable[[Any], bool] = eval(f"lambda v: {inline(test, 'v', constant)[1]}", constants)  # noqa: S307
    return found
