"""EventBridge: buses and their policies, rules with targets, archives."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import chosen, differs, document, parsed, tag_changes, tag_list
from orgmon.sandbox.providers.provider import HandlerError, Place, Properties, Provider, provides

_BUS = ("DeadLetterConfig", "Description", "KmsKeyIdentifier")


@provides("AWS::Events::EventBus")
class EventBus(Provider):
    """A custom bus. Its policy, as the template gives it, replaces what the bus had."""

    name_property = "Name"
    supports = frozenset({"Name", "Policy", "Tags", *_BUS})

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateEventBus, then its policy."""
        name = str(wanted["Name"])
        members = chosen(wanted, *_BUS)
        if wanted.get("Tags"):
            members["Tags"] = wanted["Tags"]
        place.client("events").create_event_bus(Name=name, **members)
        place.claim(name)
        self._set_policy(place, name, {}, wanted)
        return name

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateEventBus, policy and tags, each where it differs."""
        client = place.client("events")
        if differs(old, wanted, *_BUS):
            client.update_event_bus(Name=physical_id, **chosen(wanted, *_BUS))
        self._set_policy(place, physical_id, old, wanted)
        _retag(place, place.arn("events", f"event-bus/{physical_id}"), old, wanted)

    def _set_policy(self, place: Place, name: str, old: Properties, wanted: Properties) -> None:
        if not differs(old, wanted, "Policy"):
            return
        client = place.client("events")
        if "Policy" in wanted:
            client.put_permission(EventBusName=name, Policy=document(wanted["Policy"]))
        else:
            client.remove_permission(EventBusName=name, RemoveAllPermissions=True)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteEventBus."""
        place.client("events").describe_event_bus(Name=physical_id)
        place.client("events").delete_event_bus(Name=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Description, dead letters, key and policy."""
        bus = place.client("events").describe_event_bus(Name=physical_id)
        policy = {"Policy": parsed(bus["Policy"])} if bus.get("Policy") else {}
        return {"Name": physical_id, **chosen(bus, *_BUS), **policy}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Arn and Name."""
        return {"Arn": place.arn("events", f"event-bus/{physical_id}"), "Name": physical_id}


@provides("AWS::Events::EventBusPolicy")
class EventBusPolicy(Provider):
    """One statement of a bus's policy; its physical id is ``BUS|STATEMENT``."""

    overwrites = True
    supports = frozenset({"EventBusName", "StatementId", "Statement", "Action", "Principal", "Condition"})

    def identify(self, place: Place, wanted: Properties) -> str:
        """Bus and statement id."""
        return f"{_bus_of(wanted)}|{wanted['StatementId']}"

    def create(self, place: Place, wanted: Properties) -> str:
        """PutPermission."""
        physical_id = self.identify(place, wanted)
        self.update(place, physical_id, {}, wanted)
        return place.claim(physical_id)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutPermission with the whole policy: the other statements stay as they are."""
        client = place.client("events")
        bus = _bus_of(wanted)
        if "Statement" not in wanted:
            members = chosen(wanted, "Action", "Principal", "StatementId", "Condition")
            client.put_permission(EventBusName=bus, **members)
            return
        statement = {**parsed(wanted["Statement"]), "Sid": wanted["StatementId"]}
        others = [each for each in _statements(client, bus) if each.get("Sid") != wanted["StatementId"]]
        policy = {"Version": "2012-10-17", "Statement": [*others, statement]}
        client.put_permission(EventBusName=bus, Policy=document(policy))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """RemovePermission."""
        bus, statement_id = physical_id.split("|")
        place.client("events").remove_permission(EventBusName=bus, StatementId=statement_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The statement as the bus has it."""
        bus, statement_id = physical_id.split("|")
        for statement in _statements(place.client("events"), bus):
            if statement.get("Sid") == statement_id:
                return {"EventBusName": bus, "StatementId": statement_id, "Statement": statement}
        return None


def _bus_of(wanted: Properties) -> str:
    """The name of the bus, which a template may also give as an ARN."""
    return str(wanted.get("EventBusName", "default")).rsplit("event-bus/", 1)[-1]


def _statements(client: Any, bus: str) -> list[dict[str, Any]]:
    policy = client.describe_event_bus(Name=bus).get("Policy")
    return list(parsed(policy)["Statement"]) if policy else []


_RULE = ("Description", "RoleArn", "ScheduleExpression", "State")


@provides("AWS::Events::Rule")
class Rule(Provider):
    """A rule and its targets. Its physical id is the name, or ``BUS|NAME`` on a custom bus."""

    name_property = "Name"
    name_limit = 64
    overwrites = True
    supports = frozenset({"Name", "EventBusName", "EventPattern", "Targets", "Tags", *_RULE})

    def identify(self, place: Place, wanted: Properties) -> str:
        """Name, with its bus unless that is the default one."""
        name = str(wanted.get("Name", ""))
        bus = _bus_of(wanted)
        return name if not name or bus == "default" else f"{bus}|{name}"

    def create(self, place: Place, wanted: Properties) -> str:
        """PutRule with tags, then PutTargets."""
        name = self.name(place, wanted)
        client = place.client("events")
        members = _rule_members(name, wanted)
        if wanted.get("Tags"):
            members["Tags"] = wanted["Tags"]
        client.put_rule(**members)
        physical_id = place.claim(self.identify(place, {**wanted, "Name": name}))
        self._set_targets(place, physical_id, {}, wanted)
        return physical_id

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutRule, targets and tags, each where it differs."""
        bus, name = _rule_id(physical_id)
        if differs(old, wanted, "EventPattern", *_RULE):
            place.client("events").put_rule(**_rule_members(name, wanted))
        self._set_targets(place, physical_id, old, wanted)
        _retag(place, _rule_arn(place, bus, name), old, wanted)

    def _set_targets(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        bus, name = _rule_id(physical_id)
        client = place.client("events")
        targets = wanted.get("Targets", [])
        ids = {target["Id"] for target in targets}
        gone = [target["Id"] for target in old.get("Targets", []) if target["Id"] not in ids]
        if gone:
            _refuse_failed(client.remove_targets(Rule=name, EventBusName=bus, Ids=gone))
        if targets and targets != old.get("Targets"):
            answer = client.put_targets(
                Rule=name, EventBusName=bus, Targets=[_target(each) for each in targets]
            )
            _refuse_failed(answer)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """RemoveTargets, then DeleteRule."""
        bus, name = _rule_id(physical_id)
        client = place.client("events")
        targets = client.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
        if targets:
            ids = [each["Id"] for each in targets]
            _refuse_failed(client.remove_targets(Rule=name, EventBusName=bus, Ids=ids))
        client.delete_rule(Name=name, EventBusName=bus)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Pattern, state and targets."""
        bus, name = _rule_id(physical_id)
        client = place.client("events")
        rule = client.describe_rule(Name=name, EventBusName=bus)
        pattern = {"EventPattern": parsed(rule["EventPattern"])} if rule.get("EventPattern") else {}
        targets = client.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
        return {"Name": name, "EventBusName": bus, **chosen(rule, *_RULE), **pattern, "Targets": targets}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Arn and RuleName."""
        bus, name = _rule_id(physical_id)
        return {"Arn": _rule_arn(place, bus, name), "RuleName": name}


def _rule_id(physical_id: str) -> tuple[str, str]:
    bus, _, name = physical_id.rpartition("|")
    return bus or "default", name


def _rule_arn(place: Place, bus: str, name: str) -> str:
    return place.arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}")


def _rule_members(name: str, wanted: Properties) -> dict[str, Any]:
    members = {"Name": name, "EventBusName": _bus_of(wanted), **chosen(wanted, *_RULE)}
    if "EventPattern" in wanted:
        members["EventPattern"] = document(wanted["EventPattern"])
    return members


def _target(wanted: dict[str, Any]) -> dict[str, Any]:
    """A target with the types that PutTargets takes."""
    target = dict(wanted)
    if "RetryPolicy" in wanted:
        target["RetryPolicy"] = {name: int(value) for name, value in wanted["RetryPolicy"].items()}
    return target


def _refuse_failed(answer: dict[str, Any]) -> None:
    """PutTargets answers with success and a list of what it did not take."""
    for entry in answer.get("FailedEntries", []):
        raise HandlerError("InvalidRequest", f"{entry['ErrorCode']}: {entry['ErrorMessage']}")


@provides("AWS::Events::Archive")
class Archive(Provider):
    """What a bus keeps for replays."""

    name_property = "ArchiveName"
    name_limit = 48
    supports = frozenset({"ArchiveName", "SourceArn", "Description", "EventPattern", "RetentionDays"})

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateArchive."""
        name = self.name(place, wanted)
        members = _archive_members(name, wanted)
        place.client("events").create_archive(EventSourceArn=wanted["SourceArn"], **members)
        return place.claim(name)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """UpdateArchive."""
        place.client("events").update_archive(**_archive_members(physical_id, wanted))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteArchive."""
        place.client("events").delete_archive(ArchiveName=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Source, pattern and days."""
        archive = place.client("events").describe_archive(ArchiveName=physical_id)
        pattern = {"EventPattern": parsed(archive["EventPattern"])} if archive.get("EventPattern") else {}
        settings = chosen(archive, "Description", "RetentionDays")
        return {"ArchiveName": physical_id, "SourceArn": archive["EventSourceArn"], **settings, **pattern}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Arn and ArchiveName."""
        return {"Arn": place.arn("events", f"archive/{physical_id}"), "ArchiveName": physical_id}


def _archive_members(name: str, wanted: Properties) -> dict[str, Any]:
    members = {"ArchiveName": name, **chosen(wanted, "Description")}
    if "RetentionDays" in wanted:
        members["RetentionDays"] = int(wanted["RetentionDays"])
    if "EventPattern" in wanted:
        members["EventPattern"] = document(wanted["EventPattern"])
    return members


def _retag(place: Place, arn: str, old: Properties, wanted: Properties) -> None:
    changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
    client = place.client("events")
    if removed:
        client.untag_resource(ResourceARN=arn, TagKeys=removed)
    if changed:
        client.tag_resource(ResourceARN=arn, Tags=tag_list(changed))
