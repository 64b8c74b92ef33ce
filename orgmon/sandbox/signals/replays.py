"""EventBridge replays: the events of an archive again, and what is told about it afterwards.

Sources: EventBridge API reference, StartReplay, DescribeReplay, ListReplays; refusals of AWS as recorded in
LocalStack's public tests (tests/aws/services/events/test_archive_and_replay). A replay is over at once.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.bus import EventBus, iso
from orgmon.sandbox.signals.metrics import aware
from orgmon.sandbox.world import World

_PAGES = Pages(
    "Replays", "Limit", 50, "NextToken", "NextToken", ("ValidationException", "The token is not valid.")
)
_FILTERS = ("State", "EventSourceArn", "NamePrefix")
COMPLETED = "COMPLETED"


@dataclass(frozen=True)
class _Replay:
    """A replay that is over. ``wanted`` are the parameters that started it, ``last`` the time of the last event."""

    account: str
    region: str
    wanted: dict[str, Any]
    started: datetime
    last: datetime | None

    @property
    def name(self) -> str:
        return str(self.wanted["ReplayName"])

    @property
    def arn(self) -> str:
        return f"arn:aws:events:{self.region}:{self.account}:replay/{self.name}"

    def told(self) -> dict[str, Any]:
        """As in a list."""
        return {
            "ReplayName": self.name,
            "EventSourceArn": self.wanted["EventSourceArn"],
            "State": COMPLETED,
            "EventStartTime": self.wanted["EventStartTime"],
            "EventEndTime": self.wanted["EventEndTime"],
            "EventLastReplayedTime": self.last,
            "ReplayStartTime": self.started,
            "ReplayEndTime": self.started,
        }


class Replays:
    """Answers the operations."""

    def __init__(self, world: World, bus: EventBus) -> None:
        self._world = world
        self._bus = bus
        self._lock = threading.Lock()
        self._replays: dict[tuple[str, str, str], _Replay] = {}

    def install(self) -> None:
        """Take the operations over."""
        for name, handler in (
            ("StartReplay", self.start),
            ("DescribeReplay", self.describe),
            ("ListReplays", self.list_all),
            ("CancelReplay", self.cancel),
        ):
            self._world.operations.register("events", name, handler)

    def start(self, call: Call) -> dict[str, Any]:
        """Put the archived events of a period on their bus again, marked with ``replay-name``."""
        wanted = call.params
        archive = self._checked_archive(call)
        start, end = iso(wanted["EventStartTime"]), iso(wanted["EventEndTime"])
        events = [each for each in list(archive.events) if start <= each["time"] < end]
        last = max((datetime.fromisoformat(each["time"]) for each in events), default=None)
        replay = _Replay(call.account, call.region, wanted, call.time, last)
        with self._lock:
            if _key(call) in self._replays:
                text = f"Replay {replay.name} already exists."
                raise Refusal("ResourceAlreadyExistsException", text)
            self._replays[_key(call)] = replay
        self._put(wanted, events)
        return {"ReplayArn": replay.arn, "State": "STARTING", "ReplayStartTime": call.time}

    def describe(self, call: Call) -> dict[str, Any]:
        """Everything about one replay."""
        replay = self._find(call)
        more = {"Description": replay.wanted["Description"]} if replay.wanted.get("Description") else {}
        destination = {"Destination": replay.wanted["Destination"]}
        return {"ReplayArn": replay.arn, **more, **destination, **replay.told()}

    def list_all(self, call: Call) -> dict[str, Any]:
        """The replays of an account and Region by name, all or by one filter."""
        wanted = {name: call.params[name] for name in _FILTERS if call.params.get(name)}
        if len(wanted) > 1:
            text = "At most one filter is allowed for ListReplays. Use either : State, EventSourceArn, or NamePrefix."
            raise Refusal("ValidationException", text)
        told = [
            replay.told()
            for (account, region, name), replay in sorted(self._replays.items())
            if (account, region) == (call.account, call.region)
            and wanted.get("State") in (None, COMPLETED)
            and wanted.get("EventSourceArn") in (None, replay.wanted["EventSourceArn"])
            and name.startswith(str(wanted.get("NamePrefix") or ""))
        ]
        return _PAGES(call, {"Replays": told})

    def cancel(self, call: Call) -> dict[str, Any]:
        """Nothing to be cancelled is left."""
        replay = self._find(call)
        text = f"Replay {replay.name} is not in a valid state for this operation."
        raise Refusal("IllegalStatusException", text)

    def _find(self, call: Call) -> _Replay:
        replay = self._replays.get(_key(call))
        if replay is None:
            text = f"Replay {call.params['ReplayName']} does not exist."
            raise Refusal("ResourceNotFoundException", text)
        return replay

    def _checked_archive(self, call: Call) -> Any:
        """moto's archive, if it may be replayed as it is asked for."""
        destination, source = str(call.params["Destination"]["Arn"]), str(call.params["EventSourceArn"])
        if ":event-bus/" not in destination:
            raise _invalid("Destination.Arn", "Must contain an event bus ARN.")
        name = destination.rsplit("/", 1)[-1]
        if self._world.stores.find("events", call.account, call.region, "event_buses", name) is None:
            raise Refusal("ResourceNotFoundException", f"Event bus {name} does not exist.")
        archive_name = source.rsplit("/", 1)[-1]
        archive = self._world.stores.find("events", call.account, call.region, "archives", archive_name)
        if archive is None:
            raise _invalid("EventSourceArn", f"Archive {archive_name} does not exist.")
        if destination != archive.source_arn:
            raise _invalid("Destination.Arn", "Cross event bus replay is not permitted.")
        start, end = aware(call.params["EventStartTime"]), aware(call.params["EventEndTime"])
        if start is None or end is None or start >= end:
            raise _invalid("EventEndTime", "EventStartTime must be before EventEndTime.")
        return archive

    def _put(self, wanted: dict[str, Any], events: list[dict[str, Any]]) -> None:
        destination = wanted["Destination"]
        bus = Arn.parse(str(destination["Arn"]))
        rules = frozenset(destination.get("FilterArns") or ()) or None
        for event in events:
            again = {**event, "id": str(uuid.uuid4()), "replay-name": str(wanted["ReplayName"])}
            self._bus.put(bus.account, bus.region, bus.local.partition("/")[2], again, only=rules)


def _key(call: Call) -> tuple[str, str, str]:
    return call.account, call.region, str(call.params["ReplayName"])


def _invalid(parameter: str, reason: str) -> Refusal:
    return Refusal("ValidationException", f"Parameter {parameter} is not valid. Reason: {reason}")
