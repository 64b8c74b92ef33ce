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
    replaces: bool = False
    parameters: dict[str, str] = field(default_factory=dict)

    def template(self, *, updated: bool) -> str:
        """The template before or after the update."""
        properties = {**self.properties, **(self.changed if updated else {})}
        resources = {**self.support, "Subject": {"Type": self.type, "Properties": properties}}
        return json.dumps({"Resources": resources})

    def __str__(self) -> str:
        return self.type.removeprefix("AWS::").replace("::", "-") + (f"-{self.label}" if self.label else "")


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


BUCKET = {"Box": _resource("AWS::S3::Bucket", BucketName="orgmon-box")}
ROLE = {"Role": _resource("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)}
CODE = {"ZipFile": "def handler(event, context):\n    return 1\n"}
FUNCTION = {
    **ROLE,
    "Function": _resource(
        "AWS::Lambda::Function",
        Code=CODE,
        Handler="index.handler",
        Runtime="python3.12",
        Role={"Fn::GetAtt": ["Role", "Arn"]},
    ),
}
QUEUE = {"Queue": _resource("AWS::SQS::Queue")}
TOPIC = {"Topic": _resource("AWS::SNS::Topic")}
BUS = {"Bus": _resource("AWS::Events::EventBus", Name="hub")}
GROUP = {"Group": _resource("AWS::Logs::LogGroup", LogGroupName="/orgmon/local")}
KEY = {"Key": _resource("AWS::KMS::Key")}
USER = {"User": _resource("AWS::IAM::User")}
TRAIL_BUCKET = {
    "Box": _resource("AWS::S3::Bucket", BucketName="orgmon-trail"),
    "BoxPolicy": _resource(
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


def _rule(client: Any, physical_id: str) -> dict[str, Any]:
    bus, _, name = physical_id.rpartition("|")
    where = {"EventBusName": bus or "default"}
    found: dict[str, Any] = client("events").describe_rule(Name=name, **where)
    targets = client("events").list_targets_by_rule(Rule=name, **where)["Targets"]
    return {**found, "Targets": targets}


def _alarm(client: Any, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found[0]


def _bus(client: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client("events").describe_event_bus(Name=name)
    return found


def _queue(client: Any, url: str) -> dict[str, str]:
    answer = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    found: dict[str, str] = answer["Attributes"]
    return found


def _topic(client: Any, arn: str) -> dict[str, str]:
    found: dict[str, str] = client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def _first_topic_policy(client: Any, _: str) -> Any:
    arn = client("sns").list_topics()["Topics"][0]["TopicArn"]
    return policy_action(_topic(client, arn)["Policy"])


def _first_queue_policy(client: Any, _: str) -> Any:
    url = client("sqs").list_queues()["QueueUrls"][0]
    return policy_action(_queue(client, url)["Policy"])


def _group(client: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    return found


def _filters(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client("logs").describe_metric_filters(logGroupName="/orgmon/local")[
        "metricFilters"
    ]
    return found


def _permission(client: Any, sid: str) -> Any:
    names = [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]]
    statements = json.loads(client("lambda").get_policy(FunctionName=names[0])["Policy"])["Statement"]
    return [statement["Action"] for statement in statements]


def _trail(client: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client("cloudtrail").get_trail(Name=name)["Trail"]
    return {**found, "IsLogging": client("cloudtrail").get_trail_status(Name=name)["IsLogging"]}


def _policy_of_first_role(client: Any, _: str) -> Any:
    roles = [each["RoleName"] for each in client("iam").list_roles()["Roles"]]
    role = next(name for name in roles if "Role" in name and name != "OrganizationAccountAccessRole")
    answer = client("iam").get_role_policy(RoleName=role, PolicyName="may")
    return policy_action(answer["PolicyDocument"])


def _managed(client: Any, arn: str) -> Any:
    policy = client("iam").get_policy(PolicyArn=arn)["Policy"]
    version = client("iam").get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    return policy_action(version["PolicyVersion"]["Document"])


def _time_to_live(client: Any, name: str) -> Any:
    return client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"][
        "TimeToLiveStatus"
    ]


def _secret_length(client: Any, arn: str) -> int:
    text = client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    return len(json.loads(text)["password"]) if text.startswith('{"user"') else len(text)


CASES = (
    Case(
        "AWS::S3::Bucket",
        {"VersioningConfiguration": {"Status": "Enabled"}},
        {"VersioningConfiguration": {"Status": "Suspended"}},
        lambda client, name: client("s3").get_bucket_versioning(Bucket=name)["Status"],
        "Enabled",
        "Suspended",
        label="versioning",
    ),
    Case(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            }
        },
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": "true",
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": {"Ref": "Key"},
                        },
                    }
                ]
            }
        },
        lambda client, name: client("s3").get_bucket_encryption(Bucket=name)[
            "ServerSideEncryptionConfiguration"
        ]["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
        "AES256",
        "aws:kms",
        support=KEY,
        label="encryption",
    ),
    Case(
        "AWS::S3::Bucket",
        {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "RestrictPublicBuckets": False}},
        {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "RestrictPublicBuckets": True}},
        lambda client, name: client("s3").get_public_access_block(Bucket=name)[
            "PublicAccessBlockConfiguration"
        ]["RestrictPublicBuckets"],
        False,
        True,
        label="public",
    ),
    Case(
        "AWS::S3::Bucket",
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        lambda client, name: client("s3").get_bucket_ownership_controls(Bucket=name)["OwnershipControls"][
            "Rules"
        ][0]["ObjectOwnership"],
        "BucketOwnerPreferred",
        "BucketOwnerEnforced",
        label="ownership",
    ),
    Case(
        "AWS::S3::Bucket",
        {
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "old",
                        "Status": "Enabled",
                        "ExpirationInDays": 30,
                        "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": "10"}],
                    }
                ]
            }
        },
        {"LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": "60"}]}},
        lambda client, name: client("s3").get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0][
            "Expiration"
        ]["Days"],
        30,
        60,
        label="lifecycle",
    ),
    Case(
        "AWS::S3::Bucket",
        {"Tags": [{"Key": "a", "Value": "1"}]},
        {"Tags": [{"Key": "a", "Value": "2"}]},
        lambda client, name: client("s3").get_bucket_tagging(Bucket=name)["TagSet"],
        [{"Key": "a", "Value": "1"}],
        [{"Key": "a", "Value": "2"}],
        label="tags",
    ),
    Case(
        "AWS::S3::BucketPolicy",
        {"Bucket": {"Ref": "Box"}, "PolicyDocument": everybody("s3:GetObject", "arn:aws:s3:::orgmon-box/*")},
        {"PolicyDocument": everybody("s3:PutObject", "arn:aws:s3:::orgmon-box/*")},
        lambda client, name: policy_action(client("s3").get_bucket_policy(Bucket=name)["Policy"]),
        "s3:GetObject",
        "s3:PutObject",
        support=BUCKET,
    ),
    Case(
        "AWS::KMS::Key",
        {"Description": "one", "EnableKeyRotation": True},
        {
            "Description": "two",
            "EnableKeyRotation": "false",
            "KeyPolicy": allow("kms:*", Principal={"AWS": "*"}),
        },
        lambda client, key: (
            client("kms").describe_key(KeyId=key)["KeyMetadata"]["Description"],
            client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
        ),
        ("one", True),
        ("two", False),
    ),
    Case(
        "AWS::KMS::Alias",
        {"AliasName": "alias/orgmon", "TargetKeyId": {"Ref": "Key"}},
        {"TargetKeyId": {"Ref": "Other"}},
        lambda client, name: client("kms").describe_key(KeyId=name)["KeyMetadata"]["Description"],
        "",
        "other",
        support={**KEY, "Other": _resource("AWS::KMS::Key", Description="other")},
    ),
    Case(
        "AWS::Logs::LogGroup",
        {"RetentionInDays": 30},
        {"RetentionInDays": "90", "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        lambda client, name: (_group(client, name)["retentionInDays"], "kmsKeyId" in _group(client, name)),
        (30, False),
        (90, True),
        support=KEY,
    ),
    Case(
        "AWS::Logs::MetricFilter",
        {
            "LogGroupName": {"Ref": "Group"},
            "FilterPattern": "{ $.a = 1 }",
            "MetricTransformations": [TRANSFORMATION],
        },
        {"FilterPattern": "{ $.a = 2 }"},
        lambda client, name: [each["filterPattern"] for each in _filters(client)],
        ["{ $.a = 1 }"],
        ["{ $.a = 2 }"],
        support=GROUP,
    ),
    Case(
        "AWS::Logs::ResourcePolicy",
        {"PolicyName": "rules", "PolicyDocument": json.dumps(allow("logs:PutLogEvents"))},
        {"PolicyDocument": json.dumps(allow("logs:CreateLogStream"))},
        lambda client, name: [
            policy_action(each["policyDocument"])
            for each in client("logs").describe_resource_policies()["resourcePolicies"]
        ],
        ["logs:PutLogEvents"],
        ["logs:CreateLogStream"],
    ),
    Case(
        "AWS::CloudWatch::Alarm",
        {
            "MetricName": "m",
            "Namespace": "n",
            "Statistic": "Sum",
            "Period": "60",
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "Topic"}],
            "Tags": [{"Key": "a", "Value": "1"}],
        },
        {"Threshold": "5", "Tags": [{"Key": "a", "Value": "2"}]},
        lambda client, name: (
            _alarm(client, name)["Threshold"],
            client("cloudwatch").list_tags_for_resource(ResourceARN=_alarm(client, name)["AlarmArn"])["Tags"][
                0
            ]["Value"],
        ),
        (1.0, "1"),
        (5.0, "2"),
        support=TOPIC,
    ),
    Case(
        "AWS::CloudWatch::Dashboard",
        {"DashboardName": "orgmon", "DashboardBody": '{"widgets": []}'},
        {"DashboardBody": '{"widgets": [], "start": "-P1D"}'},
        lambda client, name: json.loads(
            client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
        ).get("start"),
        None,
        "-P1D",
    ),
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
        "AWS::SNS::TopicInlinePolicy",
        {"TopicArn": {"Ref": "Topic"}, "PolicyDocument": everybody("sns:Publish", {"Ref": "Topic"})},
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
        support={"Dead": _resource("AWS::SQS::Queue")},
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
    Case(
        "AWS::SQS::QueueInlinePolicy",
        {
            "Queue": {"Ref": "Queue"},
            "PolicyDocument": everybody("sqs:SendMessage", {"Fn::GetAtt": ["Queue", "Arn"]}),
        },
        {"PolicyDocument": everybody("sqs:ReceiveMessage", {"Fn::GetAtt": ["Queue", "Arn"]})},
        _first_queue_policy,
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        support=QUEUE,
    ),
    Case(
        "AWS::SecretsManager::Secret",
        {"Description": "one", "SecretString": "first"},
        {"Description": "two", "SecretString": "second", "Tags": [{"Key": "a", "Value": "1"}]},
        lambda client, arn: (
            client("secretsmanager").describe_secret(SecretId=arn)["Description"],
            client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"],
        ),
        ("one", "first"),
        ("two", "second"),
        label="value",
    ),
    Case(
        "AWS::SecretsManager::Secret",
        {
            "GenerateSecretString": {
                "SecretStringTemplate": '{"user": "admin"}',
                "GenerateStringKey": "password",
                "PasswordLength": "24",
            }
        },
        {"GenerateSecretString": {"PasswordLength": 40}},
        _secret_length,
        24,
        40,
        label="generated",
    ),
    Case(
        "AWS::SSM::Parameter",
        {"Type": "String", "Value": "one", "Name": "/orgmon/a"},
        {"Value": "two", "Tags": {"a": "1"}},
        lambda client, name: client("ssm").get_parameter(Name=name)["Parameter"]["Value"],
        "one",
        "two",
    ),
    Case(
        "AWS::IAM::Role",
        {
            "Path": "/orgmon/",
            "AssumeRolePolicyDocument": TRUST,
            "MaxSessionDuration": 7200,
            "Policies": [{"PolicyName": "may", "PolicyDocument": allow("s3:GetObject")}],
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        },
        {
            "AssumeRolePolicyDocument": OTHER_TRUST,
            "MaxSessionDuration": "3600",
            "Policies": [{"PolicyName": "may", "PolicyDocument": allow("s3:PutObject")}],
            "ManagedPolicyArns": [],
        },
        lambda client, name: (
            client("iam").get_role(RoleName=name)["Role"]["MaxSessionDuration"],
            policy_action(client("iam").get_role_policy(RoleName=name, PolicyName="may")["PolicyDocument"]),
            len(client("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]),
            client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"][0][
                "Principal"
            ]["Service"],
        ),
        (7200, "s3:GetObject", 1, "lambda.amazonaws.com"),
        (3600, "s3:PutObject", 0, "events.amazonaws.com"),
    ),
    Case(
        "AWS::IAM::Policy",
        {"PolicyName": "may", "Roles": [{"Ref": "Role"}], "PolicyDocument": allow("s3:GetObject")},
        {"PolicyDocument": allow("s3:PutObject")},
        _policy_of_first_role,
        "s3:GetObject",
        "s3:PutObject",
        support=ROLE,
    ),
    Case(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": allow("s3:GetObject"), "Roles": [{"Ref": "Role"}]},
        {"PolicyDocument": allow("s3:PutObject"), "Roles": []},
        _managed,
        "s3:GetObject",
        "s3:PutObject",
        support=ROLE,
    ),
    Case(
        "AWS::IAM::User",
        {"UserName": "decoy", "Policies": [{"PolicyName": "may", "PolicyDocument": allow("s3:GetObject")}]},
        {"Policies": [], "Tags": [{"Key": "a", "Value": "1"}]},
        lambda client, name: client("iam").list_user_policies(UserName=name)["PolicyNames"],
        ["may"],
        [],
    ),
    Case(
        "AWS::IAM::AccessKey",
        {"UserName": {"Ref": "User"}},
        {"Status": "Inactive"},
        lambda client, key: next(
            each["Status"]
            for user in client("iam").list_users()["Users"]
            for each in client("iam").list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
            if each["AccessKeyId"] == key
        ),
        "Active",
        "Inactive",
        support=USER,
    ),
    Case(
        "AWS::Lambda::Function",
        {
            "Code": CODE,
            "Handler": "index.handler",
            "Runtime": "python3.12",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Timeout": "10",
            "Environment": {"Variables": {"A": "1"}},
        },
        {
            "Timeout": 20,
            "Environment": {"Variables": {"A": 2}},
            "Code": {"ZipFile": "def handler(event, context):\n    return 2\n"},
        },
        lambda client, name: (
            client("lambda").get_function_configuration(FunctionName=name)["Timeout"],
            client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"],
        ),
        (10, {"A": "1"}),
        (20, {"A": "2"}),
        support=ROLE,
    ),
    Case(
        "AWS::Lambda::Permission",
        {
            "FunctionName": {"Ref": "Function"},
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
        },
        {"Action": "lambda:GetFunction"},
        _permission,
        ["lambda:InvokeFunction"],
        ["lambda:GetFunction"],
        support=FUNCTION,
        replaces=True,
    ),
    Case(
        "AWS::Lambda::EventSourceMapping",
        {
            "FunctionName": {"Ref": "Function"},
            "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            "BatchSize": "5",
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        },
        {"BatchSize": 10, "Enabled": "false"},
        lambda client, uuid: client("lambda").get_event_source_mapping(UUID=uuid)["BatchSize"],
        5,
        10,
        support={**FUNCTION, **QUEUE},
    ),
    Case(
        "AWS::DynamoDB::Table",
        {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": "true"},
            "SSESpecification": {"SSEEnabled": True},
        },
        {
            "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": False},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
        _time_to_live,
        "ENABLED",
        "DISABLED",
    ),
    Case(
        "AWS::CloudTrail::Trail",
        {
            "TrailName": "orgmon",
            "S3BucketName": {"Ref": "Box"},
            "IsLogging": True,
            "IsMultiRegionTrail": "true",
            "EnableLogFileValidation": True,
        },
        {"IsLogging": "false", "EnableLogFileValidation": False},
        lambda client, name: (
            _trail(client, name)["IsLogging"],
            _trail(client, name)["IsMultiRegionTrail"],
            _trail(client, name)["LogFileValidationEnabled"],
        ),
        (True, True, True),
        (False, True, False),
        support=TRAIL_BUCKET,
    ),
)
