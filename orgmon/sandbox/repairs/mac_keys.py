"""KMS: keys for message authentication codes (HMAC), and that a key has one policy, called ``default``.

Sources: KMS API reference, CreateKey (KeySpec, KeyUsage), GenerateMac, EnableKeyRotation (symmetric encryption keys
only), GetKeyPolicy and PutKeyPolicy (``default`` is the only name, and what is meant without one); texts as recorded
in LocalStack's public tests (tests/aws/services/kms).
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

_NO_USAGE = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_ROTATING = ("EnableKeyRotation", "RotateKeyOnDemand")


def install(world: World) -> None:
    """Look at what keys are made and used for, and keep their policies."""
    keys = _Keys(world)
    world.before.append(keys.check)
    for name in ("CreateKey", "DescribeKey"):
        world.operations.amend("kms", name, _with_algorithms)
    world.operations.register("kms", "GetKeyPolicy", keys.policy)
    world.operations.register("kms", "PutKeyPolicy", keys.put_policy)


class _Keys:
    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, call: Call) -> None:
        """Before a call: does it say what the key is for, and does its key do that?"""
        if call.service != "kms":
            return
        if call.operation == "CreateKey":
            spec = call.params.get("KeySpec") or call.params.get("CustomerMasterKeySpec") or _SYMMETRIC
            if spec != _SYMMETRIC and "KeyUsage" not in call.params:
                raise Refusal("ValidationException", _NO_USAGE)
        elif call.operation in ("GenerateMac", "VerifyMac"):
            spec, algorithm = self._key(call).key_spec, str(call.params["MacAlgorithm"])
            if spec.startswith("HMAC_") and algorithm != _algorithm(spec):
                text = f"Algorithm {algorithm} is incompatible with key spec {spec}."
                raise Refusal("InvalidKeyUsageException", text)
        elif call.operation in _ROTATING and self._key(call).key_spec != _SYMMETRIC:
            raise Refusal("UnsupportedOperationException", "")

    def policy(self, call: Call) -> dict[str, Any]:
        """The key's policy."""
        _check_name(call)
        return {"Policy": self._key(call).policy, "PolicyName": "default"}

    def put_policy(self, call: Call) -> dict[str, Any]:
        """Another policy for the key."""
        _check_name(call)
        self._key(call).policy = str(call.params["Policy"])
        return {}

    def _key(self, call: Call) -> Any:
        """moto's key that a call names by id, ARN or alias; that it is there was looked at before."""
        store = self._world.store("kms", call.resource_account, call.region)
        return store.keys[store.any_id_to_key_id(str(call.params["KeyId"]))]


def _check_name(call: Call) -> None:
    if call.params.get("PolicyName", "default") != "default":
        raise Refusal("NotFoundException", "No such policy exists")


def _algorithm(spec: str) -> str:
    return spec.replace("HMAC_", "HMAC_SHA_")


def _with_algorithms(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    about = dict(answer["KeyMetadata"])
    spec = str(about.get("KeySpec"))
    if spec.startswith("HMAC_"):
        about.pop("EncryptionAlgorithms", None)
        about["MacAlgorithms"] = [_algorithm(spec)]
    return {**answer, "KeyMetadata": about}
