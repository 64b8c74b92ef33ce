"""A test of one plain value as a Python expression, and what it costs."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable

from orgmon.detections.condition import (
    Absent,
    Compares,
    Finds,
    Flag,
    Glob,
    Matches,
    Present,
    Test,
    Within,
    expression,
)

# What a test costs, so that cheap ones are asked first: the order changes nothing else.
EQUALS, TEXT, SEARCH, ADDRESS, PLAIN_JSON = 1, 2, 5, 8, 20


def inline(test: Test, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
    """A test's cost and expression of one value in a variable, which may be missing but is no array."""
    if isinstance(test, Matches) and test.glob.literal is not None:
        return EQUALS, f"({name} == {test.glob.literal!r})"
    if isinstance(test, Matches):
        cost, text = shaped(test.glob, name, constant)
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


def shaped(glob: Glob, name: str, constant: Callable[[object], str]) -> tuple[int, str]:
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
