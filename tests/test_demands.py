"""What is asked of a rule file: little of a user's, more of one that orgmon ships."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from orgmon.alerting import Severity
from orgmon.detections.catalogue import shipped
from orgmon.detections.condition import All, Finds, Glob, Matches
from orgmon.detections.demands import OF_ANY, OF_OURS, lacking, takes_reads
from orgmon.detections.model import Detection, Flow, Runbook, Threshold
from orgmon.detections.proof import prove

SHIPPED = {detection.id: detection for detection in shipped()}
GOOD = SHIPPED["kms-key-disabled"]
READS = SHIPPED["secret-read"]
MATCH, IGNORE = (
    next(example for example in GOOD.examples if example.matches is kind) for kind in (True, False)
)

LACKS: list[tuple[Detection, str]] = [
    (replace(GOOD, sigma_id=""), "no id"),
    (replace(GOOD, sigma_id=READS.sigma_id), "its id is that of secret-read"),
    (replace(GOOD, status="test"), "the status is not stable"),
    (replace(GOOD, description=""), "no description"),
    (replace(GOOD, author=""), "no author"),
    (replace(GOOD, falsepositives=()), "no false positives"),
    (replace(GOOD, tags=("attack.impact",)), "no technique of ATT&CK"),
    (replace(GOOD, tags=(*GOOD.tags, "cve.2021-1")), "a tag that is no tactic and no technique of ATT&CK"),
    (replace(GOOD, runbook=Runbook("Look.")), "no whole runbook"),
    (replace(GOOD, runbook=replace(GOOD.runbook, close="")), "no whole runbook"),
    (replace(GOOD, controls=()), "no controls that it serves"),
    (replace(GOOD, drill=None), "no drill"),
    (replace(GOOD, examples=(MATCH, IGNORE, IGNORE)), "fewer than 2 examples that it must match"),
    (replace(GOOD, examples=(MATCH, MATCH, IGNORE)), "fewer than 2 examples that it must ignore"),
    (
        replace(READS, declares_reads=False),
        "it takes List, Get or Describe calls, which every member then forwards",
    ),
    (replace(GOOD, declares_reads=True), "it declares reads and takes none"),
    (
        replace(GOOD, severity=Severity.CRITICAL, flows=frozenset({Flow.METRICS})),
        "it is critical and does not alert by both flows",
    ),
    (
        replace(GOOD, severity=Severity.CRITICAL, threshold=Threshold(3, 60)),
        "it is critical and does not alert by both flows",
    ),
    (
        replace(GOOD, condition=All((Matches("eventName", Glob(("Go",))), Finds("userAgent", "a+")))),
        "its metric filter needs a regular expression, and a log group takes five",
    ),
]


@pytest.mark.parametrize(("broken", "what"), LACKS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_shipped_rule_is_told_what_it_lacks(broken: Detection, what: str) -> None:
    [problem] = lacking(broken, (broken, *(other for other in shipped() if other.id != broken.id)))
    assert problem.what == what
    assert problem.remedy
    assert problem.file == broken.origin
    assert lacking(broken) == ()  # a user's own style is nobody's business


def test_every_demand_is_tried() -> None:
    assert {demand.what for demand in OF_OURS} == {what for _, what in LACKS} - {
        "its id is that of secret-read"
    }


def test_a_problem_is_where_the_key_is() -> None:
    broken = replace(GOOD, status="test")
    [problem] = lacking(broken, [broken])
    assert GOOD.text.splitlines()[problem.line - 1] == "status: stable"


@pytest.mark.parametrize(("left", "what"), [(MATCH, OF_ANY[1].what), (IGNORE, OF_ANY[0].what)])
def test_no_rule_is_proved_without_both_kinds_of_examples(left: object, what: str) -> None:
    examples = tuple(example for example in GOOD.examples if example is left)
    proved = prove(replace(GOOD, examples=examples))
    assert [problem.what for problem in proved.lacks] == [what]
    assert all(proof.holds for proof in proved.proofs)
    assert not proved.is_proved


def test_what_orgmon_ships_lacks_nothing() -> None:
    assert [problem for detection in shipped() for problem in lacking(detection, shipped())] == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda detection: detection, True),
        (lambda detection: replace(detection, flows=frozenset({Flow.METRICS})), False),
        (lambda _: SHIPPED["root-use"], True),
        (lambda _: SHIPPED["guardduty-finding"], False),
        (lambda _: GOOD, False),
    ],
)
def test_reads_matter_where_members_forward_them(
    change: Callable[[Detection], Detection], expected: bool
) -> None:
    assert takes_reads(change(READS)) is expected
