"""orgmon-logs: the bucket that the organization trail delivers to, and its key. Both outlive the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awacs.aws import Bool, StringEquals, StringEqualsIfExists, StringLike
from troposphere import Equals, GetAtt, If, Ref, Sub, Template, kms, s3

from orgmon.stacks import names
from orgmon.stacks.definition import Inputs, Placement, StackDefinition, Where, Who, new_template
from orgmon.stacks.policy import ACCOUNT_ROOT, actions, deny, document, service, statement

PARAMETERS = {
    "OrganizationId": "The organization that the trail records",
    "ManagementAccountId": "The account that owns the trail",
    "HomeRegion": "The home Region of the trail",
    "TrailName": "The name of the trail",
    "KeyArn": "The key for the bucket; empty to make one",
    "ArchiveDays": "After how many days log files expire",
}
# The trail's ARN is fixed, so that policies can name it before the trail exists.
TRAIL_ARN = "arn:${AWS::Partition}:cloudtrail:${HomeRegion}:${ManagementAccountId}:trail/${TrailName}"


def add_log_store(template: Template, bucket_name: Any, object_lock_days: int) -> None:
    """Add key, bucket and bucket policy to a template that has PARAMETERS; 0 days are no Object Lock.

    In a plain stack the bucket's name has to be a literal: only then is a retained bucket adopted later.
    """
    template.add_condition("MakeKey", Equals(Ref("KeyArn"), ""))
    template.add_resource(_key())
    template.add_resource(
        kms.Alias(
            "LogsKeyAlias",
            Condition="MakeKey",
            AliasName=names.LOGS_KEY_ALIAS,
            TargetKeyId=Ref("LogsKey"),
        )
    )
    template.add_resource(_bucket(bucket_name, object_lock_days))
    template.add_resource(_bucket_policy())


def _key() -> kms.Key:
    trail_context = Sub("arn:${AWS::Partition}:cloudtrail:*:${ManagementAccountId}:trail/*")
    from_trail = StringEquals("aws:SourceArn", Sub(TRAIL_ARN))
    return kms.Key(
        "LogsKey",
        Condition="MakeKey",
        Description="Log files of the organization trail",
        EnableKeyRotation=True,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        KeyPolicy=document(
            statement("Owner", actions("kms", "*"), ["*"], ACCOUNT_ROOT),
            statement(
                "TrailEncrypts",
                actions("kms", "GenerateDataKey*"),
                ["*"],
                service("cloudtrail"),
                [from_trail, StringLike("kms:EncryptionContext:aws:cloudtrail:arn", trail_context)],
            ),
            statement(
                "TrailDescribes", actions("kms", "DescribeKey"), ["*"], service("cloudtrail"), [from_trail]
            ),
            # Needed because the bucket uses an S3 Bucket Key. IfExists: AWS's guides show it with the key and without.
            statement(
                "TrailDecrypts",
                actions("kms", "Decrypt"),
                ["*"],
                service("cloudtrail"),
                [StringEqualsIfExists("aws:SourceArn", Sub(TRAIL_ARN))],
            ),
        ),
    )


def _bucket(name: Any, object_lock_days: int) -> s3.Bucket:
    return s3.Bucket(
        "LogBucket",
        BucketName=name,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        OwnershipControls=s3.OwnershipControls(
            Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        BucketEncryption=s3.BucketEncryption(
            ServerSideEncryptionConfiguration=[
                s3.ServerSideEncryptionRule(
                    BucketKeyEnabled=True,
                    ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(
                        SSEAlgorithm="aws:kms",
                        KMSMasterKeyID=If("MakeKey", GetAtt("LogsKey", "Arn"), Ref("KeyArn")),
                    ),
                )
            ]
        ),
        LifecycleConfiguration=s3.LifecycleConfiguration(
            Rules=[
                s3.LifecycleRule(
                    Id="expire",
                    Status="Enabled",
                    ExpirationInDays=Ref("ArchiveDays"),
                    NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=30),
                )
            ]
        ),
        **(_object_lock(object_lock_days) if object_lock_days else {}),
    )


def _object_lock(days: int) -> dict[str, Any]:
    """Governance mode: who holds s3:BypassGovernanceRetention can still remove what should not have come here.

    In compliance mode nobody could, not even with the account's root user, and a wrong number of days would stand.
    Source: S3 user guide, object-lock.
    """
    retention = s3.DefaultRetention(Mode="GOVERNANCE", Days=days)
    rule = s3.ObjectLockRule(DefaultRetention=retention)
    configuration = s3.ObjectLockConfiguration(ObjectLockEnabled="Enabled", Rule=rule)
    return {"ObjectLockEnabled": True, "ObjectLockConfiguration": configuration}


def _bucket_policy() -> s3.BucketPolicy:
    bucket = GetAtt("LogBucket", "Arn")
    objects = Sub("${LogBucket.Arn}/*")
    from_trail = StringEquals("aws:SourceArn", Sub(TRAIL_ARN))
    trail = service("cloudtrail")
    owner_control = StringEquals("s3:x-amz-acl", "bucket-owner-full-control")
    paths = [
        Sub("${LogBucket.Arn}/AWSLogs/${ManagementAccountId}/*"),
        Sub("${LogBucket.Arn}/AWSLogs/${OrganizationId}/*"),
    ]
    return s3.BucketPolicy(
        "LogBucketPolicy",
        Bucket=Ref("LogBucket"),
        PolicyDocument=document(
            statement("TrailChecks", actions("s3", "GetBucketAcl"), [bucket], trail, [from_trail]),
            statement("TrailWrites", actions("s3", "PutObject"), paths, trail, [from_trail, owner_control]),
            deny(
                "EncryptedTransportOnly",
                actions("s3", "*"),
                [bucket, objects],
                [Bool("aws:SecureTransport", "false")],
            ),
        ),
    )


def values(inputs: Inputs) -> Mapping[str, str]:
    """The parameter values of the log store."""
    return {
        "OrganizationId": inputs.organization_id,
        "ManagementAccountId": inputs.management_account,
        "HomeRegion": inputs.home_region,
        "TrailName": inputs.trail_name,
        "KeyArn": inputs.key_arn,
        "ArchiveDays": str(inputs.archive_days),
    }


def _build(inputs: Inputs) -> Template:
    template = new_template("The log files of the organization trail", **PARAMETERS)
    bucket = Sub(names.log_bucket("${AWS::AccountId}", "${AWS::Region}"))
    add_log_store(template, bucket, inputs.object_lock_days)
    return template


def _is_wanted(inputs: Inputs) -> bool:
    """Without a log archive account the log store is in orgmon-base; a trail that was there has its own."""
    return not inputs.keeps_logs_itself and not inputs.existing_log_group


STACK = StackDefinition(
    "orgmon-logs",
    Placement(Who.LOG_ARCHIVE, Where.HOME),
    "the trail's log bucket and its key",
    _build,
    values,
    is_retained=True,
    is_wanted=_is_wanted,
)
