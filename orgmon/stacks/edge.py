"""orgmon-edge: in every detection Region of the security account, where events land that could not be delivered.

A dead-letter queue has to be in the Region of its rule (EventBridge user guide, dead-letter queues). The stack brings
the queue's alarm to the hub itself, whoever is in scope, and the findings of AWS's services: their delegated
administrator sees those of all accounts, so that each arrives once.
"""

from __future__ import annotations

from collections.abc import Mapping

from awacs.aws import ArnLike, StringEqualsIfExists
from troposphere import GetAtt, Ref, Sub, Template, events, sqs

from orgmon.detections.forwarding import findings
from orgmon.stacks import names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.detection import to_hub
from orgmon.stacks.metrics import queue_alarm
from orgmon.stacks.policy import actions, document, service, statement


def _build(inputs: Inputs) -> Template:
    template = new_template(
        "Where members' events land that could not be delivered to the monitoring hub",
        OrganizationId="Only rules of this organization may write",
        SecurityAccountId="The account of the hub, which is this one",
        HomeRegion="The Region of the hub",
    )
    queue = template.add_resource(
        sqs.Queue(
            "EdgeQueue",
            QueueName=names.EDGE_QUEUE,
            MessageRetentionPeriod=14 * 24 * 3600,
            SqsManagedSseEnabled=True,
        )
    )
    # IfExists: aws:SourceOrgID is not documented for dead letters, and what this queue refuses is lost for good.
    template.add_resource(
        sqs.QueuePolicy(
            "EdgeQueuePolicy",
            Queues=[Ref(queue)],
            PolicyDocument=document(
                statement(
                    "RulesOfTheOrganization",
                    actions("sqs", "SendMessage"),
                    [GetAtt(queue, "Arn")],
                    service("events"),
                    [
                        StringEqualsIfExists("aws:SourceOrgID", Ref("OrganizationId")),
                        ArnLike(
                            "aws:SourceArn",
                            Sub(f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:*:rule/{names.PREFIX}-*"),
                        ),
                    ],
                )
            ),
        )
    )
    # An alarm can only name a topic of its own Region: this one names none and travels to the hub as an event.
    template.add_resource(queue_alarm("EdgeAlarm", names.EDGE_ALARM, GetAtt(queue, "QueueName"), actions=[]))
    alarm_states = names.edge_alarm(Ref("SecurityAccountId"))
    template.add_resource(_rule("EdgeAlarmStates", "edge-alarm-state", alarm_states, "ENABLED"))
    rule = findings(inputs.detections)
    if rule is not None:
        template.add_resource(_rule("Findings", rule.name, rule.pattern, rule.state))
    return template


def _rule(title: str, name: str, pattern: object, state: str) -> events.Rule:
    return events.Rule(
        title,
        Name=f"{names.PREFIX}-{name}",
        Description="Forwards to the monitoring hub of the organization",
        EventPattern=pattern,
        State=state,
        Targets=[to_hub(names.EDGE_FORWARD_ROLE)],
        DependsOn="EdgeQueuePolicy",
    )


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {
        "OrganizationId": inputs.organization_id,
        "SecurityAccountId": inputs.security_account,
        "HomeRegion": inputs.home_region,
    }


STACK = StackDefinition(
    "orgmon-edge",
    Placement(Who.SECURITY, Where.DETECTION),
    "the dead-letter queue of the members' rules, and findings of AWS's services",
    _build,
    _values,
)
