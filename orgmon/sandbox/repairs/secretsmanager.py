"""Secrets Manager: when a secret was last read.

Source: Secrets Manager API reference, DescribeSecret (LastAccessedDate is left out until somebody reads the value);
AWS CLI reference, list-secrets (its example has midnight: it is a date).
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from moto.secretsmanager.models import FakeSecret

from orgmon.sandbox.calls import Call
from orgmon.sandbox.world import World


def install(world: World) -> None:
    """Note every reading, and tell it where a secret is described or listed."""
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

    world.after.append(note)


def _midnight(time: datetime) -> int:
    return int(time.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())


@cache
def _let_secrets_tell() -> None:
    """moto always says None. It replaces the method that both descriptions and lists are made by."""
    described = FakeSecret.to_dict

    def to_dict(self: Any) -> dict[str, Any]:
        return {**described(self), "LastAccessedDate": getattr(self, "read_on", None)}

    FakeSecret.to_dict = to_dict
