"""What moto's services lack, put right: trails that are checked, bus policies, keys of log groups."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox import repairs
from orgmon.sandbox.world import World

from .conftest import HOME, LOGS, MANAGEMENT, ORG, PROD

TRAIL_ARN = f"arn:aws:cloudtrail:{HOME}:{MANAGEMENT}:trail/org"
CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}


@pytest.fixture(autouse=True)
def repaired(world: World) -> None:
    """All repairs are in force."""
    repairs.install(world)


def allow(action: Any, resource: str, principal: Any = CLOUDTRAIL, **condition: Any) -> dict[str, Any]:
    """One Allow statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def policy(*statements: dict[str, Any]) -> str:
    """A policy document as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def bucket_policy(*owners: str) -> str:
    """The policy that CloudTrail's guide asks for, for the paths of these owners."""
    source = {"aws:SourceArn": TRAIL_ARN}
    puts = {**source, "s3:x-amz-acl": "bucket-owner-full-control"}
    paths = [f"arn:aws:s3:::trail-logs/AWSLogs/{owner}/*" for owner in owners]
    return policy(
        allow("s3:GetBucketAcl", "arn:aws:s3:::trail-logs", StringEquals=source),
        *(allow("s3:PutObject", path, StringEquals=puts) for path in paths),
    )


def make_bucket(world: World, account: str, document: str | None) -> None:
    """The bucket of the trail, with a policy or without."""
    s3 = world.client("s3", account, HOME)
    s3.create_bucket(Bucket="trail-logs", CreateBucketConfiguration={"LocationConstraint": HOME})
    if document:
        s3.put_bucket_policy(Bucket="trail-logs", Policy=document)


def use_bucket_key(world: World) -> None:
    """Let the trail's bucket encrypt with an S3 Bucket Key."""
    encryption = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"},
        "BucketKeyEnabled": True,
    }
    world.client("s3", MANAGEMENT, HOME).put_bucket_encryption(
        Bucket="trail-logs", ServerSideEncryptionConfiguration={"Rules": [encryption]}
    )


def create_trail(world: World, account: str = MANAGEMENT, **members: Any) -> Any:
    """CreateTrail named ``org``."""
    client = world.client("cloudtrail", account, HOME)
    return client.create_trail(Name="org", S3BucketName="trail-logs", **members)


def refusal(world: World, account: str = MANAGEMENT, **members: Any) -> str:
    """The error code with which CreateTrail must end."""
    with pytest.raises(ClientError) as caught:
        create_trail(world, account, **members)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("document", "organization", "code"),
    [
        (None, False, "InsufficientS3BucketPolicyException"),
        (bucket_policy(), False, "InsufficientS3BucketPolicyException"),
        (bucket_policy(ORG), False, "InsufficientS3BucketPolicyException"),
        (bucket_policy(MANAGEMENT), True, "InsufficientS3BucketPolicyException"),
    ],
    ids=["no policy", "acl only", "other path", "organization's path missing"],
)
def test_a_bucket_must_let_the_trail_in(
    world: World, document: str | None, organization: bool, code: str
) -> None:
    make_bucket(world, MANAGEMENT, document)
    assert refusal(world, IsOrganizationTrail=organization) == code


def test_a_trail_delivers_to_the_bucket_of_another_account(world: World) -> None:
    make_bucket(world, LOGS, bucket_policy(MANAGEMENT, ORG))
    made = create_trail(world, IsOrganizationTrail=True, IsMultiRegionTrail=True)
    assert made["TrailARN"] == TRAIL_ARN
    assert refusal(world) == "TrailAlreadyExistsException"


def test_a_missing_bucket_is_said(world: World) -> None:
    assert refusal(world) == "S3BucketDoesNotExistException"


def test_an_organization_trail_needs_trusted_access_and_the_right_account(world: World) -> None:
    make_bucket(world, LOGS, bucket_policy(MANAGEMENT, ORG))
    assert refusal(world, PROD, IsOrganizationTrail=True) == "NotOrganizationMasterAccountException"
    organizations = world.client("organizations", MANAGEMENT, "us-east-1")
    organizations.disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    assert refusal(world, IsOrganizationTrail=True) == "CloudTrailAccessNotEnabledException"


