"""Who signs, who may become whom, and who may do what."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.world import World

from .conftest import DEV, HOME, MANAGEMENT, ORG, PROD, SECURITY

ACCESS = "OrganizationAccountAccessRole"
ONCE = Config(retries={"total_max_attempts": 1})


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: Any, **more: Any) -> str:
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def admin(world: World, service: str, account: str, region: str = HOME) -> Any:
    return world.session(account, region=region).client(service, config=ONCE)


def make_role(world: World, account: str, name: str, trusted: str, *policies: str, **more: Any) -> str:
    iam = admin(world, "iam", account)
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, **more)["Role"]["Arn"]
    for number, policy in enumerate(policies):
        iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=policy)
    return str(arn)


def make_user(world: World, account: str, name: str, *policies: str) -> boto3.Session:
    iam = admin(world, "iam", account)
    iam.create_user(UserName=name)
    for number, policy in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=policy)
    return session_with(world, iam.create_access_key(UserName=name)["AccessKey"])


def session_with(world: World, keys: dict[str, Any], region: str = HOME) -> boto3.Session:
    return world.session_with(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"), region=region
    )


def assume(world: World, source: boto3.Session, arn: str, **more: Any) -> boto3.Session:
    sts = source.client("sts", config=ONCE)
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="me", **more)["Credentials"]
    return session_with(world, keys)


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def whoami(session: boto3.Session) -> str:
    return str(session.client("sts").get_caller_identity()["Arn"])


def test_the_administrators_keys_are_the_same_in_every_run(world: World) -> None:
    key, secret = world.admin_key(PROD)
    assert (key[:4], len(key), len(secret)) == ("AKIA", 20, 40)
    assert world.admin_key(PROD) == (key, secret) != world.admin_key(DEV)


def test_everybody_is_told_who_he_is(world: World) -> None:
    assert whoami(world.session(PROD)) == f"arn:aws:iam::{PROD}:user/admin"
    assert (
        whoami(world.session(PROD, role_name=ACCESS)) == f"arn:aws:sts::{PROD}:assumed-role/{ACCESS}/sandbox"
    )
    assert whoami(make_user(world, PROD, "bob")) == f"arn:aws:iam::{PROD}:user/bob"
    root = world.client("sts", PROD, HOME).get_caller_identity()
    assert (root["Arn"], root["UserId"]) == (f"arn:aws:iam::{PROD}:root", PROD)


def test_the_management_account_reaches_its_members(world: World) -> None:
    member = assume(world, world.session(MANAGEMENT), f"arn:aws:iam::{PROD}:role/{ACCESS}")
    assert whoami(member) == f"arn:aws:sts::{PROD}:assumed-role/{ACCESS}/me"
    member.client("sqs").create_queue(QueueName="q")
    assert admin(world, "sqs", PROD).list_queues()["QueueUrls"]


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{PROD}:role/nobody", "arn:aws:iam::999999999999:role/x"])
def test_a_role_that_does_not_exist_cannot_be_assumed(world: World, arn: str) -> None:
    with refused("AccessDenied") as caught:
        assume(world, world.session(MANAGEMENT), arn)
    who = f"arn:aws:iam::{MANAGEMENT}:user/admin"
    text = f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    assert caught.value.response["Error"]["Message"] == text


def test_a_role_is_assumed_by_its_arn_with_its_path(world: World) -> None:
    arn = make_role(world, PROD, "r", trust({"AWS": PROD}), Path="/orgmon/")
    assert arn == f"arn:aws:iam::{PROD}:role/orgmon/r"
    assert whoami(assume(world, world.session(PROD), arn)) == f"arn:aws:sts::{PROD}:assumed-role/r/me"
    with refused("AccessDenied"):
        assume(world, world.session(PROD), f"arn:aws:iam::{PROD}:role/r")


def test_a_trust_policy_must_name_the_caller(world: World) -> None:
    arn = make_role(world, PROD, "r", trust({"AWS": SECURITY}))
    with refused("AccessDenied"):
        assume(world, world.session(DEV), arn)
    assert assume(world, world.session(SECURITY), arn)


def test_across_accounts_the_caller_needs_a_permission_too(world: World) -> None:
    arn = make_role(world, PROD, "r", trust({"AWS": DEV}))
    with refused("AccessDenied"):
        assume(world, make_user(world, DEV, "without"), arn)
    assert assume(world, make_user(world, DEV, "with", document(allow("sts:AssumeRole", arn))), arn)


def test_within_an_account_it_is_enough_to_be_named(world: World) -> None:
    bob = make_user(world, PROD, "bob")
    named = make_role(world, PROD, "named", trust({"AWS": f"arn:aws:iam::{PROD}:user/bob"}))
    account = make_role(world, PROD, "account", trust({"AWS": PROD}))
    assert assume(world, bob, named)
    with refused("AccessDenied"):
        assume(world, bob, account)


def test_trust_by_organization(world: World) -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": ORG}}
    arn = make_role(world, PROD, "r", trust("*", Condition=condition))
    assert assume(world, world.session(DEV), arn)
    admin(world, "organizations", MANAGEMENT).remove_account_from_organization(AccountId=DEV)
    with refused("AccessDenied"):
        assume(world, world.session(DEV), arn)


def test_external_ids_are_compared(world: World) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "x1"}}
    arn = make_role(world, PROD, "r", trust({"AWS": DEV}, Condition=condition))
    with refused("AccessDenied"):
        assume(world, world.session(DEV), arn, ExternalId="x2")
    assert assume(world, world.session(DEV), arn, ExternalId="x1")


def test_roles_can_be_chained_for_an_hour(world: World) -> None:
    second = make_role(world, DEV, "second", trust({"AWS": f"arn:aws:iam::{PROD}:role/{ACCESS}"}))
    first = world.session(PROD, role_name=ACCESS)
    assert whoami(assume(world, first, second)).startswith(f"arn:aws:sts::{DEV}:")
    with refused("ValidationError"):
        assume(world, first, second, DurationSeconds=7200)


def test_temporary_keys_expire(world: World) -> None:
    member = assume(world, world.session(MANAGEMENT), f"arn:aws:iam::{PROD}:role/{ACCESS}")
    world.clock.advance(3599)
    assert whoami(member)
    world.clock.advance(2)
    for service, method, code in (
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("logs", "describe_log_groups", "ExpiredTokenException"),
    ):
        with refused(code):
            getattr(member.client(service, config=ONCE), method)()


def test_all_sessions_can_expire_in_the_middle_of_what_they_do(world: World) -> None:
    role = f"arn:aws:iam::{PROD}:role/{ACCESS}"
    management = world.session(MANAGEMENT)
    member = assume(world, management, role)
    other = world.session(DEV, role_name=ACCESS)
    assert whoami(member)
    assert whoami(other)
    world.trouble.expire()
    for session in (member, other):
        for service, method, told in (
            ("sts", "get_caller_identity", (403, "ExpiredToken")),
            ("cloudformation", "describe_stacks", (403, "ExpiredToken")),
            ("logs", "describe_log_groups", (400, "ExpiredTokenException")),
        ):
            with pytest.raises(ClientError) as caught:
                getattr(session.client(service, region_name=HOME, config=ONCE), method)()
            error = caught.value.response
            assert (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"]) == told
            text = "The security token included in the request is expired"
            assert error["Error"]["Message"] == text
    assert whoami(assume(world, management, role))


def test_what_a_service_renews_does_not_expire(world: World) -> None:
    principal = world.role_session(PROD, ACCESS, "function")
    keys = world.identity.issue(principal, 3600, renewed=True)
    world.trouble.expire()
    session = world.session_with(keys.access_key, keys.secret_key, keys.token)
    assert whoami(session)


def test_a_temporary_key_needs_its_token(world: World) -> None:
    keys = (
        world.session(MANAGEMENT)
        .client("sts")
        .assume_role(RoleArn=f"arn:aws:iam::{PROD}:role/{ACCESS}", RoleSessionName="me")["Credentials"]
    )
    for token in (None, "another"):
        with refused("InvalidClientTokenId"):
            whoami(session_with(world, {**keys, "SessionToken": token}))


def test_inactive_and_deleted_keys_are_refused(world: World) -> None:
    bob = make_user(world, PROD, "bob")
    key = bob.get_credentials().access_key
    iam = admin(world, "iam", PROD)
    iam.update_access_key(UserName="bob", AccessKeyId=key, Status="Inactive")
    with refused("InvalidClientTokenId"):
        whoami(bob)
    iam.update_access_key(UserName="bob", AccessKeyId=key, Status="Active")
    assert whoami(bob)
    iam.delete_access_key(UserName="bob", AccessKeyId=key)
    with refused("InvalidClientTokenId"):
        whoami(bob)


def test_a_suspended_account_is_locked(world: World) -> None:
    world.trouble.suspend(DEV)
    with refused("InvalidClientTokenId"):
        whoami(world.session(DEV))
    with refused("AccessDenied"):
        assume(world, world.session(MANAGEMENT), f"arn:aws:iam::{DEV}:role/{ACCESS}")


@pytest.mark.parametrize(
    ("service", "method", "arguments", "code", "action"),
    [
        (
            "secretsmanager",
            "get_secret_value",
            {"SecretId": "s"},
            "AccessDeniedException",
            "secretsmanager:GetSecretValue",
        ),
        ("iam", "list_users", {}, "AccessDenied", "iam:ListUsers"),
        ("cloudwatch", "describe_alarms", {}, "AccessDenied", "cloudwatch:DescribeAlarms"),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException", "lambda:InvokeFunction"),
        ("sns", "list_topics", {}, "AuthorizationError", "SNS:ListTopics"),
        ("s3", "list_buckets", {}, "AccessDenied", "s3:ListAllMyBuckets"),
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation", "ec2:DescribeVpcs"),
    ],
)
def test_denials_are_worded_as_the_service_does(
    world: World, service: str, method: str, arguments: dict[str, Any], code: str, action: str
) -> None:
    role = assume(world, world.session(PROD), make_role(world, PROD, "r", trust({"AWS": PROD})))
    with refused(code) as caught:
        getattr(role.client(service, config=ONCE), method)(**arguments)
    text = caught.value.response["Error"]["Message"]
    assert (
        f"User: arn:aws:sts::{PROD}:assumed-role/r/me is not authorized to perform: {action} on resource: "
        in text
    )
    assert text.endswith(f"because no identity-based policy allows the {action} action")


def test_identity_policies_are_enforced_by_resource(world: World) -> None:
    arn = f"arn:aws:logs:{HOME}:{PROD}:log-group:mine:*"
    policy = document(allow("logs:*", arn))
    role = assume(world, world.session(PROD), make_role(world, PROD, "r", trust({"AWS": PROD}), policy))
    logs = role.client("logs", config=ONCE)
    logs.create_log_group(logGroupName="mine")
    with refused("AccessDeniedException"):
        logs.create_log_group(logGroupName="yours")


def test_managed_policies_boundaries_and_denies(world: World) -> None:
    make_role(world, PROD, "r", trust({"AWS": PROD}))
    iam = admin(world, "iam", PROD)
    iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    role = world.session(PROD, role_name="r")
    sqs = role.client("sqs", config=ONCE)
    assert "QueueUrls" not in sqs.list_queues()
    with refused("AccessDenied"):
        sqs.create_queue(QueueName="q")
    deny = {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
    iam.put_role_policy(RoleName="r", PolicyName="deny", PolicyDocument=document(deny))
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        sqs.list_queues()


def test_a_boundary_only_takes_away(world: World) -> None:
    iam = admin(world, "iam", PROD)
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow("logs:*")))["Policy"]["Arn"]
    make_role(world, PROD, "r", trust({"AWS": PROD}), document(allow("*")), PermissionsBoundary=boundary)
    role = world.session(PROD, role_name="r")
    assert role.client("logs").describe_log_groups()["logGroups"] == []
    with pytest.raises(ClientError, match="because no permissions boundary allows"):
        role.client("sns").list_topics()


def test_a_session_policy_only_takes_away(world: World) -> None:
    arn = f"arn:aws:iam::{PROD}:role/{ACCESS}"
    session = assume(world, world.session(MANAGEMENT), arn, Policy=document(allow("logs:*")))
    assert session.client("logs").describe_log_groups()["logGroups"] == []
    with pytest.raises(ClientError, match="because no session policy allows"):
        session.client("sns").list_topics()


def test_groups_give_permissions(world: World) -> None:
    bob = make_user(world, PROD, "bob")
    with refused("AuthorizationError"):
        bob.client("sns").list_topics()
    iam = admin(world, "iam", PROD)
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document(allow("sns:List*")))
    iam.add_user_to_group(GroupName="g", UserName="bob")
    assert bob.client("sns").list_topics()["Topics"] == []


def secret_in(world: World, account: str, policy: str | None = None) -> str:
    secrets = admin(world, "secretsmanager", account)
    arn = secrets.create_secret(Name="prod/db", SecretString="bait")["ARN"]
    if policy:
        secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy)
    return str(arn)


def test_another_accounts_secret_needs_both_policies(world: World) -> None:
    opened = allow("secretsmanager:GetSecretValue", Principal={"AWS": DEV})
    arn = secret_in(world, PROD)
    reader = admin(world, "secretsmanager", DEV)
    with pytest.raises(ClientError, match="because no resource-based policy allows"):
        reader.get_secret_value(SecretId=arn)
    admin(world, "secretsmanager", PROD).put_resource_policy(SecretId=arn, ResourcePolicy=document(opened))
    assert reader.get_secret_value(SecretId=arn)["SecretString"] == "bait"
    with pytest.raises(ClientError, match="because no identity-based policy allows"):
        make_user(world, DEV, "bob").client("secretsmanager").get_secret_value(SecretId=arn)


def test_a_resource_policy_is_enough_for_a_named_principal_at_home(world: World) -> None:
    bob = make_user(world, PROD, "bob")
    statement = allow("secretsmanager:GetSecretValue", Principal={"AWS": f"arn:aws:iam::{PROD}:user/bob"})
    secret_in(world, PROD, document(statement))
    assert bob.client("secretsmanager").get_secret_value(SecretId="prod/db")["SecretString"] == "bait"


def test_a_resource_policy_that_denies_denies_administrators_too(world: World) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    secret_in(world, PROD, document(statement))
    with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
        admin(world, "secretsmanager", PROD).get_secret_value(SecretId="prod/db")


def test_buckets_are_shared_by_policy(world: World) -> None:
    s3 = admin(world, "s3", PROD)
    s3.create_bucket(Bucket="shared-bucket", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_object(Bucket="shared-bucket", Key="k", Body=b"body")
    reader = admin(world, "s3", DEV)
    with refused("AccessDenied"):
        reader.get_object(Bucket="shared-bucket", Key="k")
    condition = {"StringEquals": {"aws:PrincipalOrgID": ORG}}
    statement = allow("s3:GetObject", "arn:aws:s3:::shared-bucket/*", Principal="*", Condition=condition)
    s3.put_bucket_policy(Bucket="shared-bucket", Policy=document(statement))
    assert reader.get_object(Bucket="shared-bucket", Key="k")["Body"].read() == b"body"
    with refused("AccessDenied"):
        reader.put_object(Bucket="shared-bucket", Key="k", Body=b"")


def test_a_bucket_may_insist_on_tls(world: World) -> None:
    s3 = admin(world, "s3", PROD)
    s3.create_bucket(Bucket="tls-bucket", CreateBucketConfiguration={"LocationConstraint": HOME})
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    s3.put_bucket_policy(Bucket="tls-bucket", Policy=document({**deny, "Condition": insecure}))
    s3.put_object(Bucket="tls-bucket", Key="k", Body=b"body")
    assert s3.get_object(Bucket="tls-bucket", Key="k")["Body"].read() == b"body"
    s3.put_bucket_policy(Bucket="tls-bucket", Policy=document({**deny, "Action": "s3:DeleteObject"}))
    with refused("AccessDenied"):
        s3.delete_object(Bucket="tls-bucket", Key="k")


def test_a_queue_of_another_account_can_be_used_by_policy(world: World) -> None:
    url = admin(world, "sqs", PROD).create_queue(QueueName="q")["QueueUrl"]
    sender = admin(world, "sqs", DEV)
    with refused("AccessDenied"):
        sender.send_message(QueueUrl=url, MessageBody="m")
    policy = document(allow("sqs:SendMessage", Principal={"AWS": DEV}))
    admin(world, "sqs", PROD).set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sender.send_message(QueueUrl=url, MessageBody="m")
    assert admin(world, "sqs", PROD).receive_message(QueueUrl=url)["Messages"][0]["Body"] == "m"


def test_a_topic_of_another_account_can_be_used_by_policy(world: World) -> None:
    arn = admin(world, "sns", PROD).create_topic(Name="t")["TopicArn"]
    with refused("AuthorizationError"):
        admin(world, "sns", DEV).publish(TopicArn=arn, Message="m")
    policy = document(allow("sns:Publish", arn, Principal={"AWS": DEV}))
    admin(world, "sns", PROD).set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy
    )
    assert admin(world, "sns", DEV).publish(TopicArn=arn, Message="m")["MessageId"]


def test_a_key_policy_must_always_agree(world: World) -> None:
    kms = admin(world, "kms", PROD)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    assert kms.describe_key(KeyId=key)
    only = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{PROD}:role/keeper"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(only))
    with refused("AccessDeniedException"):
        kms.describe_key(KeyId=key)
    shared = [only, allow("kms:Encrypt", Principal={"AWS": DEV})]
    world.client("kms", PROD, HOME).put_key_policy(KeyId=key, PolicyName="default", Policy=document(*shared))
    other = admin(world, "kms", DEV)
    assert other.encrypt(KeyId=key, Plaintext=b"p")["CiphertextBlob"]
    with refused("AccessDeniedException"):
        other.describe_key(KeyId=key)
    with pytest.raises(ClientError, match="NotFoundException"):
        kms.describe_key(KeyId="00000000-0000-0000-0000-000000000000")


def test_functions_are_invoked_across_accounts_by_permission(world: World) -> None:
    arn = f"arn:aws:lambda:{HOME}:{PROD}:function:f"
    with refused("AccessDeniedException"):
        admin(world, "lambda", DEV).invoke(FunctionName=arn)


def test_the_authorizer_answers_other_rooms(world: World) -> None:
    arn = make_role(
        world, PROD, "r", trust({"Service": "events.amazonaws.com"}), document(allow("events:PutEvents"))
    )
    principal = world.role_session(PROD, "r", "session")
    bus = f"arn:aws:events:{HOME}:{SECURITY}:event-bus/hub"
    assert arn == principal.role_arn
    assert world.policies.refusal(principal, "events:PutEvents", bus) is not None
    events = admin(world, "events", SECURITY)
    events.create_event_bus(Name="hub")
    condition = {"StringEquals": {"aws:PrincipalOrgID": ORG}}
    policy = document(allow("events:PutEvents", bus, Sid="org", Principal="*", Condition=condition))
    events.put_permission(EventBusName="hub", Policy=policy)
    assert world.policies.refusal(principal, "events:PutEvents", bus) is None
    assert world.policies.refusal(principal, "events:PutRule", bus) is not None
