"""orgmon-edge: in every detection Region, where events land that members could not deliver to the hub.

A dead-letter queue has to be in the Region of its rule (EventBridge user guide, dead-letter queues).
"""

from __future__ import annotations

from collections.abc import Mapping

from awacs.aws import ArnLike, StringEqualsIfExists
from troposphere import GetAtt, Ref, Sub, Template, sqs

from orgmon.stacks import names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.metrics import queue_alarm
from orgmon.stacks.policy import actions, document, service, statement


def _build(inputs: Inputs) -> Template:
    template = new_template(
        "Where members' events land that could not be delivered to the monitoring hub",
        OrganizationId="Only rules of this organization may write",
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
    return template


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {"OrganizationId": inputs.organization_id}


STACK = StackDefinition(
    "orgmon-edge",
    Placement(Who.SECURITY, Where.DETECTION),
    "the dead-letter queue of the members' rules",
    _build,
    _values,
)
