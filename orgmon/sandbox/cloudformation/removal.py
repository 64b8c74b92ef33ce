"""Taking resources away: a whole stack's in reverse, or one that is no longer wanted."""

from __future__ import annotations

from collections.abc import Set

from orgmon.sandbox.cloudformation.actions import Actions
from orgmon.sandbox.cloudformation.reasons import ActionFailed
from orgmon.sandbox.cloudformation.stack import ResourceRecord, StackRecord


def remove_all(
    stack: StackRecord,
    actions: Actions,
    records: list[ResourceRecord],
    retained: Set[str] = frozenset(),
    *,
    created_now: bool = False,
) -> list[ActionFailed]:
    """Remove resources in reverse; returns what could not be. What that one needs stays as well."""
    failed: list[ActionFailed] = []
    needed: set[str] = set()
    policies = ("Retain",) if created_now else ("Retain", "RetainExceptOnCreate")
    definitions = stack.request.template.resources
    for record in reversed(records):
        if record.logical_id in needed:
            needed |= definitions[record.logical_id].needs
            continue
        if record.logical_id in retained or record.deletion_policy in policies:
            actions.skip(record)
        else:
            try:
                actions.delete(record)
            except ActionFailed as problem:
                failed.append(problem)
                needed |= definitions[record.logical_id].needs
                continue
        stack.resources.pop(record.logical_id, None)
    return failed


def discard(actions: Actions, record: ResourceRecord, *, retained: bool) -> None:
    """Remove an unwanted resource; when that fails it stays behind, and the update is still complete."""
    if retained:
        actions.skip(record)
        return
    try:
        actions.delete(record)
    except ActionFailed:
        return
