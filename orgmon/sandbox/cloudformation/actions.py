"""One action on one resource: create or adopt, update, delete; with its events, its rehearsed trouble, its errors.

Source of the events (two of a creation, the second with the physical id; a replacement is an update): user guide,
"View stack events"; answers to DescribeStackEvents that were recorded in public test suites.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Principal, Refusal
from orgmon.sandbox.cloudformation.adoption import adopt, is_adoptable, live
from orgmon.sandbox.cloudformation.reasons import ActionFailed, is_gone, reason_of
from orgmon.sandbox.cloudformation.schema import schema_of
from orgmon.sandbox.cloudformation.scope import partition_of
from orgmon.sandbox.cloudformation.stack import ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.template import Definition, Template
from orgmon.sandbox.cloudformation.timetable import begins, ends
from orgmon.sandbox.providers import provider_of
from orgmon.sandbox.providers.provider import Place, Provider
from orgmon.sandbox.rates import later
from orgmon.sandbox.world import World

Owner = Callable[[str, str, str, str], str]
_INITIATED = "Resource creation Initiated"
_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


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

    def create(
        self,
        definition: Definition,
        wanted: dict[str, Any],
        shown: dict[str, Any],
        old: ResourceRecord | None = None,
    ) -> ResourceRecord:
        """Make a resource (or adopt it) in the place of ``old``, if there is one, and return its record.

        Raises ActionFailed; the record says what is left.
        """
        record = self._new_record(definition, wanted, shown)
        place = self.place(definition.logical_id)
        verb = "UPDATE" if old else "CREATE"
        self._note(record, f"{verb}_IN_PROGRESS", _REPLACING if old else "", old.physical_id if old else "")
        try:
            self._begin(record, "CREATE")
            provider = self._provider(record)
            _check_properties(provider, record.logical_id, record.properties)
            with self._second(record, begins):
                existing = self._existing(provider, place, definition, wanted)
                if existing:
                    record.physical_id = existing
                    adopt(provider, place, existing, record.properties)
                else:
                    record.physical_id = provider.create(place, record.properties)
                    self._note(record, f"{verb}_IN_PROGRESS", _INITIATED)
                record.attributes = {
                    **place.kept,
                    **provider.attributes(place, record.physical_id, record.properties),
                }
        except Exception as problem:
            if place.claimed and not record.physical_id:
                record.physical_id = place.claimed
                self._note(record, f"{verb}_IN_PROGRESS", _INITIATED)
            raise self._failed(record, f"{verb}_FAILED", problem) from problem
        self._note(record, f"{verb}_COMPLETE", "Resource import completed." if existing else "")
        return record

    def update(
        self,
        record: ResourceRecord,
        definition: Definition | None,
        wanted: dict[str, Any],
        shown: dict[str, Any],
    ) -> None:
        """Change a resource in place; without ``definition`` it goes back, and no trouble is rehearsed.

        Raises ActionFailed; then the record still has the old properties.
        """
        record.shown = shown
        self._note(record, "UPDATE_IN_PROGRESS")
        place = self.place(record.logical_id)
        started = False
        try:
            if definition:
                self._begin(record, "UPDATE")
            provider = self._provider(record)
            _check_properties(provider, record.logical_id, wanted)
            started = True
            with self._second(record, begins):
                provider.update(place, record.physical_id, record.properties, wanted)
                record.properties = wanted
                record.attributes.update(provider.attributes(place, record.physical_id, wanted))
        except Exception as problem:
            failure = self._failed(record, "UPDATE_FAILED", problem)
            failure.record = record if started else None
            raise failure from problem
        if definition:
            take_attributes(record, definition)
        self._note(record, "UPDATE_COMPLETE")

    def refused(self, record: ResourceRecord, status: str, reason: str) -> ActionFailed:
        """Note that nothing may be done with a resource; returns the failure."""
        return self._failed(record, status, Refusal("ValidationError", reason))

    def impossible(self, definition: Definition, reason: str) -> ActionFailed:
        """Note that a resource cannot even be asked for; returns the failure."""
        return self.refused(self._new_record(definition, {}, {}), "CREATE_FAILED", reason)

    def settle(self, record: ResourceRecord, shown: dict[str, Any]) -> None:
        """Note that a resource with which nothing was done is in order again."""
        record.shown = shown
        self._note(record, "UPDATE_COMPLETE")

    def delete(self, record: ResourceRecord) -> None:
        """Remove a resource; that it is gone already is fine. Raises ActionFailed."""
        self._note(record, "DELETE_IN_PROGRESS")
        try:
            self._begin(record, "DELETE")
            if record.physical_id:
                with self._second(record, ends):
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

    def _new_record(
        self, definition: Definition, wanted: dict[str, Any], shown: dict[str, Any]
    ) -> ResourceRecord:
        record = ResourceRecord(
            logical_id=definition.logical_id,
            type=definition.type,
            physical_id="",
            properties=wanted,
            attributes={},
            status="",
            updated=self.world.clock.now(),
            shown=shown,
        )
        take_attributes(record, definition)
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

    def _second(
        self, record: ResourceRecord, table: Callable[[Template], Mapping[str, int]]
    ) -> AbstractContextManager[None]:
        """Let calls count in the second in which CloudFormation would come to a resource."""
        return later(table(self.stack.request.template).get(record.logical_id, 0))

    def _begin(self, record: ResourceRecord, action: str) -> None:
        """Take the pace's time, and fail where trouble is rehearsed."""
        if self.pace:
            time.sleep(self.pace)
        where = (self.stack.account, self.stack.region, self.stack.name)
        reason = self.world.trouble.failure_for(*where, record.logical_id, action)
        if reason:
            raise ActionFailed(record.logical_id, record.type, reason)

    def _failed(self, record: ResourceRecord, status: str, problem: Exception) -> ActionFailed:
        """Write the failure down and wrap it."""
        reason = problem.reason if isinstance(problem, ActionFailed) else reason_of(problem, record.type)
        self._note(record, status, reason)
        failure = ActionFailed(record.logical_id, record.type, reason)
        failure.record = record if record.physical_id else None
        return failure

    def _note(self, record: ResourceRecord, status: str, reason: str = "", physical_id: str = "") -> None:
        """Set the resource's status and write its event, with another physical id where one is given."""
        now = self.world.clock.now()
        record.status = status
        record.reason = reason
        record.updated = now
        shown = None if status.startswith("DELETE") else record.shown
        about = (record.logical_id, physical_id or record.physical_id, record.type, status, reason, shown)
        self.stack.record(now, *about)


def take_attributes(record: ResourceRecord, other: Definition | ResourceRecord) -> None:
    """Take over what a stack remembers of a resource beside its properties."""
    record.deletion_policy = other.deletion_policy
    record.update_replace_policy = other.update_replace_policy
    record.metadata = other.metadata


def copy_of(record: ResourceRecord) -> ResourceRecord:
    """A record that does not change with the first."""
    return ResourceRecord(**{**vars(record), "attributes": dict(record.attributes)})


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
