"""The hub's rules: one for each detection, and one for the alarms of the members."""

from __future__ import annotations

import json
from typing import ClassVar

from troposphere import GetAtt, Ref, Template, events

from orgmon.alerting import EDGE_ALARM, MEMBER_ALARM, Severity
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.model import Detection
from orgmon.detections.quotas import check_event_bus
from orgmon.stacks import names


def add(template: Template, detections: tuple[Detection, ...], region: str) -> None:
    """Add the rules of every detection that alerts by events. Raises DetectionError where the bus cannot take them."""
    # Rules have no memory: what is only worth an alert in numbers comes from the members' alarms.
    alerting = [detection for detection in detections if detection.severity is not Severity.INFORMATIONAL]
    rules = [(detection, rule) for detection in alerting for rule in event_rules(detection)]
    check_event_bus([rule for _, rule in rules], region)
    for detection, rule in rules:
        template.add_resource(_rule(rule.name, detection.id, rule.pattern, rule.state, detection.severity))
    for name, pattern in (
        (MEMBER_ALARM, names.member_alarms()),
        (EDGE_ALARM, names.edge_alarm(Ref("AWS::AccountId"))),
    ):
        template.add_resource(_rule(name, name, pattern, "ENABLED", Severity.CRITICAL))


class _Rule(events.Rule):  # type: ignore[misc] # troposphere has no types
    """A rule whose pattern may be JSON text, as the schema of the resource type has it."""

    props: ClassVar = {**events.Rule.props, "EventPattern": ((dict, str), False)}


def _written(pattern: object) -> object:
    """A pattern as CloudFormation takes it: no template may hold a null, but a text with one is a text.

    EventBridge user guide, "Using null values in AWS CloudFormation templates".
    """
    return json.dumps(pattern, separators=(",", ":")) if _has_null(pattern) else pattern


def _has_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return any(map(_has_null, value)) if isinstance(value, list) else value is None


def _rule(name: str, detection_id: str, pattern: object, state: str, severity: str) -> events.Rule:
    queue = names.logical_id(names.queue_class_of(severity), "queue")
    template = json.dumps({"detection": detection_id})[:-1] + ', "event": <aws.events.event.json>}'
    return _Rule(
        names.logical_id(name, "rule"),
        Name=name,
        EventBusName=Ref("Bus"),
        EventPattern=_written(pattern),
        State=state,
        Targets=[
            events.Target(
                Id="queue",
                Arn=GetAtt(queue, "Arn"),
                InputTransformer=events.InputTransformer(InputTemplate=template),
                DeadLetterConfig=events.DeadLetterConfig(Arn=GetAtt(f"{queue}DeadLetters", "Arn")),
            )
        ],
        DependsOn=[f"{queue}Policy", f"{queue}DeadLettersPolicy"],
    )
