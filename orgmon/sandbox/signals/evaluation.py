"""What state an alarm has, seen from its settings and its metric's values. Pure.

Source: CloudWatch user guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orgmon.sandbox.signals.metrics import Datum

OK = "OK"
ALARM = "ALARM"
INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True)
class Window:
    """The last periods, the newest first: when they began, and their value (None without data)."""

    starts: tuple[datetime, ...]
    values: tuple[float | None, ...]

    @property
    def is_empty(self) -> bool:
        """True if there is no data at all."""
        return all(value is None for value in self.values)


@dataclass(frozen=True)
class Finding:
    """A state and why, in CloudWatch's words."""

    state: str
    reason: str


def range_of(alarm: Any, now: datetime) -> tuple[datetime, datetime]:
    """From when to when an alarm looks: whole minutes, the current one included."""
    end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return end - timedelta(seconds=int(alarm.period) * int(alarm.evaluation_periods)), end


def window_of(alarm: Any, data: Sequence[Datum], now: datetime) -> Window:
    """The values of an alarm's periods."""
    _, end = range_of(alarm, now)
    period = timedelta(seconds=int(alarm.period))
    starts = tuple(end - period * number for number in range(1, int(alarm.evaluation_periods) + 1))
    values = tuple(
        _statistic(str(alarm.statistic), [datum for datum in data if start <= datum.time < start + period])
        for start in starts
    )
    return Window(starts, values)


def evaluate(alarm: Any, window: Window) -> Finding:
    """The state of an alarm; where it must stay as it is, the present one."""
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    treatment = alarm.treat_missing_data or "missing"
    if window.is_empty and treatment in ("missing", "ignore"):
        state = INSUFFICIENT_DATA if treatment == "missing" else alarm.state_value
        return Finding(state, "Insufficient Data: no datapoints were received.")
    breaching = [_is_breaching(alarm, value, treatment) for value in window.values]
    state = ALARM if sum(breaching) >= needed else OK
    return Finding(state, _reason(alarm, window, state, needed, sum(breaching)))


def _is_breaching(alarm: Any, value: float | None, treatment: str) -> bool:
    if value is None:
        return bool(treatment == "breaching")
    return _COMPARISONS[alarm.comparison_operator](value, float(alarm.threshold))


def _statistic(name: str, data: Sequence[Datum]) -> float | None:
    if not data:
        return None
    total, count = sum(datum.total for datum in data), sum(datum.count for datum in data)
    values = {
        "Sum": total,
        "SampleCount": count,
        "Average": total / count,
        "Minimum": min(datum.least for datum in data),
        "Maximum": max(datum.most for datum in data),
    }
    return values[name]


def _reason(alarm: Any, window: Window, state: str, needed: int, breaching: int) -> str:
    points = [
        f"{value} ({start:%d/%m/%y %H:%M:%S})"
        for value, start in zip(window.values, window.starts, strict=True)
        if value is not None
    ]
    words = _WORDS[alarm.comparison_operator]
    periods = int(alarm.evaluation_periods)
    if not points:
        return (
            f"Threshold Crossed: no datapoints were received for {periods} "
            f"period{'s' if periods > 1 else ''} and {periods} missing datapoint"
            f"{'s were' if periods > 1 else ' was'} treated as [{_treated(alarm)}]."
        )
    count = breaching if state == ALARM else periods - breaching
    negation = "" if state == ALARM else "not "
    arrow = "OK -> ALARM" if state == ALARM else "ALARM -> OK"
    return (
        f"Threshold Crossed: {count} out of the last {periods} datapoints [{', '.join(points)}] was "
        f"{negation}{words} the threshold ({float(alarm.threshold)}) (minimum {needed} datapoint"
        f"{'s' if needed > 1 else ''} for {arrow} transition)."
    )


def _treated(alarm: Any) -> str:
    return "Breaching" if alarm.treat_missing_data == "breaching" else "NonBreaching"
