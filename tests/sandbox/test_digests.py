"""Digest files, checked as `aws cloudtrail validate-logs` does it, and what they say after somebody was at the bucket."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from orgmon.sandbox.assembly import Sandbox, assemble
from orgmon.sandbox.clock import Clock
from orgmon.sandbox.trail.digest_keys import VALIDITY
from tests.sandbox.conftest import DEV, HOME, LOGS, MANAGEMENT, ORG, PROD, SEED
from tests.sandbox.services import (
    BUCKET,
    TRAIL,
    allow,
    client,
    document,
    make_organization_trail,
    service,
)

HOURS = 3


def validated(sandbox: Sandbox, **settings: Any) -> Sandbox:
    """The sandbox with an organization trail that has log file validation."""
    make_organization_trail(sandbox)
    cloudtrail = client(sandbox, "cloudtrail", MANAGEMENT)
    cloudtrail.update_trail(Name=TRAIL, EnableLogFileValidation=True, **settings)
    return sandbox


@pytest.fixture(scope="module")
def kept() -> Iterator[Sandbox]:
    """Three hours of a trail, with something to tell of PROD in each. Tests put back what they change."""
    with assemble(SEED, clock=Clock(speed=0)) as made:
        validated(made)
        for number in range(HOURS):
            client(made, "sqs", PROD).create_queue(QueueName=f"work-{number}")
            made.settle(3600)
        yield made
        assert made.world.hook_errors == []


def s3(sandbox: Sandbox) -> Any:
    return sandbox.world.client("s3", LOGS, HOME)


def folder(account: str, region: str = HOME) -> str:
    return f"AWSLogs/{ORG}/{account}/CloudTrail-Digest/{region}/"


def keys_in(sandbox: Sandbox, prefix: str) -> list[str]:
    listed = s3(sandbox).list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", [])]


def body(sandbox: Sandbox, key: str) -> bytes:
    return gzip.decompress(s3(sandbox).get_object(Bucket=BUCKET, Key=key)["Body"].read())


def digests(sandbox: Sandbox, account: str, region: str = HOME) -> list[dict[str, Any]]:
    """The digests of an account and Region, the oldest first."""
    return [json.loads(body(sandbox, key)) for key in keys_in(sandbox, folder(account, region))]


def problems(sandbox: Sandbox, account: str, region: str = HOME) -> list[str]:
    """What is wrong with a chain, from its last digest back to its first."""
    found: list[str] = []
    key: str | None = keys_in(sandbox, folder(account, region))[-1]
    while key is not None:
        try:
            content = body(sandbox, key)
        except ClientError as error:
            return [*found, f"digest {error.response['Error']['Code']}"]
        digest = json.loads(content)
        if not is_signed(sandbox, key, content, digest, region):
            return [*found, "signature"]
        found += [problem for file in digest["logFiles"] if (problem := problem_of(sandbox, file))]
        key = digest["previousDigestS3Object"]
    return found


def is_signed(sandbox: Sandbox, key: str, content: bytes, digest: dict[str, Any], region: str) -> bool:
    metadata: dict[str, str] = s3(sandbox).head_object(Bucket=BUCKET, Key=key)["Metadata"]
    end = digest["digestEndTime"]
    hashed, before = hashlib.sha256(content).hexdigest(), digest["previousDigestSignature"] or "null"
    text = f"{end}\n{digest['digestS3Bucket']}/{digest['digestS3Object']}\n{hashed}\n{before}"
    listed = public_keys(sandbox, region, StartTime=end, EndTime=end)
    value = listed[digest["digestPublicKeyFingerprint"]]
    public = load_der_public_key(value)
    assert isinstance(public, rsa.RSAPublicKey)
    signature = bytes.fromhex(metadata["signature"])
    try:
        public.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return metadata["signature-algorithm"] == "SHA256withRSA" and digest["digestS3Object"] == key


def problem_of(sandbox: Sandbox, file: dict[str, str]) -> str:
    try:
        content = body(sandbox, file["s3Object"])
    except ClientError as error:
        return f"log {error.response['Error']['Code']}"
    return "" if hashlib.sha256(content).hexdigest() == file["hashValue"] else "log changed"


def public_keys(sandbox: Sandbox, region: str = HOME, **members: Any) -> dict[str, bytes]:
    answer = client(sandbox, "cloudtrail", MANAGEMENT, region).list_public_keys(**members)
    return {each["Fingerprint"]: each["Value"] for each in answer["PublicKeyList"]}


def status(sandbox: Sandbox) -> dict[str, Any]:
    answer: dict[str, Any] = client(sandbox, "cloudtrail", MANAGEMENT).get_trail_status(Name=TRAIL)
    return answer


def test_a_chain_is_valid_from_its_last_digest_to_its_first(kept: Sandbox) -> None:
    chain = digests(kept, PROD)
    assert [len(each["logFiles"]) for each in chain] == [1] * HOURS
    assert problems(kept, PROD) == []
    first, second = chain[:2]
    told = {name: value for name, value in first.items() if name.startswith("previous")}
    assert set(told.values()) == {None}
    assert len(told) == 5
    first_key = first["digestS3Object"]
    assert second["previousDigestS3Object"] == first_key
    assert second["previousDigestHashValue"] == hashlib.sha256(body(kept, first_key)).hexdigest()
    assert second["digestStartTime"] == first["digestEndTime"]


def test_a_digest_is_where_and_what_the_user_guide_says(kept: Sandbox) -> None:
    digest = digests(kept, PROD)[-1]
    end = datetime.fromisoformat(digest["digestEndTime"])
    name = f"{PROD}_CloudTrail-Digest_{HOME}_{TRAIL}_{HOME}_{end:%Y%m%dT%H%M%SZ}.json.gz"
    assert digest["digestS3Object"] == f"{folder(PROD)}{end:%Y/%m/%d}/{name}"
    assert end - datetime.fromisoformat(digest["digestStartTime"]) == timedelta(hours=1)
    assert digest["awsAccountId"] == PROD
    assert digest["oldestEventTime"] == digest["newestEventTime"] == digest["logFiles"][0]["newestEventTime"]
    assert status(kept)["LatestDigestDeliveryTime"] == end
    head = s3(kept).head_object(Bucket=BUCKET, Key=digest["digestS3Object"])
    assert head.get("ServerSideEncryption") != "aws:kms"  # the log files are


def test_an_idle_region_has_empty_digests(kept: Sandbox) -> None:
    chain = digests(kept, DEV, "eu-north-1")
    assert [each["logFiles"] for each in chain] == [[]] * HOURS
    assert {each["newestEventTime"] for each in chain} == {None}
    assert problems(kept, DEV, "eu-north-1") == []


def test_every_region_signs_with_its_own_key(kept: Sandbox) -> None:
    here, there = public_keys(kept), public_keys(kept, "us-east-1")
    assert len(here) == len(there) == 1
    assert set(here) != set(there)
    fingerprint, value = here.popitem()
    assert fingerprint == hashlib.md5(value).hexdigest()


def test_keys_are_asked_for_by_a_time_that_runs_forward(kept: Sandbox) -> None:
    now = kept.world.clock.now()
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        public_keys(kept, StartTime=now, EndTime=now - timedelta(hours=1))


@pytest.mark.parametrize("number", range(HOURS))
def test_a_changed_log_file_is_found(kept: Sandbox, number: int) -> None:
    key = digests(kept, PROD)[number]["logFiles"][0]["s3Object"]
    content = body(kept, key)
    s3(kept).put_object(
        Bucket=BUCKET, Key=key, Body=gzip.compress(content.replace(b"CreateQueue", b"ListQueues"))
    )
    assert problems(kept, PROD) == ["log changed"]
    s3(kept).put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(content))
    assert problems(kept, PROD) == []


def test_a_deleted_log_file_is_found(kept: Sandbox) -> None:
    key = digests(kept, PROD)[0]["logFiles"][0]["s3Object"]
    content = body(kept, key)
    s3(kept).delete_object(Bucket=BUCKET, Key=key)
    assert problems(kept, PROD) == ["log NoSuchKey"]
    s3(kept).put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(content))


def test_a_deleted_digest_is_found_and_does_not_come_back(kept: Sandbox) -> None:
    key = keys_in(kept, folder(PROD, "us-east-1"))[1]
    s3(kept).delete_object(Bucket=BUCKET, Key=key)
    assert problems(kept, PROD, "us-east-1") == ["digest NoSuchKey"]


def test_a_digest_that_leaves_out_a_log_file_is_found(kept: Sandbox) -> None:
    key = keys_in(kept, folder(PROD))[1]
    head, content = s3(kept).head_object(Bucket=BUCKET, Key=key), body(kept, key)
    shorter = json.dumps({**json.loads(content), "logFiles": []}).encode()
    s3(kept).put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(shorter), Metadata=head["Metadata"])
    assert problems(kept, PROD) == ["signature"]
    s3(kept).put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(content), Metadata=head["Metadata"])


def test_without_validation_there_are_no_digests(sandbox: Sandbox) -> None:
    make_organization_trail(sandbox)
    sandbox.settle(7200)
    assert keys_in(sandbox, folder(PROD)) == []
    assert "LatestDigestDeliveryTime" not in status(sandbox)


def test_the_chain_of_a_stopped_trail_ends_and_a_new_one_begins(sandbox: Sandbox) -> None:
    cloudtrail = client(validated(sandbox), "cloudtrail", MANAGEMENT)
    sandbox.settle(3600)
    cloudtrail.stop_logging(Name=TRAIL)
    sandbox.settle(3 * 3600)
    last = digests(sandbox, MANAGEMENT)
    assert len(last) == 2
    stop = json.loads(body(sandbox, last[1]["logFiles"][0]["s3Object"]))["Records"]
    assert "StopLogging" in {each["eventName"] for each in stop}
    cloudtrail.start_logging(Name=TRAIL)
    sandbox.settle(3600)
    chain = digests(sandbox, MANAGEMENT)
    assert [each["previousDigestS3Object"] is None for each in chain] == [True, False, True]


def test_a_stop_and_start_within_the_hour_breaks_the_chain_too(sandbox: Sandbox) -> None:
    cloudtrail = client(validated(sandbox), "cloudtrail", MANAGEMENT)
    sandbox.settle(3600)
    cloudtrail.stop_logging(Name=TRAIL)
    sandbox.settle(600)
    cloudtrail.start_logging(Name=TRAIL)
    sandbox.settle(3600)
    chain = digests(sandbox, PROD)
    assert [each["previousDigestS3Object"] is None for each in chain] == [True, False, True]
    assert chain[1]["digestEndTime"] == chain[2]["digestStartTime"]


def test_what_the_bucket_refused_is_made_up_for(sandbox: Sandbox) -> None:
    bucket = client(validated(sandbox), "s3", LOGS)
    policy = bucket.get_bucket_policy(Bucket=BUCKET)["Policy"]
    client(sandbox, "sqs", PROD).create_queue(QueueName="work")
    sandbox.settle(600)
    bucket.delete_bucket_policy(Bucket=BUCKET)
    sandbox.settle(3000)
    assert status(sandbox)["LatestDigestDeliveryError"] == "AccessDenied"
    bucket.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    sandbox.settle(3600)
    only = digests(sandbox, PROD)
    assert [len(each["logFiles"]) for each in only] == [1]
    assert "LatestDigestDeliveryError" not in status(sandbox)
    assert problems(sandbox, PROD) == []


def test_a_chain_is_valid_across_a_change_of_keys() -> None:
    begin = datetime(1970, 1, 1, tzinfo=UTC) + 700 * VALIDITY - timedelta(minutes=90)
    with assemble(SEED, clock=Clock(begin, speed=0)) as sandbox:
        validated(sandbox)
        sandbox.settle(2 * 3600)
        before, after = (each["digestPublicKeyFingerprint"] for each in digests(sandbox, LOGS))
        assert before != after
        assert problems(sandbox, LOGS) == []
        assert set(public_keys(sandbox)) == {after}
        assert set(public_keys(sandbox, StartTime=begin)) == {before, after}


def test_a_trail_of_one_account_and_region_has_one_chain_below_its_prefix(sandbox: Sandbox) -> None:
    bucket = client(sandbox, "s3", PROD)
    bucket.create_bucket(Bucket="own-logs", CreateBucketConfiguration={"LocationConstraint": HOME})
    trail = service("cloudtrail")
    everything = [allow("s3:*", f"arn:aws:s3:::own-logs{each}", Principal=trail) for each in ("", "/*")]
    bucket.put_bucket_policy(Bucket="own-logs", Policy=document(*everything))
    cloudtrail = client(sandbox, "cloudtrail", PROD)
    cloudtrail.create_trail(
        Name="own", S3BucketName="own-logs", S3KeyPrefix="p", EnableLogFileValidation=True
    )
    cloudtrail.start_logging(Name="own")
    sandbox.settle(3600)
    listed = bucket.list_objects_v2(Bucket="own-logs")["Contents"]
    found = [each["Key"] for each in listed if "CloudTrail-Digest" in each["Key"]]
    assert len(found) == 1
    assert found[0].startswith(f"p/AWSLogs/{PROD}/CloudTrail-Digest/{HOME}/")


def test_an_account_that_joins_has_a_chain_of_its_own(sandbox: Sandbox) -> None:
    validated(sandbox)
    sandbox.settle(3600)
    account = sandbox.world.organization.add_account("new", "new@example.com").id
    joined = sandbox.world.clock.now()
    sandbox.settle(1800)
    sandbox.settle(7200)
    chain = digests(sandbox, account)
    assert len(chain) == 2
    assert chain[0]["digestStartTime"] == f"{joined.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
