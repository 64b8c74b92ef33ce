"""Alarms on what a member's own rules saw: part of the members' detection stack, in governed Regions.

They cost by accounts and Regions, so only thresholds and critical detections are here; where even those are too many
(``detections.member_alarms: false``), only what nobody else counts. An alarm can name no topic outside its Region:
state changes travel to the hub as events, whose delivery AWS guarantees.
"""

from __future__ import annotations

from troposphere import Equals, FindInMap, Ref, Template

from orgmon.alerting import Severity
from orgmon.detections.model import Detection, Flow, LogSource
from orgmon.stacks import names
from orgmon.stacks.definition import Inputs
from orgmon.stacks.metrics import Place, filters_and_alarm, in_lanes

GOVERNED = "Governed"


def alarmed(detections: tuple[Detection, ...]) -> tuple[Detection, ...]:
    """The detections that have an alarm in every member: thresholds and critical ones that rules forward.

    A detection that tells what must stay unknown in a member account (a decoy) never has one.
    """
    return tuple(
        detection
        for detection in detections
        if Flow.EVENTS in detection.flows
        and detection.log_source is LogSource.CLOUDTRAIL
        and not detection.is_secret
        and (detection.threshold is not None or detection.severity is Severity.CRITICAL)
    )


def is_counted_here_alone(detection: Detection) -> bool:
    """True for a threshold that the trail's log group does not count, which knows no accounts, or is not asked."""
    threshold = detection.threshold
    return threshold is not None and (bool(threshold.group_by) or Flow.METRICS not in detection.flows)


def add(template: Template, inputs: Inputs, after: str) -> None:
    """Add filters and alarms on the local log group, which has the logical id ``after``.

    The log group is in the same stack, so that whoever joins gets both in their order (auto-deployment walks
    stack sets in no order that is promised).
    """
    detections = tuple(
        one for one in alarmed(inputs.detections) if inputs.member_alarms or is_counted_here_alone(one)
    )
    if not detections:
        return
    governed = set(inputs.governed_regions)
    regions = {
        region: {GOVERNED: "yes" if region in governed else "no"}
        for region in sorted({*inputs.detection_regions, *governed})
    }
    template.add_mapping("Regions", regions)
    template.add_condition(GOVERNED, Equals(FindInMap("Regions", Ref("AWS::Region"), GOVERNED), "yes"))
    place = Place(names.LOCAL_LOG_GROUP, "$.detail.", names.MEMBER_METRICS, names.member_alarm, after)
    made = [resource for one in detections for resource in filters_and_alarm(one, place, [])]
    in_lanes(made)
    for resource in made:
        resource.Condition = GOVERNED
        template.add_resource(resource)
