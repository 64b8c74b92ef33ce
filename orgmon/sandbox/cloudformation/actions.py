"""One action on one resource: create or adopt, update, delete; with its events, its rehearsed trouble, its errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Principal
from orgmon.sandbox.cloudformation.reasons import ActionFailed, is_gone, reason_of
from orgmon.sandbox.cloudformation.schema import Schema, schema_of
from orgmon.sandbox.cloudformation.scope import partition_of
from orgmon.sandbox.cloudformation.stack import ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.template import Definition
from orgmon.sandbox.providers import provider_of
from orgmon.sandbox.providers.properties import tag_list, tag_map
from orgmon.sandbox.providers.provider import Place, Provider
from orgmon.sandbox.world import World

Owner = Callable[[str, str, str, str], str]
RETAINED = ("Retain", "RetainExceptOnCreate")
SYSTEM_TAGGED = frozenset({"AWS::SecretsManager::Secret"})


@dataclass
class Actions:
    """Acts on the resources of one stack.

    ``owner(account, region, type, physical id)`` is the id of the stack that has a resource, or an empty text.
    ``pace`` is seconds of real time a resource. ``adopts``: existing named resources are taken over.
    """

    world: World
    stack: StackRecord
    principal: Principal | None
    owner: Owner
    pace: float = 0.0
    adopts: bool = False

    def create(self, definition: Definition, wanted: dict[str, Any]) -> ResourceRecord:
        """Make a resource (or adopt it) and return its record. Raises ActionFailed; the record says what is left."""
        record = self._new_record(definition, wanted)
        place = self.place(definition.logical_id)
        self._note(record, "CREATE_IN_PROGRESS")
        try:
            self._begin(record, "CREATE")
            provider = self._provider(record)
            _check_properties(provider, record.logical_id, record.properties)
            existing = self._existing(provider, place, definition, wanted)
            if existing:
                self._adopt(provider, place, record, existing)
            else:
                record.physical_id = provider.create(place, record.properties)
            record.attributes = {
                **place.kept,
                **provider.attributes(place, record.physical_id, record.properties),
            }
        except Exception as problem:
            record.physical_id = record.physical_id or place.claimed
            raise self._failed(record, "CREATE_FAILED", problem) from problem
        self._note(record, "CREATE_COMPLETE", "Resource import completed." if existing else "")
        return record

    def update(self, record: ResourceRecord, definition: Definition | None, wanted: dict[str, Any]) -> None:
        """Change a resource in place; without ``definition`` it goes back, and no trouble is rehearsed.

        Raises ActionFailed; then the record still has the old properties.
        """
        self._note(record, "UPDATE_IN_PROGRESS")
        place = self.place(record.logical_id)
        started = False
        try:
            if definition:
                self._begin(record, "UPDATE")
            provider = self._provider(record)
            _check_properties(provider, record.logical_id, wanted)
            started = True
            provider.update(place, record.physical_id, record.properties, wanted)
            record.properties = wanted
            record.attributes.update(provider.attributes(place, record.physical_id, wanted))
        except Exception as problem:
            failure = self._failed(record, "UPDATE_FAILED", problem)
            failure.record = record if started else None
            raise failure from problem
        if definition:
            _take_policies(record, definition)
        self._note(record, "UPDATE_COMPLETE")

    def delete(self, record: ResourceRecord) -> None:
        """Remove a resource; that it is gone already is fine. Raises ActionFailed."""
        self._note(record, "DELETE_IN_PROGRESS")
        try:
            self._begin(record, "DELETE")
            if record.physical_id:
                self._provider(record).delete(
                    self.place(record.logical_id), record.physical_id, record.properties
                )
        except Exception as problem:
            if not is_gone(problem):
                raise self._failed(record, "DELETE_FAILED", problem) from problem
        self._note(record, "DELETE_COMPLETE")

    def skip(self, record: ResourceRecord) -> None:
        """Leave a resource behind, as its policy asks."""
        self._note(record, "DELETE_SKIPPED")

    def read(self, record: ResourceRecord) -> dict[str, Any] | None:
        """The live properties of a resource, None when it is gone."""
        provider = self._provider(record)
        return live(provider, self.place(record.logical_id), record.physical_id, record.properties)

    def name_property(self, type_name: str) -> str:
        """The property that names a resource of that type; empty when it has none."""
        provider = provider_of(type_name)
        return provider.name_property if provider else ""

    def with_tags(self, type_name: str, logical_id: str, properties: dict[str, Any]) -> dict[str, Any]:
        """The properties with the stack's tags (the resource's own win) and CloudFormation's own tags."""
        schema = schema_of(type_name)
        tags = dict(self.stack.request.tags)
        if type_name in SYSTEM_TAGGED:
            tags |= system_tags(self.stack, logical_id)
        provider = provider_of(type_name)
        if not tags or provider is None or schema.tag_property not in provider.supports:
            return properties
        merged = tags | tag_map(properties.get(schema.tag_property))
        return {**properties, schema.tag_property: _in_form(merged, schema)}

    def _new_record(self, definition: Definition, wanted: dict[str, Any]) -> ResourceRecord:
        record = ResourceRecord(
            logical_id=definition.logical_id,
            type=definition.type,
            physical_id="",
            properties=wanted,
            attributes={},
            status="",
            updated=self.world.clock.now(),
        )
        _take_policies(record, definition)
        return record

    def place(self, logical_id: str) -> Place:
        """Where the provider of that resource works."""
        stack = self.stack
        partition = partition_of(stack.region)[0]
        where = (stack.account, stack.region, partition)
        return Place(self.world, *where, stack.name, stack.id, logical_id, self.principal)

    def _provider(self, record: ResourceRecord) -> Provider:
        provider = provider_of(record.type)
        if provider is None:
            text = f"Resource type {record.type} is not implemented by the sandbox"
            raise ActionFailed(record.logical_id, record.type, text)
        return provider

    def _begin(self, record: ResourceRecord, action: str) -> None:
        """Take the pace's time, and fail where trouble is rehearsed."""
        if self.pace:
            time.sleep(self.pace)
        where = (self.stack.account, self.stack.region, self.stack.name)
        reason = self.world.trouble.failure_for(*where, record.logical_id, action)
        if reason:
            raise ActionFailed(record.logical_id, record.type, reason)

    def _existing(
        self, provider: Provider, place: Place, definition: Definition, wanted: dict[str, Any]
    ) -> str:
        """The physical id of a resource to adopt, or an empty text; raises ActionFailed when the name is taken."""
        adoptable = self.adopts and is_adoptable(provider, definition)
        if not (provider.overwrites or adoptable):
            return ""
        physical_id = provider.identify(place, wanted)
        if not physical_id or live(provider, place, physical_id, wanted) is None:
            return ""
        owner = self.owner(self.stack.account, self.stack.region, definition.type, physical_id)
        if adoptable and not owner:
            return physical_id
        taken = f"{physical_id} already exists" + (f" in stack {owner}" if owner else "")
        raise ActionFailed(definition.logical_id, definition.type, taken)

    def _adopt(self, provider: Provider, place: Place, record: ResourceRecord, physical_id: str) -> None:
        current = live(provider, place, physical_id, record.properties) or {}
        record.physical_id = physical_id
        provider.update(place, physical_id, current, record.properties)

    def _failed(self, record: ResourceRecord, status: str, problem: Exception) -> ActionFailed:
        """Write the failure down and wrap it."""
        reason = problem.reason if isinstance(problem, ActionFailed) else reason_of(problem)
        self._note(record, status, reason)
        failure = ActionFailed(record.logical_id, record.type, reason)
        failure.record = record if record.physical_id else None
        return failure

    def _note(self, record: ResourceRecord, status: str, reason: str = "") -> None:
        now = self.world.clock.now()
        record.status = status
        record.reason = reason
        record.updated = now
        self.stack.record(now, record.logical_id, record.physical_id, record.type, status, reason)


