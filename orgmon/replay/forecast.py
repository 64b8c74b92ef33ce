"""How loud a detection would be, and what would make a loud one quieter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orgmon.detections.model import Detection
from orgmon.replay.windows import Windows

LOUD_A_DAY = 5.0
"""Alerts a day in the whole organization that people still look at one by one."""

LOUD_AN_ACCOUNT = 1.0
DOMINANT = 0.5
HIGHEST = 1 << 20


@dataclass(frozen=True)
class Forecast:
    """Alerts to expect a day, and a day and account; ``proposal`` is empty for what is quiet enough."""

    alerts_a_day: float
    alerts_a_day_and_account: float
    proposal: str = ""

    @property
    def is_loud(self) -> bool:
        """Whether somebody should do something about it."""
        return self.alerts_a_day > LOUD_A_DAY or self.alerts_a_day_and_account > LOUD_AN_ACCOUNT


def forecast(
    detection: Detection,
    alerts: int,
    days: float,
    accounts: int,
    actors: Sequence[tuple[str, int]],
    hits: int,
    windows: Windows | None,
) -> Forecast:
    """What the replayed time says of the time to come. ``actors`` come with their hits, most of them first."""
    rate = alerts / days
    quiet = Forecast(rate, rate / max(accounts, 1))
    if not quiet.is_loud:
        return quiet
    proposal = _proposal(detection, days, actors, hits, windows)
    return Forecast(rate, quiet.alerts_a_day_and_account, proposal)


def _proposal(
    detection: Detection, days: float, actors: Sequence[tuple[str, int]], hits: int, windows: Windows | None
) -> str:
    name, most = actors[0] if actors else ("", 0)
    if name not in ("", "unknown") and most >= DOMINANT * hits:
        return f"except {name}: {most / hits:.0%} of the hits are its own"
    if windows is not None and detection.threshold is not None:
        count = _quiet_count(windows, days)
        return f"raise the threshold from {windows.count} to {count}" if count else "lower its severity"
    return "narrow the condition, or lower its severity: no actor alone makes most of the hits"


def _quiet_count(windows: Windows, days: float) -> int:
    """The first doubling of the threshold that is quiet enough; 0 for none."""
    count = windows.count
    while count < HIGHEST:
        count *= 2
        if windows.alerts_at(count) / days <= LOUD_A_DAY:
            return count
    return 0
