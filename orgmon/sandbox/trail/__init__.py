"""CloudTrail: every API call leaves a record, and trails carry records to bucket, log group and event bus."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import NOT_HERE, Call
from orgmon.sandbox.signals import Signals
from orgmon.sandbox.trail.delivery import Delivery
from orgmon.sandbox.trail.derived import Derived
from orgmon.sandbox.trail.event_history import EventHistory
from orgmon.sandbox.trail.identities import Sessions
from orgmon.sandbox.trail.records import Record, Written, records_of
from orgmon.sandbox.trail.sign_in import sign_in
from orgmon.sandbox.trail.trail_api import CHANGING, TrailApi
from orgmon.sandbox.trail.trails import Trails
from orgmon.sandbox.world import World

_ENDING = ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
# What selectors look at in the record of such a call, which is not there yet.
_WRITE: Record = {
    "eventSource": "cloudtrail.amazonaws.com",
    "readOnly": False,
    "eventCategory": "Management",
}


class Trail:
    """The recorder. ``delivery`` has the delays; ``latency`` is that of the log group, in sandbox seconds."""

    def __init__(self, world: World, signals: Signals) -> None:
        self._world = world
        self._sessions = Sessions()
        self._derived = Derived(world, self._sessions)
        self._ending: dict[str, tuple[Any, ...]] = {}
        self.trails = Trails(world)
        self.history = EventHistory()
        self.delivery = Delivery(world, signals)

    @property
    def latency(self) -> float:
        """Seconds until a record is in the trail's log group."""
        return self.delivery.logs.seconds

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.delivery.logs.seconds = seconds

    def install(self) -> None:
        """Record every call from now on; answer CloudTrail's own operations; offer console sign-ins."""
        self.delivery.digests.install()
        self._world.before.append(self._note_trails)
        self._world.after.append(self._heard)
        TrailApi(self._world, self.trails, self.delivery, self.history).install()
        self._world.controls["console-login"] = self._sign_in

    def write(self, written: Written, trails: tuple[Any, ...] | None = None) -> None:
        """Add a record to its account's history, and give it to ``trails`` (those that cover it now, if None)."""
        self.history.add(written.account, written.region, written.record)
        if trails is None:
            trails = self.trails.covering(written.account, written.region, written.record)
        self.delivery.take(written, trails)

    def records(self, account: str, region: str) -> tuple[Record, ...]:
        """All records of an account and Region, the oldest first."""
        return self.history.of(account, region)

    def _note_trails(self, call: Call) -> None:
        """A call that stops or removes a trail is the last one that the trail gets."""
        if call.service == "cloudtrail" and call.operation in _ENDING:
            self._ending[call.request_id] = self.trails.covering(call.account, call.region, _WRITE)

    def _heard(self, call: Call) -> None:
        self._sessions.heard(call)
        if call.service == "cloudtrail" and call.operation in CHANGING:
            self.delivery.digests.settle()
        trails = self._ending.pop(call.request_id, None)
        if call.status == NOT_HERE:
            return
        written = records_of(call, self._sessions)
        if not written:
            return
        for each in (*written, *self._derived.records_of(call, written[0].record)):
            self.write(each, trails)

    def _sign_in(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        written = sign_in(self._world, body, self._world.clock.now())
        self.write(written)
        return {"eventID": written.record["eventID"], "region": written.region}


def install(world: World, signals: Signals) -> Trail:
    """Let CloudTrail record a world."""
    trail = Trail(world, signals)
    trail.install()
    return trail
