"""Cases of S3, KMS, Secrets Manager, Systems Manager and DynamoDB."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from .case import BUCKET, KEY, Case, allow, everybody, policy_action, resource


def _time_to_live(client: Any, name: str) -> Any:
    return client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"][
        "TimeToLiveStatus"
    ]


def _secret_length(client: Any, arn: str) -> int:
    text = client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    return len(json.loads(text)["password"]) if text.startswith('{"user"') else len(text)


def _locked_days(client: Any, bucket: str) -> int:
    """How long a new object of a bucket is locked."""
    s3 = client("s3")
    s3.put_object(Bucket=bucket, Key="note", Body=b"")
    until = s3.head_object(Bucket=bucket, Key="note").get("ObjectLockRetainUntilDate")
    bypass = {"BypassGovernanceRetention": True} if until else {}
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(Bucket=bucket, Key="note", VersionId=version["VersionId"], **bypass)
    return round((until - datetime.now(UTC)).total_seconds() / 86400) if until else 0


STORAGE = (
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
        {"VersioningConfiguration": {"Status": "Enabled"}},
        {
            "VersioningConfiguration": {"Status": "Enabled"},
            "ObjectLockEnabled": True,
            "ObjectLockConfiguration": {
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
            },
        },
        _locked_days,
        0,
        7,
        label="lock",
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
        support={**KEY, "Other": resource("AWS::KMS::Key", Description="other")},
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
)
