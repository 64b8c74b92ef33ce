"""The door to moto's stores: where the state of the services is, and the few look-ups that authorisation needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict


class Stores:
    """moto's backends. They are one set per process, so only one World can be alive at a time."""

    def reset(self) -> None:
        """Forget everything that moto knows."""
        BackendDict.reset()
        get_backend("s3").bucket_accounts.clear()

    def of(self, service: str, account: str, region: str) -> Any:
        """moto's backend of a service; services without Regions have one for the partition."""
        backends: Any = get_backend(service)[account]
        return backends[region] if region in backends else backends["aws"]

    def find(self, service: str, account: str, region: str, table: str, key: str) -> Any | None:
        """An entry of one of a backend's tables (an attribute that is a dictionary), or None.

        There is none either where account or Region are not what an ARN of the service can name.
        """
        if not self._is_place(service, account, region):
            return None
        entries = getattr(self.of(service, account, region), table)
        return entries[key] if key in entries else None  # noqa: SIM401 (a secret store's get lacks the default)

    def _is_place(self, service: str, account: str, region: str) -> bool:
        if not account.isdigit():
            return False
        backends = get_backend(service)[account]
        return region in backends or "aws" in backends

    def everywhere(self, service: str, account: str = "") -> Iterator[tuple[str, str, Any]]:
        """Every account, Region and backend of a service that has been used so far; of one account if it is given."""
        backends = get_backend(service)
        owners = ([account] if account in backends else []) if account else list(backends)
        for owner in owners:
            for region, backend in list(backends[owner].items()):
                yield owner, region, backend

    def bucket_owner(self, bucket: str) -> str:
        """The account that owns a bucket of this name, anywhere; an empty string if there is none."""
        owner = get_backend("s3").bucket_accounts.get(bucket)
        return str(owner[1]) if owner else ""

    def key_of_alias(self, account: str, region: str, alias: str) -> str:
        """``key/ID`` of the KMS key behind ``alias/NAME``, or an empty string."""
        keys = self.of("kms", account, region).keys if self._is_place("kms", account, region) else {}
        return next((f"key/{key_id}" for key_id, key in list(keys.items()) if alias in key.aliases), "")

    def iam(self, account: str) -> Any:
        """moto's IAM of an account."""
        return self.of("iam", account, "aws")

    def role(self, role_arn: str) -> Any | None:
        """The IAM role with this ARN (path included), or None."""
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
        if not account.isdigit():
            return None
        return next((role for role in list(self.iam(account).roles.values()) if role.arn == role_arn), None)

    def role_named(self, account: str, name: str) -> Any | None:
        """The IAM role of an account with this name, whatever its path, or None."""
        return next((role for role in list(self.iam(account).roles.values()) if role.name == name), None)

    def iam_path(self, account: str, kind: str, name: str) -> str:
        """The path of a role, user or group, or an empty string if there is none of that name."""
        iam = self.iam(account)
        if kind == "role":
            entity = self.role_named(account, name)
        else:
            entity = (iam.users if kind == "user" else iam.groups).get(name)
        return str(entity.path) if entity else ""

    def resource_policy(self, arn: str) -> Any | None:
        """The policy document that is attached to the resource itself, or None."""
        parts = arn.split(":", 5)
        if len(parts) < 6:
            return None
        _, _, service, region, account, local = parts
        if service == "s3":
            bucket = local.split("/", 1)[0]
            owner = self.bucket_owner(bucket)
            return self.of("s3", owner, "aws").buckets[bucket].policy if owner else None
        if service == "iam":
            role = self.role(arn) if local.startswith("role/") else None
            return role.assume_role_policy_document if role else None
        return self._regional_policy(service, account, region, local, arn) if account.isdigit() else None

    def _regional_policy(self, service: str, account: str, region: str, local: str, arn: str) -> Any | None:
        if service == "sqs":
            queue = self.find("sqs", account, region, "queues", local)
            return queue.policy if queue else None
        if service == "sns":
            topic = self.find("sns", account, region, "topics", ":".join(arn.split(":")[:6]))
            return topic.policy if topic else None
        if service == "secretsmanager":
            secret = self.find("secretsmanager", account, region, "secrets", arn)
            return secret.policy if secret else None
        if service == "kms":
            key = self.find("kms", account, region, "keys", local.removeprefix("key/"))
            return key.policy if key else None
        if service == "events" and local.startswith("event-bus/"):
            bus = self.find("events", account, region, "event_buses", local.removeprefix("event-bus/"))
            return bus.policy if bus else None
        return self._function_policy(arn) if service == "lambda" else None

    def function(self, arn: str) -> Any | None:
        """The Lambda function of this ARN (a version or alias at its end is ignored), or None."""
        parts = arn.split(":")
        if len(parts) < 7 or parts[2] != "lambda" or not self._is_place("lambda", parts[4], parts[3]):
            return None
        functions = self.of("lambda", parts[4], parts[3]).list_functions()
        return next((each for each in functions if each.function_name == parts[6]), None)

    def _function_policy(self, arn: str) -> Any | None:
        function = self.function(arn)
        if function is None or not function.policy.statements:
            return None
        document: dict[str, Any] = json.loads(function.policy.wire_format())
        return document["Policy"]
