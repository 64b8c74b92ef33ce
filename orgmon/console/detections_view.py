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


def listing(console: Console, detections: Sequence[Detection]) -> None:
    """A line a detection."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Detection", "Level", "Flow", "Scope", "Threshold", "CIS", "Security Hub", "ATT&CK"):
        table.add_column(heading, no_wrap=heading != "ATT&CK")
    for detection in detections:
        controls = dict(detection.controls)
        table.add_row(
            detection.id,
            f"[{SEVERITIES[detection.severity]}]{detection.severity}[/]",
            "both" if len(detection.flows) > 1 else "".join(detection.flows),
            detection.scope,
            threshold_text(detection),
            *(", ".join(controls.get(name, ())) for name in MAIN_CONTROLS),
            ", ".join(techniques(detection)),
        )
    console.print(table)
    levels = Counter(detection.severity for detection in detections)
    told = ", ".join(f"{levels[level]} {level}" for level in Severity if level in levels)
    console.print(f"{len(detections)} detections: {told}")


def show(console: Console, detection: Detection) -> None:
    """Everything about one detection."""
    level = f"[{SEVERITIES[detection.severity]}]{detection.severity}[/]"
    console.print(f"[bold]{escape(detection.title)}[/] ({detection.id}, {level})")
    console.print(f"{escape(detection.description)}\n")
    rows = {
        "Scope": detection.scope,
        "Flow": " and ".join(sorted(detection.flows)),
        "Threshold": threshold_text(detection),
        "Log source": detection.log_source,
        "ATT&CK": ", ".join(techniques(detection)),
        "Controls": "; ".join(f"{name} {', '.join(numbers)}" for name, numbers in detection.controls),
        "False positives": "; ".join(detection.falsepositives),
        "References": " ".join(detection.references),
        "Drill": (detection.drill.how or f"none: {detection.drill.why_not}") if detection.drill else "",
        "Sigma id": detection.sigma_id,
    }
    for name, value in rows.items():
        if value:
            console.print(f"[bold]{name}:[/] {escape(value)}")
    _runbook(console, detection)
    console.print(f"\n[bold]Rule[/] ({escape(detection.origin)})")
    console.print(detection.text.rstrip(), markup=False, soft_wrap=True)
    _forms(console, detection)
    for problem in detection.warnings:
        console.print(f"[yellow]warning[/] {escape(str(problem))}")


def _runbook(console: Console, detection: Detection) -> None:
    console.print(f"\n[bold]Runbook[/]\n{escape(detection.runbook.meaning)}")
    for number, step in enumerate(detection.runbook.steps, 1):
        console.print(f"  {number}. {escape(step)}")
    if detection.runbook.close:
        console.print(f"  Close: {escape(detection.runbook.close)}")


def _forms(console: Console, detection: Detection) -> None:
    forms = compiled(detection)
    if detection.sample_values:
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


def proofs(console: Console, results: Sequence[Proofs]) -> None:
    """What does not hold, and how much does."""
    for result in results:
        if result.is_proved:
            continue
        console.print(f"[red]FAILED[/] {result.detection.id}")
        for what in result.refusals:
            console.print(f"  {what}", markup=False)
        for problem in result.lacks:
            console.print(f"  {problem}", markup=False)
        for proof in result.proofs:
            if not proof.holds:
                verb = "matches" if proof.found else "ignores"
                console.print(f"  example {proof.example}: the {proof.form} {verb} it, which is wrong")
    checks = sum(len(result.proofs) for result in results)
    good = sum(result.is_proved for result in results)
    console.print(f"{good} of {len(results)} detections are proved, by {checks} checks")


def verdicts(console: Console, judged: Sequence[FileVerdict]) -> None:
    """A line a file, with the reasons below it, and a summary."""
    for file in judged:
        metric, event = (f"[{VERDICTS[verdict]}]{verdict}[/]" for verdict in (file.metric, file.event))
        console.print(f"{escape(file.path)}: metric {metric}, event {event}")
        for problem in dict.fromkeys(file.problems):
            console.print(f"  {problem}", markup=False)
        for problem in file.warnings:
            console.print(f"  [yellow]warning[/] {escape(str(problem))}")
    usable = sum(file.is_usable for file in judged)
    exact = sum(
        Verdict.REFUSED not in (file.metric, file.event) and Verdict.SUPERSET is not file.event
        for file in judged
    )
    number = "1 file" if len(judged) == 1 else f"{len(judged)} files"
    console.print(f"{number}: {exact} exact in both flows, {usable} usable, {len(judged) - usable} refused")
