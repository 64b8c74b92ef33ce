"""orgmon-alarms: in every member and governed Region, alarms on what the member's own rules saw.

They cost by accounts and Regions, so only thresholds and critical detections are here. An alarm can name no
topic outside its Region: state changes travel to the hub as events, whose delivery AWS guarantees.
"""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import Template, events

from orgmon.alerting import Severity
from orgmon.detections.model import Detection, Flow, LogSource
from orgmon.stacks import names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.detection import to_hub
from orgmon.stacks.metrics import Place, filters_and_alarm


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


def _build(inputs: Inputs) -> Template:
    template = new_template(
        "Alarms on events of this account and Region",
        SecurityAccountId="The account of the hub",
        HomeRegion="The Region of the hub",
    )
    place = Place(names.LOCAL_LOG_GROUP, "$.detail.", names.MEMBER_METRICS, names.member_alarm)
    for detection in alarmed(inputs.detections):
        for resource in filters_and_alarm(detection, place, []):
            template.add_resource(resource)
    template.add_resource(_state_changes())
    return template


def _state_changes() -> events.Rule:
    return events.Rule(
        "AlarmStateChanges",
        Name=f"{names.PREFIX}-alarm-state",
        Description="Forwards to the monitoring hub of the organization",
        EventPattern=names.travelling_alarms(),
        State="ENABLED",
        Targets=[to_hub()],
    )


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {"SecurityAccountId": inputs.security_account, "HomeRegion": inputs.home_region}


STACK = StackDefinition(
    "orgmon-alarms",
    Placement(Who.MEMBERS, Where.GOVERNED),
    "alarms on the local log group",
    _build,
    _values,
)
