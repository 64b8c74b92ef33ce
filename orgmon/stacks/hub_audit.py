"""The topic of the alarms that auditors' tools ask for: it has a subscriber, and it wakes nobody.

Security Hub's CloudWatch controls want each alarm to tell a topic that somebody is subscribed to. What matters of it
has a detection of its own with a readable alert, so the subscriber here is a queue that keeps the alarms for two weeks.
"""

from __future__ import annotations

from awacs.aws import ArnEquals
from troposphere import GetAtt, Ref, Template, sns, sqs

from orgmon.stacks import names
from orgmon.stacks.hub_topics import add_topic
from orgmon.stacks.policy import actions, document, service, statement

TWO_WEEKS = 14 * 24 * 3600


def add(template: Template) -> None:
    """Add the topic, the queue, the right of the one to write to the other, and the subscription."""
    topic = add_topic(template, "AuditTopic", names.AUDIT)
    queue = template.add_resource(
        sqs.Queue(
            "AuditQueue",
            QueueName=names.AUDIT,
            MessageRetentionPeriod=TWO_WEEKS,
            SqsManagedSseEnabled=True,
        )
    )
    template.add_resource(
        sqs.QueuePolicy(
            "AuditQueuePolicy",
            Queues=[Ref(queue)],
            PolicyDocument=document(
                statement(
                    "TheTopic",
                    actions("sqs", "SendMessage"),
                    [GetAtt(queue, "Arn")],
                    service("sns"),
                    [ArnEquals("aws:SourceArn", Ref(topic))],
                )
            ),
        )
    )
    template.add_resource(
        sns.SubscriptionResource(
            "AuditSubscription",
            TopicArn=Ref(topic),
            Protocol="sqs",
            Endpoint=GetAtt(queue, "Arn"),
            DependsOn="AuditQueuePolicy",
        )
    )
