"""One digest file: what is in it, and what its signature covers.

Source: CloudTrail user guide, "CloudTrail digest file structure", "Contents of the data signing string".
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgmon.sandbox.trail.digest_keys import DigestKeys
from orgmon.sandbox.trail.records import Record, stamp

ALGORITHM = "SHA256withRSA"


@dataclass(frozen=True)
class LogFile:
    """A log file that was delivered, as digests tell of it. Its hash is that of the content before compression."""

    bucket: str
    key: str
    hash: str
    oldest: str
    newest: str

    @classmethod
    def of(cls, bucket: str, key: str, content: bytes, records: Sequence[Record]) -> LogFile:
        """What is to be told of a file with these records."""
        times = [record["eventTime"] for record in records]
        return cls(bucket, key, hashlib.sha256(content).hexdigest(), min(times), max(times))


@dataclass(frozen=True)
class Hour:
    """What a digest covers, the log files delivered from ``begin`` to ``end``, and where the trail put things then."""

    begin: datetime
    end: datetime
    bucket: str
    prefix: str


@dataclass(frozen=True)
class Previous:
    """What a digest tells of the one before it; all None in the first of a chain."""

    bucket: str | None = None
    key: str | None = None
    hash: str | None = None
    signature: str | None = None


@dataclass
class Chain:
    """The digests of an account and Region.

    ``done`` is the number of hours that have theirs; ``files`` wait, each with the number of its hour.
    """

    account: str
    region: str
    began: datetime
    done: int = 0
    previous: Previous = Previous()
    files: list[tuple[int, LogFile]] = field(default_factory=list)


@dataclass(frozen=True)
class Digest:
    """A digest file as it is to be put: its key, body and metadata, and what the next one says of it."""

    key: str
    body: bytes
    metadata: dict[str, str]
    told: Previous


def make_digest(chain: Chain, hour: Hour, files: Sequence[LogFile], key: str, keys: DigestKeys) -> Digest:
    """The digest of a chain's next hour, in which these files were delivered."""
    content = json.dumps(_document(chain, hour, files, key, keys)).encode()
    hashed = hashlib.sha256(content).hexdigest()
    to_sign = [stamp(hour.end), f"{hour.bucket}/{key}", hashed, chain.previous.signature or "null"]
    signature = keys.sign(chain.region, hour.end, "\n".join(to_sign))
    metadata = {"signature": signature, "signature-algorithm": ALGORITHM}
    return Digest(key, gzip.compress(content), metadata, Previous(hour.bucket, key, hashed, signature))


def _document(
    chain: Chain, hour: Hour, files: Sequence[LogFile], key: str, keys: DigestKeys
) -> dict[str, Any]:
    previous = chain.previous
    return {
        "awsAccountId": chain.account,
        "digestStartTime": stamp(max(hour.begin, chain.began)),
        "digestEndTime": stamp(hour.end),
        "digestS3Bucket": hour.bucket,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": keys.fingerprint(chain.region, hour.end),
        "digestSignatureAlgorithm": ALGORITHM,
        "newestEventTime": max((file.newest for file in files), default=None),
        "oldestEventTime": min((file.oldest for file in files), default=None),
        "previousDigestS3Bucket": previous.bucket,
        "previousDigestS3Object": previous.key,
        "previousDigestHashValue": previous.hash,
        "previousDigestHashAlgorithm": "SHA-256" if previous.hash else None,
        "previousDigestSignature": previous.signature,
        "logFiles": [_listed(file) for file in files],
    }


def _listed(file: LogFile) -> dict[str, str]:
    return {
        "s3Bucket": file.bucket,
        "s3Object": file.key,
        "hashValue": file.hash,
        "hashAlgorithm": "SHA-256",
        "newestEventTime": file.newest,
        "oldestEventTime": file.oldest,
    }
