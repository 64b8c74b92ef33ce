"""The EventBridge operations that move events: PutEvents, TestEventPattern, StartReplay; and checks on PutRule.

Sources: EventBridge API reference, PutEvents (sources beginning with ``aws.`` are AWS's own), PutTargets.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from orgmon.errors import PatternError
from orgmon.eventpattern import EventPattern
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.bus import EventBus, parsed
from orgmon.sandbox.signals.grants import Grants, Sender
from orgmon.sandbox.signals.losses import Losses, Undeliverable
from orgmon.sandbox.signals.transformer import unknown_placeholder
from orgmon.sandbox.world import World

LONGEST_PATTERN = 2048
MOST_TARGETS = 5
MOST_RULES, MOST_WITH_WILDCARDS = 300, 30
"""Of one bus (EventBridge quotas). What AWS answers beyond the second is not published."""


class BusApi:
    """Answers the calls, and looks at rules before moto keeps them."""

    def __init__(self, world: World, bus: EventBus, grants: Grants, lost: Losses) -> None:
        self._world = world
        self._bus = bus
        self._grants = grants
        self._lost = lost

    def install(self) -> None:
        """Take the operations over."""
        for name, handler in (
            ("PutEvents", self.put_events),
            ("TestEventPattern", self.test_pattern),
            ("StartReplay", self.start_replay),
        ):
            self._world.operations.register("events", name, handler)
        self._world.before.append(self._check_rule)

    def put_events(self, call: Call) -> dict[str, Any]:
        """Put up to ten events; each one is taken or refused for itself."""
        entries = call.params["Entries"]
        if not 1 <= len(entries) <= 10:
            raise Refusal("ValidationException", "Entries must have between 1 and 10 members.")
        results = [self._put(call, entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in each for each in results), "Entries": results}

    def _put(self, call: Call, entry: dict[str, Any]) -> dict[str, str]:
        try:
            detail = _detail(entry)
            bus = self._bus_arn(call, str(entry.get("EventBusName") or "default"))
            self._may_put(call, bus)
        except Refusal as problem:
            return {"ErrorCode": problem.code, "ErrorMessage": problem.message}
        event = self._bus.envelope(
            call.account,
            call.region,
            str(entry["Source"]),
            str(entry["DetailType"]),
            detail,
            tuple(entry.get("Resources") or ()),
            _time(entry.get("Time")),
        )
        try:
            self._bus.put(bus.account, bus.region, bus.local.partition("/")[2], event)
        except Undeliverable as problem:
            # The caller gets an event id all the same: EventBridge drops what no bus takes.
            self._lost.note(str(entry["Source"]), bus.text, problem)
        return {"EventId": event["id"]}

    def _bus_arn(self, call: Call, name: str) -> Arn:
        if not name.startswith("arn:"):
            name = f"arn:aws:events:{call.region}:{call.account}:event-bus/{name}"
        return Arn.parse(name)

    def _may_put(self, call: Call, bus: Arn) -> None:
        """The gateway has looked at the first entry's bus only."""
        if call.trusted:
            return
        why = self._grants.refusal(Sender(call.principal), "events:PutEvents", bus.text)
        if why is not None:
            raise Refusal("AccessDeniedException", f"User: {why}")

    def test_pattern(self, call: Call) -> dict[str, Any]:
        """Whether a pattern takes an event."""
        try:
            event = json.loads(call.params["Event"])
        except ValueError as problem:
            raise Refusal("ValidationException", "Parameter Event is not valid JSON.") from problem
        return {"Result": _checked(str(call.params["EventPattern"])).matches(event)}

    def start_replay(self, call: Call) -> dict[str, Any]:
        """Put the archived events of a period on their bus again, marked with ``replay-name``."""
        store = self._world.store("events", call.account, call.region)
        archive = store.archives.get(str(call.params["EventSourceArn"]).rsplit("/", 1)[-1])
        start, end = _time(call.params["EventStartTime"]), _time(call.params["EventEndTime"])
        chosen = [each for each in archive.events if start <= each["time"] < end] if archive else []
        kept, archive_events = chosen, archive.events if archive else []
        if archive:
            # moto checks and keeps the replay, but must find nothing to send by itself.
            archive.events = []
        try:
            answer: dict[str, Any] = store.start_replay(
                str(call.params["ReplayName"]),
                str(call.params.get("Description", "")),
                str(call.params["EventSourceArn"]),
                call.params["EventStartTime"],
                call.params["EventEndTime"],
                dict(call.params["Destination"]),
            )
        except Exception as problem:
            raise Refusal("ValidationException", str(problem)) from problem
        finally:
            if archive:
                archive.events = archive_events
        self._replay(call, kept)
        return {key: answer[key] for key in ("ReplayArn", "State", "ReplayStartTime")}

    def _replay(self, call: Call, events: list[dict[str, Any]]) -> None:
        destination = call.params["Destination"]
        bus = Arn.parse(str(destination["Arn"]))
        rules = frozenset(destination.get("FilterArns") or ()) or None
        for event in events:
            again = {**event, "id": str(uuid.uuid4()), "replay-name": str(call.params["ReplayName"])}
            self._bus.put(bus.account, bus.region, bus.local.partition("/")[2], again, only=rules)

    def _check_rule(self, call: Call) -> None:
        if (call.service, call.operation) == ("events", "PutRule") and call.params.get("EventPattern"):
            pattern = str(call.params["EventPattern"])
            if len(pattern) > LONGEST_PATTERN:
                raise Refusal("LimitExceededException", "The event pattern is longer than 2048 characters.")
            self._check_room(call, _checked(pattern))
        if (call.service, call.operation) == ("events", "PutTargets"):
            _check_targets(call)

    def _check_room(self, call: Call, pattern: EventPattern) -> None:
        name = str(call.params.get("EventBusName") or "default").rsplit("/", 1)[-1]
        bus = self._world.stores.find("events", call.account, call.region, "event_buses", name)
        rules = list(bus.rules.values()) if bus else []
        others = [rule for rule in rules if rule.name != call.params["Name"]]
        if len(others) >= MOST_RULES:
            raise Refusal("LimitExceededException", f"A bus can have {MOST_RULES} rules.")
        texts = [rule.event_pattern.dump() for rule in others] if pattern.has_wildcards else []
        if sum(parsed(text).has_wildcards for text in texts if text) >= MOST_WITH_WILDCARDS:
            raise Refusal(
                "LimitExceededException", f"A bus can have {MOST_WITH_WILDCARDS} rules with wildcards."
            )


