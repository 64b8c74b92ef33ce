"""What state an alarm has, seen from its settings and its metric's values. Pure.

Sources: CloudWatch user guide, "Alarm evaluation", "Configuring how CloudWatch alarms treat missing data"; reasons and
their data as AWS gave them when LocalStack's public tests were recorded (tests/aws/services/cloudwatch).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orgmon.sandbox.signals.metrics import Datum, statistic

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
    """The last periods, the newest first: when they began, their value (None without data), of how many samples.

    ``period`` is their length in seconds. What an expression comes to is of no number of samples.
    """

    starts: tuple[datetime, ...]
    values: tuple[float | None, ...]
    counts: tuple[float | None, ...]
    period: int

    @property
    def is_empty(self) -> bool:
        """True if there is no data at all."""
        return all(value is None for value in self.values)


@dataclass(frozen=True)
class Finding:
    """A state and why, in CloudWatch's words and as data."""

    state: str
    reason: str
    data: dict[str, Any]


def end_of(now: datetime) -> datetime:
    """Until when an alarm looks: whole minutes, the current one included."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def range_of(alarm: Any, now: datetime) -> tuple[datetime, datetime]:
    """From when to when an alarm on one metric looks."""
    end = end_of(now)
    return end - timedelta(seconds=int(alarm.period) * int(alarm.evaluation_periods)), end


def window_of_values(values: Sequence[float | None], period: int, now: datetime) -> Window:
    """The window of values that were worked out, the newest first."""
    starts = _starts(period, len(values), now)
    return Window(starts, tuple(values), (None,) * len(values), period)


def window_of(alarm: Any, data: Sequence[Datum], now: datetime) -> Window:
    """The values of an alarm's periods; of its unit only, where it has one."""
    period = timedelta(seconds=int(alarm.period))
    starts = _starts(int(alarm.period), int(alarm.evaluation_periods), now)
    wanted = [datum for datum in data if not alarm.unit or datum.unit == alarm.unit]
    periods = [[datum for datum in wanted if start <= datum.time < start + period] for start in starts]
    values = tuple(statistic(str(alarm.statistic), own) for own in periods)
    return Window(starts, values, tuple(statistic("SampleCount", own) for own in periods), int(alarm.period))


def _starts(period: int, count: int, now: datetime) -> tuple[datetime, ...]:
    return tuple(end_of(now) - timedelta(seconds=period * number) for number in range(1, count + 1))


def evaluate(alarm: Any, window: Window, now: datetime) -> Finding:
    """The state of an alarm; where it must stay as it is, the present one."""
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    treatment = alarm.treat_missing_data or "missing"
    data = _reason_data(alarm, window, now)
    if window.is_empty and treatment in ("missing", "ignore"):
        state = INSUFFICIENT_DATA if treatment == "missing" else alarm.state_value
        return Finding(state, _unknown(int(alarm.evaluation_periods)), data)
    breaching = [_is_breaching(alarm, value, treatment) for value in window.values]
    state = ALARM if sum(breaching) >= needed else OK
    return Finding(state, _reason(alarm, window, state, sum(breaching)), data)


def _is_breaching(alarm: Any, value: float | None, treatment: str) -> bool:
    if value is None:
        return bool(treatment == "breaching")
    return _COMPARISONS[alarm.comparison_operator](value, float(alarm.threshold))


def _unknown(periods: int) -> str:
    return f"Insufficient Data: {periods} datapoint{'s were' if periods > 1 else ' was'} unknown."


def _reason(alarm: Any, window: Window, state: str, breaching: int) -> str:
    if window.is_empty:
        return _nothing_received(alarm)
    is_alarm = state == ALARM
    told = window.values if alarm.datapoints_to_alarm else _telling(alarm, window, is_alarm)
    points = [
        f"{value} ({start:%d/%m/%y %H:%M:%S})"
        for value, start in zip(told, window.starts, strict=True)
        if value is not None
    ]
    words = f"{'' if is_alarm else 'not '}{_WORDS[alarm.comparison_operator]}"
    threshold = f"the threshold ({float(alarm.threshold)})"
    if not alarm.datapoints_to_alarm:
        plural = len(points) != 1
        counted = f"{len(points)} datapoint{'s' if plural else ''} [{', '.join(points)}]"
        return f"Threshold Crossed: {counted} {'were' if plural else 'was'} {words} {threshold}."
    periods, needed = int(alarm.evaluation_periods), int(alarm.datapoints_to_alarm)
    count = breaching if is_alarm else periods - breaching
    arrow = "OK -> ALARM" if is_alarm else "ALARM -> OK"
    return (
        f"Threshold Crossed: {count} out of the last {periods} datapoints [{', '.join(points)}] was {words} "
        f"{threshold} (minimum {needed} datapoint{'s' if needed > 1 else ''} for {arrow} transition)."
    )


def _telling(alarm: Any, window: Window, is_alarm: bool) -> list[float | None]:
    """The values that made the state: those that breach, or those that do not."""
    compare = _COMPARISONS[alarm.comparison_operator]
    return [
        value if value is not None and compare(value, float(alarm.threshold)) == is_alarm else None
        for value in window.values
    ]


def _nothing_received(alarm: Any) -> str:
    periods = int(alarm.evaluation_periods)
    treated = "Breaching" if alarm.treat_missing_data == "breaching" else "NonBreaching"
    return (
        f"Threshold Crossed: no datapoints were received for {periods} "
        f"period{'s' if periods > 1 else ''} and {periods} missing datapoint"
        f"{'s were' if periods > 1 else ' was'} treated as [{treated}]."
    )


def _reason_data(alarm: Any, window: Window, now: datetime) -> dict[str, Any]:
    """What was looked at, for programs. The newest period comes first, the most recent value last."""
    there = [
        (start, value, count)
        for start, value, count in zip(window.starts, window.values, window.counts, strict=True)
        if value is not None
    ]
    known = {
        start: {**({"sampleCount": count} if count is not None else {}), "value": value}
        for start, value, count in there
    }
    return {
        "version": "1.0",
        "queryDate": stamp(now),
        **({"startDate": stamp(there[-1][0])} if there else {}),
        **({"unit": alarm.unit} if alarm.unit else {}),
        **({"statistic": str(alarm.statistic)} if alarm.statistic else {}),
        "period": window.period,
        "recentDatapoints": [value for _, value, _ in reversed(there)],
        "threshold": float(alarm.threshold),
        "evaluatedDatapoints": [
            {"timestamp": stamp(start), **known.get(start, {})} for start in window.starts
        ],
    }


def stamp(time: datetime) -> str:
    """A time as CloudWatch writes it in texts."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}+0000"
