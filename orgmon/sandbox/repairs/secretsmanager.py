"""Secrets Manager: when a secret was last read, and what cannot be done with one that is to be deleted.

Source: Secrets Manager API reference, DescribeSecret (LastAccessedDate is left out until somebody reads the value);
AWS CLI reference, list-secrets (its example has midnight: it is a date); texts as recorded in LocalStack's public
tests (tests/aws/services/secretsmanager) and as quoted in public issues.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any

from moto.secretsmanager.models import FakeSecret

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.world import World

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_BAD_NAME = (
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
)
_GOING = "You can't perform this operation on the secret because it was marked for deletion."
_NAME_GOING = (
    "You can't create this secret because a secret with this name is already scheduled for deletion."
)
_NOT_WHILE_GOING = frozenset(
    {"GetSecretValue", "PutSecretValue", "RotateSecret", "TagResource", "UntagResource", "UpdateSecret"}
)


def install(world: World) -> None:
    """Note every reading, tell it where a secret is described or listed, and look at what is to be deleted."""
    _let_secrets_tell()

    def note(call: Call) -> None:
        if call.service != "secretsmanager" or not call.response:
            return
        read = {
            "GetSecretValue": [call.response],
            "BatchGetSecretValue": call.response.get("SecretValues", []),
        }
        for value in read.get(call.operation, []):
            account = str(value["ARN"]).split(":")[4]
            secret = world.stores.find("secretsmanager", account, call.region, "secrets", value["ARN"])
            if secret is not None:
                secret.read_on = _midnight(call.time)

    def check(call: Call) -> None:
        if call.service != "secretsmanager":
            return
        if call.operation == "CreateSecret":
            name = str(call.params["Name"])
            if not _NAME.fullmatch(name):
                raise Refusal("ValidationException", _BAD_NAME)
            if _is_going(world, call, name):
                raise Refusal("InvalidRequestException", _NAME_GOING)
        if call.operation in _NOT_WHILE_GOING and _is_going(world, call, str(call.params["SecretId"])):
            raise Refusal("InvalidRequestException", _GOING)

    world.before.append(check)
    world.after.append(note)
    world.operations.amend("secretsmanager", "ListSecretVersionIds", _complete)


def _is_going(world: World, call: Call, secret_id: str) -> bool:
    owner = secret_id.split(":")[4] if secret_id.startswith("arn:") else call.account
    secret = world.stores.find("secretsmanager", owner, call.region, "secrets", secret_id)
    return secret is not None and bool(secret.is_deleted())


def _complete(call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """The secret's ARN, where moto says its name; no token where there are no more pages."""
    told = {name: value for name, value in answer.items() if value != ""}
    return {**told, "ARN": call.resource} if call.resource.startswith("arn:") else told


def _midnight(time: datetime) -> int:
    return int(time.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


@cache
def _let_secrets_tell() -> None:
    """moto always says None. It replaces the method that both descriptions and lists are made by."""
    described = FakeSecret.to_dict

    def to_dict(self: Any) -> dict[str, Any]:
        return {**described(self), "LastAccessedDate": getattr(self, "read_on", None)}

    FakeSecret.to_dict = to_dict
