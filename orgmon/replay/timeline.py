"""Minutes in which something happened, by key, in whatever order they are told, and in bounded memory."""

from __future__ import annotations

import statistics
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

LIMIT = 20_000
"""Minutes remembered for a detection, at most 10 MB. Input in about its own order never needs them all at once."""

DAY = 24 * 60

Place = tuple[str, int]
"""An account, empty for the whole organization, and a day since 1970."""


@dataclass
class Timeline(ABC):
    """Counts a minute and key, until there are too many: then the older half is settled for good.

    ``late`` counts what came so much out of order that its minutes were settled already; it changes no alert.
    """

    limit: int = LIMIT
    late: int = 0
    alerts: Counter[Place] = field(default_factory=Counter)
    _minutes: dict[Hashable, dict[int, int]] = field(default_factory=dict)
    _size: int = 0
    _settled: int = -1

    def add(self, key: Hashable, minute: int, count: int = 1) -> None:
        """Tell that something happened."""
        if minute <= self._settled:
            self.late += count
            return
        minutes = self._minutes.setdefault(key, {})
        self._size += minute not in minutes
        minutes[minute] = minutes.get(minute, 0) + count
        if self._size > self.limit:
            self._settle(int(statistics.median_low(self._all())))

    def finish(self) -> Counter[Place]:
        """How many alerts there are by account and day; the timeline stays as it is."""
        return self.alerts + self._decided(None)

    def _decided(self, cut: int | None) -> Counter[Place]:
        """The alerts in the minutes that are not settled yet, up to ``cut``."""
        return Counter(
            (self._account(key), minute // DAY)
            for key, minutes in self._minutes.items()
            for minute in self._of(key, minutes)
            if minute > self._settled and (cut is None or minute <= cut)
        )

    def _all(self) -> Iterator[int]:
        return (minute for minutes in self._minutes.values() for minute in minutes)

    def _settle(self, cut: int) -> None:
        """Decide about all minutes up to ``cut``, and keep of them what later minutes still need."""
        self.alerts += self._decided(cut)
        for key, minutes in list(self._minutes.items()):
            self._forget(key, minutes, cut)
            if not minutes:
                del self._minutes[key]
        self._size = sum(map(len, self._minutes.values()))
        self._settled = cut
        # What later minutes need may be most of it: then nothing is gained by settling again at once.
        self.limit = max(self.limit, 2 * self._size)

    @abstractmethod
    def _account(self, key: Hashable) -> str:
        """The account that an alert of this key belongs to."""

    @abstractmethod
    def _of(self, key: Hashable, minutes: dict[int, int]) -> Iterable[int]:
        """The minutes of a key that alert."""

    @abstractmethod
    def _forget(self, key: Hashable, minutes: dict[int, int], cut: int) -> None:
        """Drop the minutes up to ``cut`` that can no longer matter."""
