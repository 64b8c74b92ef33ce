"""A deterministic archive of CloudTrail files: 500 records in each, gzip, laid out as a trail lays them out."""

from __future__ import annotations

import gzip
import json
import random
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
    role = f"service-{source.randrange(60)}"
    session = f"i-{source.getrandbits(64):016x}"
    failed = source.random() < 0.02
    record = {
        "eventVersion": "1.11",
        "userIdentity": _identity(source, account, role, session, time),
        "eventTime": time,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": f"10.{source.randrange(256)}.{source.randrange(256)}.{source.randrange(256)}",
        "userAgent": "aws-sdk-java/2.29.6 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10 lang/java#21.0.4 md/en_US",
        "requestParameters": _parameters(source, account, region, session),
        "responseElements": None
        if name.startswith(("Get", "List", "Describe"))
        else _answer(source, account),
        "requestID": f"{source.getrandbits(128):032x}",
        "eventID": f"{source.getrandbits(128):032x}",
        "readOnly": name.startswith(("Get", "List", "Describe")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
        },
    }
    return record | (
        {"errorCode": "AccessDenied", "errorMessage": f"not authorized: {call}"} if failed else {}
    )


def _identity(source: random.Random, account: str, role: str, session: str, time: str) -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{source.getrandbits(64):016X}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "accessKeyId": f"ASIA{source.getrandbits(64):016X}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": f"AROA{source.getrandbits(64):016X}",
                "arn": f"arn:aws:iam::{account}:role/{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": time, "mfaAuthenticated": "false"},
        },
    }


def _parameters(source: random.Random, account: str, region: str, session: str) -> dict[str, Any]:
    return {
        "resourceArn": f"arn:aws:service:{region}:{account}:thing/{source.getrandbits(48):012x}",
        "filterSet": {"items": [{"name": "instance-id", "valueSet": {"items": [{"value": session}]}}]},
        "maxResults": source.choice((50, 100, 1000)),
    }


def _answer(source: random.Random, account: str) -> dict[str, Any]:
    return {
        "requestId": f"{source.getrandbits(128):032x}",
        "resource": {"owner": account, "state": "available", "id": f"r-{source.getrandbits(68):017x}"},
        "_return": True,
    }
