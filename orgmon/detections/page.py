"""The catalogue as a page for people, in Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from orgmon.alerting import Severity
from orgmon.detections.cis import FILTERS
from orgmon.detections.description import compiled, threshold_text
from orgmon.detections.model import Detection
from orgmon.detections.quotas import MAX_FILTERS, MAX_RULES, OWN_RULES, is_counted_centrally

HEADING = """\
# Detections

Written by `orgmon detections export --format markdown` from the rules in `orgmon/detections/rules/`. Do not edit.

"""
ORDER = tuple(Severity)


def page(detections: Iterable[Detection]) -> str:
    """The whole page: a table of all, those that serve each control, then a section for each, the worst first."""
    ordered = sorted(detections, key=lambda detection: (ORDER.index(detection.severity), detection.id))
    sections = (line for detection in ordered for line in _section(detection))
    return HEADING + "\n".join([*_table(ordered), "", *_by_control(ordered), *sections]) + "\n"


def _table(detections: list[Detection]) -> Iterator[str]:
    yield f"{len(detections)} detections.\n"
    yield from _room(detections)
    yield "| detection | level | flow | scope | ATT&CK |"
    yield "|---|---|---|---|---|"
    for detection in detections:
        flow = " and ".join(sorted(detection.flows))
        link, attack = f"[{detection.id}](#{detection.id})", ", ".join(techniques(detection))
        yield f"| {link} | {detection.severity} | {flow} | {detection.scope} | {attack} |"


def _room(detections: list[Detection]) -> Iterator[str]:
    """What is left for detections of a user's own, where AWS's quotas cannot be raised."""
    forms = [(detection, compiled(detection)) for detection in detections]
    rules = sum(len(form.rules) for _, form in forms)
    counted = (len(form.trail_filters) for detection, form in forms if is_counted_centrally(detection))
    filters = len(FILTERS) + sum(counted)
    most_rules = MAX_RULES - OWN_RULES
    yield (
        f"With the {len(FILTERS)} filters of the CIS benchmark they take {filters} of the {MAX_FILTERS} metric "
        f"filters on the trail's log group, and {rules} of the {most_rules} rules of the hub's bus: "
        f"{MAX_FILTERS - filters} and {most_rules - rules} are left. A detection of your own with `flow: event` takes "
        "no filter; filters are for what is critical or counted by a threshold.\n"
    )


def _by_control(detections: list[Detection]) -> Iterator[str]:
    """Which detections serve a control, catalogue by catalogue."""
    serving: dict[str, dict[str, list[str]]] = {}
    for detection in detections:
        for catalogue, numbers in detection.controls:
            for number in numbers:
                serving.setdefault(catalogue, {}).setdefault(number, []).append(detection.id)
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


def _section(detection: Detection) -> Iterator[str]:
    yield f"## {detection.id}\n"
    yield f"**{detection.title}.** {detection.description}\n"
    limit = threshold_text(detection)
    if limit:
        yield f"Alerts from {limit} on.\n"
    yield f"{detection.runbook.meaning}\n"
    yield from (f"{number}. {step}" for number, step in enumerate(detection.runbook.steps, 1))
    yield f"\nClose: {detection.runbook.close}\n"
    if detection.falsepositives:
        told = "; ".join(text.strip().rstrip(".") for text in detection.falsepositives)
        yield f"False positives: {told}.\n"
    if detection.drill:
        yield f"Drill: {detection.drill.how or 'none: ' + detection.drill.why_not}\n"
    yield from (f"* {name}: {', '.join(numbers)}" for name, numbers in detection.controls)
    yield from _forms(detection)


def _forms(detection: Detection) -> Iterator[str]:
    forms = compiled(detection)
    if forms.trail_filters:
        yield "\nMetric filter of the trail's log group:\n"
        yield "```\n" + "\n".join(metric_filter.pattern for metric_filter in forms.trail_filters) + "\n```\n"
    for rule in forms.rules:
        yield f"\nEvent rule {rule.name} of the hub's bus ({rule.state}):\n"
        yield "```json\n" + json.dumps(rule.pattern, ensure_ascii=False) + "\n```\n"
    yield ""
