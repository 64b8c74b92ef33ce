"""S3: what a new bucket has by itself, and what that forbids.

Sources: S3 user guide, "Setting default server-side encryption behavior" (SSE-S3 always, also after
DeleteBucketEncryption), "Controlling ownership of objects and disabling ACLs" (BucketOwnerEnforced: only
bucket-owner-full-control is taken), "Blocking public access" (on for new buckets; what a public policy is),
"Configuring S3 Object Lock" (also of buckets that hold objects, where versions are kept; never off again), "General
purpose bucket naming rules"; API reference, PutObject (AccessControlListNotSupported), CreateBucket
(InvalidBucketAclWithObjectOwnership), GetObjectLockConfiguration (ObjectLockConfigurationNotFoundError).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.s3.models import PublicAccessBlock

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.conditions import as_list
from orgmon.sandbox.policy import statements
from orgmon.sandbox.world import World

_ENFORCED = "BucketOwnerEnforced"
_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FULL_CONTROL = "bucket-owner-full-control"
# Keys that narrow a statement for everybody down, where their values are fixed.
_NARROWING = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)


def install(world: World) -> None:
    """Give every bucket its defaults before anybody asks for them, and refuse what they forbid."""
    repairs = _Buckets(world)
    world.operations.register("s3", "DeleteBucketEncryption", repairs.delete_encryption)
    world.operations.register("s3", "PutObjectLockConfiguration", repairs.lock)
    world.operations.register("s3", "GetObjectLockConfiguration", repairs.lock_of)
    world.before.append(repairs.settle)


class _Buckets:
    def __init__(self, world: World) -> None:
        self._world = world

    def settle(self, call: Call) -> None:
        """A hook: moto's bucket is furnished at the first call that names it after its creation."""
        if call.service != "s3" or "Bucket" not in call.params:
            return
        if call.operation == "CreateBucket":
            _check_creation(call.params)
            return
        bucket = self._bucket(str(call.params["Bucket"]))
        if bucket is not None:
            _furnish(bucket)
            _check(bucket, call)

    def delete_encryption(self, call: Call) -> dict[str, Any]:
        """Back to the encryption that every bucket has."""
        self._existing(call).encryption = _sse_s3()
        return {}

    def lock(self, call: Call) -> dict[str, Any]:
        """Object Lock, and for how long new objects are kept. moto takes it for buckets without objects only."""
        bucket = self._existing(call)
        if not bucket.is_versioned:
            text = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
            raise Refusal("InvalidBucketState", text, 409)
        wanted = call.params["ObjectLockConfiguration"]
        retention = wanted.get("Rule", {}).get("DefaultRetention", {})
        bucket.object_lock_enabled = True
        bucket.default_lock_mode = retention.get("Mode")
        bucket.default_lock_days = int(retention.get("Days") or 0)
        bucket.default_lock_years = int(retention.get("Years") or 0)
        return {}

    def lock_of(self, call: Call) -> dict[str, Any]:
        """The same as it was put."""
        bucket = self._existing(call)
        if not bucket.object_lock_enabled:
            text = "Object Lock configuration does not exist for this bucket"
            raise Refusal("ObjectLockConfigurationNotFoundError", text, 404)
        period = {"Days": bucket.default_lock_days} if bucket.default_lock_days else {}
        period |= {"Years": bucket.default_lock_years} if bucket.default_lock_years else {}
        retention = {"DefaultRetention": {"Mode": bucket.default_lock_mode, **period}}
        rule = {"Rule": retention} if bucket.default_lock_mode else {}
        return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}

    def _existing(self, call: Call) -> Any:
        bucket = self._bucket(str(call.params["Bucket"]))
        if bucket is None:
            raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
        return bucket

    def _bucket(self, name: str) -> Any | None:
        owner = self._world.stores.bucket_owner(name)
        return self._world.stores.find("s3", owner, "aws", "buckets", name) if owner else None


def _furnish(bucket: Any) -> None:
    if getattr(bucket, "is_furnished", False):
        return
    bucket.is_furnished = True
    bucket.encryption = bucket.encryption or _sse_s3()
    bucket.ownership_rule = bucket.ownership_rule or _ENFORCED
    bucket.public_access_block = bucket.public_access_block or PublicAccessBlock(True, True, True, True)


def _sse_s3() -> dict[str, Any]:
    default = {"SSEAlgorithm": "AES256"}
    return {"Rule": {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": "false"}}


def _check_creation(params: Mapping[str, Any]) -> None:
    if not _NAME.fullmatch(str(params["Bucket"])):
        raise Refusal("InvalidBucketName", "The specified bucket is not valid.")
    acl = params.get("ACL", "private")
    if acl not in ("private", _FULL_CONTROL) and params.get("ObjectOwnership", _ENFORCED) == _ENFORCED:
        text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise Refusal("InvalidBucketAclWithObjectOwnership", text)


def _check(bucket: Any, call: Call) -> None:
    suspends = call.operation == "PutBucketVersioning" and _status(call) == "Suspended"
    if suspends and bucket.object_lock_enabled:
        text = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise Refusal("InvalidBucketState", text, 409)
    block = bucket.public_access_block
    sets_acl = call.operation in ("PutBucketAcl", "PutObjectAcl") or "ACL" in call.params
    if sets_acl and bucket.ownership_rule == _ENFORCED and call.params.get("ACL") != _FULL_CONTROL:
        raise Refusal("AccessControlListNotSupported", "The bucket does not allow ACLs")
    if sets_acl and block and block.block_public_acls and _is_public_acl(call.params):
        raise Refusal("AccessDenied", "Access Denied", 403)
    if call.operation == "PutBucketPolicy":
        _check_policy(str(call.params["Policy"]))
        is_closed = block and block.block_public_policy
        if is_closed and any(_is_public(each) for each in statements(call.params["Policy"])):
            raise Refusal("AccessDenied", "Access Denied", 403)


def _check_policy(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError as problem:
        raise Refusal("MalformedPolicy", "This policy contains invalid Json") from problem
    if not isinstance(document, dict) or "Statement" not in document:
        raise Refusal("MalformedPolicy", "Missing required field Statement")


def _status(call: Call) -> str:
    return str(call.params.get("VersioningConfiguration", {}).get("Status", ""))


def _is_public_acl(params: Mapping[str, Any]) -> bool:
    return str(params.get("ACL", "")).startswith(("public-", "authenticated-"))


def _is_public(statement: Mapping[str, Any]) -> bool:
    """True if the statement allows something to everybody, whoever and from wherever he is."""
    principal = statement.get("Principal")
    names = principal.get("AWS", []) if isinstance(principal, Mapping) else principal
    if statement.get("Effect") != "Allow" or "*" not in as_list(names):
        return False
    tests = (statement.get("Condition") or {}).values()
    fixed = (
        key.lower()
        for test in tests
        for key, values in test.items()
        if not any("*" in str(value) or "${" in str(value) for value in as_list(values))
    )
    return not any(key in _NARROWING for key in fixed)
