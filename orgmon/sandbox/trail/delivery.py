"""From a trail to its bucket, its log group and the event bus, each after its own delay.

Sources: CloudTrail user guide, "CloudTrail log file name format", "Role policy document for CloudTrail to use
CloudWatch Logs" (stream names), "Sending events to CloudWatch Logs"; both paths take about five minutes at AWS.
"""

from __future__ import annotations

import gzip
import json
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from orgmon.sandbox.clock import Clock
from orgmon.sandbox.signals import Signals
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.grants import Sender
from orgmon.sandbox.signals.losses import Undeliverable
from orgmon.sandbox.trail.buckets import error_code, folder, prefix_of, put_json
from orgmon.sandbox.trail.digest_files import LogFile
from orgmon.sandbox.trail.digests import Digests
from orgmon.sandbox.trail.records import Record, Written
from orgmon.sandbox.world import World

LARGEST_EVENT = 262_144
Item = TypeVar("Item")


class Delay(Generic[Item]):
    """Hands items on in batches, each when ``seconds`` of sandbox time have passed since it came."""

    def __init__(self, clock: Clock, seconds: float, action: Callable[[list[Item]], None]) -> None:
        self.seconds = seconds
        self._clock = clock
        self._action = action
        self._lock = threading.Lock()
        self._waiting: deque[tuple[datetime, Item]] = deque()

    def add(self, item: Item) -> None:
        """Take an item."""
        with self._lock:
            due = self._clock.now() + timedelta(seconds=self.seconds)
            self._waiting.append((due, item))
            is_first = len(self._waiting) == 1
        if is_first:
            self._clock.after(self.seconds, self._run)

    def _run(self) -> None:
        with self._lock:
            now = self._clock.now()
            ready: list[Item] = []
            while self._waiting and self._waiting[0][0] <= now:
                ready.append(self._waiting.popleft()[1])
            rest = (self._waiting[0][0] - now).total_seconds() if self._waiting else None
        if rest is not None:
            self._clock.after(rest, self._run)
        if ready:
            self._action(ready)


@dataclass
class _Status:
    """How a trail's last deliveries went."""

    files: datetime | None = None
    files_error: str = ""
    logs: datetime | None = None
    logs_error: str = ""


