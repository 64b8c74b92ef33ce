"""What an update would do to each resource, worked out before anything is done: for change sets and no-op updates."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.actions import Actions
from orgmon.sandbox.cloudformation.adoption import is_adoptable, live
from orgmon.sandbox.cloudformation.causes import (
    IN_PLACE,
    REPLACED,
    Causes,
    attribute_details,
    changed_parameters,
)
from orgmon.sandbox.cloudformation.outputs import outputs_of
from orgmon.sandbox.cloudformation.schema import is_known, schema_of
from orgmon.sandbox.cloudformation.scope import Scope
from orgmon.sandbox.cloudformation.stack import Change, Detail, Request, ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.tagging import with_stack_tags
from orgmon.sandbox.cloudformation.template import Definition, Template
from orgmon.sandbox.providers import provider_of


def check_types(stack: StackRecord, template: Template) -> None:
    """Raise Refusal where a resource would become one of another type."""
    changed = [
        name
        for name, record in stack.resources.items()
        if name in template.resources and template.resources[name].type != record.type
    ]
    if changed:
        raise Refusal(
            "ValidationError",
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(changed)}]",
        )


def changes_of(stack: StackRecord, request: Request, scope: Scope, actions: Actions) -> tuple[Change, ...]:
    """The changes that ``request`` would bring, in the order of the template, removals last.

    ``scope`` must be a planning one: what exists only afterwards counts as changed.
    """
    changes: list[Change] = []
    fates: dict[str, str] = {}
    causes = Causes(changed_parameters(stack.request, request), fates, scope.resolver)
    wanted_ids = [name for name in request.template.resources if scope.resolver.wanted(name)]
    for logical_id in wanted_ids:
        definition = scope.resolver.definition(logical_id)
        record = stack.resources.get(logical_id)
        change = (
            _modification(record, stack, request, definition, scope, causes)
            if record
            else _addition(definition, request, scope, actions)
        )
        if change is None:
            continue
        if change.replacement in ("", "True"):
            scope.unsettled.add(logical_id)
        fates[logical_id] = IN_PLACE if change.replacement in ("False", "Conditional") else REPLACED
        changes.append(change)
    gone = [record for name, record in stack.resources.items() if name not in wanted_ids]
    return (*changes, *(_removal(record) for record in reversed(gone)))


def outputs_change(stack: StackRecord, request: Request, scope: Scope) -> bool:
    """Whether the outputs would differ from those the stack has."""
    after = outputs_of(request.template, scope)
    return {output.key: output for output in after} != {output.key: output for output in stack.outputs}


def _addition(definition: Definition, request: Request, scope: Scope, actions: Actions) -> Change:
    properties = scope.resolver.properties(definition.logical_id)
    adopted = _would_adopt(definition, properties, request, actions)
    return Change(
        action="Import" if adopted else "Add",
        logical_id=definition.logical_id,
        physical_id=adopted,
        type=definition.type,
        after=scope.shown(definition.logical_id),
    )


def _modification(
    record: ResourceRecord,
    stack: StackRecord,
    request: Request,
    definition: Definition,
    scope: Scope,
    causes: Causes,
) -> Change | None:
    if not is_known(definition.type):
        return None
    properties = scope.resolver.properties(definition.logical_id)
    wanted = with_stack_tags(stack, request, definition.type, definition.logical_id, properties)
    written = stack.request.template.resources.get(definition.logical_id)
    shown = scope.shown(definition.logical_id)
    details = causes.details(record, written, definition, wanted, shown) + attribute_details(
        record, definition
    )
    if not details:
        return None
    replacement = _replacement(details)
    return Change(
        action="Modify",
        logical_id=record.logical_id,
        physical_id=record.physical_id,
        type=record.type,
        replacement=replacement,
        details=details,
        scope=tuple(dict.fromkeys(detail.attribute for detail in details)),
        policy_action="" if replacement == "False" else _replacement_policy(record),
        before=record.shown,
        after=shown,
        is_open=all(detail.without_values for detail in details),
    )


def _replacement(details: tuple[Detail, ...]) -> str:
    recreating = [detail for detail in details if detail.recreation == "Always"]
    if any(not detail.without_values for detail in recreating):
        return "True"
    return "Conditional" if recreating else "False"


def property_changes(record: ResourceRecord, wanted: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The top-level properties that differ, each with Always or Never for replacement."""
    replacing = schema_of(record.type).replaced_by(record.properties, wanted)
    names = sorted(set(record.properties) | set(wanted))
    return tuple(
        (name, "Always" if name in replacing else "Never")
        for name in names
        if record.properties.get(name) != wanted.get(name)
    )


def _replacement_policy(record: ResourceRecord) -> str:
    return "ReplaceAndRetain" if record.update_replace_policy == "Retain" else "ReplaceAndDelete"


def _removal(record: ResourceRecord) -> Change:
    policy = "Retain" if record.deletion_policy.startswith("Retain") else "Delete"
    about = (record.logical_id, record.physical_id, record.type)
    return Change("Remove", *about, policy_action=policy, before=record.shown)


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
