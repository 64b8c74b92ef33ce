"""The catalogue as a page for people, in Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from orgmon.alerting import Severity
from orgmon.detections.description import compiled, threshold_text
from orgmon.detections.model import Detection

HEADING = """\
# Detections

Written by `orgmon detections export --format markdown` from the rules in `orgmon/detections/rules/`. Do not edit.

"""
ORDER = tuple(Severity)


def page(detections: Iterable[Detection]) -> str:
    """The whole page: a table of all, those that serve each control, then a section for each, the worst first."""
    found = sorted(detections, key=lambda one: (ORDER.index(one.severity), one.id))
    sections = (line for one in found for line in _section(one))
    return HEADING + "\n".join([*_table(found), "", *_by_control(found), *sections]) + "\n"


def _table(found: list[Detection]) -> Iterator[str]:
    yield f"{len(found)} detections.\n"
    yield "| detection | level | flow | scope | ATT&CK |"
    yield "|---|---|---|---|---|"
    for one in found:
        flow = " and ".join(sorted(one.flows))
        yield (
            f"| [{one.id}](#{one.id}) | {one.severity} | {flow} | {one.scope} | {', '.join(techniques(one))} |"
        )


def _by_control(found: list[Detection]) -> Iterator[str]:
    """Which detections serve a control, catalogue by catalogue."""
    serving: dict[str, dict[str, list[str]]] = {}
    for one in found:
        for catalogue, numbers in one.controls:
            for number in numbers:
                serving.setdefault(catalogue, {}).setdefault(number, []).append(one.id)
    yield "## By control\n"
    for catalogue in sorted(serving):
        yield f"### {catalogue}\n"
        yield "| control | detections |"
        yield "|---|---|"
        for number in sorted(serving[catalogue], key=_natural):
            links = ", ".join(f"[{name}](#{name})" for name in sorted(serving[catalogue][number]))
            yield f"| {number} | {links} |"
        yield ""


def _natural(text: str) -> list[tuple[bool, int, str]]:
    """Sorts 4.9 before 4.10."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", text)]


def techniques(detection: Detection) -> list[str]:
    """The ATT&CK ids of the techniques, such as T1562.008."""
    return [
        tag.partition(".")[2].upper()
        for tag in detection.tags
        if tag.startswith("attack.t") and tag[8].isdigit()
    ]


def _section(one: Detection) -> Iterator[str]:
    yield f"## {one.id}\n"
    yield f"**{one.title}.** {one.description}\n"
    limit = threshold_text(one)
    if limit:
        yield f"Alerts from {limit} on.\n"
    yield f"{one.runbook.meaning}\n"
    yield from (f"{number}. {step}" for number, step in enumerate(one.runbook.steps, 1))
    yield f"\nClose: {one.runbook.close}\n"
    if one.falsepositives:
        told = "; ".join(text.strip().rstrip(".") for text in one.falsepositives)
        yield f"False positives: {told}.\n"
    if one.drill:
        yield f"Drill: {one.drill.how or 'none: ' + one.drill.why_not}\n"
    yield from (f"* {name}: {', '.join(numbers)}" for name, numbers in one.controls)
    yield from _forms(one)


def _forms(one: Detection) -> Iterator[str]:
    forms = compiled(one)
    if forms.trail_filters:
        yield "\nMetric filter of the trail's log group:\n"
        yield "```\n" + "\n".join(each.pattern for each in forms.trail_filters) + "\n```\n"
    for rule in forms.rules:
        yield f"\nEvent rule {rule.name} of the hub's bus ({rule.state}):\n"
        yield "```json\n" + json.dumps(rule.pattern, ensure_ascii=False) + "\n```\n"
    yield ""
