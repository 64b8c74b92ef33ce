"""``rate(5 minutes)`` and ``cron(0 12 * * ? *)``: what PutRule takes, and when it means.

Source: EventBridge user guide, "Setting a schedule pattern for scheduled rules" (fields and their values; one of
day-of-month and day-of-week is ``?``; days of the week are 1 to 7 from Sunday on; times are UTC); expressions that
AWS took and refused when LocalStack's public tests were recorded (tests/aws/services/events/test_events_schedule).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)", re.ASCII)
_CRON = re.compile(r"cron\((\S+ \S+ \S+ \S+ \S+ \S+)\)", re.ASCII)
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if number}
_DAYS = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split(), 1)}  # noqa: SIM905
_SATURDAY = 7
_ANY = "?"


@dataclass(frozen=True)
class Rate:
    """Every so many seconds."""

    seconds: int


@dataclass(frozen=True)
class Cron:
    """At the minutes that fit every field. ``month_days`` and ``week_days`` are as written: they may name last days."""

    minutes: frozenset[int]
    hours: frozenset[int]
    month_days: str
    months: frozenset[int]
    week_days: str
    years: frozenset[int]

    def fits(self, time: datetime) -> bool:
        """Whether the schedule means this minute (UTC)."""
        fields = (
            (time.minute, self.minutes),
            (time.hour, self.hours),
            (time.month, self.months),
            (time.year, self.years),
        )
        if not all(value in wanted for value, wanted in fields):
            return False
        if self.month_days != _ANY:
            return time.day in days_of_month(self.month_days, time.year, time.month)
        return time.day in days_of_week(self.week_days, time.year, time.month)


def parse(expression: str) -> Rate | Cron:
    """The meaning of a schedule expression. Raises ValueError for what PutRule refuses."""
    if match := _RATE.fullmatch(expression):
        count = int(match[1])
        if count < 1 or bool(match[3]) != (count > 1):
            raise ValueError(f"{expression!r}: one is told in the singular, more in the plural")
        return Rate(count * _SECONDS[match[2]])
    match = _CRON.fullmatch(expression)
    if match is None:
        raise ValueError(f"{expression!r} is no schedule expression")
    minutes, hours, month_days, months, week_days, years = match[1].split(" ")
    if (month_days == _ANY) == (week_days == _ANY):
        raise ValueError(f"{expression!r}: one of the fields for days is '?'")
    # A leap year that begins on a Sunday has a day for everything that can be written.
    if month_days != _ANY:
        days_of_month(month_days, 2012, 1)
    else:
        days_of_week(week_days, 2012, 1)
    return Cron(
        _values(minutes, 0, 59, {}),
        _values(hours, 0, 23, {}),
        month_days,
        _values(months, 1, 12, _MONTHS),
        week_days,
        _values(years, 1970, 2199, {}),
    )


def days_of_month(field: str, year: int, month: int) -> frozenset[int]:
    """The days of a month that the field means: numbers, ``L`` (the last), ``15W`` (the weekday next to it)."""
    last = calendar.monthrange(year, month)[1]
    days: set[int] = set()
    for part in field.split(","):
        if part == "L":
            days.add(last)
        elif part == "LW":
            days.add(_weekday_near(last, year, month))
        elif part.endswith("W"):
            [day] = _values(part[:-1], 1, 31, {})
            days |= {_weekday_near(day, year, month)} if day <= last else set()
        else:
            days |= _values(part, 1, 31, {})
    return frozenset(day for day in days if day <= last)


def days_of_week(field: str, year: int, month: int) -> frozenset[int]:
    """The days of a month that the field means: weekdays, ``6L`` (the last Friday), ``6#3`` (the third one)."""
    days: set[int] = set()
    for part in field.split(","):
        if "#" in part:
            name, _, nth = part.partition("#")
            [place] = _values(nth, 1, 5, {})
            days |= set(_days_named(name, year, month)[place - 1 : place])
        elif part == "L":
            days |= set(_days_named(str(_SATURDAY), year, month))
        elif part.endswith("L"):
            days.add(_days_named(part[:-1], year, month)[-1])
        else:
            for number in _values(part, 1, 7, _DAYS):
                days |= set(_days_named(str(number), year, month))
    return frozenset(days)


def _days_named(name: str, year: int, month: int) -> list[int]:
    """The days of a month that are one weekday (a number or name)."""
    [wanted] = _values(name, 1, 7, _DAYS)
    last = calendar.monthrange(year, month)[1]
    return [day for day in range(1, last + 1) if _weekday(year, month, day) == wanted]


def _weekday(year: int, month: int, day: int) -> int:
    """1 for Sunday to 7 for Saturday."""
    return (calendar.weekday(year, month, day) + 1) % 7 + 1


def _weekday_near(day: int, year: int, month: int) -> int:
    """The day from Monday to Friday that is next to a day, in the same month."""
    last = calendar.monthrange(year, month)[1]
    weekday = _weekday(year, month, day)
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == 1:
        return day + 1 if day < last else day - 2
    return day


def _values(field: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    """The numbers that a field means: ``*``, ``5``, ``1-5``, ``0/15``, ``JAN``, and lists of them.

    Raises ValueError for what is out of range or cannot be read.
    """
    values: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        begin, dash, end = span.partition("-")
        first = low if span == "*" else _number(begin, low, high, names)
        final = _number(end, low, high, names) if dash else high if slash or span == "*" else first
        stride = _number(step, 1, high, {}) if slash else 1
        if final < first:
            raise ValueError(f"{part!r} ends before it begins")
        values |= set(range(first, final + 1, stride))
    return frozenset(values)


def _number(text: str, low: int, high: int, names: dict[str, int]) -> int:
    value = names.get(text, int(text) if text.isascii() and text.isdigit() else -1)
    if not low <= value <= high:
        raise ValueError(f"{text!r} is not within {low} and {high}")
    return value
