"""The shipped detections: their form, their examples, and what a broken file says."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from orgmon import eventpattern, filterpattern
from orgmon.detections import catalogue
from orgmon.detections.compile_filter import MEMBER_PREFIX, TRAIL_PREFIX, metric_filters
from orgmon.detections.compile_rule import ENVELOPES, event_rules
from orgmon.detections.meaning import matches, resolve
from orgmon.detections.model import Detection, Example, Flow, LogSource, RuleState
from orgmon.detections.projection import sources_of
from orgmon.detections.secrecy import OPEN, filling
from orgmon.errors import DetectionError
from orgmon.honeytokens import KINDS
from tests import sample


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
    files = sorted(path.stem for path in (sample.ROOT / "orgmon" / "detections" / "rules").iterdir())
    assert [detection.id for detection in DETECTIONS] == files


@pytest.mark.parametrize(("detection", "example"), EXAMPLES)
def test_every_form_agrees_on_the_examples(detection: Detection, example: Example) -> None:
    record = json.loads(json.dumps(example.record))
    assert matches(detection, record) is example.matches
    if detection.log_source is not LogSource.CLOUDTRAIL:
        fixed = ENVELOPES[detection.log_source]
        message = {**{key: values[0] for key, values in fixed.items()}, "detail": record}
        assert (
            any(eventpattern.parse(rule.pattern).matches(message) for rule in event_rules(detection))
            is example.matches
        )
        return
    for prefix, message in ((TRAIL_PREFIX, record), (MEMBER_PREFIX, envelope(record))):
        filters = [filterpattern.parse(compiled.pattern) for compiled in metric_filters(detection, prefix)]
        assert any(pattern.matches(json.dumps(message)) for pattern in filters) is example.matches
    rules = [eventpattern.parse(rule.pattern) for rule in event_rules(detection)]
    has_rules = Flow.EVENTS in detection.flows and detection.threshold is None
    assert any(rule.matches(envelope(record)) for rule in rules) is (has_rules and example.matches)


@every_detection
def test_compiled_forms_keep_the_limits(detection: Detection) -> None:
    for prefix in (TRAIL_PREFIX, MEMBER_PREFIX):
        for compiled in metric_filters(detection, prefix):
            assert len(compiled.pattern) <= filterpattern.MAX_LENGTH
    for rule in event_rules(detection):
        assert len(json.dumps(rule.pattern, separators=(",", ":"))) <= eventpattern.MAX_LENGTH
        assert rule.pattern["source"] == ENVELOPES[detection.log_source]["source"]


def test_reads_are_asked_for_where_needed() -> None:
    states = {rule.detection: rule.state for detection in DETECTIONS for rule in event_rules(detection)}
    with_reads = {name for name, state in states.items() if state is RuleState.ENABLED_WITH_READS}
    assert with_reads == {
        detection.id for detection in DETECTIONS if detection.declares_reads and detection.threshold is None
    }
    sources = {detection.id: sources_of(detection.condition) for detection in DETECTIONS}
    assert sources["trail-tampering"] == frozenset({"aws.cloudtrail"})
    assert sources["root-use"] is None


def test_decoys_are_left_out_until_there_are_some() -> None:
    assert "decoy-touched" not in {detection.id for detection in catalogue.resolved(catalogue.load(), ())}
    assert "decoy-touched" in {
        detection.id
        for detection in catalogue.resolved(catalogue.load(), [filling("decoys", ("PayrollKey-",))])
    }
    decoy = next(detection for detection in catalogue.load() if detection.id == "decoy-touched")
    with pytest.raises(DetectionError, match="no values for decoys"):
        matches(decoy, {})


def test_detections_can_be_switched_off() -> None:
    assert "root-use" not in {detection.id for detection in catalogue.load(off={"root-use"})}
    with pytest.raises(DetectionError, match="no detection rot-use"):
        catalogue.load(off={"rot-use"})


def test_pysigma_is_loaded_only_to_read() -> None:
    code = (
        "import sys, orgmon.detections.forwarding, orgmon.detections.catalogue; print('sigma' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_every_placeholder_of_a_shipped_rule_is_filled_and_every_kind_of_decoy_is_looked_for() -> None:
    used = frozenset().union(*(detection.placeholders for detection in catalogue.shipped()))
    decoys = {kind.placeholder for kind in KINDS.values()}
    assert used - decoys - OPEN == set(), "nothing fills these placeholders"
    assert decoys - used == set(), "no rule looks for these decoys: write one with the placeholder"
