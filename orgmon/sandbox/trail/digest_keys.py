"""The keys that sign digest files, and ListPublicKeys.

Source: CloudTrail user guide, "Custom implementations of CloudTrail log file integrity validation": every Region has
keys of its own, signatures are SHA-256 with RSA (PKCS #1 v1.5), public keys are DER in PKCS #1. The keys of its
sample answer hold for 30 days, and a key's fingerprint there is the MD5 of its DER.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from orgmon.sandbox.calls import Call, Refusal

VALIDITY = timedelta(days=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DigestKeys:
    """The keys of all Regions, from the sandbox's beginning until now."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._began = now()

    def list_keys(self, call: Call) -> dict[str, Any]:
        """ListPublicKeys: the keys of the Region that were in use in the time asked for; now, if none is named."""
        now = self._now()
        start = _utc(call.params.get("StartTime")) or now
        end = _utc(call.params.get("EndTime")) or now
        if start > end:
            raise Refusal("InvalidTimeRangeException", "The start time must come before the end time.")
        first, last = _number(max(start, self._began)), _number(min(end, now))
        return {"PublicKeyList": [_described(call.region, number) for number in range(first, last + 1)]}

    def fingerprint(self, region: str, time: datetime) -> str:
        """The fingerprint of the key that a Region signs with at a time."""
        return _fingerprint(region, _number(time))

    def sign(self, region: str, time: datetime, text: str) -> str:
        """A Region's signature of a text, in hexadecimal digits."""
        key = _private_key(region, _number(time))
        return key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()


def _number(time: datetime) -> int:
    """Which of a Region's keys signs at a time: they follow each other."""
    return (time - _EPOCH) // VALIDITY


@cache
def _private_key(region: str, number: int) -> rsa.RSAPrivateKey:
    """One for all sandboxes of a process: making it takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _public_key(region: str, number: int) -> bytes:
    return _private_key(region, number).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def _fingerprint(region: str, number: int) -> str:
    return hashlib.md5(_public_key(region, number), usedforsecurity=False).hexdigest()


def _described(region: str, number: int) -> dict[str, Any]:
    return {
        "Value": _public_key(region, number),
        "ValidityStartTime": _EPOCH + number * VALIDITY,
        "ValidityEndTime": _EPOCH + (number + 1) * VALIDITY,
        "Fingerprint": _fingerprint(region, number),
    }


def _utc(time: Any) -> datetime | None:
    if not isinstance(time, datetime):
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
