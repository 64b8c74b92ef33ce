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
    for detection in report.detections:
        for place in _places(detection):
            writer.writerow(
                [
                    _cell(value)
                    for value in (detection.id, detection.severity.value, *place, *_totals(detection))
                ]
            )
    return buffer.getvalue()


def _places(detection: DetectionResult) -> list[tuple[str, str, int, int]]:
    return [(day.day, day.account, day.hits, day.alerts) for day in detection.days] or [("", "", 0, 0)]


def _totals(detection: DetectionResult) -> tuple[object, ...]:
    actor = detection.actors[0].name if detection.actors else ""
    rate = f"{detection.forecast.alerts_a_day:.2f}"
    flows = (detection.metric_hits, detection.event_hits, detection.undelivered)
    return (
        detection.hits,
        detection.alerts,
        *flows,
        detection.first,
        detection.last,
        actor,
        rate,
        detection.forecast.proposal,
    )


def _cell(value: object) -> object:
    """A text that a spreadsheet does not take for a formula: actors name themselves."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
