"""Whether a detection does what its examples say, in every form that is deployed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orgmon import eventpattern, filterpattern
from orgmon.detections.compile_filter import MEMBER_PREFIX, TRAIL_PREFIX, metric_filters
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.demands import lacking
from orgmon.detections.envelope import envelope
from orgmon.detections.meaning import matches, resolve
from orgmon.detections.model import Detection, EventRule, Flow, LogSource
from orgmon.detections.secrecy import filling
from orgmon.errors import DetectionError, Problem

Form = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Proof:
    """What one form says of one example. ``example`` counts from 1, matching ones first."""

    detection: str
    example: int
    form: str
    expected: bool
    found: bool

    @property
    def holds(self) -> bool:
        """Whether the form says what the example asks."""
        return self.expected == self.found


@dataclass(frozen=True)
class Proofs:
    """All that is proved of one detection.

    ``refusals`` are forms that it should have and cannot, ``lacks`` is what its file has to have and has not.
    """

    detection: Detection
    proofs: tuple[Proof, ...]
    refusals: tuple[str, ...] = ()
    lacks: tuple[Problem, ...] = ()

    @property
    def is_proved(self) -> bool:
        """Whether nothing is lacking, all forms exist and every one agrees with every example."""
        return not self.lacks and not self.refusals and all(proof.holds for proof in self.proofs)


def with_samples(detection: Detection) -> Detection:
    """The detection with the values that its examples name; as it is where there are none."""
    return resolve(detection, itertools.starmap(filling, detection.sample_values)) or detection


def prove(detection: Detection, ours: Sequence[Detection] = ()) -> Proofs:
    """Every example through the meaning and through every compiled form.

    ``ours`` are the rules that orgmon ships: more is asked of them.
    """
    sampled, lacks = with_samples(detection), lacking(detection, ours)
    try:
        forms = tuple(_forms(sampled))
    except DetectionError as error:
        return Proofs(sampled, (), (str(error),), lacks)
    proofs = tuple(
        Proof(sampled.id, number, name, example.matches, form(_plain(example.record)))
        for number, example in enumerate(sampled.examples, 1)
        for name, form in forms
    )
    return Proofs(sampled, proofs, lacks=lacks)


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as JSON has it: YAML knows dates, CloudTrail does not."""
    plain: dict[str, Any] = json.loads(json.dumps(record, default=str))
    return plain


def _forms(detection: Detection) -> Iterator[tuple[str, Form]]:
    yield "meaning", lambda record: matches(detection, record)
    if detection.log_source is LogSource.CLOUDTRAIL and Flow.METRICS in detection.flows:
        yield "metric filter", _by_filters(detection, TRAIL_PREFIX)
        yield "member's metric filter", _by_filters(detection, MEMBER_PREFIX)
    rules = event_rules(detection)
    if Flow.EVENTS in detection.flows and detection.threshold is not None:
        # A bus cannot count: what counts is the member's alarm, and any rule would do to say what it counts.
        rules = event_rules(replace(detection, threshold=None))
    if rules:
        yield "event rule", _by_rules(detection, rules)


def _by_filters(detection: Detection, prefix: str) -> Form:
    patterns = [
        filterpattern.parse(metric_filter.pattern) for metric_filter in metric_filters(detection, prefix)
    ]

    def form(record: Mapping[str, Any]) -> bool:
        message = json.dumps(record if prefix == TRAIL_PREFIX else envelope(record))
        return any(pattern.matches(message) for pattern in patterns)

    return form


def _by_rules(detection: Detection, rules: tuple[EventRule, ...]) -> Form:
    patterns = [(eventpattern.parse(rule.pattern), rule.recheck) for rule in rules]

    def form(record: Mapping[str, Any]) -> bool:
        event = envelope(record, detection.log_source)
        return any(
            pattern.matches(event) and (not recheck or matches(detection, record))
            for pattern, recheck in patterns
        )

    return form
