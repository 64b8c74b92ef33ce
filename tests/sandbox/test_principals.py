"""Whom policies name: he has to exist, to be known by now, and to be the same as when the policy was put."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import DEV, HOME, MANAGEMENT, PROD
from tests.sandbox.services import (
    LOG_GROUP,
    TRAIL,
    TRAIL_ROLE,
    allow,
    client,
    document,
    make_function,
    make_organization_trail,
    make_role,
    service,
)

UNKNOWN = "Policy contains a statement with one or more invalid principals."
CODE = "def handle(event, context):\n    pass\n"
STRANGER = "arn:aws:iam::999999999999:role/vendor"


def trust(name: str) -> str:
    """A trust policy for one AWS principal."""
    return document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": name}})


def key_policy(account: str, *names: str) -> str:
    """A key policy for the account and further principals."""
    root = f"arn:aws:iam::{account}:root"
    return document(allow("kms:*", "*", Principal={"AWS": [root, *names]}))


def trusted(iam: Any, role: str) -> Any:
    """Whom a role trusts, as GetRole tells."""
    [statement] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    return statement["Principal"]["AWS"]


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """The code and text of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.fixture
def late(shared: Sandbox) -> Iterator[Sandbox]:
    """New roles are known after a minute."""
    rule = shared.world.trouble.late(60)
    yield shared
    shared.world.trouble.lift(rule)


@pytest.mark.parametrize(
    "name",
    [
        f"arn:aws:iam::{PROD}:role/nobody",
        f"arn:aws:iam::{PROD}:user/nobody",
        f"arn:aws:iam::{PROD}:role/*",
        f"arn:aws:iam::{PROD}:group/any",
        "AROAORPHAN0ORPHAN0123",
        "nobody",
    ],
)
def test_policies_name_only_who_exists(shared: Sandbox, name: str) -> None:
    iam, kms = client(shared, "iam", PROD), client(shared, "kms", PROD)
    wanted = ("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{name}"')
    assert refused(iam.create_role, RoleName="bad", AssumeRolePolicyDocument=trust(name)) == wanted
    make_role(shared, "good", PROD, "ec2")
    put = refused(iam.update_assume_role_policy, RoleName="good", PolicyDocument=trust(name))
    iam.delete_role(RoleName="good")
    assert put == wanted
    policy = key_policy(PROD, name)
    assert refused(kms.create_key, Policy=policy) == ("MalformedPolicyDocumentException", UNKNOWN)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    told = refused(kms.put_key_policy, KeyId=key, PolicyName="default", Policy=policy)
    assert told == ("MalformedPolicyDocumentException", UNKNOWN)


@pytest.mark.parametrize("name", ["*", DEV, f"arn:aws:iam::{DEV}:root", STRANGER])
def test_accounts_and_strangers_are_taken_on_trust(shared: Sandbox, name: str) -> None:
    iam, kms = client(shared, "iam", PROD), client(shared, "kms", PROD)
    iam.create_role(RoleName="open", AssumeRolePolicyDocument=trust(name))
    assert trusted(iam, "open") == name
    iam.delete_role(RoleName="open")
    kms.create_key(Policy=key_policy(PROD, name))


def test_a_role_made_again_is_another_one(shared: Sandbox) -> None:
    own, other = client(shared, "iam", PROD), client(shared, "iam", DEV)
    arn = make_role(shared, "caller", DEV, "ec2", allow("sts:AssumeRole", "*"))
    first = other.get_role(RoleName="caller")["Role"]["RoleId"]
    own.create_role(RoleName="target", AssumeRolePolicyDocument=trust(arn))
    kms = client(shared, "kms", PROD)
    key = kms.create_key(Policy=key_policy(PROD, arn))["KeyMetadata"]["KeyId"]
    target = f"arn:aws:iam::{PROD}:role/target"

    def assume() -> None:
        sts = shared.world.session(DEV, role_name="caller", region=HOME).client("sts")
        sts.assume_role(RoleArn=target, RoleSessionName="me")

    assume()
    assert trusted(own, "target") == arn
    other.delete_role_policy(RoleName="caller", PolicyName="may")
    other.delete_role(RoleName="caller")
    assert trusted(own, "target") == first
    make_role(shared, "caller", DEV, "ec2", allow("sts:AssumeRole", "*"))
    assert trusted(own, "target") == first
    with pytest.raises(ClientError, match="AccessDenied"):
        assume()
    told = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    assert told["Statement"][0]["Principal"]["AWS"] == [f"arn:aws:iam::{PROD}:root", first]
    # What is shown cannot be put again.
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(told))
    own.update_assume_role_policy(RoleName="target", PolicyDocument=trust(arn))
    assume()


