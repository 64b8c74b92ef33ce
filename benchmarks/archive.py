"""A deterministic archive of CloudTrail files: 500 records in each, gzip, laid out as a trail lays them out.

What is random in a record (ids, tokens, sessions) is as long as in real ones, so that the files are compressed as real
ones are, by a factor of six to seven: how fast they are inflated depends on that.
"""

from __future__ import annotations

import gzip
import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDS = 500
ACCOUNTS = tuple(f"{100000000000 + 7919 * number}" for number in range(40))
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2")
READS = (
    "ec2:DescribeInstances ec2:DescribeVolumes ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeTags "
    "s3:ListBuckets s3:GetBucketLocation s3:GetBucketAcl s3:GetBucketTagging iam:ListRoles iam:GetRole "
    "iam:ListAttachedRolePolicies iam:GetUser sts:GetCallerIdentity kms:DescribeKey kms:ListAliases "
    "logs:DescribeLogGroups logs:DescribeLogStreams cloudwatch:DescribeAlarms cloudwatch:GetMetricData "
    "lambda:ListFunctions20150331 lambda:GetFunction20150331v2 rds:DescribeDBInstances ssm:GetParameter "
    "ssm:DescribeInstanceInformation secretsmanager:ListSecrets sqs:ListQueues sns:ListTopics ecs:DescribeTasks "
    "ecs:ListTasks eks:DescribeCluster config:DescribeConfigRules"
).split()
WRITES = (
    "sts:AssumeRole sts:AssumeRole sts:AssumeRoleWithWebIdentity kms:Decrypt kms:Decrypt kms:GenerateDataKey "
    "logs:CreateLogStream ec2:CreateTags ec2:RunInstances ec2:TerminateInstances ec2:CreateNetworkInterface "
    "ssm:UpdateInstanceInformation s3:PutBucketTagging ecs:RunTask ecs:StopTask sqs:CreateQueue "
    "cloudformation:UpdateStack dynamodb:UpdateTable"
).split()
ALARMING = (
    "iam:CreateAccessKey iam:AttachRolePolicy ec2:AuthorizeSecurityGroupIngress cloudtrail:StopLogging "
    "secretsmanager:GetSecretValue s3:PutBucketPolicy"
).split()

AGENTS = (
    "aws-sdk-java/2.29.{} md/io#sync md/http#Apache ua/2.1 os/Linux#5.10.{} lang/java#21.0.4 md/en_US",
    "aws-sdk-go-v2/1.30.{} os/linux lang/go#1.22.{} md/GOOS#linux md/GOARCH#amd64 api/ec2#1.171.0",
    "Boto3/1.35.{0} md/Botocore#1.35.{0} ua/2.0 os/linux#6.1.{1} lang/python#3.12.4 cfg/retry-mode#standard",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 terraform-provider-aws/5.{}.{} aws-sdk-go-v2/1.30.4",
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SERVICES_SHARE = 0.12
"""Of the records, those of calls that an AWS service makes by itself."""


def write(folder: Path, files: int) -> int:
    """Write the files; returns their size in bytes. The same for every run."""
    source = random.Random(8)
    size = 0
    for number in range(files):
        account, region = source.choice(ACCOUNTS), source.choice(REGIONS)
        day, minute = divmod(number, 288)
        stamp = f"202611{1 + day:02}T{minute // 12:02}{minute % 12 * 5:02}"
        records = list(_records(source, account, region, 1 + day, minute * 5))
        body = gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode(), 6, mtime=0)
        place = folder / "AWSLogs" / account / "CloudTrail" / region / "2026" / "11" / f"{1 + day:02}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{account}_CloudTrail_{region}_{stamp}Z_{number:016x}.json.gz").write_bytes(body)
        size += len(body)
    return size


