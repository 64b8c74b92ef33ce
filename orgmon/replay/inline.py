"""A test of one plain value as a Python expression, and what it costs."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable
from typing import assert_never

from orgmon.detections.condition import (
    Absent,
    Compares,
    Finds,
    Flag,
    Glob,
    Matches,
    Placeholder,
    Present,
    Test,
    Within,
    expression,
)

# What a test costs, so that cheap ones are asked first: the order changes nothing else.
EQUALS, TEXT, SEARCH, ADDRESS, PLAIN_JSON = 1, 2, 5, 8, 20


def inline(test: Test, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
    """A test's cost and expression of one value in a variable, which may be missing but is no array."""
    match test:
        case Matches(_, Glob((literal,))):
            return EQUALS, f"({name} == {literal!r})"
        case Matches(_, glob):
            cost, text = shaped(glob, name, constant)
            return cost, f"({name}.__class__ is str and {text})"
        case Finds(_, pattern):
            search = constant(expression(pattern).search)
            return SEARCH, f"({name}.__class__ is str and {search}({name}) is not None)"
        case Flag(_, wanted, text_too):
            word = f" or {name} == {str(wanted).lower()!r}" if text_too else ""
            return EQUALS, f"({name} is {wanted}{word})"
        case Compares(_, operator, number):
            sign = "==" if operator == "=" else operator
            numeric = f"{name}.__class__ is int or {name}.__class__ is float"
            return TEXT, f"(({numeric}) and {name} {sign} {constant(number)})"
        case Within(_, block):
            return ADDRESS, f"({name}.__class__ is str and {constant(within(block))}({name}))"
        case Absent():
            return EQUALS, f"({name} is None or {name} is U)"
        case Present():
            return EQUALS, f"({name} is not U)"
        case Placeholder():
            return EQUALS, "False"
        case _:
            assert_never(test)


def shaped(glob: Glob, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
    """The cost and expression of whether a text, which it is for sure, has a shape with wildcards."""
    head, *inner, tail = glob.pieces
    if glob.takes_all:
        return TEXT, "True"
    if not inner and not (head and tail):
        return TEXT, f"{name}.startswith({head!r})" if head else f"{name}.endswith({tail!r})"
    if len(inner) == 1 and not head and not tail:
        return TEXT, f"{inner[0]!r} in {name}"
    return SEARCH, f"{constant(glob.regex.fullmatch)}({name}) is not None"


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
