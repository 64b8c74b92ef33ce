"""One case a resource type: made, looked at with the service's own API, changed, looked at again, removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Look = Callable[[Any, str], Any]
"""(client factory, physical id) -> what the service's API says about the property that changes."""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
OTHER_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def allow(action: str, resource: Any = "*", **further: Any) -> dict[str, Any]:
    """A policy document with one Allow."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **further}
    return {"Version": "2012-10-17", "Statement": [statement]}


def everybody(action: str, resource: Any) -> dict[str, Any]:
    """A resource policy with one Allow for a service."""
    return allow(action, resource, Principal={"Service": "sns.amazonaws.com"})


def policy_action(document: Any) -> Any:
    """The action of the first statement of a policy that may be a text."""
    parsed = json.loads(document) if isinstance(document, str) else document
    return parsed["Statement"][0]["Action"]


@dataclass(frozen=True)
class Case:
    """``properties`` with ``changed`` laid over them is the update; ``look`` sees ``before``, then ``after``."""

    type: str
    properties: dict[str, Any]
    changed: dict[str, Any]
    look: Look
    before: Any
    after: Any
    support: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def template(self, *, updated: bool) -> str:
        """The template before or after the update."""
        properties = {**self.properties, **(self.changed if updated else {})}
        resources = {**self.support, "Subject": {"Type": self.type, "Properties": properties}}
        return json.dumps({"Resources": resources})

    def __str__(self) -> str:
        return self.type.removeprefix("AWS::").replace("::", "-") + (f"-{self.label}" if self.label else "")


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


BUCKET = {"Box": resource("AWS::S3::Bucket", BucketName="orgmon-box")}
ROLE = {"Role": resource("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)}
CODE = {"ZipFile": "def handler(event, context):\n    return 1\n"}
FUNCTION = {
    **ROLE,
    "Function": resource(
        "AWS::Lambda::Function",
        Code=CODE,
        Handler="index.handler",
        Runtime="python3.12",
        Role={"Fn::GetAtt": ["Role", "Arn"]},
    ),
}
QUEUE = {"Queue": resource("AWS::SQS::Queue")}
TOPIC = {"Topic": resource("AWS::SNS::Topic")}
BUS = {"Bus": resource("AWS::Events::EventBus", Name="hub")}
GROUP = {"Group": resource("AWS::Logs::LogGroup", LogGroupName="/orgmon/local")}
KEY = {"Key": resource("AWS::KMS::Key")}
USER = {"User": resource("AWS::IAM::User")}
TRAIL_BUCKET = {
    "Box": resource("AWS::S3::Bucket", BucketName="orgmon-trail"),
    "BoxPolicy": resource(
        "AWS::S3::BucketPolicy",
        Bucket={"Ref": "Box"},
        PolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    "Action": "s3:GetBucketAcl",
                    "Resource": "arn:aws:s3:::orgmon-trail",
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": {"Fn::Sub": "arn:aws:s3:::orgmon-trail/AWSLogs/${AWS::AccountId}/*"},
                    "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
                },
            ],
        },
    ),
}
ENABLED = "ENABLED"
READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
TRANSFORMATION = {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"}
TARGET = {
    "Id": "queue",
    "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
    "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}},
    "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": "3600"},
    "InputTransformer": {"InputPathsMap": {"who": "$.detail.userIdentity.arn"}, "InputTemplate": '"<who>"'},
}
