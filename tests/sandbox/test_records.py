"""Parameters and results as records have them, call by call: the expected ones are those of recorded events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orgmon.sandbox.assembly import Sandbox, assemble
from orgmon.sandbox.calls import Call, root_of
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.trail import values
from tests.sandbox.conftest import HOME, PROD, SEED
from tests.sandbox.services import client


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One sandbox for all of these."""
    with assemble(SEED, clock=Clock(speed=0)) as made:
        yield made
        assert made.world.hook_errors == []


def last(shared: Sandbox, name: str, region: str = HOME) -> dict[str, Any]:
    return [each for each in shared.trail.records(PROD, region) if each["eventName"] == name][-1]


def call_of(shared: Sandbox, service: str, operation: str, response: Any = None, **params: Any) -> Call:
    now = shared.world.clock.now()
    call = Call(service, operation, HOME, PROD, root_of(PROD), params, "a-request", now)
    call.response = response
    return call


ADDED = {"add": {"items": [{"userId": "111122223333"}]}}


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        (
            "ModifySnapshotAttribute",
            {"SnapshotId": "snap-1", "CreateVolumePermission": {"Add": [{"UserId": "111122223333"}]}},
            {
                "snapshotId": "snap-1",
                "createVolumePermission": ADDED,
                "attributeType": "CREATE_VOLUME_PERMISSION",
            },
        ),
        (
            "ModifySnapshotAttribute",
            {
                "SnapshotId": "snap-1",
                "Attribute": "createVolumePermission",
                "OperationType": "add",
                "UserIds": ["111122223333"],
            },
            {
                "snapshotId": "snap-1",
                "createVolumePermission": ADDED,
                "attributeType": "CREATE_VOLUME_PERMISSION",
            },
        ),
        (
            "ModifyImageAttribute",
            {"ImageId": "ami-1", "LaunchPermission": {"Add": [{"UserId": "111122223333"}]}},
            {"imageId": "ami-1", "launchPermission": ADDED, "attributeType": "launchPermission"},
        ),
        (
            "AuthorizeSecurityGroupIngress",
            {"GroupId": "sg-1", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"},
            {
                "groupId": "sg-1",
                "ipProtocol": "tcp",
                "fromPort": 22,
                "toPort": 22,
                "cidrIp": "0.0.0.0/0",
                "ipPermissions": {},
            },
        ),
        (
            "StopInstances",
            {"InstanceIds": ["i-1"], "Force": True},
            {"force": True, "instancesSet": {"items": [{"instanceId": "i-1"}]}},
        ),
        (
            "DeleteFlowLogs",
            {"FlowLogIds": ["fl-1"]},
            {"DeleteFlowLogsRequest": {"FlowLogId": {"content": "fl-1", "tag": 1}}},
        ),
    ],
)
def test_parameters_of_ec2(
    shared: Sandbox, operation: str, params: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert values.parameters(call_of(shared, "ec2", operation, **params)) == expected


def test_a_rule_of_a_security_group_has_all_its_lists(shared: Sandbox) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    call = call_of(shared, "ec2", "AuthorizeSecurityGroupIngress", GroupId="sg-1", IpPermissions=[rule])
    assert values.parameters(call) == {
        "groupId": "sg-1",
        "ipPermissions": {
            "items": [
                {
                    "ipProtocol": "tcp",
                    "fromPort": 22,
                    "toPort": 22,
                    "groups": {},
                    "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
                    "ipv6Ranges": {},
                    "prefixListIds": {},
                }
            ]
        },
    }


def test_results_of_ec2_are_named_as_in_its_answers(shared: Sandbox) -> None:
    ec2 = client(shared, "ec2", PROD)
    group = ec2.create_security_group(GroupName="web", Description="web")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8"
    )
    told = last(shared, "AuthorizeSecurityGroupIngress")
    assert told["responseElements"]["_return"] is True
    assert told["responseElements"]["requestId"] == told["requestID"]
    rule = told["responseElements"]["securityGroupRuleSet"]["items"][0]
    assert (rule["groupId"], rule["cidrIpv4"]) == (group, "10.0.0.0/8")
    ec2.delete_security_group(GroupId=group)
    assert last(shared, "DeleteSecurityGroup")["responseElements"]["_return"] is True


def test_a_shared_snapshot_is_recorded_as_its_detection_reads_it(shared: Sandbox) -> None:
    ec2 = client(shared, "ec2", PROD)
    volume = ec2.create_volume(AvailabilityZone=f"{HOME}a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=["111122223333"]
    )
    told = last(shared, "ModifySnapshotAttribute")
    assert told["requestParameters"]["attributeType"] == "CREATE_VOLUME_PERMISSION"
    assert told["responseElements"] == {"requestId": told["requestID"], "_return": True}


def test_generated_private_keys_stay_secret(shared: Sandbox) -> None:
    made = client(shared, "ec2", PROD).create_key_pair(KeyName="deploy")
    assert made["KeyMaterial"]
    assert "PRIVATE KEY" not in json.dumps(last(shared, "CreateKeyPair"))


def test_passwords_of_users_are_not_even_mentioned(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    iam.create_user(UserName="dave")
    iam.create_login_profile(UserName="dave", Password="correct horse", PasswordResetRequired=False)
    told = last(shared, "CreateLoginProfile", "us-east-1")
    assert told["requestParameters"] == {"userName": "dave", "passwordResetRequired": False}


def test_calls_on_buckets_tell_host_and_part_and_bucket(shared: Sandbox) -> None:
    s3 = client(shared, "s3", PROD)
    s3.create_bucket(Bucket="their-data", CreateBucketConfiguration={"LocationConstraint": HOME})
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{PROD}:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::their-data/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket="their-data", Policy=json.dumps(policy))
    told = last(shared, "PutBucketPolicy")
    assert told["requestParameters"] == {
        "Host": f"their-data.s3.{HOME}.amazonaws.com",
        "bucketName": "their-data",
        "bucketPolicy": policy,
        "policy": "",
    }
    bucket = {"accountId": PROD, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::their-data"}
    assert told["resources"] == [bucket]
    s3.delete_public_access_block(Bucket="their-data")
    assert last(shared, "DeleteBucketPublicAccessBlock")["requestParameters"]["publicAccessBlock"] == ""


def test_calls_on_keys_name_the_key(shared: Sandbox) -> None:
    kms = client(shared, "kms", PROD)
    made = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/k", TargetKeyId=made["KeyId"])
    kms.disable_key(KeyId=made["KeyId"])
    named = [{"accountId": PROD, "type": "AWS::KMS::Key", "ARN": made["Arn"]}]
    for name in ("CreateKey", "CreateAlias", "DisableKey"):
        assert last(shared, name)["resources"] == named
    kms.list_keys()
    assert "resources" not in last(shared, "ListKeys")


def test_new_code_tells_what_was_not_asked_for(shared: Sandbox) -> None:
    call = call_of(shared, "lambda", "UpdateFunctionCode", FunctionName="f", Publish=True, ZipFile=b"x")
    assert values.parameters(call) == {"functionName": "f", "dryRun": False, "publish": True}
