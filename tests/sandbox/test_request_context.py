"""Condition keys of requests: a deny on each of them works, and only where AWS sets the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox, assemble
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.seed import SeedAccount
from tests.sandbox.conftest import DEV, HOME, MANAGEMENT, ORG, PROD, SEED
from tests.sandbox.services import allow, client, document

ONCE = Config(retries={"total_max_attempts": 1})
OUTSIDE = "666666666666"
ROLE = f"arn:aws:iam::{PROD}:role/worker"
EVERYTHING = allow("*", "*")


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox: a user and a role in PROD, whose policies each test sets, and an account that has left."""
    outside = SeedAccount(OUTSIDE, "outside", "outside@example.com")
    with assemble(replace(SEED, accounts=(*SEED.accounts, outside)), clock=Clock(speed=0)) as made:
        client(made, "organizations", MANAGEMENT).remove_account_from_organization(AccountId=OUTSIDE)
        iam = client(made, "iam", PROD)
        iam.create_user(UserName="bob", Tags=[{"Key": "Team", "Value": "shop"}])
        trust = document(
            {"Effect": "Allow", "Principal": {"AWS": PROD}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        )
        iam.create_role(
            RoleName="worker", AssumeRolePolicyDocument=trust, Tags=[{"Key": "team", "Value": "shop"}]
        )
        for name in ("theirs", "ours"):
            owner = client(made, "s3", OUTSIDE if name == "theirs" else DEV)
            owner.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
            reader = allow("s3:ListBucket", f"arn:aws:s3:::{name}", Principal={"AWS": PROD})
            owner.put_bucket_policy(Bucket=name, Policy=document(reader))
        yield made
        assert made.world.hook_errors == []


@pytest.fixture
def deny(shared: Sandbox) -> Callable[..., None]:
    """Lets the user and the role do everything but what has a condition."""

    def put(action: str = "*", **condition: dict[str, Any]) -> None:
        policy = document(
            EVERYTHING, {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}
        )
        iam = client(shared, "iam", PROD)
        iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=policy)
        iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=policy)

    return put


@pytest.fixture
def bob(shared: Sandbox) -> Iterator[boto3.Session]:
    """The user with a long-lived key."""
    iam = client(shared, "iam", PROD)
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    yield shared.world.session_with(key["AccessKeyId"], key["SecretAccessKey"], region=HOME)
    iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])


def assumed(shared: Sandbox, by: boto3.Session | None = None, **members: Any) -> boto3.Session:
    """A session of the role, for the administrator unless told otherwise."""
    sts = (by or shared.world.session(PROD, region=HOME)).client("sts", config=ONCE)
    return session(shared, sts.assume_role(RoleArn=ROLE, RoleSessionName="me", **members)["Credentials"])


def session(shared: Sandbox, keys: dict[str, Any]) -> boto3.Session:
    return shared.world.session_with(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region=HOME
    )


def may(who: boto3.Session, service: str = "sqs", operation: str = "list_queues", **members: Any) -> bool:
    """Whether a call is allowed. What else it may come to is not asked."""
    try:
        getattr(who.client(service, config=ONCE), operation)(**members)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in (
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "UnauthorizedOperation",
        )
        return False
    return True


def test_sessions_from_before_a_moment_are_denied(
    shared: Sandbox, deny: Callable[..., None], bob: boto3.Session
) -> None:
    old = assumed(shared)
    shared.settle(60)
    deny(DateLessThan={"aws:TokenIssueTime": shared.world.clock.now().isoformat()})
    assert not may(old)
    assert may(assumed(shared))
    assert may(bob)  # a long-lived key has no time of issue


def test_tags_of_the_user_the_role_and_the_session(
    shared: Sandbox, deny: Callable[..., None], bob: boto3.Session
) -> None:
    deny("sqs:*", StringEquals={"aws:PrincipalTag/team": "shop"})
    assert not may(bob)
    assert not may(assumed(shared))
    assert may(assumed(shared, Tags=[{"Key": "Team", "Value": "soc"}]))
    deny("sqs:*", StringEquals={"aws:PrincipalTag/team": "soc"})
    assert may(assumed(shared))


def test_tags_of_a_session_need_a_permission_of_their_own(shared: Sandbox, deny: Callable[..., None]) -> None:
    deny("none:Such")
    iam = client(shared, "iam", PROD)
    trust = document({"Effect": "Allow", "Principal": {"AWS": PROD}, "Action": "sts:AssumeRole"})
    before = iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=trust)
    assert assumed(shared)
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(shared, Tags=[{"Key": "team", "Value": "soc"}])
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=document(*before["Statement"]))


def test_the_user_agent(deny: Callable[..., None], bob: boto3.Session) -> None:
    deny(StringLike={"aws:UserAgent": "*scanner*"})
    assert may(bob)
    scanner = bob.client("sqs", config=ONCE.merge(Config(user_agent="scanner/1.0")))
    with pytest.raises(ClientError, match="AccessDenied"):
        scanner.list_queues()


def test_resources_of_other_organizations(deny: Callable[..., None], bob: boto3.Session) -> None:
    deny(StringNotEquals={"aws:ResourceOrgID": ORG})
    assert may(bob)
    assert may(bob, "s3", "list_objects_v2", Bucket="ours")
    assert not may(bob, "s3", "list_objects_v2", Bucket="theirs")
    deny(StringNotEquals={"aws:ResourceAccount": PROD})
    assert not may(bob, "s3", "list_objects_v2", Bucket="ours")


