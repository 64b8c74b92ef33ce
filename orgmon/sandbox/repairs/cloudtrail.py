"""CloudTrail: what CreateTrail and UpdateTrail check at AWS, and moto does not.

Source: CloudTrail user guide, "Create S3 bucket policy for CloudTrail", "Configure AWS KMS key policies",
"Creating a trail for an organization"; API reference, CreateTrail (errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Call, Principal, Refusal, role_session, service_principal
from orgmon.sandbox.policies.links import Source
from orgmon.sandbox.policy import Decision
from orgmon.sandbox.world import World

SERVICE = "cloudtrail.amazonaws.com"
_ACL = {"s3:x-amz-acl": "bucket-owner-full-control"}


def install(world: World) -> None:
    """Check every CreateTrail and UpdateTrail before moto sees it."""
    world.before.append(TrailChecks(world))


@dataclass(frozen=True)
class TrailChecks:
    """A hook: raises Refusal with CloudTrail's error for a trail that could not deliver."""

    world: World

    def __call__(self, call: Call) -> None:
        """Look at the two calls that make and change trails; others pass."""
        if call.service != "cloudtrail" or call.operation not in ("CreateTrail", "UpdateTrail"):
            return
        trail = self._existing(call)
        if call.operation == "CreateTrail" and trail:
            raise Refusal("TrailAlreadyExistsException", f"Trail {trail.trail_name} already exists")
        params = {**_settings(trail), **call.params} if trail else call.params
        self._check_organization(call, params)
        self._check_bucket(call, params)
        self._check_key(call, params)
        self._check_log_group(call, params)

    def _existing(self, call: Call) -> Any | None:
        store = self.world.store("cloudtrail", call.account, call.region)
        name = str(call.params.get("Name", "")).rsplit("/", 1)[-1]
        return store.trails.get(name)

    def _arn(self, call: Call) -> str:
        name = str(call.params.get("Name", "")).rsplit("/", 1)[-1]
        return f"arn:aws:cloudtrail:{call.region}:{call.account}:trail/{name}"

    def _check_organization(self, call: Call, params: dict[str, Any]) -> None:
        if not params.get("IsOrganizationTrail"):
            return
        organization = self.world.organization
        if call.account != organization.management_account and not organization.settings.is_delegated(
            call.account, SERVICE
        ):
            raise Refusal(
                "NotOrganizationMasterAccountException",
                "Only the management account or a delegated administrator can create an organization trail.",
            )
        if SERVICE not in organization.settings.service_access:
            raise Refusal(
                "CloudTrailAccessNotEnabledException",
                "Trusted access of cloudtrail.amazonaws.com with AWS Organizations is not enabled.",
            )

    def _check_bucket(self, call: Call, params: dict[str, Any]) -> None:
        bucket = str(params.get("S3BucketName", ""))
        if not self.world.stores.bucket_owner(bucket):
            raise Refusal("S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!")
        arn = f"arn:aws:s3:::{bucket}"
        prefix = f"{params['S3KeyPrefix']}/" if params.get("S3KeyPrefix") else ""
        owners = [call.account]
        if params.get("IsOrganizationTrail"):
            owners.append(self.world.organization.org_id)
        needed: list[tuple[str, str, dict[str, str]]] = [("s3:GetBucketAcl", arn, {})]
        needed += [("s3:PutObject", f"{arn}/{prefix}AWSLogs/{owner}/x", _ACL) for owner in owners]
        for action, resource, more in needed:
            if not self._service_may(call, action, resource, arn, "bucket", more):
                text = f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
                raise Refusal("InsufficientS3BucketPolicyException", text)

    def _check_key(self, call: Call, params: dict[str, Any]) -> None:
        key = str(params.get("KmsKeyId") or "")
        if not key:
            return
        arn = self._key_arn(call, key)
        if self.world.stores.resource_policy(arn) is None:
            raise Refusal("KmsKeyNotFoundException", f"KMS key {key} does not exist")
        actions = ["kms:GenerateDataKey", "kms:DescribeKey"]
        if self._uses_bucket_key(str(params.get("S3BucketName", ""))):
            actions.append("kms:Decrypt")
        for action in actions:
            encrypts = {"kms:EncryptionContext:aws:cloudtrail:arn": self._arn(call)}
            more = {} if action == "kms:DescribeKey" else encrypts
            if not self._service_may(call, action, arn, arn, "trail", more):
                bucket = params.get("S3BucketName")
                text = f"Insufficient permissions to access S3 bucket {bucket} or KMS key {arn}."
                raise Refusal("InsufficientEncryptionPolicyException", text)

    def _uses_bucket_key(self, bucket: str) -> bool:
        store = self.world.store("s3", self.world.stores.bucket_owner(bucket), self.world.seed.home_region)
        rule = (store.buckets[bucket].encryption or {}).get("Rule") or {}
        return str(rule.get("BucketKeyEnabled")).lower() == "true"

    def _key_arn(self, call: Call, key: str) -> str:
        """The ARN of a key that is named by id, ARN or alias."""
        prefix = f"arn:aws:kms:{call.region}:{call.account}:"
        local = key.split(":", 5)[5] if key.startswith("arn:") else key
        if key.startswith("arn:"):
            prefix = key[: len(key) - len(local)]
        if local.startswith("alias/"):
            _, _, _, region, account, _ = prefix.split(":")
            return prefix + self.world.stores.key_of_alias(account, region, local)
        return prefix + (local if local.startswith("key/") else f"key/{local}")

    def _check_log_group(self, call: Call, params: dict[str, Any]) -> None:
        group = str(params.get("CloudWatchLogsLogGroupArn") or "")
        role_arn = str(params.get("CloudWatchLogsRoleArn") or "")
        if not group and not role_arn:
            return
        parts = group.split(":")
        known = (
            len(parts) >= 7 and parts[4] == call.account and self._has_group(call.account, parts[3], parts[6])
        )
        if not known:
            text = "CloudTrail cannot validate the specified log group ARN."
            raise Refusal("InvalidCloudWatchLogsLogGroupArnException", text)
        role = self.world.stores.role(role_arn)
        known = role is not None and not self.world.propagation.is_under_way(str(role.id))
        if not known or not self._trusts(role, call):
            text = "Access denied. Check the trust relationships for your role."
            raise Refusal("InvalidCloudWatchLogsRoleArnException", text)
        self._check_writing(call, role_session(role_arn, "CloudTrail"), ":".join(parts[:7]))

    def _has_group(self, account: str, region: str, name: str) -> bool:
        return name in self.world.store("logs", account, region).groups

    def _trusts(self, role: Any, call: Call) -> bool:
        decision = self.world.policies.allowed_by_resource(
            role.assume_role_policy_document,
            service_principal(SERVICE, call.account),
            "sts:AssumeRole",
            role.arn,
            self._context(call, "sts:AssumeRole", "role"),
        )
        return decision is Decision.ALLOW

    def _context(self, call: Call, action: str, kind: str) -> dict[str, str]:
        return self.world.links.of("cloudtrail", action, kind, Source(self._arn(call), call.account))

    def _check_writing(self, call: Call, session: Principal, group: str) -> None:
        stream = f"{group}:log-stream:{call.account}_CloudTrail_{call.region}"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            if self.world.policies.allowed_by_identity(session, action, stream) is not Decision.ALLOW:
                text = "Access denied. Check the permissions for your role."
                raise Refusal("InvalidCloudWatchLogsLogGroupArnException", text)

    def _service_may(
        self, call: Call, action: str, resource: str, owner: str, kind: str, more: dict[str, str]
    ) -> bool:
        """Whether the policy of ``owner`` (a bucket's or key's ARN) lets CloudTrail do that."""
        document = self.world.stores.resource_policy(owner)
        context = {**self._context(call, action, kind), **more}
        decision = self.world.policies.allowed_by_resource(
            document, service_principal(SERVICE), action, resource, context
        )
        return decision is Decision.ALLOW


def _settings(trail: Any) -> dict[str, Any]:
    """What a trail has so far, under the names of the API."""
    return {
        "S3BucketName": trail.bucket_name,
        "S3KeyPrefix": trail.s3_key_prefix,
        "IsOrganizationTrail": trail.is_org_trail,
        "KmsKeyId": trail.kms_key_id,
        "CloudWatchLogsLogGroupArn": trail.cw_log_group_arn,
        "CloudWatchLogsRoleArn": trail.cw_role_arn,
    }
