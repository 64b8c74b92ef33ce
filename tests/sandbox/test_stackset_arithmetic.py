"""The arithmetic of operations: windows, tolerances, the walk over Regions; alone, and on the whole engine."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon.sandbox.calls import Call
from orgmon.sandbox.stacksets.arithmetic import Pair, Preferences, Walk, window

from .fleet import FLEET, R1, R2, R3, Fleet

TEN = tuple(str(number) for number in range(10))


def started(walk: Walk) -> list[Pair]:
    """Start as many as may be started now."""
    pairs = []
    while pair := walk.start_next():
        pairs.append(pair)
    return pairs


@pytest.mark.parametrize(
    ("tolerance", "concurrent", "windows"),
    [
        (5, 10, {0: 6, 1: 5, 3: 3, 5: 1, 6: 0}),
        (100, 250, {0: 101, 20: 81, 40: 61, 60: 41, 80: 21, 101: 0}),
        (0, 1, {0: 1, 1: 0}),
        (5, 2, {0: 2, 4: 2, 5: 1, 6: 0}),
    ],
)
def test_the_strict_window(tolerance: int, concurrent: int, windows: dict[int, int]) -> None:
    assert {failures: window(tolerance, concurrent, failures, soft=False) for failures in windows} == windows


def test_the_soft_window_stays_until_the_tolerance_is_exceeded() -> None:
    assert [window(5, 10, failures, soft=True) for failures in (0, 5, 6)] == [10, 10, 0]


def test_percentages_are_rounded_down_and_concurrency_is_at_least_one() -> None:
    preferences = Preferences(tolerance_percentage=10, concurrent_percentage=10)
    assert (preferences.tolerance(5), preferences.concurrent(5)) == (0, 1)
    assert (preferences.tolerance(29), preferences.concurrent(29)) == (2, 2)
    assert (Preferences().tolerance(1000), Preferences().concurrent(1000)) == (0, 1)


def test_by_default_one_failure_ends_everything() -> None:
    walk = Walk({R1: TEN[:3], R2: TEN[:3]}, Preferences())
    assert started(walk) == [("0", R1)]
    walk.completed(("0", R1), False)
    assert walk.is_over
    assert walk.has_failed
    assert walk.take_cancelled() == (("1", R1), ("2", R1), ("0", R2), ("1", R2), ("2", R2))
    assert walk.take_cancelled() == ()


def test_strict_mode_slides_its_window_shut() -> None:
    walk = Walk({R1: TEN}, Preferences(tolerance_count=2, concurrent_count=10))
    assert len(started(walk)) == 3
    for account, left in (("0", 0), ("1", 0), ("2", 0)):
        walk.completed((account, R1), False)
        assert len(started(walk)) == left
    assert (walk.failures, len(walk.take_cancelled()), walk.is_over) == (3, 7, True)


def test_soft_mode_lets_what_is_under_way_fail_too() -> None:
    walk = Walk({R1: TEN}, Preferences(tolerance_count=2, concurrent_count=10, soft=True))
    assert len(started(walk)) == 10
    for account in TEN:
        walk.completed((account, R1), False)
    assert (walk.failures, walk.take_cancelled(), walk.has_failed) == (10, (), True)


def test_each_region_has_its_own_budget() -> None:
    walk = Walk({R1: TEN, R2: TEN, R3: TEN}, Preferences(tolerance_percentage=20))
    done: dict[str, int] = {}
    while pair := walk.start_next():
        account, region = pair
        fails = (region == R1 and account in "01") or (region == R2 and account in "012")
        walk.completed(pair, not fails)
        done[region] = done.get(region, 0) + 1
    assert done == {R1: 10, R2: 3}
    assert len(walk.take_cancelled()) == 7 + 10


@pytest.mark.parametrize(("ends_all", "left"), [(True, 0), (False, 9)])
def test_parallel_regions_and_the_end_of_one(ends_all: bool, left: int) -> None:
    walk = Walk({R1: TEN, R2: TEN}, Preferences(parallel=True), failure_ends_all=ends_all)
    assert started(walk) == [("0", R1), ("0", R2)]
    walk.completed(("0", R1), False)
    walk.completed(("0", R2), True)
    count = 0
    while pair := walk.start_next():
        walk.completed(pair, True)
        count += 1
    assert count == left
    assert walk.has_failed


def test_stop_lets_go_on_what_is_under_way() -> None:
    walk = Walk({R1: TEN}, Preferences(tolerance_count=9, concurrent_count=4))
    assert len(started(walk)) == 4
    walk.stop()
    assert len(walk.take_cancelled()) == 6
    assert not walk.is_over
    assert walk.start_next() is None


def test_a_stack_set_works_on_a_hundred_at_once_at_most() -> None:
    many = tuple(str(number) for number in range(150))
    walk = Walk({R1: many, R2: many}, Preferences(concurrent_count=90, soft=True, parallel=True))
    assert len(started(walk)) == 100


@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=4),
    st.integers(0, 4),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_every_walk_ends_and_accounts_for_every_pair(
    sizes: list[int], tolerance: int, concurrent: int, soft: bool, parallel: bool, random: Any
) -> None:
    targets = {f"r{number}": TEN[:size] for number, size in enumerate(sizes)}
    preferences = Preferences(
        tolerance_count=tolerance, concurrent_count=concurrent, soft=soft, parallel=parallel
    )
    walk = Walk(targets, preferences)
    running: list[Pair] = []
    ended: list[Pair] = []
    while not walk.is_over:
        running += started(walk)
        assert running, "the walk has stalled"
        for region in walk.regions:
            limit = concurrent if soft else min(concurrent, tolerance + 1)
            assert len(region.running) <= limit
        if not parallel:
            assert len({region for _, region in running}) == 1
        pair = running.pop(random.randrange(len(running)))
        ended.append(pair)
        walk.completed(pair, random.random() < 0.7)
    cancelled = walk.take_cancelled()
    assert sorted([*ended, *cancelled]) == sorted(
        (account, region) for region in targets for account in targets[region]
    )
    assert bool(cancelled) <= walk.has_failed
    if not soft:
        assert all(region.failures <= tolerance + 1 for region in walk.regions)


# The same cases on the whole engine.


def create(fleet: Fleet, *accounts: str, regions: tuple[str, ...] = (R1,), **preferences: Any) -> str:
    fleet.create()
    return fleet.deploy(*accounts, regions=regions, OperationPreferences=preferences)


def test_engine_default_preferences(fleet: Fleet) -> None:
    fleet.world.trouble.fail(account=FLEET[0], region=R1, reason="no")
    operation = create(fleet, *FLEET[:3], regions=(R1, R2))
    assert fleet.status(operation) == "FAILED"
    assert fleet.counts(operation, R1) == {"FAILED": 1, "CANCELLED": 2}
    assert fleet.counts(operation, R2) == {"CANCELLED": 3}
    assert {instance["Status"] for instance in fleet.instances()} == {"OUTDATED"}
    assert all("StackId" not in instance for instance in fleet.instances())


def test_engine_strict(fleet: Fleet) -> None:
    fleet.world.trouble.fail(reason="no")
    operation = create(fleet, FailureToleranceCount=2, MaxConcurrentCount=10)
    assert (fleet.status(operation), fleet.counts(operation)) == ("FAILED", {"FAILED": 3, "CANCELLED": 7})
    assert fleet.operation(operation)["StatusDetails"] == {"FailedStackInstancesCount": 3}


def test_engine_within_tolerance(fleet: Fleet) -> None:
    for account in FLEET[:3]:
        fleet.world.trouble.fail(account=account, reason="no")
    operation = create(fleet, FailureToleranceCount=10, MaxConcurrentCount=10)
    assert (fleet.status(operation), fleet.counts(operation)) == ("SUCCEEDED", {"FAILED": 3, "SUCCEEDED": 7})
    assert fleet.operation(operation)["StatusDetails"] == {"FailedStackInstancesCount": 3}


def test_engine_soft(fleet: Fleet) -> None:
    fleet.world.trouble.fail(reason="no")
    fleet.engine.pace = 0.05
    operation = create(
        fleet, FailureToleranceCount=2, MaxConcurrentCount=10, ConcurrencyMode="SOFT_FAILURE_TOLERANCE"
    )
    assert (fleet.status(operation), fleet.counts(operation)) == ("FAILED", {"FAILED": 10})


def test_engine_budget_of_each_region(fleet: Fleet) -> None:
    for region, count in ((R1, 2), (R2, 3)):
        for account in FLEET[:count]:
            fleet.world.trouble.fail(account=account, region=region, reason="no")
    operation = create(fleet, regions=(R3, R2, R1), FailureTolerancePercentage=20, MaxConcurrentCount=10)
    assert fleet.status(operation) == "FAILED"
    assert fleet.counts(operation, R1) == {"FAILED": 2, "SUCCEEDED": 8}
    assert fleet.counts(operation, R2)["FAILED"] == 3
    assert fleet.counts(operation, R3) == {"CANCELLED": 10}


def test_engine_region_order(fleet: Fleet) -> None:
    fleet.world.trouble.fail(region=R3, reason="no")
    operation = create(fleet, *FLEET[:1], regions=(R1, R2, R3), RegionOrder=[R3, R1, R2])
    assert [result["Region"] for result in fleet.results(operation) if result["Status"] == "FAILED"] == [R3]
    assert fleet.counts(operation) == {"FAILED": 1, "CANCELLED": 2}


class Crowd:
    """Counts how many stacks are being made at once; the first ones wait until as many have come as are expected."""

    def __init__(self, expected: int) -> None:
        self._lock = threading.Lock()
        self._expected, self._gathered = expected, threading.Event()
        self._now = 0
        self.most = 0

    def __call__(self, call: Call) -> None:
        if call.operation != "CreateTopic":
            return
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            if self._now >= self._expected:
                self._gathered.set()
        self._gathered.wait(10)
        time.sleep(0.05)  # for one too many to come
        with self._lock:
            self._now -= 1


@pytest.mark.parametrize(("tolerance", "most"), [(10, 4), (1, 2), (0, 1)])
def test_engine_works_on_as_many_as_the_window_allows(fleet: Fleet, tolerance: int, most: int) -> None:
    crowd = Crowd(most)
    fleet.world.before.append(crowd)
    create(fleet, *FLEET[:6], FailureToleranceCount=tolerance, MaxConcurrentCount=4)
    assert crowd.most == most