def _records(
    source: random.Random, account: str, region: str, day: int, minute: int
) -> Iterator[dict[str, Any]]:
    for _ in range(RECORDS):
        kind = source.random()
        call = source.choice(READS if kind < 0.6 else WRITES if kind < 0.99 else ALARMING)
        second = source.randrange(300)
        hour, rest = divmod(minute + second // 60, 60)
        yield _record(
            source, account, region, call, f"2026-11-{day:02}T{hour % 24:02}:{rest:02}:{second % 60:02}Z"
        )


def _record(source: random.Random, account: str, region: str, call: str, time: str) -> dict[str, Any]:
    service, name = call.split(":")
    reads = name.startswith(("Get", "List", "Describe"))
    identity, address, agent = _caller(source, account, time)
    record = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": time,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": agent,
        "requestParameters": _parameters(source, account, region, name),
        "responseElements": None if reads else _answer(source, account, name, time),
        "requestID": _uuid(source),
        "eventID": _uuid(source),
        "readOnly": reads,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if address != agent:  # calls of a service's own have no connection of theirs
        record["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
        }
    failed = source.random() < 0.02
    return record | (
        {"errorCode": "AccessDenied", "errorMessage": f"not authorized: {call}"} if failed else {}
    )


def _caller(source: random.Random, account: str, time: str) -> tuple[dict[str, Any], str, str]:
    """Who calls, from which address, with which user agent."""
    if source.random() < SERVICES_SHARE:
        service = f"{source.choice(('autoscaling', 'config', 'ecs', 'lambda', 'rds'))}.amazonaws.com"
        return {"type": "AWSService", "invokedBy": service}, service, service
    role, instance = f"service-{source.randrange(60)}", f"i-{source.getrandbits(68):017x}"
    session = source.choice(
        (instance, f"user{source.randrange(400)}@example.com", f"run-{source.getrandbits(33)}")
    )
    principal = f"AROA{_letters(source, 17)}"
    identity = {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": f"ASIA{_letters(source, 16)}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal,
                "arn": f"arn:aws:iam::{account}:role/{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": time, "mfaAuthenticated": "false"},
        },
    }
    address = f"10.{source.randrange(256)}.{source.randrange(256)}.{source.randrange(256)}"
    return identity, address, source.choice(AGENTS).format(source.randrange(200), source.randrange(40))


def _parameters(source: random.Random, account: str, region: str, name: str) -> dict[str, Any] | None:
    thing = f"arn:aws:service:{region}:{account}:thing/{source.getrandbits(48):012x}"
    if name.startswith("AssumeRole"):
        return {
            "roleArn": f"arn:aws:iam::{account}:role/service-{source.randrange(60)}",
            "roleSessionName": f"run-{source.getrandbits(33)}",
            "durationSeconds": 3600,
        }
    if name in ("Decrypt", "GenerateDataKey"):
        return {
            "encryptionContext": {"aws:service:arn": thing},
            "keyId": f"arn:aws:kms:{region}:{account}:key/{_uuid(source)}",
            "keySpec": "AES_256",
        }
    if name.startswith(("List", "Describe")):
        asked = {
            "filterSet": {
                "items": [
                    {"name": "tag:team", "valueSet": {"items": [{"value": f"t{source.randrange(90)}"}]}}
                ]
            }
        }
        more = source.random() < 0.3
        return {**asked, "maxResults": 100} | ({"nextToken": _letters(source, 88)} if more else {})
    if "Bucket" in name:
        bucket = f"team-{source.randrange(90)}-{source.getrandbits(40):010x}"
        return {"bucketName": bucket, "Host": f"{bucket}.s3.{region}.amazonaws.com"}
    return {
        "resourceArn": thing,
        "clientToken": _uuid(source),
        "tagSet": {"items": [{"key": "team", "value": "a"}]},
    }


def _answer(source: random.Random, account: str, name: str, time: str) -> dict[str, Any] | None:
    if name.startswith("AssumeRole"):
        return {
            "credentials": {
                "accessKeyId": f"ASIA{_letters(source, 16)}",
                "sessionToken": _letters(source, 400),
                "expiration": time,
            },
            "assumedRoleUser": {
                "assumedRoleId": f"AROA{_letters(source, 17)}:run-{source.getrandbits(33)}",
                "arn": f"arn:aws:sts::{account}:assumed-role/service-{source.randrange(60)}/run",
            },
        }
    if name in ("Decrypt", "GenerateDataKey"):
        return None
    return {
        "requestId": _uuid(source),
        "resource": {"owner": account, "state": "available", "id": f"r-{source.getrandbits(68):017x}"},
        "_return": True,
    }


def _uuid(source: random.Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


def _letters(source: random.Random, length: int) -> str:
    return "".join(source.choices(LETTERS, k=length))
