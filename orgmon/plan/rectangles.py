"""Pairs -> rectangles of accounts and Regions, the only shape that a stack set operation can take.

The cross product of all accounts and all Regions of some pairs creates or deletes pairs that nobody asked for;
a rectangle here holds its pairs and no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from orgmon.stackset import Pair

Rectangle = tuple[frozenset[str], frozenset[str]]


def rectangles(pairs: Iterable[Pair]) -> tuple[Rectangle, ...]:
    """Disjoint (accounts, Regions) rectangles that together hold exactly the pairs, in a fixed order.

    Accounts with the same Regions go together, or Regions with the same accounts: whichever needs fewer.
    The fewest possible is a hard problem; for rollouts, whose gaps come by account or by Region, one of the two
    finds it.
    """
    wanted = frozenset(pairs)
    by_account = _grouped((pair.account, pair.region) for pair in wanted)
    by_region = _grouped((pair.region, pair.account) for pair in wanted)
    if len(by_account) <= len(by_region):
        pieces = [(keys, values) for values, keys in by_account.items()]
    else:
        pieces = [(values, keys) for values, keys in by_region.items()]
    return tuple(sorted(pieces, key=lambda item: (sorted(item[0]), sorted(item[1]))))


def _grouped(items: Iterable[tuple[str, str]]) -> dict[frozenset[str], frozenset[str]]:
    """Keys that have the same set of values, by that set."""
    values: dict[str, set[str]] = defaultdict(set)
    for key, value in items:
        values[key].add(value)
    keys: dict[frozenset[str], set[str]] = defaultdict(set)
    for key, values_of_key in values.items():
        keys[frozenset(values_of_key)].add(key)
    return {values_of_key: frozenset(members) for values_of_key, members in keys.items()}
