"""What AWS was recorded to answer, or documents, where moto answers otherwise: names, order, what is left over.

The texts are those of LocalStack's public tests (tests/aws/services), or of AWS's API references.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import HOME, PROD, SECURITY
from tests.sandbox.services import allow, client, document, make_function, make_role, make_topic, service

INBOX = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"
TRUST = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service("ec2")})
POLICY = document(allow("s3:ListBucket", "*"))
TRANSFORMATION = {"metricName": "seen", "metricNamespace": "Recorded", "metricValue": "1"}
CODE = "def handle(event, context):\n    pass\n"


def as_sent(sandbox: Sandbox, name: str) -> Any:
    """A client that sends what it is told, once."""
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    return sandbox.world.session(PROD).client(name, region_name=HOME, config=config)


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """The code and text with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_groups_are_found_by_a_part_of_their_name(shared: Sandbox) -> None:
    logs = client(shared, "logs", PROD)
    for name in ("/part/one", "/part/two", "/Part/one"):
        logs.create_log_group(logGroupName=name)
    found = logs.describe_log_groups(logGroupNamePattern="art/one")["logGroups"]
    assert [each["logGroupName"] for each in found] == ["/Part/one", "/part/one"]
    page = logs.describe_log_groups(logGroupNamePrefix="/part", limit=1)
    assert [each["logGroupName"] for each in page["logGroups"]] == ["/part/one"]
    rest = logs.describe_log_groups(logGroupNamePrefix="/part", nextToken=page["nextToken"])
    assert [each["logGroupName"] for each in rest["logGroups"]] == ["/part/two"]
    text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
    both = refused(logs.describe_log_groups, logGroupNamePrefix="/part", logGroupNamePattern="one")
    assert both == ("InvalidParameterException", text)


def test_streams_that_are_not_there_or_there_already(shared: Sandbox) -> None:
    logs = client(shared, "logs", PROD)
    stream = {"logGroupName": "/streams", "logStreamName": "s"}
    logs.create_log_group(logGroupName="/streams")
    missing = ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert refused(logs.get_log_events, **stream) == missing
    logs.create_log_stream(**stream)
    there = ("ResourceAlreadyExistsException", "The specified log stream already exists")
    assert refused(logs.create_log_stream, **stream) == there
    text = "LogGroup name and LogGroup ARN are mutually exclusive parameters."
    both = refused(logs.describe_log_streams, logGroupName="/streams", logGroupIdentifier="/streams")
    assert both == ("ValidationException", text)
    assert refused(logs.put_retention_policy, logGroupName="/streams", retentionInDays=2)[0] == (
        "InvalidParameterException"
    )
    logs.put_retention_policy(logGroupName="/streams", retentionInDays=3653)


def test_events_are_too_old_or_too_new_by_the_sandboxs_time_and_then_not_counted(shared: Sandbox) -> None:
    logs, cloudwatch = client(shared, "logs", PROD), client(shared, "cloudwatch", PROD)
    stream = {"logGroupName": "/ages", "logStreamName": "s"}
    logs.create_log_group(logGroupName="/ages")
    logs.create_log_stream(**stream)
    logs.put_metric_filter(
        logGroupName="/ages", filterName="f", filterPattern="x", metricTransformations=[TRANSFORMATION]
    )
    shared.settle(timedelta(days=1).total_seconds())
    now = shared.world.clock.now()

    def put(*ages: timedelta) -> dict[str, Any]:
        events = [{"timestamp": int((now - age).timestamp() * 1000), "message": "x"} for age in ages]
        told = logs.put_log_events(logEvents=events, **stream)
        return dict(told.get("rejectedLogEventsInfo", {}))

    old, new = timedelta(days=14, seconds=1), timedelta(hours=-2, seconds=-1)
    assert put(timedelta()) == {}
    assert put(old, old, timedelta(minutes=5), new) == {
        "tooOldLogEventEndIndex": 2,
        "tooNewLogEventStartIndex": 3,
    }
    assert len(logs.get_log_events(startFromHead=True, **stream)["events"]) == 2
    counted = cloudwatch.get_metric_statistics(
        Namespace="Recorded",
        MetricName="seen",
        StartTime=now - timedelta(days=15),
        EndTime=now + timedelta(hours=3),
        Period=86400,
        Statistics=["Sum"],
    )
    assert sum(each["Sum"] for each in counted["Datapoints"]) == 2