class Delivery:
    """Delivers records. ``files``, ``logs`` and ``events`` are the three ways; their ``seconds`` can be set."""

    def __init__(self, world: World, signals: Signals) -> None:
        self._world = world
        self._signals = signals
        self._statuses: dict[str, _Status] = defaultdict(_Status)
        self.files: Delay[tuple[Any, Written]] = Delay(world.clock, 300, self._write_files)
        self.logs: Delay[tuple[Any, Written]] = Delay(world.clock, 240, self._write_logs)
        self.events: Delay[Written] = Delay(world.clock, 2, self._emit)
        self.digests = Digests(world, self._owner_of, self._put)

    def take(self, written: Written, trails: tuple[Any, ...]) -> None:
        """Send a record on its ways. Without a trail there are no events either."""
        for trail in trails:
            self.files.add((trail, written))
            if trail.cw_log_group_arn:
                self.logs.add((trail, written))
        if trails:
            self.events.add(written)

    def status_of(self, trail: Any) -> dict[str, Any]:
        """What GetTrailStatus tells of the deliveries."""
        status = self._statuses[trail.arn]
        told: dict[str, Any] = {
            "LatestDeliveryTime": status.files,
            "LatestDeliveryError": status.files_error or None,
            "LatestCloudWatchLogsDeliveryTime": status.logs,
            "LatestCloudWatchLogsDeliveryError": status.logs_error or None,
        }
        return {name: value for name, value in told.items() if value is not None}

    def _emit(self, batch: list[Written]) -> None:
        for written in batch:
            record = written.record
            if len(json.dumps(record)) > LARGEST_EVENT:
                continue
            source = f"aws.{record['eventSource'].removesuffix('.amazonaws.com')}"
            self._signals.bus.emit(
                written.account,
                written.region,
                source,
                _detail_type(record),
                record,
                time=record["eventTime"],
            )

    def _write_files(self, batch: list[tuple[Any, Written]]) -> None:
        for trail, (account, region), records in _grouped(batch):
            status = self._statuses[trail.arn]
            try:
                self._write_file(trail, account, region, records)
                status.files, status.files_error = self._world.clock.now(), ""
            except Undeliverable as problem:
                status.files_error = error_code(problem)

    def _write_file(self, trail: Any, account: str, region: str, records: list[Record]) -> None:
        key = self._object_key(trail, account, region)
        content = json.dumps({"Records": records}).encode()
        self._put(trail, trail.bucket_name, key, gzip.compress(content), encrypted=True)
        file = LogFile.of(trail.bucket_name, key, content, records)
        self.digests.note(trail, account, region, file)

    def _put(
        self,
        trail: Any,
        bucket: str,
        key: str,
        body: bytes,
        *,
        encrypted: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> None:
        """Put a JSON file as CloudTrail; ``encrypted``: with the trail's key, if it has one."""
        owner = self._owner_of(trail, bucket, key)
        key_arn = self._key_of(trail) if encrypted else ""
        put_json(
            self._world.store("s3", owner, trail.region_name), bucket, key, body, metadata or {}, key_arn
        )

    def _owner_of(self, trail: Any, bucket: str, key: str) -> str:
        """The account that owns a bucket. Raises Undeliverable if CloudTrail may not put that object there."""
        bucket_owner = self._world.stores.bucket_owner(bucket)
        if not bucket_owner:
            raise Undeliverable("NO_RESOURCE", f"The bucket {bucket} does not exist.")
        sender = self._service(trail)
        in_bucket = sender.with_context(**{"s3:x-amz-acl": "bucket-owner-full-control"})
        self._signals.grants.require(in_bucket, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
        return bucket_owner

    def _key_of(self, trail: Any) -> str:
        """The ARN of the trail's KMS key, or an empty string. Raises Undeliverable if CloudTrail may not use it."""
        if not trail.kms_key_id:
            return ""
        grants = self._signals.grants
        why = grants.key_refusal(trail.kms_key_id, trail.arn, self._service(trail), ("kms:GenerateDataKey",))
        if why is not None:
            raise Undeliverable("NO_PERMISSIONS", why)
        return grants.key_arn(trail.kms_key_id, trail.account_id, trail.region_name)

    def _object_key(self, trail: Any, account: str, region: str) -> str:
        now = self._world.clock.now()
        org_id = self._world.organization.org_id if trail.is_org_trail else ""
        where = folder(prefix_of(trail), org_id, account, "CloudTrail", region)
        name = f"{account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{secrets.token_hex(8)}.json.gz"
        return f"{where}/{now:%Y/%m/%d}/{name}"

    def _write_logs(self, batch: list[tuple[Any, Written]]) -> None:
        for trail, (account, _), records in _grouped(batch):
            status = self._statuses[trail.arn]
            try:
                self._write_log(trail, account, records)
                status.logs, status.logs_error = self._world.clock.now(), ""
            except Undeliverable as problem:
                status.logs_error = problem.message

    def _write_log(self, trail: Any, account: str, records: list[Record]) -> None:
        group = Arn.parse(trail.cw_log_group_arn)
        name = group.local.split(":")[1]
        stream = f"{account}_CloudTrail_{trail.region_name}"
        if trail.is_org_trail:
            stream = f"{self._world.organization.org_id}_{stream}"
        role = self._signals.grants.assume(trail.cw_role_arn, self._service(trail), "CLOUDTRAIL_CLOUDWATCH")
        resource = f"arn:aws:logs:{group.region}:{group.account}:log-group:{name}:log-stream:{stream}"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            self._signals.grants.require_role(role, action, resource)
        messages = [(json.dumps(record), datetime.fromisoformat(record["eventTime"])) for record in records]
        fitting = [(message, when) for message, when in messages if len(message) <= LARGEST_EVENT]
        if fitting:
            texts, times = zip(*fitting, strict=True)
            self._signals.log_groups.write(group.account, group.region, name, stream, texts, times)

    def _service(self, trail: Any) -> Sender:
        return self._signals.grants.service("cloudtrail", trail.arn, trail.account_id)


def _grouped(
    batch: list[tuple[Any, Written]],
) -> list[tuple[Any, tuple[str, str], list[Record]]]:
    """The records by trail, account and Region, in their order."""
    groups: dict[tuple[str, str, str], tuple[Any, list[Record]]] = {}
    for trail, written in batch:
        key = (trail.arn, written.account, written.region)
        groups.setdefault(key, (trail, []))[1].append(written.record)
    return [(trail, (account, region), records) for (_, account, region), (trail, records) in groups.items()]


def _detail_type(record: Record) -> str:
    if record["eventType"] == "AwsConsoleSignIn":
        return "AWS Console Sign In via CloudTrail"
    if record["eventType"] == "AwsServiceEvent":
        return "AWS Service Event via CloudTrail"
    return "AWS API Call via CloudTrail"