def _check_targets(call: Call) -> None:
    targets = call.params.get("Targets", [])
    if len(targets) > MOST_TARGETS:
        raise Refusal("LimitExceededException", f"A rule can have {MOST_TARGETS} targets.")
    for target in targets:
        given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]
        _check_input(target, given)
        arn = Arn.parse(str(target["Arn"]))
        if given and arn.service == "events" and arn.account != call.account:
            text = f"{given[0]} is not available for a bus of another account."
            raise Refusal("ValidationException", text)


def _check_input(target: dict[str, Any], given: list[str]) -> None:
    name, text = target["Id"], ""
    if len(given) > 1:
        text = f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
    elif given == ["InputTransformer"]:
        placeholder = unknown_placeholder(target["InputTransformer"])
        if placeholder is not None:
            text = f"InputTemplate for target {name} contains invalid placeholder {placeholder}."
    elif given == ["Input"] and not _is_json(str(target["Input"])):
        text = f"JSON syntax error in input for target {name}."
    if text:
        raise Refusal("ValidationException", text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _checked(pattern: str) -> EventPattern:
    try:
        return parsed(pattern)
    except PatternError as problem:
        text = f"Event pattern is not valid. Reason: {problem}"
        raise Refusal("InvalidEventPatternException", text) from problem


def _detail(entry: dict[str, Any]) -> Mapping[str, Any]:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            raise Refusal("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is required.")
    if str(entry["Source"]).startswith("aws."):
        text = "Source names that begin with aws. are for AWS services."
        raise Refusal("NotAuthorizedForSourceException", text)
    try:
        detail = json.loads(entry["Detail"])
    except ValueError as problem:
        raise Refusal("MalformedDetail", "Detail is malformed.") from problem
    if not isinstance(detail, dict):
        raise Refusal("MalformedDetail", "Detail is malformed.")
    return detail


def _time(given: Any) -> str:
    """A time as EventBridge writes it; an empty text for none."""
    if given is None:
        return ""
    time = given if isinstance(given, datetime) else datetime.fromtimestamp(float(given), UTC)
    return f"{time.astimezone(UTC) if time.tzinfo else time:%Y-%m-%dT%H:%M:%SZ}"
