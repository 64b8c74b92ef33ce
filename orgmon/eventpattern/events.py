"""An event as the matcher sees it: a list of leaves, each with its dotted path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Leaf:
    """A value that is neither object nor array. ``elements`` says for each array of objects above it which element.

    Objects and arrays that are empty have no leaf: for a pattern they do not exist.
    """

    path: str
    value: object
    elements: tuple[tuple[str, int], ...]


def by_paths(event: Mapping[str, Any]) -> dict[str, list[Leaf]]:
    """The leaves of an event (the whole envelope, as parsed JSON) by their paths, for patterns to look them up."""
    grouped: dict[str, list[Leaf]] = {}
    for leaf in leaves(event):
        grouped.setdefault(leaf.path, []).append(leaf)
    return grouped


def leaves(event: Mapping[str, Any]) -> Iterator[Leaf]:
    """Every leaf of the event. Arrays are flattened; a dot inside a key is the same as a level."""
    for key, value in event.items():
        yield from _below(key, value, ())


def _below(path: str, value: object, elements: tuple[tuple[str, int], ...]) -> Iterator[Leaf]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _below(f"{path}.{key}", inner, elements)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            array = f"{path}[{'/'.join(str(number) for _, number in elements)}]"
            yield from _below(path, inner, (*elements, (array, place)))
    else:
        yield Leaf(path, value, elements)


def agree(first: Leaf, second: Leaf) -> bool:
    """Whether the two leaves come from the same element of every array that is above both."""
    places = dict(first.elements)
    return all(places.get(array, place) == place for array, place in second.elements)
