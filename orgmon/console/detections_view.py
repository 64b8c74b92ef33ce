"""Detections, proofs and verdicts as tables and pages for a terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orgmon.alerting import Severity
from orgmon.console.styles import SEVERITIES
from orgmon.detections.description import compiled, threshold_text
from orgmon.detections.model import Detection, RuleState
from orgmon.detections.page import techniques
from orgmon.detections.proof import Proofs
from orgmon.detections.verdict import FileVerdict, Verdict

VERDICTS = {
    Verdict.EXACT: "green",
    Verdict.SUPERSET: "yellow",
    Verdict.COUNTED: "green",
    Verdict.REFUSED: "red",
}
MAIN_CONTROLS = ("cis-aws-v1.4-v5.0", "security-hub")


def listing(console: Console, found: Sequence[Detection]) -> None:
    """A line a detection."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Detection", "Level", "Flow", "Scope", "Threshold", "CIS", "Security Hub", "ATT&CK"):
        table.add_column(heading, no_wrap=heading != "ATT&CK")
    for one in found:
        controls = dict(one.controls)
        table.add_row(
            one.id,
            f"[{SEVERITIES[one.severity]}]{one.severity}[/]",
            "both" if len(one.flows) > 1 else "".join(one.flows),
            one.scope,
            threshold_text(one),
            *(", ".join(controls.get(name, ())) for name in MAIN_CONTROLS),
            ", ".join(techniques(one)),
        )
    console.print(table)
    levels = Counter(one.severity for one in found)
    told = ", ".join(f"{levels[level]} {level}" for level in Severity if level in levels)
    console.print(f"{len(found)} detections: {told}")


def show(console: Console, one: Detection) -> None:
    """Everything about one detection."""
    console.print(f"[bold]{escape(one.title)}[/] ({one.id}, [{SEVERITIES[one.severity]}]{one.severity}[/])")
    console.print(f"{escape(one.description)}\n")
    rows = {
        "Scope": one.scope,
        "Flow": " and ".join(sorted(one.flows)),
        "Threshold": threshold_text(one),
        "Log source": one.log_source,
        "ATT&CK": ", ".join(techniques(one)),
        "Controls": "; ".join(f"{name} {', '.join(numbers)}" for name, numbers in one.controls),
        "False positives": "; ".join(one.falsepositives),
        "References": " ".join(one.references),
        "Drill": (one.drill.how or f"none: {one.drill.why_not}") if one.drill else "",
        "Sigma id": one.sigma_id,
    }
    for name, value in rows.items():
        if value:
            console.print(f"[bold]{name}:[/] {escape(value)}")
    _runbook(console, one)
    console.print(f"\n[bold]Rule[/] ({escape(one.origin)})")
    console.print(one.text.rstrip(), markup=False, soft_wrap=True)
    _forms(console, one)
    for problem in one.warnings:
        console.print(f"[yellow]warning[/] {escape(str(problem))}")


def _runbook(console: Console, one: Detection) -> None:
    console.print(f"\n[bold]Runbook[/]\n{escape(one.runbook.meaning)}")
    for number, step in enumerate(one.runbook.steps, 1):
        console.print(f"  {number}. {escape(step)}")
    if one.runbook.close:
        console.print(f"  Close: {escape(one.runbook.close)}")


def _forms(console: Console, one: Detection) -> None:
    forms = compiled(one)
    if one.sample_values:
        console.print("\nIn the forms below, placeholders hold the values of the rule's examples.")
    for title, filters in (
        ("Metric filter, trail", forms.trail_filters),
        ("Metric filter, member", forms.member_filters),
    ):
        for each in filters:
            console.print(f"\n[bold]{title}[/] ({len(each.pattern)} of 1024 characters)")
            console.print(each.pattern, markup=False, soft_wrap=True)
    for rule in forms.rules:
        reads = ", sees reads" if rule.state is RuleState.ENABLED_WITH_READS else ""
        again = ", looked at again in the hub" if rule.recheck else ""
        console.print(f"\n[bold]Event rule {rule.name}[/] ({rule.state}{reads}{again})")
        console.print(json.dumps(rule.pattern, indent=2, ensure_ascii=False), markup=False, soft_wrap=True)


def proofs(console: Console, found: Sequence[Proofs]) -> None:
    """What does not hold, and how much does."""
    for one in found:
        if one.is_proved:
            continue
        console.print(f"[red]FAILED[/] {one.detection.id}")
        for what in one.refusals:
            console.print(f"  {what}", markup=False)
        for problem in one.lacks:
            console.print(f"  {problem}", markup=False)
        for proof in one.proofs:
            if not proof.holds:
                verb = "matches" if proof.found else "ignores"
                console.print(f"  example {proof.example}: the {proof.form} {verb} it, which is wrong")
    checks = sum(len(one.proofs) for one in found)
    good = sum(one.is_proved for one in found)
    console.print(f"{good} of {len(found)} detections are proved, by {checks} checks")


def verdicts(console: Console, found: Sequence[FileVerdict]) -> None:
    """A line a file, with the reasons below it, and a summary."""
    for one in found:
        metric, event = (f"[{VERDICTS[verdict]}]{verdict}[/]" for verdict in (one.metric, one.event))
        console.print(f"{escape(one.path)}: metric {metric}, event {event}")
        for problem in dict.fromkeys(one.problems):
            console.print(f"  {problem}", markup=False)
        for problem in one.warnings:
            console.print(f"  [yellow]warning[/] {escape(str(problem))}")
    usable = sum(one.is_usable for one in found)
    exact = sum(
        Verdict.REFUSED not in (one.metric, one.event) and Verdict.SUPERSET is not one.event for one in found
    )
    files = "1 file" if len(found) == 1 else f"{len(found)} files"
    console.print(f"{files}: {exact} exact in both flows, {usable} usable, {len(found) - usable} refused")
