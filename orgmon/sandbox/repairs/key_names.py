"""KMS: what a call names must be a key, an ARN of one, or an alias, and be there.

Sources: KMS API reference, the KeyId of each operation; the texts of refusals are AWS's own, as recorded in
LocalStack's public tests (tests/aws/services/kms).
"""

from __future__ import annotations

import re

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.stores import Stores

_PREFIX = (
    'Alias must start with the prefix "alias/". '
    "Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)
_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-f]{32}")
# AWS's own keys are made when somebody asks for them first.
_MANAGED = "alias/aws/"


def check_key(call: Call, name: str, stores: Stores) -> None:
    """Raises Refusal if ``name``, a member of the call, is no key of the call's Region."""
    account, region, local = call.account, call.region, name
    if name.startswith("arn:"):
        _check_arn(call, name)
        _, _, _, region, account, local = name.split(":", 5)
    arn = f"arn:aws:kms:{region}:{account}"
    if local.startswith("alias/"):
        if not local.startswith(_MANAGED) and not stores.key_of_alias(account, region, local):
            raise Refusal("NotFoundException", f"Alias {arn}:{local} is not found.")
        return
    key = local.removeprefix("key/")
    if not _KEY.fullmatch(key):
        raise Refusal("NotFoundException", f"Invalid keyId '{key}'")
    if stores.find("kms", account, region, "keys", key) is None:
        raise Refusal("NotFoundException", f"Key '{arn}:key/{key}' does not exist")


def check_alias(name: str) -> None:
    """Raises Refusal if an alias is not spelt like one."""
    if not name.startswith("alias/"):
        raise Refusal("ValidationException", _PREFIX)


def _check_arn(call: Call, arn: str) -> None:
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "kms" or not parts[5].startswith(("key/", "alias/")):
        raise Refusal("InvalidArnException", f"Invalid arn {arn}")
    if parts[3] != call.region:
        raise Refusal("NotFoundException", f"Invalid arn {parts[3]}")
