"""Thresholds: alerts of a sliding window over event time.

CloudWatch evaluates an alarm once a minute over whole minutes, and so does this. The alarm counts records when they
arrive, some minutes after they happened; a replay counts them when they happened, so the edges can fall otherwise.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from orgmon.replay.timeline import Timeline


@dataclass
class Windows(Timeline):
    """Alerts where ``count`` is reached within ``minutes``, once for each time that it is reached anew.

    The key is the values of the fields that the threshold counts apart; ``account_at`` is the account's place in it,
    or None where the threshold counts the whole organization.
    """

    count: int = 1
    minutes: int = 1
    account_at: int | None = None

    def alerts_at(self, count: int) -> int:
        """How many alerts another count would have made of the minutes that are still known."""
        return sum(len(list(self._entered(known, count))) for known in self._minutes.values())

    def _account(self, key: Hashable) -> str:
        if self.account_at is None:
            return ""
        assert isinstance(key, tuple)
        return str(key[self.account_at])

    def _of(self, key: Hashable, minutes: dict[int, int]) -> Iterator[int]:
        return self._entered(minutes, self.count)

    def _entered(self, minutes: dict[int, int], count: int) -> Iterator[int]:
        """The minutes at whose end the window holds enough, and did not a minute before."""
        ordered = sorted(minutes)
        first, total = 0, 0
        for minute in ordered:
            while ordered[first] < minute - self.minutes:
                total -= minutes[ordered[first]]
                first += 1
            before = total
            total += minutes[minute]
            leaving = minutes[ordered[first]] if ordered[first] == minute - self.minutes else 0
            if total - leaving >= count > before:
                yield minute

    def _forget(self, key: Hashable, minutes: dict[int, int], cut: int) -> None:
        for minute in [minute for minute in minutes if minute <= cut - self.minutes]:
            del minutes[minute]
