"""orgmon-hub: where all events of the organization arrive and are decided on.

bus -> a rule per detection (adds the detection's id) -> queue of its class -> notifier -> topic of its severity.
The bus is open to the organization's forwarding roles only; what cannot be delivered waits in dead-letter
queues, and alarms on those name a topic of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from awacs.aws import ArnLike, StringEquals, StringEqualsIfExists
from troposphere import GetAtt, Ref, Sub, Template, dynamodb, events, iam, kms, sqs

from orgmon.functions.memory import TIMEOUT_SECONDS
from orgmon.stacks import hub_audit, hub_function, hub_rules, hub_topics, names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.policy import (
    ACCOUNT_ROOT,
    actions,
    document,
    service,
    statement,
    trust,
)

ARCHIVE_DAYS = 90


def _build(inputs: Inputs) -> Template:
    template = new_template(
        "Where events of the whole organization are decided on and alerts are sent",
        OrganizationId="Forwarding roles of this organization may send events",
        ManagementAccountId="The account of the organization trail and its alarms",
        ArtifactBucketName="The bucket with the function's code",
        NotifierKey="The code of the notifier in that bucket",
        **hub_topics.endpoint_parameters(inputs.routes),
    )
    template.add_resource(_key())
    template.add_resource(kms.Alias("HubKeyAlias", AliasName=names.HUB_KEY_ALIAS, TargetKeyId=Ref("HubKey")))
    _add_bus(template)
    template.add_resource(_edge_role())
    for queue_class, _ in names.QUEUE_CLASSES:
        _add_queue(template, queue_class)
    hub_rules.add(template, inputs.detections, inputs.home_region)
    template.add_resource(_table())
    hub_topics.add(template, inputs.routes)
    hub_function.add(template)
    hub_topics.add_pipeline_topic(template, inputs.routes)
    hub_topics.add_pipeline(template)
    if inputs.cis:
        hub_audit.add(template)
    return template


def _key() -> kms.Key:
    """A managed key would not do: its policy cannot let CloudWatch and EventBridge use it."""
    use = actions("kms", "Decrypt", "GenerateDataKey*")
    return kms.Key(
        "HubKey",
        Description="Alerts of the organization's monitoring",
        EnableKeyRotation=True,
        # What it has encrypted are alerts on their way. A key that another one replaces stays until they have come.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Retain",
        KeyPolicy=document(
            statement("Owner", actions("kms", "*"), ["*"], ACCOUNT_ROOT),
            statement(
                "AlarmsPublish",
                use,
                ["*"],
                service("cloudwatch"),
                [StringEquals("aws:SourceAccount", [Ref("ManagementAccountId"), Ref("AWS::AccountId")])],
            ),
            statement(
                "RulesSend",
                use,
                ["*"],
                service("events"),
                # IfExists: sent for queues, but not for topics (SNS developer guide, key management).
                [StringEqualsIfExists("aws:SourceAccount", Ref("AWS::AccountId"))],
            ),
        ),
    )


def _add_bus(template: Template) -> None:
    bus = template.add_resource(events.EventBus("Bus", Name=names.BUS))
    forwarders = Sub(f"arn:${{AWS::Partition}}:iam::*:role{names.PATH}{names.FORWARD_ROLE}")
    template.add_resource(
        events.EventBusPolicy(
            "BusPolicy",
            EventBusName=Ref(bus),
            StatementId="ForwardingRolesOfTheOrganization",
            Statement={
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": GetAtt(bus, "Arn"),
                "Condition": {
                    "StringEquals": {"aws:PrincipalOrgID": Ref("OrganizationId")},
                    "ArnLike": {"aws:PrincipalArn": forwarders},
                },
            },
        )
    )
    template.add_resource(
        events.Archive(
            "Archive",
            ArchiveName=names.ARCHIVE,
            SourceArn=GetAtt(bus, "Arn"),
            RetentionDays=ARCHIVE_DAYS,
        )
    )


def _edge_role() -> iam.Role:
    """What the rules of orgmon-edge send with; here, because roles are global and that stack is in many Regions."""
    return iam.Role(
        "EdgeForwardRole",
        RoleName=names.EDGE_FORWARD_ROLE,
        Path=names.PATH,
        AssumeRolePolicyDocument=trust(
            service("events"), StringEqualsIfExists("aws:SourceAccount", Ref("AWS::AccountId"))
        ),
        Policies=[
            iam.Policy(
                PolicyName="put-events-on-hub",
                PolicyDocument=document(
                    statement("PutEventsOnHub", actions("events", "PutEvents"), [GetAtt("Bus", "Arn")])
                ),
            )
        ],
    )


def _add_queue(template: Template, queue_class: str) -> None:
    """A queue, its dead letters, and the policies that let this bus's rules send to both."""
    title = names.logical_id(queue_class, "queue")
    dead = template.add_resource(
        sqs.Queue(
            f"{title}DeadLetters",
            QueueName=names.dead_letters(queue_class),
            MessageRetentionPeriod=14 * 24 * 3600,
            # Not with the hub's key: what is lost because of the key must still find its way here.
            SqsManagedSseEnabled=True,
        )
    )
    queue = template.add_resource(
        sqs.Queue(
            title,
            QueueName=names.queue(queue_class),
            MessageRetentionPeriod=4 * 24 * 3600,
            VisibilityTimeout=6 * TIMEOUT_SECONDS,
            KmsMasterKeyId=Ref("HubKey"),
            RedrivePolicy=sqs.RedrivePolicy(deadLetterTargetArn=GetAtt(dead, "Arn"), maxReceiveCount=5),
        )
    )
    rules = Sub(f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{names.BUS}/*")
    for target in (dead, queue):
        template.add_resource(
            sqs.QueuePolicy(
                f"{target.title}Policy",
                Queues=[Ref(target)],
                PolicyDocument=document(
                    statement(
                        "RulesOfTheBus",
                        actions("sqs", "SendMessage"),
                        [GetAtt(target, "Arn")],
                        service("events"),
                        [ArnLike("aws:SourceArn", rules)],
                    )
                ),
            )
        )


def _table() -> dynamodb.Table:
    return dynamodb.Table(
        "StateTable",
        TableName=names.TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[dynamodb.AttributeDefinition(AttributeName="id", AttributeType="S")],
        KeySchema=[dynamodb.KeySchema(AttributeName="id", KeyType="HASH")],
        TimeToLiveSpecification=dynamodb.TimeToLiveSpecification(AttributeName="expires", Enabled=True),
        SSESpecification=dynamodb.SSESpecification(SSEEnabled=True),
    )


def _values(inputs: Inputs) -> Mapping[str, str]:
    return {
        "OrganizationId": inputs.organization_id,
        "ManagementAccountId": inputs.management_account,
        "ArtifactBucketName": names.artifact_bucket(inputs.management_account, inputs.home_region),
        "NotifierKey": inputs.notifier_key,
        **hub_topics.endpoint_values(inputs.routes),
    }


STACK = StackDefinition(
    "orgmon-hub",
    Placement(Who.SECURITY, Where.HOME),
    "bus, rules, queues, notifier and topics",
    _build,
    _values,
    has_iam=True,
)
