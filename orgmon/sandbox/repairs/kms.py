"""KMS: keys that are disabled or about to go serve nobody, and metadata is complete.

moto makes an RSA key for every symmetric key, too, which takes half of a stack's time and is never used. Sources: KMS
developer guide, "Key states of AWS KMS keys"; which operations a disabled key refuses: those whose model (botocore)
names DisabledException; KMS API reference, KeyMetadata, ScheduleKeyDeletion.
"""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from functools import cache
from typing import Any

import moto.kms.models
from moto.kms import utils

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.conditions import as_list
from orgmon.sandbox.models import operation_model
from orgmon.sandbox.repairs.key_names import check_alias, check_key
from orgmon.sandbox.world import World

_SYMMETRIC = "SYMMETRIC_DEFAULT"
_ENCRYPT = "ENCRYPT_DECRYPT"
_DAYS = 30
_FEWEST_DAYS = 7
_WINDOW = "PendingWindowInDays must be between 7 and 30, inclusive."
_KEYS = ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")
# Beyond those that a disabled key refuses.
_NOT_WHILE_PENDING = frozenset(
    {
        "CreateAlias",
        "DisableKey",
        "EnableKey",
        "ScheduleKeyDeletion",
        "TagResource",
        "UntagResource",
        "UpdateAlias",
        "UpdateKeyDescription",
    }
)


def install(world: World) -> None:
    """Let all symmetric keys share one unused RSA key (asymmetric keys still get their own), and do the rest.

    It replaces the function in moto's module, since a key makes its material in its constructor.
    """
    moto.kms.models.generate_private_key = _material
    states = _States(world)
    world.before.append(states.check)
    for name in ("CreateKey", "DescribeKey"):
        world.operations.amend("kms", name, states.complete)
    world.operations.register("kms", "EnableKey", states.enable)
    world.operations.register("kms", "DisableKey", states.enable)
    world.operations.amend("kms", "ScheduleKeyDeletion", states.scheduled)
    world.operations.amend("kms", "CancelKeyDeletion", states.cancelled)


class _States:
    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, call: Call) -> None:
        """Before a call: do the keys' states allow it, and can their policy be read?"""
        if call.service != "kms":
            return
        if "Policy" in call.params and not _is_policy(str(call.params["Policy"])):
            raise Refusal("MalformedPolicyDocumentException", "The key policy is no policy document.")
        needs_enabled = _needs_enabled(call.operation)
        self._check_names(call)
        for key in self._keys(call):
            if call.operation == "CancelKeyDeletion" and key.key_state != "PendingDeletion":
                raise Refusal("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
            if key.key_state == "Disabled" and needs_enabled:
                raise Refusal("DisabledException", f"{key.arn} is disabled.")
            if key.key_state == "PendingDeletion" and (needs_enabled or call.operation in _NOT_WHILE_PENDING):
                raise Refusal("KMSInvalidStateException", f"{key.arn} is pending deletion.")

    def _check_names(self, call: Call) -> None:
        for name in _KEYS:
            if call.params.get(name):
                check_key(call, str(call.params[name]), self._world.stores)
        if "AliasName" in call.params:
            check_alias(str(call.params["AliasName"]))
        if call.operation == "GenerateRandom" and "NumberOfBytes" not in call.params:
            raise Refusal("ValidationException", "NumberOfBytes is required.")
        days = int(call.params.get("PendingWindowInDays", _DAYS))
        if not _FEWEST_DAYS <= days <= _DAYS:
            raise Refusal("ValidationException", _WINDOW)
        if call.operation == "RetireGrant" and not _names_grant(call):
            raise Refusal("ValidationException", "Either a grant token, or a key and a grant, must be given.")

    def complete(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """Usage and Regions of a key; moto tells of them only what the call that made it said."""
        about = answer["KeyMetadata"]
        key = self._find(call, str(about["Arn"]))
        if call.operation == "CreateKey" and key is not None:
            key.creation_date = call.time.timestamp()
            about["CreationDate"] = call.time
        about.setdefault("KeyUsage", _ENCRYPT)
        about["MultiRegion"] = bool(about.get("MultiRegion"))
        return {**answer, "KeyMetadata": {name: value for name, value in about.items() if value != []}}

    def enable(self, call: Call) -> dict[str, Any]:
        """Enable or disable a key; moto finds it by its id only."""
        [key] = self._keys(call)
        key.enabled = call.operation == "EnableKey"
        key.key_state = "Enabled" if key.enabled else "Disabled"
        return {}

    def scheduled(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """The key's ARN and state, and when it goes, in the sandbox's time."""
        [key] = self._keys(call)
        days = int(call.params.get("PendingWindowInDays", _DAYS))
        date = call.time + timedelta(days=days)
        # moto keeps times without their zone, in UTC.
        key.deletion_date = date.replace(tzinfo=None)
        state = {"KeyState": key.key_state, "PendingWindowInDays": days}
        return {"KeyId": key.arn, "DeletionDate": date.astimezone(UTC), **state}

    def cancelled(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """The key's ARN."""
        [key] = self._keys(call)
        return {"KeyId": key.arn}

    def _keys(self, call: Call) -> list[Any]:
        """The keys that a call is about, as far as they are there."""
        names = [str(call.params[name]) for name in _KEYS if call.params.get(name)]
        if call.operation in ("Decrypt", "ReEncrypt") and not ("KeyId" in call.params or len(names) > 1):
            names.append(_key_in(call.params.get("CiphertextBlob")))
        found = (self._find(call, name) for name in names)
        return [key for key in found if key is not None]

    def _find(self, call: Call, name: str) -> Any | None:
        account, region, local = call.resource_account, call.region, name
        if name.startswith("arn:"):
            _, _, _, region, account, local = name.split(":", 5)
        if local.startswith("alias/"):
            local = self._world.stores.key_of_alias(account, region, local)
        return self._world.stores.find("kms", account, region, "keys", local.removeprefix("key/"))


@cache
def _needs_enabled(operation: str) -> bool:
    model = operation_model("kms", operation)
    return model is not None and any(shape.name == "DisabledException" for shape in model.error_shapes)


def _names_grant(call: Call) -> bool:
    return "GrantToken" in call.params or {"KeyId", "GrantId"} <= set(call.params)


def _key_in(blob: Any) -> str:
    """The id of the key that something was encrypted with: moto writes it at its beginning."""
    head = blob[: utils.KEY_ID_LEN] if isinstance(blob, bytes) else b""
    return str(head, "ascii", "replace")


def _is_policy(text: str) -> bool:
    try:
        document = json.loads(text)
    except ValueError:
        return False
    if not isinstance(document, dict) or "Statement" not in document:
        return False
    return all(isinstance(each, dict) for each in as_list(document["Statement"]))


def _material(key_spec: str) -> Any:
    return _shared() if key_spec == _SYMMETRIC else utils.generate_private_key(key_spec)


@cache
def _shared() -> Any:
    return utils.generate_private_key(_SYMMETRIC)
