"""Grouping: what the same actor does in the same account is one alert an hour."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from orgmon.replay.timeline import Timeline

HOUR = 60
"""Minutes from an alert on in which more of the same makes no new one."""


@dataclass
class Groups(Timeline):
    """Alerts of one detection; the key is account and actor."""

    _open: dict[Hashable, int] = field(default_factory=dict)

    def _account(self, key: Hashable) -> str:
        assert isinstance(key, tuple)
        return str(key[0])

    def _of(self, key: Hashable, minutes: dict[int, int]) -> Iterator[int]:
        began = self._open.get(key)
        for minute in sorted(minutes):
            if began is None or minute >= began + HOUR:
                began = minute
                yield minute

    def _forget(self, key: Hashable, minutes: dict[int, int], cut: int) -> None:
        began = max((minute for minute in self._of(key, minutes) if minute <= cut), default=None)
        began = self._open.get(key) if began is None else began
        for minute in [minute for minute in minutes if minute <= cut]:
            del minutes[minute]
        if began is not None and began + HOUR > cut:
            self._open[key] = began
        else:
            self._open.pop(key, None)
