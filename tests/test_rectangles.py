"""Pairs -> rectangles: exactly the pairs, each once, in as few as can be where that can be counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon.plan.rectangles import Rectangle, rectangles
from orgmon.stackset import Pair

ACCOUNTS = tuple(f"{number:012}" for number in range(6))
REGIONS = ("eu-north-1", "us-east-1", "us-east-2", "us-west-2")
EVERYWHERE = frozenset(Pair(account, region) for account in ACCOUNTS for region in REGIONS)
some_pairs = st.frozensets(st.sampled_from(sorted(EVERYWHERE)))


def inside(rectangle: Rectangle) -> list[Pair]:
    """The pairs of a rectangle."""
    return [Pair(account, region) for account in rectangle[0] for region in rectangle[1]]


@given(some_pairs)
def test_rectangles_hold_exactly_the_pairs_and_each_once(pairs: frozenset[Pair]) -> None:
    covered = [pair for rectangle in rectangles(pairs) for pair in inside(rectangle)]
    assert len(covered) == len(set(covered))
    assert set(covered) == pairs


@given(some_pairs)
def test_there_are_never_more_than_accounts_or_regions(pairs: frozenset[Pair]) -> None:
    shorter = min(len({pair.account for pair in pairs}), len({pair.region for pair in pairs}))
    assert len(rectangles(pairs)) <= shorter


@given(st.lists(st.sampled_from(sorted(EVERYWHERE))))
def test_order_and_repetition_do_not_matter(pairs: list[Pair]) -> None:
    assert rectangles(pairs) == rectangles(sorted(set(pairs)))


@given(
    st.frozensets(st.sampled_from(ACCOUNTS), min_size=1), st.frozensets(st.sampled_from(REGIONS), min_size=1)
)
def test_a_rectangle_is_one_rectangle(accounts: frozenset[str], regions: frozenset[str]) -> None:
    pairs = [Pair(account, region) for account in accounts for region in regions]
    assert rectangles(pairs) == ((accounts, regions),)


@pytest.mark.parametrize(
    ("missing", "fewest"),
    [
        ({Pair(ACCOUNTS[0], REGIONS[0])}, 2),
        ({Pair(ACCOUNTS[0], region) for region in REGIONS}, 1),
        ({Pair(account, REGIONS[0]) for account in ACCOUNTS}, 1),
        ({Pair(ACCOUNTS[0], REGIONS[0]), Pair(ACCOUNTS[1], REGIONS[0])}, 2),
        ({Pair(ACCOUNTS[0], REGIONS[0]), Pair(ACCOUNTS[0], REGIONS[1])}, 2),
        ({Pair(ACCOUNTS[0], REGIONS[0]), Pair(ACCOUNTS[1], REGIONS[1])}, 3),
    ],
    ids=["a hole", "an account", "a Region", "two in a Region", "two in an account", "two apart"],
)
def test_everywhere_but_a_few_takes_the_fewest_that_are_possible(missing: set[Pair], fewest: int) -> None:
    assert len(rectangles(EVERYWHERE - missing)) == fewest


def test_nothing_is_no_rectangle() -> None:
    assert rectangles([]) == ()
