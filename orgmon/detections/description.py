"""A detection with its compiled forms as plain data: what is shown, exported and written for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orgmon.detections.compile_filter import MEMBER_PREFIX, TRAIL_PREFIX, metric_filters
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.model import Detection, EventRule, Flow, LogSource, MetricFilter
from orgmon.detections.proof import with_samples


@dataclass(frozen=True)
class Compiled:
    """The forms of a detection. Placeholders hold the values of its examples: names of decoys are told nowhere."""

    trail_filters: tuple[MetricFilter, ...]
    member_filters: tuple[MetricFilter, ...]
    rules: tuple[EventRule, ...]


def compiled(detection: Detection) -> Compiled:
    """Every form that the detection has. Raises DetectionError where it should have one and cannot."""
    sampled = with_samples(detection)
    if Flow.METRICS not in sampled.flows or sampled.log_source is not LogSource.CLOUDTRAIL:
        return Compiled((), (), event_rules(sampled))
    counted_apart = sampled.threshold is not None and bool(sampled.threshold.group_by)
    trail = () if counted_apart else metric_filters(sampled, TRAIL_PREFIX)
    return Compiled(trail, metric_filters(sampled, MEMBER_PREFIX), event_rules(sampled))


def as_data(detection: Detection) -> dict[str, Any]:
    """The detection as JSON knows it: its rule file and its compiled forms included."""
    forms = compiled(detection)
    threshold = detection.threshold
    return {
        "id": detection.id,
        "sigma_id": detection.sigma_id,
        "title": detection.title,
        "description": detection.description,
        "level": detection.severity,
        "status": detection.status,
        "author": detection.author,
        "log_source": detection.log_source,
        "scope": detection.scope,
        "flow": sorted(detection.flows),
        "tags": list(detection.tags),
        "controls": {name: list(numbers) for name, numbers in detection.controls},
        "references": list(detection.references),
        "falsepositives": list(detection.falsepositives),
        "runbook": vars(detection.runbook),
        "drill": vars(detection.drill) if detection.drill else None,
        "threshold": vars(threshold) if threshold else None,
        "rule": detection.text,
        "sample_values": dict(detection.sample_values),
        "metric_filters": [metric_filter.pattern for metric_filter in forms.trail_filters],
        "member_metric_filters": [metric_filter.pattern for metric_filter in forms.member_filters],
        "event_rules": [
            {"pattern": rule.pattern, "state": rule.state, "recheck": rule.recheck} for rule in forms.rules
        ],
    }


def threshold_text(detection: Detection) -> str:
    """The threshold in words, or an empty string."""
    if detection.threshold is None:
        return ""
    count, minutes = detection.threshold.count, detection.threshold.seconds // 60
    apart = ", in one account and Region" if detection.threshold.group_by else ""
    return f"{count} within {minutes} min{apart}"
