"""How many at once and when to stop: the walk of one operation over Regions and accounts. Pure, without threads.

Source: CloudFormation user guide, "StackSets concepts" and "Choosing the Concurrency Mode"; API reference,
StackSetOperationPreferences.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Pair = tuple[str, str]
"""Account and Region."""


@dataclass(frozen=True)
class Preferences:
    """OperationPreferences. Counts and percentages are None where not given; no tolerance and one at once then."""

    tolerance_count: int | None = None
    tolerance_percentage: int | None = None
    concurrent_count: int | None = None
    concurrent_percentage: int | None = None
    parallel: bool = False
    soft: bool = False
    region_order: tuple[str, ...] = ()

    def tolerance(self, targets: int) -> int:
        """How many of a Region's targets may fail. A percentage is rounded down."""
        if self.tolerance_percentage is not None:
            return targets * self.tolerance_percentage // 100
        return self.tolerance_count or 0

    def concurrent(self, targets: int) -> int:
        """How many of a Region's targets may be worked on at once. A percentage is rounded down, but not below 1."""
        if self.concurrent_percentage is not None:
            return max(1, targets * self.concurrent_percentage // 100)
        return self.concurrent_count or 1


def window(tolerance: int, concurrent: int, failures: int, *, soft: bool) -> int:
    """How many may be under way after that many failures in the Region; 0 when the tolerance is exceeded."""
    if failures > tolerance:
        return 0
    return concurrent if soft else min(concurrent, tolerance + 1 - failures)


@dataclass
class RegionWalk:
    """One Region of an operation."""

    region: str
    tolerance: int
    concurrent: int
    soft: bool
    waiting: deque[str]
    running: set[str] = field(default_factory=set)
    failures: int = 0

    @property
    def has_failed(self) -> bool:
        """More failures than are tolerated."""
        return self.failures > self.tolerance

    @property
    def is_over(self) -> bool:
        """Nothing under way and nothing to come."""
        return not self.waiting and not self.running

    @property
    def has_room(self) -> bool:
        """One more may be started now."""
        allowed = window(self.tolerance, self.concurrent, self.failures, soft=self.soft)
        return bool(self.waiting) and len(self.running) < allowed


class Walk:
    """A whole operation as a state machine: take pairs with ``start_next``, report them with ``completed``.

    ``targets`` are the accounts of each Region, Regions in their order. What will never be started is handed out
    by ``take_cancelled``. ``ceiling`` bounds the whole walk; ``failure_ends_all`` says whether, with Regions in
    parallel, one beyond its tolerance ends the others. Not safe for threads.
    """

    def __init__(
        self,
        targets: Mapping[str, Sequence[str]],
        preferences: Preferences,
        *,
        ceiling: int = 100,
        failure_ends_all: bool = True,
    ) -> None:
        self._parallel = preferences.parallel
        self._ceiling = ceiling
        self._failure_ends_all = failure_ends_all
        self._cancelled: list[Pair] = []
        self.stopped = False
        self.regions = [
            RegionWalk(
                region,
                preferences.tolerance(len(accounts)),
                preferences.concurrent(len(accounts)),
                preferences.soft,
                deque(accounts),
            )
            for region, accounts in targets.items()
        ]

    @property
    def is_over(self) -> bool:
        """Nothing under way and nothing to come in any Region."""
        return all(region.is_over for region in self.regions)

    @property
    def has_failed(self) -> bool:
        """A Region has more failures than are tolerated."""
        return any(region.has_failed for region in self.regions)

    @property
    def failures(self) -> int:
        """Failures in all Regions."""
        return sum(region.failures for region in self.regions)

    @property
    def running(self) -> int:
        """Pairs under way in all Regions."""
        return sum(len(region.running) for region in self.regions)

    def start_next(self) -> Pair | None:
        """The next pair to work on, from now on under way; None when none may be started at this moment."""
        if self.running >= self._ceiling:
            return None
        for region in self._open_regions():
            if region.has_room:
                account = region.waiting.popleft()
                region.running.add(account)
                return account, region.region
        return None

    def completed(self, pair: Pair, succeeded: bool) -> None:
        """A pair that was under way has ended."""
        account, name = pair
        region = next(each for each in self.regions if each.region == name)
        region.running.remove(account)
        if succeeded:
            return
        region.failures += 1
        if region.has_failed:
            self._cancel(self.regions if self._ends_all() else [region])

    def stop(self) -> None:
        """Start nothing any more; what is under way goes on."""
        self.stopped = True
        self._cancel(self.regions)

    def take_cancelled(self) -> tuple[Pair, ...]:
        """The pairs that have been cancelled since this was asked the last time."""
        taken, self._cancelled = tuple(self._cancelled), []
        return taken

    def _open_regions(self) -> list[RegionWalk]:
        unfinished = [region for region in self.regions if not region.is_over]
        return unfinished if self._parallel else unfinished[:1]

    def _ends_all(self) -> bool:
        return self._failure_ends_all or not self._parallel

    def _cancel(self, regions: Sequence[RegionWalk]) -> None:
        for region in regions:
            self._cancelled += [(account, region.region) for account in region.waiting]
            region.waiting.clear()