def test_the_key_must_let_the_trail_encrypt(world: World) -> None:
    make_bucket(world, MANAGEMENT, bucket_policy(MANAGEMENT))
    kms = world.client("kms", MANAGEMENT, HOME)
    owner = allow("kms:*", "*", {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"})
    closed = kms.create_key(Policy=policy(owner))["KeyMetadata"]["Arn"]
    assert refusal(world, KmsKeyId=closed) == "InsufficientEncryptionPolicyException"
    assert refusal(world, KmsKeyId="alias/none") == "KmsKeyNotFoundException"
    context = {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{MANAGEMENT}:trail/*"}
    encrypt = allow(
        "kms:GenerateDataKey*", "*", StringLike=context, StringEquals={"aws:SourceArn": TRAIL_ARN}
    )
    kms.put_key_policy(KeyId=closed, PolicyName="default", Policy=policy(owner, encrypt))
    assert refusal(world, KmsKeyId=closed) == "InsufficientEncryptionPolicyException"
    # DescribeKey has no encryption context: one statement for both would not do.
    describe = allow("kms:DescribeKey", "*", StringEquals={"aws:SourceArn": TRAIL_ARN})
    kms.put_key_policy(KeyId=closed, PolicyName="default", Policy=policy(owner, encrypt, describe))
    use_bucket_key(world)
    assert refusal(world, KmsKeyId=closed) == "InsufficientEncryptionPolicyException"
    decrypt = allow("kms:Decrypt", "*")
    kms.put_key_policy(KeyId=closed, PolicyName="default", Policy=policy(owner, encrypt, describe, decrypt))
    assert create_trail(world, KmsKeyId=closed)["KmsKeyId"] == closed


def test_the_log_group_needs_a_role_that_may_write(world: World) -> None:
    make_bucket(world, MANAGEMENT, bucket_policy(MANAGEMENT))
    group = f"arn:aws:logs:{HOME}:{MANAGEMENT}:log-group:/trail:*"
    role = f"arn:aws:iam::{MANAGEMENT}:role/writer"
    members = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    assert refusal(world, **members) == "InvalidCloudWatchLogsLogGroupArnException"
    world.client("logs", MANAGEMENT, HOME).create_log_group(logGroupName="/trail")
    assert refusal(world, **members) == "InvalidCloudWatchLogsRoleArnException"
    iam = world.client("iam", MANAGEMENT, "us-east-1")
    trust = {"Effect": "Allow", "Principal": CLOUDTRAIL, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="writer", AssumeRolePolicyDocument=policy(trust))
    assert refusal(world, **members) == "InvalidCloudWatchLogsLogGroupArnException"
    stream = group.removesuffix(":*") + f":log-stream:{MANAGEMENT}_CloudTrail_{HOME}*"
    may = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": stream}
    iam.put_role_policy(RoleName="writer", PolicyName="p", PolicyDocument=policy(may))
    assert create_trail(world, **members)["CloudWatchLogsRoleArn"] == role


def test_an_update_is_checked_with_what_the_trail_has(world: World) -> None:
    make_bucket(world, MANAGEMENT, bucket_policy(MANAGEMENT))
    create_trail(world)
    client = world.client("cloudtrail", MANAGEMENT, HOME)
    client.update_trail(Name="org", IsMultiRegionTrail=True)
    with pytest.raises(ClientError, match="InsufficientS3BucketPolicyException"):
        client.update_trail(Name="org", IsOrganizationTrail=True)


def test_statements_with_the_same_principal_live_side_by_side(world: World) -> None:
    events = world.client("events", PROD, HOME)
    events.create_event_bus(Name="hub")

    def sids() -> list[str]:
        text = events.describe_event_bus(Name="hub").get("Policy", '{"Statement": []}')
        return [each["Sid"] for each in json.loads(text)["Statement"]]

    condition = {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": ORG}
    members = {"EventBusName": "hub", "Action": "events:PutEvents", "Principal": "*", "Condition": condition}
    events.put_permission(StatementId="a", **members)
    events.put_permission(StatementId="b", **members)
    assert sids() == ["a", "b"]
    events.remove_permission(EventBusName="hub", StatementId="a")
    assert sids() == ["b"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        events.remove_permission(EventBusName="hub", StatementId="a")
    whole = {"Sid": "c", **allow("events:PutEvents", "*", {"AWS": MANAGEMENT})}
    events.put_permission(EventBusName="hub", Policy=policy(whole))
    assert sids() == ["c"]
    with pytest.raises(ClientError, match="PolicyLengthExceededException"):
        events.put_permission(EventBusName="hub", Policy=policy({**whole, "Resource": "x" * 11_000}))
    events.remove_permission(EventBusName="hub", RemoveAllPermissions=True)
    assert sids() == []


def test_a_metric_filter_that_is_put_twice_is_there_once(world: World) -> None:
    logs = world.client("logs", PROD, HOME)
    logs.create_log_group(logGroupName="/x")
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for pattern in ("one", "two"):
        logs.put_metric_filter(
            logGroupName="/x", filterName="f", filterPattern=pattern, metricTransformations=[transformation]
        )
    filters = logs.describe_metric_filters(logGroupName="/x")["metricFilters"]
    assert [each["filterPattern"] for each in filters] == ["two"]


def test_a_log_group_takes_a_hundred_metric_filters(world: World) -> None:
    logs = world.client("logs", PROD, HOME)
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}

    def put(group: str, number: int) -> None:
        name = f"f{number}"
        logs.put_metric_filter(
            logGroupName=group, filterName=name, filterPattern="x", metricTransformations=[transformation]
        )

    for group in ("/x", "/y"):
        logs.create_log_group(logGroupName=group)
    for number in range(100):
        put("/x", number)
    put("/x", 0)
    with pytest.raises(ClientError, match="LimitExceededException"):
        put("/x", 100)
    put("/y", 100)


def test_object_lock_needs_versions_takes_buckets_with_objects_and_stays(world: World) -> None:
    s3 = world.client("s3", LOGS, "us-east-1")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="old", Body=b"")
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    with pytest.raises(ClientError, match="ObjectLockConfigurationNotFoundError"):
        s3.get_object_lock_configuration(Bucket="files")
    with pytest.raises(ClientError, match="InvalidBucketState"):
        s3.put_object_lock_configuration(Bucket="files", ObjectLockConfiguration=lock)
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket="files", ObjectLockConfiguration=lock)
    assert s3.get_object_lock_configuration(Bucket="files")["ObjectLockConfiguration"] == lock
    version = s3.put_object(Bucket="files", Key="new", Body=b"")["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket="files", Key="new", VersionId=version)
    with pytest.raises(ClientError, match="InvalidBucketState"):
        s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Suspended"})


def test_a_queue_keeps_its_policy_when_something_else_is_set(world: World) -> None:
    sqs = world.client("sqs", PROD, HOME)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "a", "Effect": "Deny"}]})
    url = sqs.create_queue(QueueName="q", Attributes={"Policy": policy})["QueueUrl"]

    def attribute(name: str) -> str | None:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return str(attributes[name]) if name in attributes else None

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "7"})
    assert (attribute("DelaySeconds"), attribute("Policy")) == ("7", policy)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert attribute("Policy") is None
    with pytest.raises(ClientError, match=r"NonExistentQueue|QueueDoesNotExist"):
        sqs.set_queue_attributes(QueueUrl=f"{url}-none", Attributes={"DelaySeconds": "7"})


def test_symmetric_keys_still_differ(world: World) -> None:
    kms = world.client("kms", PROD, HOME)
    first, second = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    sealed = kms.encrypt(KeyId=first, Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["KeyId"].endswith(first)
    assert kms.encrypt(KeyId=second, Plaintext=b"secret")["CiphertextBlob"] != sealed
    signing = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
    keys = [kms.create_key(**signing)["KeyMetadata"]["KeyId"] for _ in range(2)]
    public = [kms.get_public_key(KeyId=key)["PublicKey"] for key in keys]
    assert public[0] != public[1]
