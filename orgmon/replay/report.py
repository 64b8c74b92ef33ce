"""The result of a replay as one value; table, JSON, CSV and HTML are functions of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orgmon.alerting import Severity
from orgmon.detections.model import Detection, Flow
from orgmon.replay.forecast import Forecast, forecast
from orgmon.replay.scan import printable
from orgmon.replay.tally import Counts, Tally
from orgmon.replay.timeline import Place
from orgmon.replay.visibility import has_rule
from orgmon.replay.windows import Windows

TOP = 5
SHORTEST = 1.0
"""Days that an archive counts for at least: less says nothing of a day."""


@dataclass(frozen=True)
class Unread:
    """Input that was left out, or a part of it, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Actor:
    """Who caused hits; ``hits`` can be a little too high where there are hundreds of actors."""

    name: str
    hits: int


@dataclass(frozen=True)
class Day:
    """Hits and alerts of a day (ISO 8601, UTC) in an account; no account stands for the whole organization."""

    day: str
    account: str
    hits: int
    alerts: int


@dataclass(frozen=True)
class DetectionResult:
    """What a detection would have done.

    ``metric_hits`` and ``event_hits`` are None where the flow does not carry it; ``undelivered`` are hits that
    EventBridge keeps from its rules. ``alerts`` are those after grouping, or of the threshold.
    """

    id: str
    title: str
    severity: Severity
    hits: int
    metric_hits: int | None
    event_hits: int | None
    undelivered: int
    alerts: int
    first: str
    last: str
    actors: tuple[Actor, ...]
    days: tuple[Day, ...]
    forecast: Forecast
    disagreements: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReplayReport:
    """What was read, and what every detection would have done. ``duplicates`` are hits that came again.

    ``files_left_out`` were not opened: their names say that they hold nothing of the time asked for.
    """

    source: str
    events: int
    left_out: int
    files: int
    files_left_out: int
    bytes_read: int
    first: str
    last: str
    accounts: int
    duplicates: int
    late: int
    detections: tuple[DetectionResult, ...]
    violations: tuple[tuple[str, int], ...]
    unread: tuple[Unread, ...]
    not_replayed: tuple[Unread, ...]
    verified: bool

    @property
    def disagreements(self) -> int:
        """Events for which something that goes to AWS and the replay differ."""
        return sum(detection.disagreements for detection in self.detections)

    @property
    def summary(self) -> str:
        """The whole replay in one line."""
        where = f"{number(self.accounts, 'account')} in {number(self.files, 'file')}"
        parts = [
            f"{number(self.events, 'event')} of {where}",
            f"{self.first} to {self.last}" if self.first else "",
            f"{self.left_out:,} outside of the time asked for" if self.left_out else "",
            f"{number(self.files_left_out, 'file')} of other times not opened" if self.files_left_out else "",
            f"{number(self.duplicates, 'hit')} that came twice" if self.duplicates else "",
            f"{number(self.late, 'hit')} too far out of order to group" if self.late else "",
            f"{number(self.disagreements, 'disagreement')} with what goes to AWS" if self.verified else "",
        ]
        return ", ".join(part for part in parts if part)

    def alerted(self, identifier: str) -> bool:
        """Whether the detection alerted at all."""
        return any(detection.id == identifier and detection.alerts for detection in self.detections)


def number(count: int, noun: str) -> str:
    """A count with its noun, in the plural where it is not one."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def report(
    tally: Tally,
    *,
    source: str,
    files: int,
    bytes_read: int,
    files_left_out: int = 0,
    unread: Sequence[Unread] = (),
    not_replayed: Sequence[Unread] = (),
) -> ReplayReport:
    """The report of what a tally has counted."""
    total = tally.total
    days, accounts = _days(total.first, total.last), len(total.accounts)
    pairs = zip(tally.rules.detections, tally.counts, strict=True)
    return ReplayReport(
        source=source,
        events=total.events,
        left_out=total.left_out,
        files=files,
        files_left_out=files_left_out,
        bytes_read=bytes_read,
        first=printable(total.first),
        last=printable(total.last),
        accounts=accounts,
        duplicates=tally.seen.duplicates,
        late=sum(counts.alerts.late for counts in tally.counts),
        detections=tuple(_result(detection, counts, days, accounts) for detection, counts in pairs),
        violations=tuple(sorted(total.violations.items())),
        unread=tuple(sorted(unread, key=lambda entry: entry.name)),
        not_replayed=tuple(not_replayed),
        verified=tally.rules.verify,
    )


def _result(detection: Detection, counts: Counts, days: float, accounts: int) -> DetectionResult:
    alerts = counts.alerts.finish()
    actors = counts.actors.top(TOP)
    windows = counts.alerts if isinstance(counts.alerts, Windows) else None
    number = alerts.total()
    return DetectionResult(
        id=detection.id,
        title=detection.title,
        severity=detection.severity,
        hits=counts.hits,
        metric_hits=counts.hits if Flow.METRICS in detection.flows else None,
        event_hits=counts.hits - counts.undelivered if has_rule(detection) else None,
        undelivered=counts.undelivered,
        alerts=number,
        first=counts.first,
        last=counts.last,
        actors=tuple(Actor(*actor) for actor in actors),
        days=tuple(_day(place, counts.by_place[place], alerts[place]) for place in _places(counts, alerts)),
        forecast=forecast(detection, number, days, accounts, actors, counts.hits, windows),
        disagreements=counts.disagreements.total(),
        examples=tuple(counts.examples),
    )


def _places(counts: Counts, alerts: dict[Place, int]) -> list[Place]:
    return sorted({*counts.by_place, *alerts}, key=lambda place: (place[1], place[0]))


def _day(place: Place, hits: int, alerts: int) -> Day:
    account, day = place
    return Day(
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat(), account, hits, alerts
    )


def _days(first: str, last: str) -> float:
    try:
        length = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    except (TypeError, ValueError):
        return SHORTEST
    return max(length / timedelta(days=1), SHORTEST)
