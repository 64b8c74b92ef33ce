"""Cases of IAM, Lambda, CloudTrail and CloudWatch."""

from __future__ import annotations

import json
from typing import Any

from .case import (
    CODE,
    FUNCTION,
    GROUP,
    KEY,
    OTHER_TRUST,
    QUEUE,
    ROLE,
    TOPIC,
    TRAIL_BUCKET,
    TRANSFORMATION,
    TRUST,
    USER,
    Case,
    allow,
    policy_action,
)


def _alarm(client: Any, name: str) -> dict[str, Any]:
    alarms: list[dict[str, Any]] = client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return alarms[0]


def _metric_stat(identity: str, *, returned: bool) -> dict[str, Any]:
    stat = {
        "Metric": {"Namespace": "n", "MetricName": "m", "Dimensions": []},
        "Period": 60,
        "Stat": "Maximum",
    }
    return {"Id": identity, "MetricStat": stat, "ReturnData": returned}


def _group(client: Any, name: str) -> dict[str, Any]:
    group: dict[str, Any] = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    return group


def _filters(client: Any) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = client("logs").describe_metric_filters(logGroupName="/orgmon/local")[
        "metricFilters"
    ]
    return filters


def _trail(client: Any, name: str) -> dict[str, Any]:
    trail: dict[str, Any] = client("cloudtrail").get_trail(Name=name)["Trail"]
    return {**trail, "IsLogging": client("cloudtrail").get_trail_status(Name=name)["IsLogging"]}


def _managed(client: Any, arn: str) -> Any:
    policy = client("iam").get_policy(PolicyArn=arn)["Policy"]
    version = client("iam").get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    return policy_action(version["PolicyVersion"]["Document"])


COMPUTE = (
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
            "Environment": {"Variables": {"MODE": "1"}},
        },
        {
            "Timeout": 20,
            "Environment": {"Variables": {"MODE": 2}},
            "Code": {"ZipFile": "def handler(event, context):\n    return 2\n"},
        },
        lambda client, name: (
            client("lambda").get_function_configuration(FunctionName=name)["Timeout"],
            client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"],
        ),
        (10, {"MODE": "1"}),
        (20, {"MODE": "2"}),
        support=ROLE,
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
        "AWS::CloudWatch::Alarm",
        {
            "Metrics": [
                {"Id": "e1", "Expression": "DIFF(m1)", "Label": "growth", "ReturnData": "true"},
                {
                    "Id": "m1",
                    "ReturnData": "false",
                    "MetricStat": {
                        "Metric": {"Namespace": "n", "MetricName": "m"},
                        "Period": "60",
                        "Stat": "Maximum",
                    },
                },
            ],
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
        },
        {"Metrics": [_metric_stat("m2", returned=True)]},
        lambda client, name: _alarm(client, name)["Metrics"],
        [
            {"Id": "e1", "Expression": "DIFF(m1)", "Label": "growth", "ReturnData": True},
            _metric_stat("m1", returned=False),
        ],
        [_metric_stat("m2", returned=True)],
        label="math",
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
)
