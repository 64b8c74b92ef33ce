"""Where CloudTrail puts what into a bucket, and how it names a bucket that does not take it.

Sources: CloudTrail user guide, "Finding your CloudTrail log files", "CloudTrail digest file structure".
"""

from __future__ import annotations

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
