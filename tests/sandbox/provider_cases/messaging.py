"""Cases of EventBridge, SNS and SQS."""

from __future__ import annotations

import json
from typing import Any

from .case import (
    BUS,
    ENABLED,
    KEY,
    QUEUE,
    READS,
    TARGET,
    TOPIC,
    Case,
    allow,
    everybody,
    policy_action,
    resource,
)


def _rule(client: Any, physical_id: str) -> dict[str, Any]:
    bus, _, name = physical_id.rpartition("|")
    where = {"EventBusName": bus or "default"}
    rule: dict[str, Any] = client("events").describe_rule(Name=name, **where)
    targets = client("events").list_targets_by_rule(Rule=name, **where)["Targets"]
    return {**rule, "Targets": targets}


def _bus(client: Any, name: str) -> dict[str, Any]:
    bus: dict[str, Any] = client("events").describe_event_bus(Name=name)
    return bus


def _queue(client: Any, url: str) -> dict[str, str]:
    answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: dict[str, str] = answer["Attributes"]
    return attributes


def _topic(client: Any, arn: str) -> dict[str, str]:
    attributes: dict[str, str] = client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    return attributes


def _first_topic_policy(client: Any, _: str) -> Any:
    arn = client("sns").list_topics()["Topics"][0]["TopicArn"]
    return policy_action(_topic(client, arn)["Policy"])


def _first_queue_policy(client: Any, _: str) -> Any:
    url = client("sqs").list_queues()["QueueUrls"][0]
    return policy_action(_queue(client, url)["Policy"])


MESSAGING = (
    Case(
        "AWS::Events::EventBus",
        {"Name": "hub", "Description": "one", "Policy": allow("events:PutEvents", Sid="a", Principal="*")},
        {"Description": "two", "Policy": allow("events:PutRule", Principal="*")},
        lambda client, name: (_bus(client, name)["Description"], policy_action(_bus(client, name)["Policy"])),
        ("one", "events:PutEvents"),
        ("two", "events:PutRule"),
    ),
    Case(
        "AWS::Events::EventBusPolicy",
        {
            "EventBusName": {"Ref": "Bus"},
            "StatementId": "org",
            "Statement": allow(
                "events:PutEvents", Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
            )["Statement"][0],
        },
        {
            "Statement": allow(
                "events:PutEvents", Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-2"}}
            )["Statement"][0]
        },
        lambda client, physical_id: [
            (each["Sid"], each["Condition"]["StringEquals"]["aws:PrincipalOrgID"])
            for each in json.loads(_bus(client, "hub")["Policy"])["Statement"]
            if "Condition" in each
        ],
        [("org", "o-1")],
        [("org", "o-2")],
        support=BUS,
    ),
    Case(
        "AWS::Events::Rule",
        {"EventPattern": {"source": ["aws.iam"]}, "State": READS, "Targets": [TARGET]},
        {"State": ENABLED, "EventPattern": {"source": ["aws.s3"]}},
        lambda client, name: (
            _rule(client, name)["State"],
            json.loads(_rule(client, name)["EventPattern"]),
            _rule(client, name)["Targets"][0]["RetryPolicy"],
            sorted(_rule(client, name)["Targets"][0]),
        ),
        (
            READS,
            {"source": ["aws.iam"]},
            {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
            ["Arn", "DeadLetterConfig", "Id", "InputTransformer", "RetryPolicy"],
        ),
        (
            ENABLED,
            {"source": ["aws.s3"]},
            {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
            ["Arn", "DeadLetterConfig", "Id", "InputTransformer", "RetryPolicy"],
        ),
        support=QUEUE,
        label="default",
    ),
    Case(
        "AWS::Events::Rule",
        {
            "EventBusName": {"Fn::GetAtt": ["Bus", "Arn"]},
            "EventPattern": {"source": ["aws.iam"]},
            "Targets": [{"Id": "a", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
        },
        {"Targets": [{"Id": "b", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}], "Description": "two"},
        lambda client, name: (
            [each["Id"] for each in _rule(client, name)["Targets"]],
            _rule(client, name).get("Description"),
            _rule(client, name)["EventBusName"],
        ),
        (["a"], None, "hub"),
        (["b"], "two", "hub"),
        support={**QUEUE, **BUS},
        label="custom",
    ),
    Case(
        "AWS::Events::Archive",
        {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, "RetentionDays": "7"},
        {"RetentionDays": 14, "EventPattern": {"source": ["aws.iam"]}},
        lambda client, name: client("events").describe_archive(ArchiveName=name)["RetentionDays"],
        7,
        14,
        support=BUS,
    ),
    Case(
        "AWS::SNS::Topic",
        {"TopicName": "soc", "DisplayName": "one"},
        {"DisplayName": "two", "KmsMasterKeyId": {"Ref": "Key"}, "Tags": [{"Key": "a", "Value": "1"}]},
        lambda client, arn: (_topic(client, arn)["DisplayName"], "KmsMasterKeyId" in _topic(client, arn)),
        ("one", False),
        ("two", True),
        support=KEY,
    ),
    Case(
        "AWS::SNS::TopicPolicy",
        {"Topics": [{"Ref": "Topic"}], "PolicyDocument": everybody("sns:Publish", {"Ref": "Topic"})},
        {"PolicyDocument": everybody("sns:Subscribe", {"Ref": "Topic"})},
        _first_topic_policy,
        "sns:Publish",
        "sns:Subscribe",
        support=TOPIC,
    ),
    Case(
        "AWS::SNS::Subscription",
        {
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "sqs",
            "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
            "RawMessageDelivery": True,
        },
        {"RawMessageDelivery": "false", "FilterPolicy": {"severity": ["high"]}},
        lambda client, arn: (
            client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"][
                "RawMessageDelivery"
            ],
            client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"].get("FilterPolicy"),
        ),
        ("true", None),
        ("false", '{"severity": ["high"]}'),
        support={**TOPIC, **QUEUE},
    ),
    Case(
        "AWS::SQS::Queue",
        {
            "VisibilityTimeout": 60,
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3},
        },
        {"VisibilityTimeout": "90", "MessageRetentionPeriod": 600},
        lambda client, url: (
            _queue(client, url)["VisibilityTimeout"],
            _queue(client, url)["MessageRetentionPeriod"],
            "RedrivePolicy" in _queue(client, url),
        ),
        ("60", "345600", True),
        ("90", "600", True),
        support={"Dead": resource("AWS::SQS::Queue")},
    ),
    Case(
        "AWS::SQS::QueuePolicy",
        {
            "Queues": [{"Ref": "Queue"}],
            "PolicyDocument": everybody("sqs:SendMessage", {"Fn::GetAtt": ["Queue", "Arn"]}),
        },
        {"PolicyDocument": everybody("sqs:ReceiveMessage", {"Fn::GetAtt": ["Queue", "Arn"]})},
        _first_queue_policy,
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        support=QUEUE,
    ),
)
