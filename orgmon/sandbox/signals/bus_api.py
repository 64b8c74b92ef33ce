"""The EventBridge operations about single events: PutEvents, TestEventPattern; and checks on PutRule and PutTargets.

Sources: EventBridge API reference, PutEvents (sources beginning with ``aws.`` are AWS's own; all entries together
less than 1 MB), PutTargets, TestEventPattern (mandatory fields); EventBridge user guide, "Calculating PutEvents event
entry size"; refusals of AWS as recorded in LocalStack's public tests (tests/aws/services/events). Which targets must
have a role, and which cannot: AWS's own words in issues of hashicorp/terraform-provider-aws (19913),
awsdocs/aws-codepipeline-user-guide (18), awsdocs/aws-cloudformation-user-guide (1178) and
terraform-aws-modules/terraform-aws-eventbridge (41); API reference, Target (log groups: a resource policy, no role).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orgmon.errors import PatternError
from orgmon.eventpattern import EventPattern
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.bus import EventBus, iso, parsed
from orgmon.sandbox.signals.grants import Grants, Sender
from orgmon.sandbox.signals.losses import Losses, Undeliverable
from orgmon.sandbox.signals.transformer import unknown_placeholder
from orgmon.sandbox.world import World

LONGEST_PATTERN = 2048
MOST_TARGETS = 5
MOST_BYTES = 1_048_576
MOST_RULES, MOST_WITH_WILDCARDS = 300, 30
FEWER_RULES = {"af-south-1": 100, "eu-south-1": 100}
"""Of one bus (EventBridge quotas), and where it has fewer. What AWS answers beyond wildcards is not published."""
# AWS's reference names "resources", too, but AWS has taken events without when it was recorded.
_ARCHIVES = ("CreateArchive", "UpdateArchive")
_MANDATORY = ("id", "account", "source", "time", "region", "detail-type")
_TIME_BYTES = 14
_WITHOUT_ROLE = frozenset({"logs"})
_WITH_ROLE = frozenset({"states", "codepipeline", "codebuild"})
_TOO_MANY = "The requested resource exceeds the maximum number allowed."


class BusApi:
    """Answers the calls, and looks at rules before moto keeps them."""

    def __init__(self, world: World, bus: EventBus, grants: Grants, lost: Losses) -> None:
        self._world = world
        self._bus = bus
        self._grants = grants
        self._lost = lost

    def install(self) -> None:
        """Take the operations over."""
        self._world.operations.register("events", "PutEvents", self.put_events)
        self._world.operations.register("events", "TestEventPattern", self.test_pattern)
        self._world.before.append(self._check_rule)

    def put_events(self, call: Call) -> dict[str, Any]:
        """Put up to ten events; each one is taken or refused for itself."""
        entries = call.params["Entries"]
        if not 1 <= len(entries) <= 10:
            raise Refusal("ValidationException", "Entries must have between 1 and 10 members.")
        if sum(_size(entry) for entry in entries) >= MOST_BYTES:
            text = "Total size of the entries in the request is over the limit."
            raise Refusal("ValidationException", text)
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
            iso(entry.get("Time")),
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
        pattern = _checked(str(call.params["EventPattern"]))
        try:
            event = json.loads(call.params["Event"])
        except ValueError as problem:
            raise Refusal("ValidationException", "Parameter Event is not valid JSON.") from problem
        missing = [name for name in _MANDATORY if not isinstance(event, dict) or name not in event]
        if missing:
            text = f"Parameter Event is not valid. Reason: {', '.join(missing)} must be specified."
            raise Refusal("ValidationException", text)
        return {"Result": pattern.matches(event)}

    def _check_rule(self, call: Call) -> None:
        if (call.service, call.operation) == ("events", "PutRule"):
            pattern = str(call.params.get("EventPattern") or "")
            if len(pattern) > LONGEST_PATTERN:
                raise Refusal("LimitExceededException", "The event pattern is longer than 2048 characters.")
            self._check_room(call, _checked(pattern) if pattern else None)
        if call.service == "events" and call.operation in _ARCHIVES and call.params.get("EventPattern"):
            _checked(str(call.params["EventPattern"]))
        if (call.service, call.operation) == ("events", "PutTargets"):
            _check_targets(call)

    def _check_room(self, call: Call, pattern: EventPattern | None) -> None:
        name = str(call.params.get("EventBusName") or "default").rsplit("/", 1)[-1]
        bus = self._world.stores.find("events", call.account, call.region, "event_buses", name)
        rules = list(bus.rules.values()) if bus else []
        others = [rule for rule in rules if rule.name != call.params["Name"]]
        if len(others) >= FEWER_RULES.get(call.region, MOST_RULES):
            raise Refusal("LimitExceededException", _TOO_MANY)
        has_wildcards = pattern is not None and pattern.has_wildcards
        texts = [rule.event_pattern.dump() for rule in others] if has_wildcards else []
        if sum(parsed(text).has_wildcards for text in texts if text) >= MOST_WITH_WILDCARDS:
            raise Refusal(
                "LimitExceededException", f"A bus can have {MOST_WITH_WILDCARDS} rules with wildcards."
            )


def _check_targets(call: Call) -> None:
    targets = call.params.get("Targets", [])
    if len(targets) > MOST_TARGETS:
        raise Refusal("LimitExceededException", _TOO_MANY)
    for target in targets:
        given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]
        _check_input(target, given)
        arn = _target_arn(str(target["Arn"]))
        if "Arn" in (target.get("DeadLetterConfig") or {}):
            _target_arn(str(target["DeadLetterConfig"]["Arn"]))
        _check_role(arn, bool(target.get("RoleArn")))
        if given and arn.service == "events" and arn.account != call.account:
            text = f"{given[0]} is not available for a bus of another account."
            raise Refusal("ValidationException", text)


def _target_arn(text: str) -> Arn:
    try:
        return Arn.parse(text)
    except ValueError as problem:
        told = f"Parameter {text} is not valid. Reason: Provided Arn is not in correct format."
        raise Refusal("ValidationException", told) from problem


def _check_role(arn: Arn, has_role: bool) -> None:
    is_destination = arn.service == "events" and arn.local.startswith("api-destination/")
    if has_role and arn.service in _WITHOUT_ROLE:
        raise Refusal("ValidationException", f"RoleArn is not supported for target {arn.text}.")
    if not has_role and (is_destination or arn.service in _WITH_ROLE):
        raise Refusal("ValidationException", f"RoleArn is required for target {arn.text}.")


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
            text = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            raise Refusal("InvalidArgument", text)
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


def _size(entry: dict[str, Any]) -> int:
    """What an entry counts: the bytes of its texts, and fourteen for a time."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    texts += entry.get("Resources") or ()
    return sum(len(str(text).encode()) for text in texts) + (_TIME_BYTES if entry.get("Time") else 0)
