"""Where CloudTrail puts what into a bucket, and how it names a bucket that does not take it.

Sources: CloudTrail user guide, "Finding your CloudTrail log files", "CloudTrail digest file structure".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from orgmon.sandbox.signals.losses import NO_PERMISSIONS, Undeliverable

Kind = Literal["CloudTrail", "CloudTrail-Digest"]


def prefix_of(trail: Any) -> str:
    """The prefix of a trail's objects with its slash, or an empty string."""
    return f"{trail.s3_key_prefix}/" if trail.s3_key_prefix else ""


def folder(prefix: str, org_id: str, account: str, kind: Kind, region: str) -> str:
    """The folder of an account and Region, without a slash at its end. ``org_id``: of organization trails only."""
    organization = f"{org_id}/" if org_id else ""
    return f"{prefix}AWSLogs/{organization}{account}/{kind}/{region}"


def digest_key(folder: str, trail: Any, account: str, region: str, end: datetime) -> str:
    """The key of the digest file of a chain that ends at a time."""
    name = f"{account}_CloudTrail-Digest_{region}_{trail.trail_name}_{trail.region_name}_{end:%Y%m%dT%H%M%SZ}"
    return f"{folder}/{end:%Y/%m/%d}/{name}.json.gz"


def error_code(problem: Undeliverable) -> str:
    """The S3 error that GetTrailStatus tells of."""
    return "AccessDenied" if problem.code == NO_PERMISSIONS else "NoSuchBucket"


def put_json(
    store: Any, bucket: str, key: str, body: bytes, metadata: Mapping[str, str], key_arn: str = ""
) -> None:
    """Put a compressed JSON file into moto's S3 of the bucket's owner, encrypted with a KMS key if one is named.

    Not by a call to the gateway: a rollout writes hundreds of files, and who may put them has been decided.
    """
    holder = store.get_bucket(bucket)
    lock = (holder.default_lock_mode, holder.default_retention()) if holder.has_default_lock else (None, None)
    stored = store.put_object(
        bucket,
        key,
        body,
        storage="STANDARD",
        encryption="aws:kms" if key_arn else None,
        kms_key_id=key_arn or None,
        lock_mode=lock[0],
        lock_until=lock[1],
    )
    own = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
    stored.set_metadata({"Content-Type": "application/json", "Content-Encoding": "gzip", **own})
    stored.set_acl(holder.acl)
