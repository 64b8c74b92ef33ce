"""What each flow gets to see of the records that a trail writes.

The metric flow sees all of them. EventBridge never hands on read-only management calls to a rule in the state ENABLED,
and it tells them by their names. Source: EventBridge user guide, "AWS service events delivered via CloudTrail".
"""

from __future__ import annotations

import enum

from orgmon.detections.model import Detection, Flow
from orgmon.detections.projection import is_read

ON_BUS = frozenset(
    {
        "AwsApiCall",
        "AwsServiceEvent",
        "AwsConsoleAction",
        "AwsConsoleSignIn",
        "AwsVpceEvent",
        "AwsCloudTrailInsight",
    }
)
"""``eventType`` of the records that become events; a record without a type counts as an API call."""

MANAGEMENT = "Management"


class Sight(enum.IntEnum):
    """Who sees a record on the event bus."""

    NOBODY = 0
    RULES_WITH_READS = 1
    EVERY_RULE = 2


def sight(name: str | None, event_type: str | None, category: str | None) -> Sight:
    """Who sees a record with this eventName, eventType and eventCategory; None is what is not there."""
    if event_type is not None and event_type not in ON_BUS:
        return Sight.NOBODY
    if category in (None, MANAGEMENT) and is_read(name or ""):
        return Sight.RULES_WITH_READS
    return Sight.EVERY_RULE


def has_rule(detection: Detection) -> bool:
    """Whether the event flow looks for single records of this detection: a threshold needs the metric flow."""
    return Flow.EVENTS in detection.flows and detection.threshold is None


def needed(detection: Detection) -> Sight:
    """The least sight with which the detection's rules see a record."""
    return Sight.RULES_WITH_READS if detection.needs_reads else Sight.EVERY_RULE
