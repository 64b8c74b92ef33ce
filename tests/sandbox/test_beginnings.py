"""What is there by itself, and what is not: ids, buckets, services that nobody has begun to use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox, assemble
from orgmon.sandbox.clock import Clock
from tests.sandbox.conftest import DEV, HOME, MANAGEMENT, PROD, SEED
from tests.sandbox.services import allow, client, document

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for all of these."""
    with assemble(SEED, clock=Clock(speed=0)) as made:
        yield made
        assert made.world.hook_errors == []


def refusal(call: Any, **members: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as problem:
        call(**members)
    response = problem.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def bucket(shared: Sandbox, name: str, **members: Any) -> Any:
    """The client of a new bucket's owner."""
    s3 = client(shared, "s3", PROD)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME}, **members)
    return s3


def test_unique_ids_begin_with_their_kind(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    policy = document(allow("s3:ListAllMyBuckets", "*"))
    ids = {
        "AIDA": iam.create_user(UserName="u")["User"]["UserId"],
        "AGPA": iam.create_group(GroupName="g")["Group"]["GroupId"],
        "AIPA": iam.create_instance_profile(InstanceProfileName="p")["InstanceProfile"]["InstanceProfileId"],
        "ANPA": iam.create_policy(PolicyName="p", PolicyDocument=policy)["Policy"]["PolicyId"],
        "AROA": iam.get_role(RoleName="OrganizationAccountAccessRole")["Role"]["RoleId"],
    }
    for prefix, made in ids.items():
        assert re.fullmatch(rf"{prefix}[A-Z0-9]{{17}}", made)
    assert re.fullmatch(r"AIDA[A-Z0-9]{17}", client(shared, "sts", PROD).get_caller_identity()["UserId"])
    assert iam.get_user(UserName="u")["User"]["UserId"] == ids["AIDA"]


def test_a_new_bucket_is_encrypted_owned_and_closed(shared: Sandbox) -> None:
    s3 = bucket(shared, "new-one")
    rule = s3.get_bucket_encryption(Bucket="new-one")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    ]
    owned = s3.get_bucket_ownership_controls(Bucket="new-one")["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    closed = s3.get_public_access_block(Bucket="new-one")["PublicAccessBlockConfiguration"]
    assert closed == dict.fromkeys(closed, True)
    assert len(closed) == 4
    assert s3.put_object(Bucket="new-one", Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"


def test_defaults_are_taken_away_one_by_one_but_for_the_encryption(shared: Sandbox) -> None:
    s3 = bucket(shared, "stripped")
    s3.delete_bucket_encryption(Bucket="stripped")
    assert s3.get_bucket_encryption(Bucket="stripped")["ServerSideEncryptionConfiguration"]
    s3.delete_public_access_block(Bucket="stripped")
    s3.delete_bucket_ownership_controls(Bucket="stripped")
    missing = "NoSuchPublicAccessBlockConfiguration"
    assert refusal(s3.get_public_access_block, Bucket="stripped")[0] == missing
    controls = refusal(s3.get_bucket_ownership_controls, Bucket="stripped")[0]
    assert controls == "OwnershipControlsNotFoundError"
    assert refusal(s3.delete_bucket_encryption, Bucket="nobody-s")[0] == "NoSuchBucket"


def test_a_bucket_that_its_owner_owns_takes_no_other_acl(shared: Sandbox) -> None:
    s3 = bucket(shared, "owned")
    s3.put_object(Bucket="owned", Key="k", Body=b"x", ACL="bucket-owner-full-control")
    unsupported = ("AccessControlListNotSupported", 400)
    assert refusal(s3.put_object, Bucket="owned", Key="k", Body=b"x", ACL="public-read") == unsupported
    assert refusal(s3.put_bucket_acl, Bucket="owned", ACL="public-read") == unsupported
    wanted = {"ACL": "public-read", "CreateBucketConfiguration": {"LocationConstraint": HOME}}
    created = refusal(s3.create_bucket, Bucket="open", **wanted)
    assert created == ("InvalidBucketAclWithObjectOwnership", 400)


def test_acls_of_a_writer_s_bucket_are_still_blocked_while_they_are_public(shared: Sandbox) -> None:
    s3 = bucket(shared, "of-writers", ObjectOwnership="ObjectWriter")
    s3.put_bucket_acl(Bucket="of-writers", ACL="private")
    assert refusal(s3.put_bucket_acl, Bucket="of-writers", ACL="public-read") == ("AccessDenied", 403)
    s3.delete_public_access_block(Bucket="of-writers")
    s3.put_bucket_acl(Bucket="of-writers", ACL="public-read")


@pytest.mark.parametrize(
    ("name", "principal", "condition", "is_public"),
    [
        ("all", "*", {}, True),
        ("safe", {"AWS": "*"}, {"Bool": {"aws:SecureTransport": "true"}}, True),
        ("any-account", "*", {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}, True),
        ("organization", "*", {"StringEquals": {"aws:PrincipalOrgID": "o-sandbox123"}}, False),
        ("service", {"Service": "cloudtrail.amazonaws.com"}, {}, False),
        ("account", {"AWS": f"arn:aws:iam::{DEV}:root"}, {}, False),
    ],
)
def test_a_public_policy_is_not_taken_until_the_block_is_gone(
    shared: Sandbox, name: str, principal: Any, condition: dict[str, Any], is_public: bool
) -> None:
    name = f"policy-for-{name}"
    s3 = bucket(shared, name)
    statement = allow("s3:GetObject", f"arn:aws:s3:::{name}/*", Principal=principal)
    policy = document({**statement, "Condition": condition} if condition else statement)
    if is_public:
        assert refusal(s3.put_bucket_policy, Bucket=name, Policy=policy) == ("AccessDenied", 403)
        s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=policy)


def test_macie_is_off_until_somebody_turns_it_on(shared: Sandbox) -> None:
    macie = client(shared, "macie2", PROD)
    with pytest.raises(ClientError, match=r"AccessDeniedException.*Macie is not enabled"):
        macie.get_macie_session()
    macie.enable_macie()
    assert macie.get_macie_session()["status"] == "ENABLED"
    assert refusal(macie.enable_macie)[0] == "ConflictException"
    assert refusal(client(shared, "macie2", DEV).get_macie_session)[0] == "AccessDeniedException"
    macie.disable_macie()
    assert refusal(macie.get_macie_session)[0] == "AccessDeniedException"


def test_nobody_has_an_identity_center_by_himself(shared: Sandbox) -> None:
    assert client(shared, "sso-admin", MANAGEMENT).list_instances()["Instances"] == []


def test_a_secret_tells_the_day_of_its_last_reading(shared: Sandbox) -> None:
    secrets = client(shared, "secretsmanager", PROD)
    secrets.create_secret(Name="db", SecretString="x")
    assert "LastAccessedDate" not in secrets.describe_secret(SecretId="db")
    secrets.get_secret_value(SecretId="db")
    day = secrets.describe_secret(SecretId="db")["LastAccessedDate"]
    midnight = shared.world.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert day == midnight
    assert secrets.list_secrets()["SecretList"][0]["LastAccessedDate"] == midnight
    shared.settle(86_400)
    secrets.batch_get_secret_value(SecretIdList=["db"])
    assert secrets.describe_secret(SecretId="db")["LastAccessedDate"] > midnight


@pytest.mark.parametrize(
    ("service", "operation", "members"),
    [
        ("service-quotas", "list_services", {}),
        ("cloudcontrol", "list_resources", {"TypeName": "AWS::S3::Bucket"}),
        ("efs", "describe_file_systems", {}),
        ("keyspaces", "list_keyspaces", {}),
        ("sesv2", "list_contact_lists", {}),
        ("importexport", "list_jobs", {}),
    ],
)
def test_a_service_that_is_not_there_says_so(
    shared: Sandbox, service: str, operation: str, members: dict[str, Any]
) -> None:
    caller = shared.world.session(PROD, region=HOME).client(service, config=ONCE)
    with pytest.raises(ClientError, match="sandbox does not have") as problem:
        getattr(caller, operation)(**members)
    assert problem.value.response["Error"]["Code"] == "NotImplemented"
    assert problem.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
