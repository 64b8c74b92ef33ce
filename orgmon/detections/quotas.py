"""What one log group and one event bus can take: AWS's quotas, checked before anything is rolled out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from orgmon import eventpattern, filterpattern
from orgmon.alerting import Severity
from orgmon.detections.codes import Code
from orgmon.detections.model import Detection, EventRule, Flow, MetricFilter
from orgmon.errors import DetectionError

MAX_FILTERS = 100
"""Metric filters on a log group; AWS does not raise this quota."""

MAX_REGEX_FILTERS = 5
"""Filters with regular expressions on a log group."""

OWN_RULES = 3
"""Rules of the hub's bus that are no detection's: the members' alarms, the edge's alarm, the archive."""

MAX_RULES = 300
FEWER_RULES: Mapping[str, int] = {"af-south-1": 100, "eu-south-1": 100}
"""Rules on a bus, and where AWS has fewer (EventBridge user guide, quotas)."""

MAX_WITH_WILDCARDS = 30
"""Rules with wildcards on a bus; AWS does not raise this quota."""


def is_counted_centrally(detection: Detection) -> bool:
    """True where a detection has metric filters on the trail's log group.

    A threshold that is counted apart by account and Region has none: the members' alarms count that.
    """
    grouped = detection.threshold is not None and detection.threshold.group_by
    return (
        Flow.METRICS in detection.flows and detection.severity is not Severity.INFORMATIONAL and not grouped
    )


def check_log_group(filters: Sequence[MetricFilter]) -> None:
    """Raise DetectionError where one log group cannot take all these filters (CloudWatch Logs quotas)."""
    if len(filters) > MAX_FILTERS:
        raise DetectionError(
            f"the detections need {len(filters)} metric filters on one log group, "
            f"and CloudWatch Logs allows {MAX_FILTERS} [{Code.GROUP_FULL}]",
            "switch some off (detections.disabled), or write flow: event in rules of your own",
        )
    with_regex = sorted(
        {
            metric_filter.detection
            for metric_filter in filters
            if filterpattern.parse(metric_filter.pattern).body.regexes()
        }
    )
    if len(with_regex) > MAX_REGEX_FILTERS:
        raise DetectionError(
            f"{', '.join(with_regex)} have regular expressions in their filters, and CloudWatch Logs allows "
            f"{MAX_REGEX_FILTERS} such filters on a log group [{Code.REGEX}]",
            "use startswith, endswith or contains",
        )


def room_on_bus(region: str) -> int:
    """How many rules of detections the hub's bus takes in a Region."""
    return FEWER_RULES.get(region, MAX_RULES) - OWN_RULES


def check_event_bus(rules: Sequence[EventRule], region: str) -> None:
    """Raise DetectionError where the hub's bus cannot take all these rules in its Region (EventBridge quotas)."""
    room = room_on_bus(region)
    if len(rules) > room:
        raise DetectionError(
            f"the detections need {len(rules)} rules on the hub's event bus in {region}, and EventBridge leaves "
            f"{room} [{Code.BUS_FULL}]",
            "switch some off (detections.disabled), or write flow: metric in rules of your own",
        )
    scarce = Counter(rule.detection for rule in rules if eventpattern.parse(rule.pattern).has_wildcards)
    if scarce.total() > MAX_WITH_WILDCARDS:
        most = ", ".join(f"{name} ({count})" for name, count in scarce.most_common(3))
        raise DetectionError(
            f"{scarce.total()} rules on the hub's event bus have wildcards, most of them of {most}, and EventBridge "
            f"allows {MAX_WITH_WILDCARDS} [{Code.BUS_FULL}]",
            "name fewer decoys, or use startswith or endswith in rules of your own",
        )
