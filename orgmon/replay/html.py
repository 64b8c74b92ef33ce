"""A replay's result as one HTML page that needs nothing else. Everything from records is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from orgmon.replay.report import DetectionResult, ReplayReport, Unread, number

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1d2530; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #d8dee6; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.critical { color: #a10022; font-weight: 600; } .high { color: #b04a00; } .quiet td { color: #7a8594; }
details { margin: .4rem 0; } code { font-size: 13px; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  body { background: #14181d; color: #dde3ea; } th, td { border-color: #333c47; }
  .critical { color: #ff7b93; } .high { color: #ffae70; }
}
"""
COLUMNS = (
    "Detection",
    "Severity",
    "Hits",
    "By metrics",
    "By events",
    "Alerts",
    "A day",
    "First",
    "Last",
    "Proposal",
)
NUMBERS = range(2, 7)


def as_html(report: ReplayReport) -> str:
    """The whole page."""
    rows = "".join(_row(detection) for detection in report.detections)
    heads = "".join(
        f"<th{' class=number' if place in NUMBERS else ''}>{name}</th>" for place, name in enumerate(COLUMNS)
    )
    hit = [detection for detection in report.detections if detection.hits]
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>Replay of {escape(report.source)}</title><style>{STYLE}</style>\n"
        f"<h1>Replay of {escape(report.source)}</h1>\n<p>{escape(report.summary)}.</p>\n"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>\n"
        f"<h2>By day and account</h2>\n{''.join(map(_details, hit)) or '<p>No hits.</p>'}\n"
        f"{_list('Not read', report.unread)}{_list('Not replayed', report.not_replayed)}{_violations(report)}</html>\n"
    )


def _row(detection: DetectionResult) -> str:
    numbers = (detection.hits, detection.metric_hits, detection.event_hits, detection.alerts)
    cells = "".join(f"<td class=number>{'-' if number is None else f'{number:,}'}</td>" for number in numbers)
    return (
        f"<tr{'' if detection.hits else ' class=quiet'}>"
        f"<td>{escape(detection.id)}<br><small>{escape(detection.title)}</small></td>"
        f"<td class={escape(detection.severity.value)}>{escape(detection.severity.value)}</td>{cells}"
        f"<td class=number>{detection.forecast.alerts_a_day:.1f}</td><td>{escape(detection.first)}</td>"
        f"<td>{escape(detection.last)}</td><td>{escape(detection.forecast.proposal)}</td></tr>\n"
    )


def _details(detection: DetectionResult) -> str:
    days = "".join(
        f"<tr><td>{day.day}<td>{escape(day.account) or 'organization'}<td class=number>{day.hits:,}"
        f"<td class=number>{day.alerts:,}</tr>"
        for day in detection.days
    )
    actors = "".join(
        f"<li><code>{escape(actor.name)}</code> {actor.hits:,}</li>" for actor in detection.actors
    )
    return (
        f"<details><summary>{escape(detection.id)}: {number(detection.hits, 'hit')}</summary><ul>{actors}</ul>"
        f"<table><tr><th>Day<th>Account<th class=number>Hits<th class=number>Alerts</tr>{days}</table></details>\n"
    )


def _list(title: str, items: Iterable[Unread]) -> str:
    entries = "".join(
        f"<li><code>{escape(unread.name)}</code>: {escape(unread.reason)}</li>" for unread in items
    )
    return f"<h2>{title}</h2><ul>{entries}</ul>\n" if entries else ""


def _violations(report: ReplayReport) -> str:
    entries = "".join(f"<li><code>{escape(path)}</code>: {count:,}</li>" for path, count in report.violations)
    return f"<h2>Fields of an unexpected type</h2><ul>{entries}</ul>\n" if entries else ""