def test_a_policy_goes_when_nobody_has_it_and_it_has_one_version(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    arn = iam.create_policy(PolicyName="used", PolicyDocument=POLICY)["Policy"]["Arn"]
    iam.create_role(RoleName="user-of-it", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="user-of-it", PolicyArn=arn)
    conflict = ("DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refused(iam.delete_policy, PolicyArn=arn) == conflict
    iam.detach_role_policy(RoleName="user-of-it", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)
    code, text = refused(iam.delete_policy, PolicyArn=arn)
    assert (code, text.split(".")[0]) == ("DeleteConflict", "This policy has more than one version")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)


def test_a_user_goes_when_nothing_of_his_is_left(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    iam.create_user(UserName="leaver")
    assert refused(iam.create_user, UserName="leaver") == (
        "EntityAlreadyExists",
        "User with name leaver already exists.",
    )
    key = iam.create_access_key(UserName="leaver")["AccessKey"]["AccessKeyId"]
    iam.create_login_profile(UserName="leaver", Password="Abcdefgh-12345")
    iam.create_group(GroupName="leavers")
    iam.add_user_to_group(GroupName="leavers", UserName="leaver")

    def why() -> str:
        code, text = refused(iam.delete_user, UserName="leaver")
        assert code == "DeleteConflict"
        return text

    assert why() == "Cannot delete entity, must delete access keys first."
    iam.delete_access_key(UserName="leaver", AccessKeyId=key)
    assert why() == "Cannot delete entity, must delete login profile first."
    iam.delete_login_profile(UserName="leaver")
    assert why() == "Cannot delete entity, must remove users from group first."
    assert refused(iam.delete_group, GroupName="leavers")[0] == "DeleteConflict"
    iam.remove_user_from_group(GroupName="leavers", UserName="leaver")
    iam.delete_group(GroupName="leavers")
    iam.delete_user(UserName="leaver")


def test_an_update_of_a_role_leaves_what_it_does_not_name(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    iam.create_role(RoleName="kept", AssumeRolePolicyDocument=TRUST, Description="mine")
    iam.update_role(RoleName="kept", MaxSessionDuration=7200)
    iam.update_role(RoleName="kept")
    role = iam.get_role(RoleName="kept")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("mine", 7200)
    for operation in ("get_role", "update_role", "delete_role"):
        told = refused(getattr(iam, operation), RoleName="none")
        assert told == ("NoSuchEntity", "The role with name none cannot be found.")
    told = refused(iam.get_role_policy, RoleName="kept", PolicyName="none")
    assert told == ("NoSuchEntity", "The role policy with name none cannot be found.")


@pytest.mark.parametrize(
    "wrong", [{"RoleName": "two words"}, {"Path": "no-slash"}, {"MaxSessionDuration": 43201}]
)
def test_roles_that_iam_refuses(shared: Sandbox, wrong: dict[str, Any]) -> None:
    iam = as_sent(shared, "iam")
    params = {"RoleName": "odd", "AssumeRolePolicyDocument": TRUST, **wrong}
    code, text = refused(iam.create_role, **params)
    assert code == "ValidationError"
    assert text.startswith("1 validation error detected: Value ")


def long_policy(size: int) -> str:
    """A policy of at least so many characters, white space not counted."""
    return document(*(allow("s3:ListBucket", "*", Sid=f"{number:060}") for number in range(size // 100)))


def test_policies_have_a_size_without_their_white_space(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    iam.create_role(RoleName="long", AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName="long")
    role, user = {"RoleName": "long"}, {"UserName": "long"}
    iam.put_role_policy(PolicyName="a", PolicyDocument=long_policy(5000) + " " * 20_000, **role)
    iam.put_role_policy(PolicyName="a", PolicyDocument=long_policy(5000), **role)
    told = refused(iam.put_role_policy, PolicyName="b", PolicyDocument=long_policy(5000), **role)
    assert told == ("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role long")
    told = refused(iam.put_user_policy, PolicyName="b", PolicyDocument=long_policy(3000), **user)
    assert told == ("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user long")
    told = refused(iam.create_policy, PolicyName="long", PolicyDocument=long_policy(7000))
    assert told == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
    trust = document(
        *(
            {
                "Sid": f"{number:060}",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": service("ec2"),
            }
            for number in range(20)
        )
    )
    told = refused(iam.update_assume_role_policy, PolicyDocument=trust, **role)
    assert told == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")


def test_a_role_has_ten_attached_policies(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    iam.create_role(RoleName="full", AssumeRolePolicyDocument=TRUST)
    made = [iam.create_policy(PolicyName=f"n{n}", PolicyDocument=POLICY)["Policy"]["Arn"] for n in range(11)]
    for arn in (*made[:10], made[0]):
        iam.attach_role_policy(RoleName="full", PolicyArn=arn)
    told = refused(iam.attach_role_policy, RoleName="full", PolicyArn=made[10])
    assert told == ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Colour", "red", "AttributeName"),
        (
            "RawMessageDelivery",
            "maybe",
            "RawMessageDelivery: Invalid value [maybe]. Must be true or false.",
        ),
        (
            "RedrivePolicy",
            '{"deadLetterTargetArn": "x"}',
            "RedrivePolicy: deadLetterTargetArn is an invalid arn",
        ),
        ("RedrivePolicy", "{x", "RedrivePolicy: failed to parse JSON."),
        ("FilterPolicy", "{x", "FilterPolicy: failed to parse JSON."),
    ],
)
def test_attributes_of_subscriptions_that_sns_refuses(
    shared: Sandbox, name: str, value: str, text: str
) -> None:
    sns = client(shared, "sns", SECURITY)
    topic = make_topic(shared, "told", SECURITY)
    endpoint = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": INBOX}
    told = refused(sns.subscribe, Attributes={name: value}, **endpoint)
    assert told == ("InvalidParameter", f"Invalid parameter: Attributes Reason: {text}")
    arn = sns.subscribe(**endpoint)["SubscriptionArn"]
    told = refused(
        sns.set_subscription_attributes, SubscriptionArn=arn, AttributeName=name, AttributeValue=value
    )
    assert told == ("InvalidParameter", f"Invalid parameter: {text}")


def test_an_endpoint_is_not_subscribed_twice_with_other_attributes(shared: Sandbox) -> None:
    sns = client(shared, "sns", SECURITY)
    endpoint = {"TopicArn": make_topic(shared, "once", SECURITY), "Protocol": "sqs", "Endpoint": INBOX}
    raw, plain = {"RawMessageDelivery": "true"}, {"RawMessageDelivery": "false"}
    arn = sns.subscribe(Attributes=raw, **endpoint)["SubscriptionArn"]
    text = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    assert refused(sns.subscribe, Attributes=plain, **endpoint) == ("InvalidParameter", text)
    assert sns.subscribe(Attributes=raw, **endpoint)["SubscriptionArn"] == arn
    assert sns.subscribe(**endpoint)["SubscriptionArn"] == arn


def test_a_bus_with_rules_stays_and_an_archive_s_own_rule_does_not_count(shared: Sandbox) -> None:
    events = client(shared, "events", PROD)
    bus = events.create_event_bus(Name="ruled")["EventBusArn"]
    events.put_rule(Name="r", EventBusName="ruled", EventPattern='{"source": ["a"]}')
    told = refused(events.delete_event_bus, Name="ruled")
    assert told == ("ValidationException", "EventBus can't be deleted since it has rules.")
    events.delete_rule(Name="r", EventBusName="ruled")
    events.create_archive(ArchiveName="of-it", EventSourceArn=bus)
    events.delete_event_bus(Name="ruled")


def test_a_key_for_codes_does_nothing_else(shared: Sandbox) -> None:
    kms = as_sent(shared, "kms")
    text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    assert refused(kms.create_key, KeySpec="HMAC_256") == ("ValidationException", text)
    made = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    assert (made["MacAlgorithms"], "EncryptionAlgorithms" in made) == (["HMAC_SHA_256"], False)
    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["MacAlgorithms"] == ["HMAC_SHA_256"]
    message = {"KeyId": made["KeyId"], "Message": b"x"}
    told = refused(kms.generate_mac, MacAlgorithm="HMAC_SHA_512", **message)
    text = "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256."
    assert told == ("InvalidKeyUsageException", text)
    mac = kms.generate_mac(MacAlgorithm="HMAC_SHA_256", **message)["Mac"]
    assert kms.verify_mac(MacAlgorithm="HMAC_SHA_256", Mac=mac, **message)["MacValid"]
    assert refused(kms.enable_key_rotation, KeyId=made["KeyId"])[0] == "UnsupportedOperationException"


def test_a_key_s_policy_needs_no_name(shared: Sandbox) -> None:
    kms = client(shared, "kms", PROD)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    root = f"arn:aws:iam::{PROD}:root"
    kms.put_key_policy(KeyId=key, Policy=document(allow("kms:*", "*", Principal={"AWS": root})))
    told = kms.get_key_policy(KeyId=key)
    assert told["PolicyName"] == "default"
    assert json.loads(told["Policy"])["Statement"][0]["Principal"] == {"AWS": root}
    assert refused(kms.get_key_policy, KeyId=key, PolicyName="mine")[0] == "NotFoundException"


def test_a_key_policy_does_not_lock_its_caller_out(shared: Sandbox) -> None:
    kms = client(shared, "kms", PROD)
    only_sns = document(allow("kms:*", "*", Principal=service("sns")))
    text = "The new key policy will not allow you to update the key policy in the future."
    locked_out = ("MalformedPolicyDocumentException", text)
    assert refused(kms.create_key, Policy=only_sns) == locked_out
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    assert refused(kms.put_key_policy, KeyId=key, Policy=only_sns) == locked_out
    root = allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{PROD}:root"})
    no_change = {"Effect": "Deny", "Action": "kms:Put*", "Resource": "*", "Principal": "*"}
    assert refused(kms.put_key_policy, KeyId=key, Policy=document(root, no_change)) == locked_out
    kms.put_key_policy(KeyId=key, Policy=document(root))
    kms.put_key_policy(KeyId=key, Policy=only_sns, BypassPolicyLockoutSafetyCheck=True)


def test_a_secret_that_is_to_go_holds_its_name_and_says_nothing(shared: Sandbox) -> None:
    secrets = client(shared, "secretsmanager", PROD)
    arn = secrets.create_secret(Name="going", SecretString="a")["ARN"]
    assert secrets.list_secret_version_ids(SecretId="going")["ARN"] == arn
    secrets.delete_secret(SecretId="going", RecoveryWindowInDays=7)
    text = "You can't create this secret because a secret with this name is already scheduled for deletion."
    assert refused(secrets.create_secret, Name="going", SecretString="b") == ("InvalidRequestException", text)
    text = "You can't perform this operation on the secret because it was marked for deletion."
    for name in ("going", arn):
        assert refused(secrets.get_secret_value, SecretId=name) == ("InvalidRequestException", text)
        told = refused(secrets.put_secret_value, SecretId=name, SecretString="b")
        assert told == ("InvalidRequestException", text)
    secrets.restore_secret(SecretId="going")
    assert secrets.get_secret_value(SecretId="going")["SecretString"] == "a"
    assert refused(secrets.create_secret, Name="two words", SecretString="b")[0] == "ValidationException"


@pytest.mark.parametrize("name", ["Upper", "under_score", "two..dots", "-first"])
def test_buckets_have_names_of_hosts(shared: Sandbox, name: str) -> None:
    s3 = as_sent(shared, "s3")
    told = refused(s3.create_bucket, Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
    assert told == ("InvalidBucketName", "The specified bucket is not valid.")


def test_a_bucket_s_policy_has_statements(shared: Sandbox) -> None:
    s3 = client(shared, "s3", PROD)
    s3.create_bucket(Bucket="of-policies", CreateBucketConfiguration={"LocationConstraint": HOME})
    told = refused(s3.put_bucket_policy, Bucket="of-policies", Policy="{}")
    assert told == ("MalformedPolicy", "Missing required field Statement")
    assert refused(s3.put_bucket_policy, Bucket="of-policies", Policy="{")[0] == "MalformedPolicy"


def test_a_permission_is_given_once_and_a_function_has_fifteen_minutes(shared: Sandbox) -> None:
    functions = as_sent(shared, "lambda")
    role = make_role(shared, "runs", PROD, "lambda")
    shared.settle(60)
    make_function(shared, "once", PROD, role, CODE)
    grant = {"FunctionName": "once", "StatementId": "s", "Action": "lambda:InvokeFunction"}
    functions.add_permission(Principal="sns.amazonaws.com", **grant)
    text = (
        "The statement id (s) provided already exists. "
        "Please provide a new statement id, or remove the existing statement."
    )
    told = refused(functions.add_permission, Principal="events.amazonaws.com", **grant)
    assert told == ("ResourceConflictException", text)
    told = refused(functions.update_function_configuration, FunctionName="once", Timeout=901)
    assert told[0] == "ValidationException"