def test_a_deleted_user_stands_by_his_id(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    user = iam.create_user(UserName="leaver")["User"]
    iam.create_role(RoleName="of-user", AssumeRolePolicyDocument=trust(user["Arn"]))
    iam.delete_user(UserName="leaver")
    assert trusted(iam, "of-user") == user["UserId"]


def test_a_deletion_that_fails_changes_nothing(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    arn = make_role(shared, "staying", PROD, "ec2", allow("s3:*", "*"))
    iam.create_role(RoleName="of-staying", AssumeRolePolicyDocument=trust(arn))
    assert refused(iam.delete_role, RoleName="staying")[0] == "DeleteConflict"
    assert trusted(iam, "of-staying") == arn


def test_a_new_role_is_unknown_to_kms_for_a_while(late: Sandbox) -> None:
    kms = client(late, "kms", PROD)
    arn = make_role(late, "fresh-for-keys", PROD, "ec2")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    policy = key_policy(PROD, arn)
    wanted = ("MalformedPolicyDocumentException", UNKNOWN)
    assert refused(kms.create_key, Policy=policy) == wanted
    assert refused(kms.put_key_policy, KeyId=key, PolicyName="default", Policy=policy) == wanted
    kms.create_key(Policy=key_policy(PROD))
    late.settle(61)
    kms.create_key(Policy=policy)


def test_a_new_role_is_unknown_to_lambda_for_a_while(late: Sandbox) -> None:
    role = make_role(late, "fresh-for-lambda", PROD, "lambda")
    wanted = (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    )
    members: dict[str, Any] = {"sandbox": late, "name": "work", "account": PROD, "role": role, "code": CODE}
    assert refused(make_function, **members) == wanted
    late.settle(61)
    make_function(**members)
    other = make_role(late, "not-for-lambda", PROD, "ec2")
    late.settle(61)
    lambdas = client(late, "lambda", PROD)
    assert refused(lambdas.update_function_configuration, FunctionName="work", Role=other) == wanted


def test_a_new_role_is_unknown_to_cloudtrail_for_a_while(late: Sandbox) -> None:
    wanted = (
        "InvalidCloudWatchLogsRoleArnException",
        "Access denied. Check the trust relationships for your role.",
    )
    assert refused(make_organization_trail, sandbox=late) == wanted
    group = f"arn:aws:logs:{HOME}:{MANAGEMENT}:log-group:{LOG_GROUP}:*"
    role = client(late, "iam", MANAGEMENT).get_role(RoleName=TRAIL_ROLE)["Role"]["Arn"]
    cloudtrail = client(late, "cloudtrail", MANAGEMENT)
    members = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    cloudtrail.create_trail(Name=TRAIL, S3BucketName="audit-logs", IsOrganizationTrail=True)
    assert refused(cloudtrail.update_trail, Name=TRAIL, **members) == wanted
    late.settle(61)
    cloudtrail.update_trail(Name=TRAIL, **members)


def stack(late: Sandbox, name: str, **resources: Any) -> dict[str, Any]:
    """A stack of these resources with its role, when it has ended."""
    principal = service("lambda", "ec2")
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    made = {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": json.loads(document(statement))},
    }
    cloudformation = client(late, "cloudformation", PROD)
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": {"Role": made, **resources}}),
        Capabilities=["CAPABILITY_IAM"],
    )
    late.engine.background.wait()
    [told] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [each.get("ResourceStatusReason", "") for each in events]
    return {"status": told["StackStatus"], "reasons": " ".join(reasons)}


def test_a_stack_s_function_waits_for_its_role_and_its_key_does_not(shared: Sandbox) -> None:
    arn = {"Fn::GetAtt": ["Role", "Arn"]}
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Role": arn,
            "Runtime": "python3.13",
            "Handler": "index.handle",
            "Code": {"ZipFile": CODE},
        },
    }
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "kms:*", "Resource": "*"},
        ],
    }
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    rule = shared.world.trouble.late(20)
    patient = stack(shared, "patient", Function=function)
    eager = stack(shared, "eager", Key=key)
    shared.world.trouble.lift(rule)
    assert patient["status"] == "CREATE_COMPLETE"
    assert eager["status"] == "ROLLBACK_COMPLETE"
    assert UNKNOWN in eager["reasons"]
    rule = shared.world.trouble.late(600)
    assert stack(shared, "patience-ends", Function=function)["status"] == "ROLLBACK_COMPLETE"
    shared.world.trouble.lift(rule)
