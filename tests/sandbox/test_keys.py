"""KMS: what a key's state allows, and what its metadata says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import HOME, PROD
from tests.sandbox.services import client

USES: dict[str, dict[str, Any]] = {
    "encrypt": {"Plaintext": b"x"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "generate_data_key_without_plaintext": {"KeySpec": "AES_256"},
    "enable_key_rotation": {},
    "create_grant": {"GranteePrincipal": f"arn:aws:iam::{PROD}:root", "Operations": ["Decrypt"]},
}
CHANGES: dict[str, dict[str, Any]] = {
    "enable_key": {},
    "disable_key": {},
    "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "untag_resource": {"TagKeys": ["a"]},
    "update_key_description": {"Description": "d"},
    "schedule_key_deletion": {},
}


def new_key(sandbox: Sandbox) -> tuple[Any, str, str]:
    """The client, and the id and ARN of a fresh key."""
    kms = client(sandbox, "kms", PROD)
    made = kms.create_key()["KeyMetadata"]
    return kms, made["KeyId"], made["Arn"]


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """The code and text with which KMS refuses a call."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.mark.parametrize("operation", USES)
def test_a_disabled_key_serves_nobody(shared: Sandbox, operation: str) -> None:
    kms, key, arn = new_key(shared)
    kms.disable_key(KeyId=key)
    told = refused(getattr(kms, operation), KeyId=key, **USES[operation])
    assert told == ("DisabledException", f"{arn} is disabled.")
    kms.enable_key(KeyId=key)
    getattr(kms, operation)(KeyId=key, **USES[operation])


def test_what_was_encrypted_needs_its_key(shared: Sandbox) -> None:
    kms, key, arn = new_key(shared)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert refused(kms.decrypt, CiphertextBlob=blob)[0] == "DisabledException"
    assert refused(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=other)[1] == f"{arn} is disabled."


@pytest.mark.parametrize("operation", [*USES, *CHANGES])
def test_a_key_that_is_about_to_go_takes_no_work_and_no_change(shared: Sandbox, operation: str) -> None:
    kms, key, arn = new_key(shared)
    kms.schedule_key_deletion(KeyId=key)
    told = refused(
        getattr(kms, operation), KeyId=key, **USES.get(operation, {}), **CHANGES.get(operation, {})
    )
    assert told == ("KMSInvalidStateException", f"{arn} is pending deletion.")


def test_a_key_s_policy_can_be_read_and_put_whatever_its_state(shared: Sandbox) -> None:
    kms, key, _ = new_key(shared)
    kms.schedule_key_deletion(KeyId=key)
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_deletion_is_told_with_its_date_and_taken_back(shared: Sandbox) -> None:
    kms, key, arn = new_key(shared)
    shared.settle(3 * 86400)
    told = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (told["KeyId"], told["KeyState"], told["PendingWindowInDays"]) == (arn, "PendingDeletion", 7)
    left = told["DeletionDate"] - shared.world.clock.now()
    assert timedelta(days=7, minutes=-1) < left <= timedelta(days=7)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["DeletionDate"] == told["DeletionDate"]
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == arn
    assert refused(kms.cancel_key_deletion, KeyId=key)[0] == "KMSInvalidStateException"


def test_the_metadata_of_a_stack_s_key_is_complete(shared: Sandbox) -> None:
    policy = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": PROD}}
    key = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [policy]}},
    }
    cloudformation = client(shared, "cloudformation", PROD)
    cloudformation.create_stack(StackName="key", TemplateBody=json.dumps({"Resources": {"Key": key}}))
    shared.engine.background.wait()
    [made] = cloudformation.describe_stack_resources(StackName="key")["StackResources"]
    told = client(shared, "kms", PROD).describe_key(KeyId=made["PhysicalResourceId"])["KeyMetadata"]
    assert (told["KeyUsage"], told["MultiRegion"]) == ("ENCRYPT_DECRYPT", False)
    assert "SigningAlgorithms" not in told


@pytest.mark.parametrize("policy", ["{", "[]", "{}"])
def test_a_key_policy_must_be_one(shared: Sandbox, policy: str) -> None:
    kms, key, _ = new_key(shared)
    assert refused(kms.create_key, Policy=policy)[0] == "MalformedPolicyDocumentException"
    put = refused(kms.put_key_policy, KeyId=key, PolicyName="default", Policy=policy)
    assert put[0] == "MalformedPolicyDocumentException"


def test_an_alias_stands_for_its_key(shared: Sandbox) -> None:
    kms, key, arn = new_key(shared)
    kms.create_alias(AliasName="alias/sleeping", TargetKeyId=key)
    kms.disable_key(KeyId=key)
    for name in ("alias/sleeping", f"arn:aws:kms:{HOME}:{PROD}:alias/sleeping", arn):
        assert refused(kms.encrypt, KeyId=name, Plaintext=b"x")[1] == f"{arn} is disabled."