def test_units_of_resources(shared: Sandbox, deny: Callable[..., None], bob: boto3.Session) -> None:
    path = shared.world.organization.id_path_of(DEV)
    deny(**{"ForAnyValue:StringLike": {"aws:ResourceOrgPaths": f"{path}*"}})
    assert may(bob)
    assert not may(bob, "s3", "list_objects_v2", Bucket="ours")


@pytest.fixture(scope="module")
def device(shared: Sandbox) -> str:
    """The serial number of bob's device."""
    iam = client(shared, "iam", PROD)
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName="bob", SerialNumber=serial, **codes)
    return str(serial)


def test_multi_factor_authentication(
    shared: Sandbox, deny: Callable[..., None], bob: boto3.Session, device: str
) -> None:
    deny("sqs:*", Bool={"aws:MultiFactorAuthPresent": "false"})
    sts = bob.client("sts", config=ONCE)
    shown = {"SerialNumber": device, "TokenCode": "123456"}
    with_code, without = (
        session(shared, sts.get_session_token(**each)["Credentials"]) for each in (shown, {})
    )
    assert may(bob)  # the key is not there for a long-lived one
    assert not may(without)
    assert may(with_code)
    assert not may(assumed(shared, bob))
    assert may(assumed(shared, bob, **shown))
    deny("sqs:*", BoolIfExists={"aws:MultiFactorAuthPresent": "false"})
    assert not may(bob)
    shared.settle(3600)
    deny("sqs:*", NumericGreaterThan={"aws:MultiFactorAuthAge": "1800"})
    assert not may(with_code)
    assert may(without)
    with pytest.raises(ClientError, match="invalid MFA one time pass code"):
        sts.get_session_token(SerialNumber=device, TokenCode="abcdef")
    record = next(
        each for each in shared.trail.records(PROD, HOME)[::-1] if each["eventName"] == "ListQueues"
    )
    assert record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_role_that_asks_for_a_code(
    shared: Sandbox, deny: Callable[..., None], bob: boto3.Session, device: str
) -> None:
    deny("none:Such")
    iam = client(shared, "iam", PROD)
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    asking = {
        "Effect": "Allow",
        "Principal": {"AWS": PROD},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    before = iam.get_role(RoleName="worker")["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=document(asking))
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(shared, bob)
    member = assumed(shared, bob, SerialNumber=device, TokenCode="123456")
    member.client("sqs").list_queues()
    record = next(
        each for each in shared.trail.records(PROD, HOME)[::-1] if each["eventName"] == "ListQueues"
    )
    assert record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=document(*before["Statement"]))


PAIR = {"Key": "Owner", "Value": "soc"}
LOWER = {"key": "owner", "value": "soc"}
MAP = {"owner": "soc"}


@pytest.mark.parametrize(
    ("service", "operation", "members"),
    [
        ("sqs", "create_queue", {"QueueName": "q", "tags": MAP}),
        ("sns", "create_topic", {"Name": "t", "Tags": [PAIR]}),
        ("iam", "create_user", {"UserName": "u", "Tags": [PAIR]}),
        ("logs", "create_log_group", {"logGroupName": "g", "tags": MAP}),
        ("kms", "create_key", {"Tags": [{"TagKey": "Owner", "TagValue": "soc"}]}),
        ("secretsmanager", "create_secret", {"Name": "s", "SecretString": "x", "Tags": [PAIR]}),
        (
            "stepfunctions",
            "tag_resource",
            {"resourceArn": f"arn:aws:states:{HOME}:{PROD}:s", "tags": [LOWER]},
        ),
        (
            "ec2",
            "create_volume",
            {
                "AvailabilityZone": f"{HOME}a",
                "Size": 1,
                "TagSpecifications": [{"ResourceType": "volume", "Tags": [PAIR]}],
            },
        ),
    ],
)
def test_tags_of_requests(
    deny: Callable[..., None], bob: boto3.Session, service: str, operation: str, members: dict[str, Any]
) -> None:
    deny(StringEquals={"aws:RequestTag/Owner": "soc"})
    assert not may(bob, service, operation, **members)
    deny(**{"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": ["owner"]}})
    assert not may(bob, service, operation, **members)


def test_requests_without_tags_have_no_keys(
    shared: Sandbox, deny: Callable[..., None], bob: boto3.Session
) -> None:
    deny("sqs:CreateQueue", Null={"aws:RequestTag/owner": "true"})
    assert not may(bob, "sqs", "create_queue", QueueName="plain")
    assert may(bob, "sqs", "create_queue", QueueName="tagged", tags=MAP)
    deny("sqs:UntagQueue", **{"ForAnyValue:StringEquals": {"aws:TagKeys": ["owner"]}})
    url = client(shared, "sqs", PROD).get_queue_url(QueueName="tagged")["QueueUrl"]
    assert not may(bob, "sqs", "untag_queue", QueueUrl=url, TagKeys=["owner"])
    assert may(bob, "sqs", "untag_queue", QueueUrl=url, TagKeys=["other"])
