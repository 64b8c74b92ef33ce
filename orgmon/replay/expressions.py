"""A condition as a Python expression over the parts of a record, with exactly the condition's meaning."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from orgmon.detections.condition import (
    Absent,
    All,
    Compares,
    Condition,
    Finds,
    Flag,
    Matches,
    Not,
    Present,
    Test,
    Within,
    expression,
    values_at,
)
from orgmon.detections.fields import field_type
from orgmon.replay.access import Access
from orgmon.replay.paths import Layout, Shape, Slot, breaks

EVENT_NAME = "eventName"
SCALARS = (Shape.STRING, Shape.BOOL, Shape.NUMBER)
# What a test costs, so that cheap ones are asked first: the order changes nothing else.
EQUALS, TEXT, SEARCH, ADDRESS, PLAIN_JSON = 1, 2, 5, 8, 20


class Emitter:
    """The body of one function of a record ``r``: the variables it loads, and the constants it names."""

    def __init__(self, layout: Layout, access: Access, note: Callable[[str], None]) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = access.constants()
        self._layout, self._access, self._note = layout, access, note
        self._variables: dict[tuple[str, ...], str] = {}

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

    def lazy(self, top: str) -> str:
        """An expression of a member that is parsed when it is first asked for."""
        if (top,) not in self._variables:
            self._variables[(top,)] = f"n{len(self._variables)}"
            self.lines.append(f"{self._variables[(top,)]} = N")
            self.constants["N"] = _NOT_YET
        name = self._variables[(top,)]
        return f"({name} if {name} is not N else ({name} := {self._access.raw(top)}))"

    def value(self, path: str) -> str:
        """An expression of the first plain value at a path, or None."""
        slot = self._layout.slots[path]
        if self._is_scalar(path):
            name = self.variable(slot.way)
            return f"({name} if {name} is not U else None)"
        whole = self.lazy(slot.way[0]) if slot.shape is Shape.RAW else self.variable(slot.way)
        if slot.shape is Shape.LIST:
            self.constants["first"] = first
            return f"first([{self._access.member('e', slot.rest[0])} for e in {whole} or ()], ())"
        self.constants["first"] = first
        return f"first({whole}, {slot.rest!r})"

    def condition(self, condition: Condition | bool) -> tuple[int, str]:
        """The cost of a condition, and its expression."""
        if isinstance(condition, bool):
            return 0, str(condition)
        if isinstance(condition, Test):
            return self._test(condition)
        if isinstance(condition, Not):
            cost, text = self.condition(condition.part)
            return cost + TEXT, f"not {text}"  # exceptions rarely decide
        if isinstance(condition, All):
            return self._joined(" and ", condition.parts, "True")
        literals, others = self._literals(condition.parts)
        found = [*literals, *(self.condition(part) for part in others)]
        return _join(" or ", found, "False")

    def _joined(self, sign: str, parts: Sequence[Condition], empty: str) -> tuple[int, str]:
        return _join(sign, [self.condition(part) for part in parts], empty)

    def _literals(self, parts: Iterable[Condition]) -> tuple[list[tuple[int, str]], list[Condition]]:
        """Alternatives of one scalar field as a look-up in a set, and the other parts."""
        texts: dict[str, list[str]] = {}
        others: list[Condition] = []
        for part in parts:
            if isinstance(part, Matches) and part.glob.literal is not None and self._is_scalar(part.field):
                texts.setdefault(part.field, []).append(part.glob.literal)
            else:
                others.append(part)
        return [(EQUALS, self._one_of(path, values)) for path, values in texts.items()], others

    def _one_of(self, path: str, values: list[str]) -> str:
        name = self.variable(self._layout.slots[path].way)
        return (
            f"{name} == {values[0]!r}"
            if len(values) == 1
            else f"{name} in {self.constant(frozenset(values))}"
        )

    def _is_scalar(self, path: str) -> bool:
        slot = self._layout.slots[path]
        return slot.shape in SCALARS and not slot.rest

    def _test(self, test: Test) -> tuple[int, str]:
        slot = self._layout.slots[test.field]
        if self._is_scalar(test.field):
            return inline(test, self.variable(slot.way), self.constant)
        if slot.shape is Shape.LIST:
            return self._of_elements(test, slot)
        value = self.lazy(slot.way[0]) if slot.shape is Shape.RAW else self.variable(slot.way)
        holds = anywhere(test, slot.rest, self._access.missing, self._note)
        return PLAIN_JSON, f"{self.constant(holds)}({value})"

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


def first(value: Any, rest: tuple[str, ...]) -> Any:
    """The first plain value that ``rest`` leads to, or None."""
    found = (one for one in values_at(value, rest) if isinstance(one, str | bool | int | float))
    return next(found, None)


class _NotYet:
    """Not asked for yet."""


_NOT_YET = _NotYet()


def _join(sign: str, found: list[tuple[int, str]], empty: str) -> tuple[int, str]:
    ordered = sorted(found, key=lambda one: one[0])
    if len(ordered) == 1:
        return ordered[0]
    cost = ordered[0][0] + sum(cost for cost, _ in ordered[1:]) // 2 if ordered else 0
    return cost, f"({sign.join(text for _, text in ordered)})" if ordered else empty


def inline(test: Test, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
    """A test's cost and expression of one value in a variable, which may be missing but is no array."""
    if isinstance(test, Matches):
        return _of_text(test, name, constant)
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


def _of_text(test: Matches, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
    glob = test.glob
    if glob.literal is not None:
        return EQUALS, f"({name} == {glob.literal!r})"
    head, *inner, tail = glob.pieces
    if glob.takes_all:
        asked = ""
    elif not inner and not (head and tail):
        asked = f" and {name}.startswith({head!r})" if head else f" and {name}.endswith({tail!r})"
    elif len(inner) == 1 and not head and not tail:
        asked = f" and {inner[0]!r} in {name}"
    else:
        shape = re.compile(".*".join(re.escape(piece) for piece in glob.pieces), re.DOTALL)
        asked = f" and {constant(shape.fullmatch)}({name}) is not None"
    return (SEARCH if "fullmatch" in asked else TEXT), f"({name}.__class__ is str{asked})"


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
    known = field_type(test.field)

    def seen(value: Any) -> Iterable[object]:
        if known is not None and breaks(known, value, rest):
            note(test.field)
        return values_at(value, rest)

    if isinstance(test, Absent):
        return lambda value: value is missing or all(one is None for one in seen(value))
    fits = _fits(test, missing)
    return lambda value: value is not missing and any(fits(one) for one in seen(value))


def _fits(test: Test, missing: object) -> Callable[[Any], bool]:
    """The test of one value as a function of its own."""
    constants: dict[str, Any] = {"U": missing}

    def constant(value: object) -> str:
        constants[f"c{len(constants)}"] = value
        return f"c{len(constants) - 1}"

    found: Callable[[Any], bool] = eval(f"lambda v: {inline(test, 'v', constant)[1]}", constants)  # noqa: S307
    return found
