"""Digest files: every hour one an account and Region, chained, for trails that have log file validation.

Sources: CloudTrail user guide, "CloudTrail digest file structure" (the first of a chain, empty ones, the last one
after StopLogging or DeleteTrail), "Encrypting CloudTrail log files with AWS KMS keys" (digests are not encrypted with
the trail's key). How an hour that could not be delivered is made up for is not documented; here the next digest
covers it too.

A chain without log files gets its empty digests when somebody looks into its folder: an organization of 200 accounts
has 3,400 chains, and of most of them nobody ever sees one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from orgmon.organization import AccountState
from orgmon.sandbox.calls import Call
from orgmon.sandbox.signals.losses import Undeliverable
from orgmon.sandbox.trail.buckets import digest_key, error_code, folder, prefix_of
from orgmon.sandbox.trail.digest_files import Chain, Hour, LogFile, make_digest
from orgmon.sandbox.trail.digest_keys import DigestKeys
from orgmon.sandbox.world import World

HOUR = timedelta(hours=1)
_LOOKING = frozenset(
    {
        "DeleteObject",
        "DeleteObjects",
        "GetObject",
        "GetObjectAttributes",
        "HeadObject",
        "ListObjectVersions",
        "ListObjects",
        "ListObjectsV2",
    }
)
# Of Delivery: whether CloudTrail may put an object (trail, bucket, key), or raises Undeliverable; and puts it.
Check = Callable[[Any, str, str], object]
Put = Callable[..., None]


@dataclass
class _Session:
    """A time in which a trail logs with validation. ``ending``: it does no more, one digest is to come."""

    trail: Any
    began: datetime
    ending: bool = False
    hours: list[Hour] = field(default_factory=list)
    chains: dict[tuple[str, str], Chain] = field(default_factory=dict)


class Digests:
    """Makes the digest files of all trails."""

    def __init__(self, world: World, may_put: Check, put: Put) -> None:
        self._world = world
        self._may_put = may_put
        self._put = put
        self._lock = threading.RLock()
        self._open: dict[str, _Session] = {}
        self._sessions: list[_Session] = []
        self._errors: dict[str, str] = {}
        self._latest: dict[str, datetime] = {}
        self.keys = DigestKeys(world.clock.now)

    def install(self) -> None:
        """Answer ListPublicKeys, and write what is due before anybody looks."""
        self._world.operations.register("cloudtrail", "ListPublicKeys", self.keys.list_keys)
        self._world.before.append(self._looked_at)

    def settle(self) -> None:
        """To be called when trails may have changed: begin and end what has to be."""
        with self._lock:
            wanted = {trail.arn: trail for trail in self._trails() if _validates(trail)}
            for arn, session in list(self._open.items()):
                session.ending = session.ending or wanted.get(arn) is not session.trail
                if session.ending and arn in wanted:
                    self._end_hour(session)
            for arn, trail in wanted.items():
                if arn not in self._open:
                    self._begin(arn, trail)

    def note(self, trail: Any, account: str, region: str, file: LogFile) -> None:
        """A log file was delivered."""
        with self._lock:
            if trail.arn not in self._open and _validates(trail):
                self.settle()
            session = self._open.get(trail.arn)
            if session is not None:
                self._chain(session, account, region).files.append((len(session.hours), file))

    def status_of(self, trail: Any) -> dict[str, Any]:
        """What GetTrailStatus tells of the digests."""
        told = {
            "LatestDigestDeliveryTime": self._latest.get(trail.arn),
            "LatestDigestDeliveryError": self._errors.get(trail.arn),
        }
        return {name: value for name, value in told.items() if value is not None}

    def _trails(self) -> Iterator[Any]:
        for _, _, store in self._world.stores.everywhere("cloudtrail"):
            yield from list(store.trails.values())

    def _begin(self, arn: str, trail: Any) -> None:
        session = _Session(trail, self._world.clock.now().replace(microsecond=0))
        self._open[arn] = session
        self._sessions.append(session)
        self._world.clock.after(HOUR.total_seconds(), partial(self._hour_is_over, session))

    def _hour_is_over(self, session: _Session) -> None:
        with self._lock:
            self.settle()
            if self._open.get(session.trail.arn) is session:
                self._end_hour(session)
                if not session.ending:
                    self._world.clock.after(HOUR.total_seconds(), partial(self._hour_is_over, session))

    def _end_hour(self, session: _Session) -> None:
        """Write the digests of chains with files, and close a session that ends."""
        trail, end = session.trail, self._world.clock.now().replace(microsecond=0)
        if session.ending:
            del self._open[trail.arn]
        begin = session.hours[-1].end if session.hours else session.began
        hour = Hour(begin, end, trail.bucket_name, prefix_of(trail))
        if end <= begin or not self._is_deliverable(session, hour):
            return
        session.hours.append(hour)
        self._latest[trail.arn] = end
        for chain in list(session.chains.values()):
            if chain.files:
                self._catch_up(session, chain)

    def _is_deliverable(self, session: _Session, hour: Hour) -> bool:
        """Asked for one chain, the trail's own: whoever lets that in mostly lets all in."""
        trail = session.trail
        key = f"{self._folder(session, hour, trail.account_id, trail.region_name)}/x"
        return self._tried(session, partial(self._may_put, trail, hour.bucket, key))

    def _tried(self, session: _Session, action: Callable[[], object]) -> bool:
        arn = session.trail.arn
        try:
            action()
        except Undeliverable as problem:
            self._errors[arn] = error_code(problem)
            return False
        self._errors.pop(arn, None)
        return True

    def _chain(self, session: _Session, account: str, region: str) -> Chain:
        if (account, region) not in session.chains:
            joined = self._world.organization.all_accounts[account].joined.replace(microsecond=0)
            began = max(session.began, joined)
            before = sum(1 for hour in session.hours if hour.end <= began)
            session.chains[account, region] = Chain(account, region, began, before)
        return session.chains[account, region]

    def _catch_up(self, session: _Session, chain: Chain) -> None:
        """Write the digests that a chain lacks, as far as the bucket takes them."""
        for number in range(chain.done, len(session.hours)):
            files = [file for due, file in chain.files if due <= number]
            if not self._tried(session, partial(self._write, session, chain, session.hours[number], files)):
                return
            chain.done += 1
            chain.files = [(due, file) for due, file in chain.files if due > number]

    def _write(self, session: _Session, chain: Chain, hour: Hour, files: list[LogFile]) -> None:
        where = self._folder(session, hour, chain.account, chain.region)
        key = digest_key(where, session.trail, chain.account, chain.region, hour.end)
        digest = make_digest(chain, hour, files, key, self.keys)
        self._put(session.trail, hour.bucket, key, digest.body, metadata=digest.metadata)
        chain.previous = digest.told

    def _folder(self, session: _Session, hour: Hour, account: str, region: str) -> str:
        org_id = self._world.organization.org_id if session.trail.is_org_trail else ""
        return folder(hour.prefix, org_id, account, "CloudTrail-Digest", region)

    def _looked_at(self, call: Call) -> None:
        """A hook: somebody is about to see or touch objects of a bucket."""
        if call.service != "s3" or call.operation not in _LOOKING:
            return
        bucket = call.params.get("Bucket")
        prefix = str(call.params.get("Prefix") or call.params.get("Key") or "")
        if "/CloudTrail/" in prefix:
            return
        with self._lock:
            for session in self._sessions:
                if any(hour.bucket == bucket for hour in session.hours):
                    self._fill(session, prefix)

    def _fill(self, session: _Session, prefix: str) -> None:
        """Catch up with the chains whose folders fit the beginning of a key."""
        hour = session.hours[-1]
        for account in self._accounts(session.trail):
            for region in self._regions(session.trail, account):
                where = self._folder(session, hour, account, region)
                if where.startswith(prefix) or prefix.startswith(where):
                    self._catch_up(session, self._chain(session, account, region))

    def _accounts(self, trail: Any) -> list[str]:
        if not trail.is_org_trail:
            return [trail.account_id]
        members = self._world.organization.accounts.values()
        return [member.id for member in members if member.state is AccountState.ACTIVE]

    def _regions(self, trail: Any, account: str) -> list[str]:
        if not trail.is_multi_region:
            return [trail.region_name]
        return sorted(self._world.organization.settings.enabled_regions(account))


def _validates(trail: Any) -> bool:
    return bool(trail.log_validation and trail.status.is_logging)
