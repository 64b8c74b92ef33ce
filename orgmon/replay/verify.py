"""What goes to AWS, interpreted on every event beside the generated code.

Metric filters by orgmon's reading of CloudWatch Logs' language, event patterns by its reading of EventBridge's. A rule
that is wider than its detection, because whoever takes its events looks again, may take more and never less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from orgmon import eventpattern, filterpattern
from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.envelope import envelope
from orgmon.detections.model import Detection, Flow, LogSource


class Disagreement(NamedTuple):
    """An event for which an artefact and the generated code differ. ``place`` is the detection's."""

    place: int
    flow: Flow
    event_id: str
    taken: bool


@dataclass(frozen=True)
class Artefact:
    """What one flow makes of a detection: whether it takes a record, given its text and its envelope."""

    place: int
    flow: Flow
    takes: Callable[[str, Mapping[str, Any]], bool]
    may_take_more: bool = False

    def agrees(self, taken: bool, expected: bool) -> bool:
        """Whether its answer is right."""
        return taken or not expected if self.may_take_more else taken == expected


class Verifier:
    """All artefacts of some detections. Raises DetectionError where one cannot be made."""

    def __init__(self, detections: Sequence[Detection]) -> None:
        self._artefacts = [
            artefact for place, detection in enumerate(detections) for artefact in _made(place, detection)
        ]

    def check(self, record: Mapping[str, Any], places: Sequence[int]) -> Iterator[Disagreement]:
        """Where the artefacts differ from the places of the detections that were found to hold."""
        text, event = json.dumps(record), envelope(record)
        for artefact in self._artefacts:
            taken = artefact.takes(text, event)
            if not artefact.agrees(taken, artefact.place in places):
                yield Disagreement(artefact.place, artefact.flow, str(record.get("eventID", "")), taken)


def _made(place: int, detection: Detection) -> Iterator[Artefact]:
    if Flow.METRICS in detection.flows and detection.log_source is LogSource.CLOUDTRAIL:
        filters = [filterpattern.parse(metric_filter.pattern) for metric_filter in metric_filters(detection)]
        yield Artefact(place, Flow.METRICS, lambda text, _: any(pattern.matches(text) for pattern in filters))
    rules = event_rules(detection)
    if rules:
        patterns = [eventpattern.parse(rule.pattern) for rule in rules]
        recheck = any(rule.recheck for rule in rules)
        yield Artefact(
            place, Flow.EVENTS, lambda _, event: any(pattern.matches(event) for pattern in patterns), recheck
        )
