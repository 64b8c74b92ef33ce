"""What differs, pair by pair: desired against observed, before any step is thought of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from orgmon.organization import Organization
from orgmon.plan.model import EXTRA, Action, Change
from orgmon.stackset import (
    DetailedStatus,
    InstanceStatus,
    Pair,
    Parameters,
    Stack,
    StackInstance,
    StackSet,
)

# CloudFormation takes neither an update nor anything else but the continuation of the rollback.
STUCK = ("UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED")


def differs(desired: StackSet, observed: StackSet) -> str:
    """Why all instances of a stack set have to be updated; empty where they need not."""
    if desired.template != observed.template:
        return "template changed"
    if changed := _changed_keys(desired.parameters, observed.parameters):
        return f"parameters changed ({changed})"
    if sorted(desired.tags) != sorted(observed.tags):
        return "tags changed"
    if desired.description != observed.description:
        return "description changed"
    return ""


def _changed_keys(desired: Parameters, observed: Parameters) -> str:
    """The keys of the parameters that differ; values may be addresses and stay out of what is printed."""
    return ", ".join(sorted({key for key, _ in set(desired) ^ set(observed)}))


def stack_set_changes(
    desired: StackSet | None, observed: StackSet | None, organization: Organization, *, prune: bool
) -> Iterator[Change]:
    """One change a pair, for the pairs that are wanted and those that are there."""
    wanted = desired.by_pair if desired else {}
    there = observed.by_pair if observed else {}
    why_all = differs(desired, observed) if desired and observed else ""
    never = _cannot_change(desired, observed)
    either = desired or observed
    assert either is not None
    name = either.name
    ends = f"CURRENT {fingerprint(desired)}" if desired else ""
    content = fingerprint(observed) if observed else ""
    for pair in sorted({*wanted, *there}):
        instance = there.get(pair)
        if pair not in wanted:
            assert instance is not None
            change = _extra(name, instance, organization, prune=prune)
        elif never:
            change = Change(name, pair, Action.BLOCKED, never)
        else:
            change = _wanted(name, pair, instance, why_all, organization)
        before = f"{instance.status} {content}" if instance else ""
        after = {Action.NONE: before, Action.DELETE: ""}.get(change.action, ends)
        yield replace(change, before=before, after=after)


def _cannot_change(desired: StackSet | None, observed: StackSet | None) -> str:
    """Why a stack set cannot become what is wanted: AWS keeps the permission model while there are instances."""
    if desired is None or observed is None or desired.permission_model is observed.permission_model:
        return ""
    return f"the stack set is {observed.permission_model}: destroy it first to make it {desired.permission_model}"


def _wanted(
    name: str, pair: Pair, instance: StackInstance | None, why_all: str, organization: Organization
) -> Change:
    if reason := _unreachable(pair.account, organization):
        current = instance is not None and instance.status is InstanceStatus.CURRENT and not why_all
        return Change(name, pair, Action.NONE if current else Action.BLOCKED, reason)
    if instance is None:
        return Change(name, pair, Action.CREATE, "missing")
    if instance.status is InstanceStatus.INOPERABLE:
        detail = f": {instance.reason}" if instance.reason else ""
        return Change(name, pair, Action.BLOCKED, f"INOPERABLE{detail}")
    if why_all:
        return Change(name, pair, Action.UPDATE, why_all)
    if instance.status is InstanceStatus.OUTDATED:
        action = Action.UPDATE if instance.stack_id else Action.CREATE
        return Change(name, pair, action, _outdated(instance))
    return Change(name, pair, Action.NONE, "")


def _outdated(instance: StackInstance) -> str:
    """OUTDATED and why. PENDING without a running operation is an instance that the last update left out."""
    detail = instance.detailed_status
    if detail in (DetailedStatus.FAILED, DetailedStatus.CANCELLED) and instance.reason:
        return f"OUTDATED, {detail}: {instance.reason}"
    return f"OUTDATED, {detail}"


def _extra(name: str, instance: StackInstance, organization: Organization, *, prune: bool) -> Change:
    pair = instance.pair
    if pair.account not in organization.by_id:
        return Change(name, pair, Action.BLOCKED, "left the organization")
    if reason := _unreachable(pair.account, organization):
        return Change(name, pair, Action.BLOCKED, f"{EXTRA}; {reason}")
    if not prune:
        return Change(name, pair, Action.NONE, f"{EXTRA}; deleted with --prune")
    return Change(name, pair, Action.DELETE, EXTRA)


def _unreachable(account_id: str, organization: Organization) -> str:
    account = organization.by_id.get(account_id)
    if account is None:
        return "not in the organization"
    return "" if account.is_active else account.state.lower().replace("_", " ")


def stack_change(desired: Stack | None, observed: Stack | None, *, prune: bool = False) -> Change:
    """The change of a plain stack; one that is not wanted is deleted only with ``prune``."""
    either = desired or observed
    assert either is not None
    action, reason = _stack_action(desired, observed, prune=prune)
    before = ""
    if observed:
        before = f"{'CURRENT' if observed.is_settled else observed.status} {fingerprint(observed)}"
    ends = "" if action is Action.DELETE or desired is None else f"CURRENT {fingerprint(desired)}"
    after = before if action is Action.NONE else ends
    return Change(either.name, Pair(either.account, either.region), action, reason, before, after)


def _stack_action(desired: Stack | None, observed: Stack | None, *, prune: bool) -> tuple[Action, str]:
    if desired is None:
        return (Action.DELETE, "not wanted") if prune else (Action.NONE, f"{EXTRA}; deleted with --prune")
    if observed is None:
        return Action.CREATE, "missing"
    if observed.status in STUCK:
        return Action.BLOCKED, f"{observed.status}: continue its rollback in CloudFormation"
    if desired.template != observed.template:
        return Action.UPDATE, "template changed"
    if changed := _changed_keys(desired.parameters, observed.parameters):
        return Action.UPDATE, f"parameters changed ({changed})"
    if sorted(desired.tags) != sorted(observed.tags):
        return Action.UPDATE, "tags changed"
    if not observed.is_settled:
        return _unsettled(observed)
    return Action.NONE, ""


def _unsettled(observed: Stack) -> tuple[Action, str]:
    detail = f"{observed.status}{f': {observed.reason}' if observed.reason else ''}"
    # A rolled back update left what was before, which is what is wanted now.
    settled = observed.status in ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")
    return (Action.NONE, "") if settled else (Action.UPDATE, detail)


def fingerprint(item: StackSet | Stack) -> str:
    """Template and parameters in a short text, equal where both are."""
    values = ";".join(f"{key}={value}" for key, value in item.parameters)
    return f"{item.template.digest}/{hash_text(values)}"


def hash_text(text: str) -> str:
    """Eight hexadecimal digits of a text; parameter values themselves stay out of saved plans."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
