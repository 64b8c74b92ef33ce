"""A replay's result as CSV: a line for each detection, day and account."""

from __future__ import annotations

import csv
import io

from orgmon.replay.report import DetectionResult, ReplayReport

HEADINGS = (
    "detection",
    "severity",
    "day",
    "account",
    "hits",
    "alerts",
    "total hits",
    "total alerts",
    "metric hits",
    "event hits",
    "undelivered",
    "first",
    "last",
    "top actor",
    "alerts a day",
    "proposal",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: ReplayReport) -> str:
    """The text. A detection without hits has one line without a day."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADINGS)
    for one in report.detections:
        for place in _places(one):
            writer.writerow([_cell(value) for value in (one.id, one.severity.value, *place, *_totals(one))])
    return buffer.getvalue()


def _places(one: DetectionResult) -> list[tuple[str, str, int, int]]:
    return [(day.day, day.account, day.hits, day.alerts) for day in one.days] or [("", "", 0, 0)]


def _totals(one: DetectionResult) -> tuple[object, ...]:
    actor = one.actors[0].name if one.actors else ""
    rate = f"{one.forecast.alerts_a_day:.2f}"
    flows = (one.metric_hits, one.event_hits, one.undelivered)
    return (one.hits, one.alerts, *flows, one.first, one.last, actor, rate, one.forecast.proposal)


def _cell(value: object) -> object:
    """A text that a spreadsheet does not take for a formula: actors name themselves."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