def live(provider: Provider, place: Place, physical_id: str, last: dict[str, Any]) -> dict[str, Any] | None:
    """The live properties of a resource, or None when its service does not know it."""
    try:
        return provider.read(place, physical_id, last)
    except Exception as problem:
        if is_gone(problem):
            return None
        raise


def is_adoptable(provider: Provider, definition: Definition) -> bool:
    """Whether ImportExistingResources may take this resource over: a literal name, and a policy that retains."""
    name = definition.properties.get(provider.name_property)
    return isinstance(name, str) and definition.deletion_policy in RETAINED


def system_tags(stack: StackRecord, logical_id: str) -> dict[str, str]:
    """The tags that CloudFormation itself puts on a resource."""
    return {
        "aws:cloudformation:stack-name": stack.name,
        "aws:cloudformation:stack-id": stack.id,
        "aws:cloudformation:logical-id": logical_id,
    }


def _take_policies(record: ResourceRecord, definition: Definition) -> None:
    record.deletion_policy = definition.deletion_policy
    record.update_replace_policy = definition.update_replace_policy
    record.metadata = definition.metadata


def _in_form(tags: dict[str, str], schema: Schema) -> Any:
    return tags if schema.tags_are_a_map else tag_list(tags)


def _check_properties(provider: Provider, logical_id: str, properties: dict[str, Any]) -> None:
    """Raise ActionFailed for what AWS's model refuses, and for what the sandbox would have to leave out."""
    problems = schema_of(provider.type).problems(properties)
    if problems:
        text = (
            f"Properties validation failed for resource {logical_id} with message:\n[{', '.join(problems)}]"
        )
        raise ActionFailed(logical_id, provider.type, text)
    missing = sorted(set(properties) - provider.supports)
    if missing:
        text = f"Properties [{', '.join(missing)}] of {provider.type} are not implemented by the sandbox"
        raise ActionFailed(logical_id, provider.type, text)
