"""Records of what services do on a caller's behalf: KMS for Secrets Manager, and secrets that are read in a batch.

Sources: recorded events (``Decrypt`` after ``GetSecretValue``, with another access key than the caller's); Secrets
Manager API reference, BatchGetSecretValue (one GetSecretValue entry a secret).
"""

from __future__ import annotations

import base64
import secrets
import uuid
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.trail.identities import Sessions, identity_of
from orgmon.sandbox.trail.records import Record, Written, frame
from orgmon.sandbox.world import World

_SECRETS = "secretsmanager.amazonaws.com"
_BY_DEFAULT = "alias/aws/secretsmanager"


class Derived:
    """Makes the further records of a call."""

    def __init__(self, world: World, sessions: Sessions) -> None:
        self._world = world
        self._sessions = sessions

    def records_of(self, call: Call, own: Record) -> tuple[Written, ...]:
        """The further records; ``own`` is the call's."""
        if call.service != "secretsmanager" or call.response is None:
            return ()
        if call.operation == "GetSecretValue":
            return (self._decrypt(call, call.response),)
        if call.operation != "BatchGetSecretValue":
            return ()
        records: list[Written] = []
        for value in call.response.get("SecretValues", []):
            parameters = {"secretId": value["ARN"]}
            read = {**own, "eventID": str(uuid.uuid4()), "eventName": "GetSecretValue"}
            records.append(Written(call.account, call.region, {**read, "requestParameters": parameters}))
            records.append(self._decrypt(call, value))
        return tuple(records)

    def _decrypt(self, call: Call, secret: dict[str, Any]) -> Written:
        key_arn = self._key_of(call, str(secret["ARN"]))
        account = key_arn.split(":")[4]
        record = frame(call.region, account, call.time)
        who = call.principal.with_key(_new_key())
        record |= {
            "userIdentity": identity_of(who, call.time, _SECRETS, self._sessions),
            "eventSource": "kms.amazonaws.com",
            "eventName": "Decrypt",
            "sourceIPAddress": _SECRETS,
            "userAgent": _SECRETS,
            "requestParameters": {
                "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "encryptionContext": {
                    "SecretARN": secret["ARN"],
                    "SecretVersionId": secret.get("VersionId", ""),
                },
            },
            "responseElements": None,
            "requestID": str(uuid.uuid4()),
            "readOnly": True,
            "resources": [{"accountId": account, "type": "AWS::KMS::Key", "ARN": key_arn}],
        }
        return Written(account, call.region, record)

    def _key_of(self, call: Call, secret_arn: str) -> str:
        """The ARN of the key of a secret. The AWS managed key has an id that is made up, the same for ever."""
        account = secret_arn.split(":")[4]
        secret = self._world.stores.find("secretsmanager", account, call.region, "secrets", secret_arn)
        key = str(secret.kms_key_id or _BY_DEFAULT) if secret else _BY_DEFAULT
        if key.startswith("arn:") and ":alias/" not in key:
            return key
        local = key.rsplit(":", 1)[-1]
        if local.startswith("alias/"):
            known = self._world.stores.key_of_alias(account, call.region, local)
            made_up = uuid.uuid5(uuid.NAMESPACE_URL, f"{account}/{call.region}/{local}")
            local = known or f"key/{made_up}"
        elif not local.startswith("key/"):
            local = f"key/{local}"
        return f"arn:aws:kms:{call.region}:{account}:{local}"


def _new_key() -> str:
    return "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
