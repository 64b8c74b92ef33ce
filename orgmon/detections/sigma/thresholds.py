"""Sigma correlations to thresholds, as far as a CloudWatch alarm can count."""

from __future__ import annotations

from typing import Any

from orgmon.detections.codes import Code
from orgmon.detections.model import Threshold
from orgmon.detections.sigma.faults import Faults

DAY = 86_400
GROUPS = ("awsRegion", "recipientAccountId")
"""What a threshold may be counted apart by, both or none: that is what a member's own alarm counts. Names of principals
or addresses would make a metric of each value, and CloudWatch Logs disables a filter after 1,000 of them in an hour."""


def threshold(correlation: Any, faults: Faults) -> Threshold | None:
    """How many events in which time, counted apart by what."""
    if correlation.type.name.lower() != "event_count":
        what = f"a correlation of type {correlation.type.name.lower()}"
        faults.mistake("type", what, "use event_count", Code.CORRELATION_TYPE)
        return None
    operator = correlation.condition.op.name.lower()
    if operator not in ("gte", "gt"):
        remedy = "use gte: an alarm counts upwards"
        faults.mistake("correlation", f"the comparison {operator}", remedy, Code.CORRELATION_RANGE)
    seconds = int(correlation.timespan.seconds)
    if seconds % 60 or not 0 < seconds <= DAY:
        remedy = "use whole minutes, at most a day"
        faults.mistake("timespan", f"a timespan of {seconds} s", remedy, Code.CORRELATION_TIMESPAN)
    groups = tuple(sorted(correlation.group_by or ()))
    if groups and groups != GROUPS:
        remedy = f"group by {' and '.join(GROUPS)}, or not at all"
        what = f"a threshold for each {', '.join(groups)}: no alarm counts these apart"
        faults.mistake("group-by", what, remedy, Code.CORRELATION_GROUP)
    return Threshold(int(correlation.condition.count) + (operator == "gt"), seconds, groups)
