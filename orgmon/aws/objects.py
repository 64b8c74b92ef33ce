"""Objects of a bucket: which there are, and their content."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

import boto3

from orgmon.aws.clients import Caller, shared_client
from orgmon.aws.errors import translated
from orgmon.aws.rate import RateLimiter
from orgmon.aws.session import Sessions
from orgmon.errors import UsageError

OURS = re.compile(r"orgmon-logs-(\d{12})-([a-z0-9-]+)")
"""The log bucket that orgmon makes: whose account it is, and in which Region."""

PLACE = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)


class Objects:
    """The objects below a prefix. ``client`` is boto3's S3 client; it is used by several threads."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self.bucket, self.prefix = bucket, prefix

    def list(self) -> Iterator[tuple[str, int]]:
        """Key and size in bytes of every object, but folders that consoles make. Raises AwsError."""
        with translated("s3:ListObjectsV2"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            )
            for page in pages:
                for item in page.get("Contents", []):
                    if not item["Key"].endswith("/"):
                        yield item["Key"], item["Size"]

    def open(self, key: str) -> BinaryIO:
        """The content of an object as a stream. Raises AwsError."""
        with translated("s3:GetObject"):
            return cast(BinaryIO, self._client.get_object(Bucket=self.bucket, Key=key)["Body"])

    def get(self, key: str) -> bytes:
        """The content of an object. Raises AwsError."""
        with translated("s3:GetObject"), self.open(key) as body:
            return body.read()


def split(place: str) -> tuple[str, str]:
    """The bucket and the prefix of ``s3://bucket/prefix``. Raises UsageError."""
    parts = PLACE.fullmatch(place)
    if parts is None:
        raise UsageError(f"{place} is no place in S3", "write s3://bucket/prefix")
    return parts[1], parts[2]


def client_of(bucket: str, sessions: Sessions | None, make: Callable[[str | None], Any] | None) -> Any:
    """An S3 client for a bucket: in its account where it is orgmon's, or else with the caller's own credentials."""
    ours = OURS.fullmatch(bucket)
    if ours is not None and sessions is not None:
        return sessions.member(ours[1], "s3", ours[2])
    session = make(None) if make is not None else boto3.Session()
    with translated("client"):
        return shared_client(session._session, "s3").called_by(Caller("caller", RateLimiter()))
