"""Which resources an event is about, as LookupEvents tells and finds them.

Source: CloudTrail API reference, Resource; what LookupEvents answered in public transcripts: the names are taken from
parameters and results as they stand there, so one resource can be listed by name, by id and by ARN (AssumeRole tells
the new access key, the session in three spellings, and the role). For which members that is done is not documented;
the table has those that are named after their resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orgmon.sandbox.trail.records import Record

_USER, _ROLE, _GROUP, _POLICY = (f"AWS::IAM::{kind}" for kind in ("User", "Role", "Group", "Policy"))
_KEY, _SESSION = "AWS::IAM::AccessKey", "AWS::STS::AssumedRole"
_TRAIL, _BUCKET = "AWS::CloudTrail::Trail", "AWS::S3::Bucket"
_ENTITIES = {"user": _USER, "role": _ROLE, "group": _GROUP, "policy": _POLICY}
# By event source: the members that name a resource, alone or with the member that they are in.
_MEMBERS: dict[str, dict[str, str]] = {
    "cloudformation": {"stackName": "AWS::CloudFormation::Stack", "stackId": "AWS::CloudFormation::Stack"},
    "cloudtrail": {"name": _TRAIL, "trailName": _TRAIL, "trailARN": _TRAIL, "s3BucketName": _BUCKET},
    "dynamodb": {"tableName": "AWS::DynamoDB::Table", "tableArn": "AWS::DynamoDB::Table"},
    "ec2": {
        "groupId": "AWS::EC2::SecurityGroup",
        "imageId": "AWS::EC2::Ami",
        "instanceId": "AWS::EC2::Instance",
        "networkAclId": "AWS::EC2::NetworkAcl",
        "routeTableId": "AWS::EC2::RouteTable",
        "snapshotId": "AWS::EC2::Snapshot",
        "subnetId": "AWS::EC2::Subnet",
        "volumeId": "AWS::EC2::Volume",
        "vpcId": "AWS::EC2::VPC",
    },
    "iam": {
        "userName": _USER,
        "roleName": _ROLE,
        "groupName": _GROUP,
        "policyArn": _POLICY,
        "accessKeyId": _KEY,
        "instanceProfileName": "AWS::IAM::InstanceProfile",
        "policy.policyName": _POLICY,
        **{f"{name}.{name}Id": kind for name, kind in _ENTITIES.items()},
        **{f"{name}.arn": kind for name, kind in _ENTITIES.items()},
    },
    "kms": {"keyId": "AWS::KMS::Key", "keyMetadata.arn": "AWS::KMS::Key", "aliasName": "AWS::KMS::Alias"},
    "lambda": {"functionName": "AWS::Lambda::Function", "functionArn": "AWS::Lambda::Function"},
    "logs": {"logGroupName": "AWS::Logs::LogGroup"},
    "rds": {
        "dBInstanceIdentifier": "AWS::RDS::DBInstance",
        "dBSnapshotIdentifier": "AWS::RDS::DBSnapshot",
    },
    "s3": {"bucketName": _BUCKET},
    "secretsmanager": {
        "secretId": "AWS::SecretsManager::Secret",
        "name": "AWS::SecretsManager::Secret",
        "aRN": "AWS::SecretsManager::Secret",
    },
    "sns": {"topicArn": "AWS::SNS::Topic", "name": "AWS::SNS::Topic"},
    "sqs": {"queueUrl": "AWS::SQS::Queue", "queueName": "AWS::SQS::Queue"},
    "sts": {
        "credentials.accessKeyId": _KEY,
        "assumedRoleUser.assumedRoleId": _SESSION,
        "assumedRoleUser.arn": _SESSION,
        "roleSessionName": _SESSION,
        "roleArn": _ROLE,
    },
}


def resources_of(record: Record) -> list[dict[str, str]]:
    """ResourceType and ResourceName of all that an event names, each pair once."""
    members = _MEMBERS.get(record["eventSource"].removesuffix(".amazonaws.com"), {})
    found: dict[tuple[str, str], None] = {}
    for part in ("requestParameters", "responseElements"):
        for member, parent, value in _texts(record.get(part), "", ""):
            kind = members.get(f"{parent}.{member}") or members.get(member)
            if kind:
                found[kind, value] = None
    for resource in record.get("resources") or []:
        if "type" in resource:
            found[resource["type"], resource["ARN"]] = None
    return [{"ResourceType": kind, "ResourceName": name} for kind, name in found]


def _texts(value: Any, member: str, parent: str) -> Iterator[tuple[str, str, str]]:
    """Every text at any depth, with the member that it is the value of, and the member around that."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _texts(each, name, member)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, member, parent)
    elif isinstance(value, str):
        yield member, parent, value
