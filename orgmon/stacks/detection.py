"""orgmon-detection: in every member and detection Region, the rules that forward events to the hub.

Members forward, the hub decides: these rules are a superset of what the hub looks for and say nothing about
it. Each rule has two targets, the hub's bus and a local log group that the member's own alarms read. The rule that
brings the alarms' states to the hub is in every detection Region.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awacs.aws import PolicyDocument, StringEqualsIfExists
from troposphere import Ref, Sub, Template, encode_to_dict, events
from troposphere import logs as log_groups

from orgmon.detections.forwarding import forwarding
from orgmon.stacks import member_alarms, names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.policy import actions, document, service, statement

LOCAL_RETENTION_DAYS = 14


def to_hub(role_name: str) -> events.Target:
    """The target that carries an event to the hub's bus, across accounts and Regions in one hop, by a role.

    A role is needed since 2023; transformers do not work towards another bus (EventBridge user guide). For templates
    with the parameters SecurityAccountId and HomeRegion.
    """
    bus = Sub(f"arn:${{AWS::Partition}}:events:${{HomeRegion}}:${{SecurityAccountId}}:event-bus/{names.BUS}")
    role = Sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{names.PATH}{role_name}")
    return events.Target(Id="hub", Arn=bus, RoleArn=role, DeadLetterConfig=_dead_letters())


def _dead_letters() -> events.DeadLetterConfig:
    """The edge queue of the Region; without one EventBridge drops what it may not deliver."""
    edge = Sub(f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{SecurityAccountId}}:{names.EDGE_QUEUE}")
    return events.DeadLetterConfig(Arn=edge)


def _to_log_group() -> events.Target:
    return events.Target(Id="local", Arn=_local_log_group(), DeadLetterConfig=_dead_letters())


def _local_log_group(streams: str = "") -> Sub:
    group = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:" + names.LOCAL_LOG_GROUP
    return Sub(group + streams)


def _build(inputs: Inputs) -> Template:
    template = new_template(
        "Forwards events of this account and Region to the organization's monitoring",
        SecurityAccountId="The account of the hub",
        HomeRegion="The Region of the hub",
    )
    template.add_resource(
        log_groups.LogGroup(
            "LocalLogGroup",
            LogGroupName=names.LOCAL_LOG_GROUP,
            RetentionInDays=LOCAL_RETENTION_DAYS,
            ResourcePolicyDocument=encode_to_dict(_log_policy()),
        )
    )
    for number, rule in enumerate(forwarding(inputs.detections), start=1):
        template.add_resource(_rule(number, rule))
    template.add_resource(_alarm_states())
    member_alarms.add(template, inputs, "LocalLogGroup")
    return template


def _log_policy() -> PolicyDocument:
    """Log group targets take no role; the log group's own policy lets EventBridge write.

    On the log group, because an account has room for ten log policies of the other kind in a Region (API reference,
    PutResourcePolicy). EventBridge tells its rule with PutLogEvents and with nothing else.
    """
    group = [_local_log_group(":*")]
    writers = service("events", "delivery.logs")
    return document(
        statement("RulesMakeStreams", actions("logs", "CreateLogStream"), group, writers),
        statement(
            "RulesWrite",
            actions("logs", "PutLogEvents"),
            group,
            writers,
            [StringEqualsIfExists("aws:SourceAccount", Ref("AWS::AccountId"))],
        ),
    )


def _rule(number: int, rule: Any) -> events.Rule:
    return events.Rule(
        f"Forward{number}",
        Name=f"{names.PREFIX}-forward-{number}",
        Description="Forwards to the monitoring hub of the organization",
        EventPattern=rule.pattern,
        State=rule.state,
        Targets=[to_hub(names.FORWARD_ROLE), _to_log_group()],
        DependsOn="LocalLogGroup",
    )


def _alarm_states() -> events.Rule:
    return events.Rule(
        "AlarmStateChanges",
        Name=f"{names.PREFIX}-alarm-state",
        Description="Forwards to the monitoring hub of the organization",
        EventPattern=names.member_alarms(),
        State="ENABLED",
        Targets=[to_hub(names.FORWARD_ROLE)],
    )


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {"SecurityAccountId": inputs.security_account, "HomeRegion": inputs.home_region}


STACK = StackDefinition(
    "orgmon-detection",
    Placement(Who.MEMBERS, Where.DETECTION),
    "forwarding rules, the local log group and alarms on it",
    _build,
    _values,
)
