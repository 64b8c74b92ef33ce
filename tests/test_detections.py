"""The shipped detections: their form, their examples, and what a broken file says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from orgmon import eventpattern, filterpattern
from orgmon.detections import catalogue
from orgmon.detections.compile_filter import MEMBER_PREFIX, TRAIL_PREFIX, metric_filters
from orgmon.detections.compile_rule import ENVELOPES, event_rules
from orgmon.detections.meaning import matches, resolve
from orgmon.detections.model import Detection, Example, Flow, LogSource, RuleState, Severity
from orgmon.detections.projection import sources_of
from orgmon.detections.secrecy import filling
from orgmon.errors import DetectionError

IDS = {
    "root-use",
    "console-sign-in-without-mfa",
    "failed-sign-ins",
    "unauthorized-call-burst",
    "iam-policy-change",
    "iam-role-change",
    "access-key-change",
    "trail-tampering",
    "secret-read",
    "decoy-touched",
}


def with_samples(detection: Detection) -> Detection:
    filled = resolve(detection, [filling(*sample) for sample in detection.sample_values])
    assert filled is not None
    return filled


DETECTIONS = tuple(with_samples(detection) for detection in catalogue.load())
EXAMPLES = [
    pytest.param(detection, example, id=f"{detection.id}-{place}")
    for detection in DETECTIONS
    for place, example in enumerate(detection.examples, 1)
]
every_detection = pytest.mark.parametrize("detection", DETECTIONS, ids=lambda detection: detection.id)


def envelope(record: dict[str, Any]) -> dict[str, Any]:
    service = str(record["eventSource"]).partition(".")[0]
    kind = "AWS Console Sign In" if record["eventName"] == "ConsoleLogin" else "AWS API Call"
    return {"source": f"aws.{service}", "detail-type": f"{kind} via CloudTrail", "detail": record}


def test_the_catalogue_is_complete() -> None:
    assert {detection.id for detection in DETECTIONS} >= IDS
    assert [detection.id for detection in DETECTIONS] == sorted(detection.id for detection in DETECTIONS)


@pytest.mark.parametrize(("detection", "example"), EXAMPLES)
def test_every_form_agrees_on_the_examples(detection: Detection, example: Example) -> None:
    record = json.loads(json.dumps(example.record))
    assert matches(detection, record) is example.matches
    if detection.log_source is not LogSource.CLOUDTRAIL:
        message = {
            "source": f"aws.{detection.log_source}",
            "detail-type": ENVELOPES[detection.log_source]["detail-type"][0],
            "detail": record,
        }
        assert (
            any(eventpattern.parse(rule.pattern).matches(message) for rule in event_rules(detection))
            is example.matches
        )
        return
    for prefix, message in ((TRAIL_PREFIX, record), (MEMBER_PREFIX, envelope(record))):
        filters = [filterpattern.parse(found.pattern) for found in metric_filters(detection, prefix)]
        assert any(found.matches(json.dumps(message)) for found in filters) is example.matches
    rules = [eventpattern.parse(rule.pattern) for rule in event_rules(detection)]
    if rules:
        assert any(rule.matches(envelope(record)) for rule in rules) is example.matches


@every_detection
def test_every_detection_is_documented(detection: Detection) -> None:
    assert detection.runbook.meaning
    assert len(detection.runbook.steps) == 3
    assert detection.runbook.close
    assert detection.drill is not None
    assert detection.sigma_id
    assert detection.author
    assert detection.falsepositives
    assert detection.status == "stable"
    assert detection.description
    assert sum(example.matches for example in detection.examples) >= 2
    assert sum(not example.matches for example in detection.examples) >= 2
    techniques = [tag for tag in detection.tags if re.fullmatch(r"attack\.t\d{4}(\.\d{3})?", tag)]
    assert techniques
    assert all(re.fullmatch(r"attack\.(t\d{4}(\.\d{3})?|[a-z-]+)", tag) for tag in detection.tags)
    assert detection.controls


@every_detection
def test_compiled_forms_keep_the_limits(detection: Detection) -> None:
    for prefix in (TRAIL_PREFIX, MEMBER_PREFIX):
        for found in metric_filters(detection, prefix):
            assert len(found.pattern) <= filterpattern.MAX_LENGTH
            assert "%" not in found.pattern  # five patterns with regular expressions fit on a log group
    for rule in event_rules(detection):
        assert len(json.dumps(rule.pattern, separators=(",", ":"))) <= eventpattern.MAX_LENGTH
        assert len(rule.name) <= 50
        assert rule.pattern["source"] == ENVELOPES[detection.log_source]["source"]


@every_detection
def test_both_flows_alert_on_what_matters(detection: Detection) -> None:
    if detection.severity is Severity.CRITICAL:
        assert detection.flows == frozenset(Flow)
        assert event_rules(detection)
    if detection.threshold is not None:
        assert event_rules(detection) == ()


def test_reads_are_asked_for_where_needed() -> None:
    states = {rule.detection: rule.state for detection in DETECTIONS for rule in event_rules(detection)}
    with_reads = {name for name, state in states.items() if state is RuleState.ENABLED_WITH_READS}
    assert with_reads == {"decoy-touched", "secret-read", "root-use"}
    assert len({detection.sigma_id for detection in DETECTIONS}) == len(DETECTIONS)
    sources = {detection.id: sources_of(detection.condition) for detection in DETECTIONS}
    assert sources["trail-tampering"] == frozenset({"aws.cloudtrail"})
    assert sources["root-use"] is None


def test_decoys_are_left_out_until_there_are_some() -> None:
    assert "decoy-touched" not in {one.id for one in catalogue.resolved(catalogue.load(), ())}
    assert "decoy-touched" in {
        one.id for one in catalogue.resolved(catalogue.load(), [filling("decoys", ("PayrollKey-",))])
    }
    decoy = next(one for one in catalogue.load() if one.id == "decoy-touched")
    with pytest.raises(DetectionError, match="no values for decoys"):
        matches(decoy, {})


def test_detections_can_be_switched_off() -> None:
    assert "root-use" not in {one.id for one in catalogue.load(off={"root-use"})}
    with pytest.raises(DetectionError, match="no detection rot-use"):
        catalogue.load(off={"rot-use"})


def test_pysigma_is_loaded_only_to_read() -> None:
    code = (
        "import sys, orgmon.detections.forwarding, orgmon.detections.catalogue; print('sigma' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
