"""What an update would do to each resource, worked out before anything is done: for change sets and no-op updates."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.cloudformation.actions import Actions, is_adoptable, live
from orgmon.sandbox.cloudformation.intrinsics import NO_VALUE
from orgmon.sandbox.cloudformation.schema import is_known, schema_of
from orgmon.sandbox.cloudformation.scope import Scope
from orgmon.sandbox.cloudformation.stack import Change, Request, ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.template import Definition
from orgmon.sandbox.providers import provider_of


def changes_of(stack: StackRecord, request: Request, scope: Scope, actions: Actions) -> tuple[Change, ...]:
    """The changes that ``request`` would bring, in the order of the template, removals last.

    ``scope`` must be a planning one: what exists only afterwards counts as changed.
    """
    changes: list[Change] = []
    wanted_ids = [name for name in request.template.resources if scope.resolver.wanted(name)]
    for logical_id in wanted_ids:
        definition = request.template.resources[logical_id]
        record = stack.resources.get(logical_id)
        properties = scope.resolver.properties(logical_id)
        change = _change(record, definition, properties, request, actions)
        if change and change.replacement != "False":
            scope.unsettled.add(logical_id)
        if change:
            changes.append(change)
    gone = [record for name, record in stack.resources.items() if name not in wanted_ids]
    return (*changes, *(_removal(record) for record in reversed(gone)))


def outputs_change(stack: StackRecord, request: Request, scope: Scope) -> bool:
    """Whether the outputs would differ from those the stack has."""
    after = {}
    for key, definition in request.template.outputs.items():
        resolved = scope.output(definition)
        if resolved is not NO_VALUE:
            export = resolved.get("Export", {}).get("Name", "")
            after[key] = (str(resolved["Value"]), str(resolved.get("Description", "")), str(export))
    before = {output.key: (output.value, output.description, output.export) for output in stack.outputs}
    return before != after


def _change(
    record: ResourceRecord | None,
    definition: Definition,
    properties: dict[str, Any],
    request: Request,
    actions: Actions,
) -> Change | None:
    if record is None:
        adopted = _would_adopt(definition, properties, request, actions)
        action = "Import" if adopted else "Add"
        return Change(action, definition.logical_id, adopted, definition.type)
    if record.type != definition.type:
        return _modification(record, (("Type", "Always"),), ("Properties",))
    if not is_known(definition.type):
        return None
    wanted = actions.with_tags(definition.type, definition.logical_id, properties)
    details = property_changes(record, wanted)
    scope = tuple(
        name
        for name, differs in (
            ("Properties", any(name != "Tags" for name, _ in details)),
            ("Tags", any(name == "Tags" for name, _ in details)),
            ("Metadata", record.metadata != definition.metadata),
        )
        if differs
    )
    return _modification(record, details, scope) if scope else None


def property_changes(record: ResourceRecord, wanted: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The top-level properties that differ, each with Always or Never for replacement."""
    replacing = schema_of(record.type).replaced_by(record.properties, wanted)
    names = sorted(set(record.properties) | set(wanted))
    return tuple(
        (name, "Always" if name in replacing else "Never")
        for name in names
        if record.properties.get(name) != wanted.get(name)
    )


def _modification(
    record: ResourceRecord, details: tuple[tuple[str, str], ...], scope: tuple[str, ...]
) -> Change:
    replaced = any(recreation == "Always" for _, recreation in details)
    return Change(
        action="Modify",
        logical_id=record.logical_id,
        physical_id=record.physical_id,
        type=record.type,
        replacement="True" if replaced else "False",
        details=details,
        scope=scope,
        policy_action=_replacement_policy(record) if replaced else "",
    )


def _replacement_policy(record: ResourceRecord) -> str:
    return "ReplaceAndRetain" if record.update_replace_policy == "Retain" else "ReplaceAndDelete"


def _removal(record: ResourceRecord) -> Change:
    policy = "Retain" if record.deletion_policy.startswith("Retain") else "Delete"
    return Change("Remove", record.logical_id, record.physical_id, record.type, policy_action=policy)


def _would_adopt(
    definition: Definition, properties: dict[str, Any], request: Request, actions: Actions
) -> str:
    """The physical id of the existing resource that the request would take over, or an empty text."""
    provider = provider_of(definition.type)
    if not (request.adopts and provider and is_adoptable(provider, definition)):
        return ""
    place = actions.place(definition.logical_id)
    physical_id = provider.identify(place, properties)
    owner = actions.owner(place.account, place.region, definition.type, physical_id)
    if owner or live(provider, place, physical_id, properties) is None:
        return ""
    return physical_id
