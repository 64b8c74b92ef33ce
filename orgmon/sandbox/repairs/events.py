"""EventBridge: buses that can be updated, and bus policies that are kept as they were given.

moto has no UpdateEventBus; it wants a Sid in every statement, and forgets a statement when another one with the
same principal is put. Sources: EventBridge API reference, PutPermission, RemovePermission (policy: 10,240 bytes);
members of listed buses as recorded in LocalStack's public tests (tests/aws/services/events).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.world import World

MAXIMUM_POLICY = 10_240
_OF_A_RULE = ("DescribeRule", "DisableRule", "EnableRule")
_TARGETS = Pages(
    "Targets", "Limit", 100, "NextToken", "NextToken", ("ValidationException", "The token is not valid.")
)


@dataclass(frozen=True)
class _Statement:
    """A statement in moto's list of a bus, which shows itself as it was written."""

    body: dict[str, Any]

    @property
    def principal(self) -> Any:
        return self.body.get("Principal")

    def describe(self) -> dict[str, Any]:
        return self.body


def install(world: World) -> None:
    """Answer UpdateEventBus, PutPermission and RemovePermission."""
    repairs = _Events(world)
    world.before.append(repairs.check)
    world.operations.register("events", "UpdateEventBus", repairs.update_bus)
    world.operations.register("events", "PutPermission", repairs.put_permission)
    world.operations.register("events", "RemovePermission", repairs.remove_permission)
    world.operations.register("events", "ListTargetsByRule", repairs.list_targets)
    world.operations.amend("events", "CreateEventBus", repairs.created)
    world.operations.amend("events", "ListEventBuses", repairs.complete)


class _Events:
    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, call: Call) -> None:
        """Before a call about a rule or a partner's events: what is named must be there."""
        if call.service != "events":
            return
        if call.operation in _OF_A_RULE:
            bus, name = self._bus(call, "EventBusName"), str(call.params["Name"])
            if name not in bus.rules:
                text = f"Rule {name} does not exist on EventBus {bus.name}."
                raise Refusal("ResourceNotFoundException", text)
        if call.operation == "DeleteEventBus" and self._has_rules(str(call.params["Name"]), call):
            raise Refusal("ValidationException", "EventBus can't be deleted since it has rules.")
        if call.operation == "PutPartnerEvents":
            self._check_partner(call)

    def _has_rules(self, name: str, call: Call) -> bool:
        """Rules that an archive brought go with it, and do not count."""
        bus = self._world.store("events", call.account, call.region).event_buses.get(name)
        return (
            name != "default" and bus is not None and any(not rule.managed_by for rule in bus.rules.values())
        )

    def _check_partner(self, call: Call) -> None:
        """moto looks sources up without asking whether they are there."""
        sources = self._world.store("events", call.account, call.region).partner_event_sources
        for entry in call.params["Entries"]:
            if entry.get("Source") not in sources:
                text = f"Event source {entry.get('Source')} does not exist."
                raise Refusal("ResourceNotFoundException", text)

    def update_bus(self, call: Call) -> dict[str, Any]:
        """Description, key and dead letters; a member that is left out takes the setting away."""
        bus = self._bus(call, "Name")
        bus.description = call.params.get("Description")
        bus.kms_key_identifier = call.params.get("KmsKeyIdentifier")
        bus.dead_letter_config = call.params.get("DeadLetterConfig")
        bus.last_modified_time = self._world.clock.now().timestamp()
        given = ("KmsKeyIdentifier", "Description", "DeadLetterConfig")
        return {
            "Arn": bus.arn,
            "Name": bus.name,
            **{name: call.params[name] for name in given if name in call.params},
        }

    def put_permission(self, call: Call) -> dict[str, Any]:
        """A whole policy replaces the former one; single members add or replace one statement."""
        bus = self._bus(call, "EventBusName")
        policy = call.params.get("Policy")
        if policy:
            statements = _statements(str(policy))
        else:
            statement = _single(call.params, bus.arn)
            statements = {**bus._statements, str(call.params["StatementId"]): _Statement(statement)}
        size = len(json.dumps([each.describe() for each in statements.values()]))
        if size > MAXIMUM_POLICY:
            raise Refusal("PolicyLengthExceededException", "The policy is longer than 10240 bytes.")
        bus._statements = statements
        return {}

    def remove_permission(self, call: Call) -> dict[str, Any]:
        """One statement by its id, or all."""
        bus = self._bus(call, "EventBusName")
        statement_id = call.params.get("StatementId")
        if call.params.get("RemoveAllPermissions"):
            bus._statements = {}
        elif statement_id not in bus._statements:
            raise Refusal("ResourceNotFoundException", "Statement with the provided id does not exist.")
        else:
            bus._statements = {key: each for key, each in bus._statements.items() if key != statement_id}
        return {}

    def list_targets(self, call: Call) -> dict[str, Any]:
        """The targets of a rule, page by page."""
        bus = self._bus(call, "EventBusName")
        rule = bus.rules.get(str(call.params["Rule"]))
        if rule is None:
            text = f"Rule {call.params['Rule']} does not exist on EventBus {bus.name}."
            raise Refusal("ResourceNotFoundException", text)
        return _TARGETS(call, {"Targets": list(rule.targets)})

    def created(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """What the bus was made with, and that it was made in the sandbox's time."""
        bus = self._bus(call, "Name")
        bus.creation_time = bus.last_modified_time = call.time.timestamp()
        given = ("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")
        return {**answer, **{name: call.params[name] for name in given if call.params.get(name)}}

    def complete(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """The times and descriptions of listed buses."""
        buses = self._world.store("events", call.account, call.region).event_buses
        listed = []
        for each in answer.get("EventBuses", []):
            bus = buses[each["Name"]]
            times = {"CreationTime": bus.creation_time, "LastModifiedTime": bus.last_modified_time}
            listed.append({**each, **times, **({"Description": bus.description} if bus.description else {})})
        return {**answer, "EventBuses": listed}

    def _bus(self, call: Call, member: str) -> Any:
        name = str(call.params.get(member) or "default").rsplit("/", 1)[-1]
        buses = self._world.store("events", call.account, call.region).event_buses
        if name not in buses:
            raise Refusal("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return buses[name]


def _statements(policy: str) -> dict[str, _Statement]:
    """The statements of a policy by their Sid (or their place, where they have none)."""
    try:
        statements = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError) as problem:
        raise Refusal("ValidationException", "This policy contains invalid Json") from problem
    listed = statements if isinstance(statements, list) else [statements]
    return {str(each.get("Sid", index)): _Statement(each) for index, each in enumerate(listed)}


def _single(params: dict[str, Any], bus_arn: str) -> dict[str, Any]:
    """The statement that Action, Principal, StatementId and Condition stand for."""
    missing = [name for name in ("Action", "Principal", "StatementId") if not params.get(name)]
    if missing:
        raise Refusal("ValidationException", f"Parameter {missing[0]} must be specified.")
    who = str(params["Principal"])
    partition = bus_arn.split(":")[1]
    statement: dict[str, Any] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if who == "*" else {"AWS": f"arn:{partition}:iam::{who}:root"},
        "Action": params["Action"],
        "Resource": bus_arn,
    }
    if params.get("Condition"):
        condition = params["Condition"]
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement
