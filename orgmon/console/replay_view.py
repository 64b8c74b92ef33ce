"""A replay as a table, and how far it is while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orgmon.console.plan_view import duration
from orgmon.console.styles import SEVERITIES
from orgmon.recordings.work import Progress
from orgmon.replay.report import DetectionResult, ReplayReport, Unread, number

SHOWN = 20
SILENT = 8
MEGABYTE = 1_000_000


def show(console: Console, report: ReplayReport) -> None:
    """Print what was hit, what is loud, what disagrees and what was not read."""
    console.print(_table(report))
    silent = [result.id for result in report.detections if not result.hits]
    if silent:
        more = f" and {len(silent) - SILENT} more" if len(silent) > SILENT else ""
        console.print(f"Silent: {', '.join(silent[:SILENT])}{more}", markup=False)
    for result in report.detections:
        if result.forecast.proposal:
            console.print(f"loud: {result.id}: {result.forecast.proposal}", style="yellow", markup=False)
    for result in report.detections:
        if result.disagreements:
            times, examples = number(result.disagreements, "time"), ", ".join(result.examples)
            console.print(
                f"disagreement: {result.id}: {times}, such as {examples}", style="red", markup=False
            )
    for path, count in report.violations:
        console.print(f"unexpected type: {path} in {number(count, 'record')}", style="yellow", markup=False)
    _list(console, "not read", report.unread)
    _list(console, "not replayed", report.not_replayed)
    console.print(report.summary, markup=False)


def _table(report: ReplayReport) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Detection", "Severity"):
        table.add_column(heading)
    for heading in ("Hits", "Metrics", "Events", "Alerts", "A day"):
        table.add_column(heading, justify="right")
    for heading in ("First", "Last", "Most by"):
        table.add_column(heading)
    for result in sorted(report.detections, key=lambda result: (-result.alerts, -result.hits, result.id)):
        if result.hits:
            table.add_row(*_row(result))
    return table


def _row(result: DetectionResult) -> Iterable[Text]:
    numbers = (result.hits, result.metric_hits, result.event_hits, result.alerts)
    yield Text(result.id)
    yield Text(result.severity, SEVERITIES[result.severity])
    yield from (Text("-" if number is None else f"{number:,}") for number in numbers)
    yield Text(f"{result.forecast.alerts_a_day:.1f}", "yellow" if result.forecast.proposal else "")
    yield from (Text(result.first), Text(result.last), Text(result.actors[0].name if result.actors else ""))


def _list(console: Console, what: str, items: tuple[Unread, ...]) -> None:
    for item in items[:SHOWN]:
        console.print(f"{what}: {item.name}: {item.reason}", style="yellow", markup=False)
    if len(items) > SHOWN:
        console.print(f"{what}: {len(items) - SHOWN} more; --format json lists all", style="yellow")


class ReplayProgress:
    """A line that is redrawn on a terminal, and nothing elsewhere; used as a context."""

    def __init__(self, console: Console) -> None:
        self._live = (
            Live(console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
        )
        self._began = time.monotonic()

    def __enter__(self) -> ReplayProgress:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        """Tell how far it is."""
        if self._live:
            self._live.update(Text(line(progress, time.monotonic() - self._began)))


def line(progress: Progress, seconds: float) -> str:
    """How much is done, how fast, and how long the rest takes, after some seconds."""
    seconds = max(seconds, 0.001)
    rate = progress.done / seconds
    told = f"{progress.events:,} events, {progress.events / seconds:,.0f}/s, {rate / MEGABYTE:.1f} MB/s"
    if progress.total and rate:
        percent = min(progress.done / progress.total, 1)
        return f"{percent:.0%}  {told}, {duration(max(progress.total - progress.done, 0) / rate)} left"
    return told
