"""Auto-deployment: stacks follow the accounts that join, leave or move between the targets of a stack set.

It ignores account filters, uses no overrides and no preferences, and waits for its turn. Source: user guide,
"Enable or disable automatic deployments for StackSets in AWS Organizations"; API reference, AutoDeployment (DependsOn:
an operation begins when those of all dependencies have succeeded). In which order stack sets are taken is not said, nor
what becomes of an operation whose dependency fails: here it fails as well.
"""

from __future__ import annotations

import uuid
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.cloudformation.paging import page
from orgmon.sandbox.organization import Change
from orgmon.sandbox.stacksets.arithmetic import Pair, Preferences
from orgmon.sandbox.stacksets.callers import named_set
from orgmon.sandbox.stacksets.checks import page_size
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.records import Instance, Operation, StackSetRecord
from orgmon.sandbox.stacksets.tasks import Creation, Deletion, Task

Members = dict[str, Any]
Begun = dict[str, list[Operation]]
"""The operations that follow one change of an account, by the ARN of their stack set."""


class AutoDeployer:
    """Listens to the organization."""

    def __init__(self, engine: StackSetEngine) -> None:
        self._engine = engine
        self._organization = engine.world.organization
        self._trouble = engine.world.trouble

    def __call__(self, kind: Change, account: str, old_parent: str, new_parent: str) -> None:
        """An account has come, gone or moved."""
        if kind == "SUSPENDED" or self._engine.organizations_access != "ENABLED":
            return
        left, joined = self._chain(old_parent), self._chain(new_parent)
        begun: Begun = {}
        with self._engine.lock:
            for stack_set in _in_order(self._trouble.shuffled(self._followers())):
                self._leave(stack_set, account, left - joined, begun)
                self._join(stack_set, account, joined - left, begun)

    def _followers(self) -> list[StackSetRecord]:
        """The stack sets that follow accounts."""
        return [
            each
            for each in self._engine.register.active()
            if each.is_service_managed and each.settings.auto_deployment.enabled
        ]

    def list_targets(self, call: Call) -> Members:
        """ListStackSetAutoDeploymentTargets. Its last page has an empty token, where other lists have none."""
        with self._engine.lock:
            stack_set = named_set(self._engine, call)
            targets = sorted((unit, sorted(regions)) for unit, regions in stack_set.units.items())
        chosen, more = page(targets, call.params.get("NextToken") or None, page_size(call.params))
        summaries = [{"OrganizationalUnitId": unit, "Regions": regions} for unit, regions in chosen]
        return {"Summaries": summaries, "NextToken": more.get("NextToken", "")}

    def _chain(self, unit_id: str) -> frozenset[str]:
        """A unit and all above it."""
        chain = []
        units = self._organization.units
        while unit_id in units:
            chain.append(unit_id)
            unit_id = units[unit_id].parent_id or ""
        return frozenset(chain)

    def _leave(self, stack_set: StackSetRecord, account: str, lost: frozenset[str], begun: Begun) -> None:
        """Remove the instances that the account has by a target which it has left."""

        def choose(record: StackSetRecord) -> list[Instance]:
            return [
                instance
                for instance in record.sorted_instances()
                if instance.account == account
                and instance.unit_id in lost
                and instance.unit_id in record.units
            ]

        if choose(stack_set) or (stack_set.is_busy and lost & set(stack_set.units)):
            retains = stack_set.settings.auto_deployment.retains
            self._submit(stack_set, Deletion(self._engine.member, choose, retain=retains), retains, begun)

    def _join(self, stack_set: StackSetRecord, account: str, gained: frozenset[str], begun: Begun) -> None:
        """Make the instances that the account lacks in the Regions of its new targets."""

        def choose(record: StackSetRecord) -> dict[Pair, str]:
            return {
                (account, region): unit_id
                for unit_id in sorted(gained & set(record.units))
                for region in sorted(record.units[unit_id])
                if (account, region) not in record.instances
            }

        if gained & set(stack_set.units) and account != self._organization.management_account:
            self._submit(stack_set, Creation(self._engine.member, choose), None, begun)

    def _submit(self, stack_set: StackSetRecord, task: Task, retain: bool | None, begun: Begun) -> None:
        needed = stack_set.settings.auto_deployment.depends_on
        operation = Operation(
            id=str(uuid.uuid4()),
            task=task,
            preferences=Preferences(),
            wire_preferences={"RegionOrder": []},
            created=self._engine.world.clock.now(),
            retain=retain,
            waits_for=tuple(each for arn in needed for each in begun.get(arn, ())),
        )
        begun.setdefault(stack_set.arn, []).append(operation)
        self._engine.submit(stack_set, operation, may_wait=True)


def _in_order(stack_sets: list[StackSetRecord]) -> list[StackSetRecord]:
    """The stack sets in the order given, but each after those that it depends on."""
    by_arn = {each.arn: each for each in stack_sets}
    ordered: dict[str, StackSetRecord] = {}

    def take(stack_set: StackSetRecord, above: frozenset[str]) -> None:
        if stack_set.arn in ordered or stack_set.arn in above:
            return
        for arn in stack_set.settings.auto_deployment.depends_on:
            if arn in by_arn:
                take(by_arn[arn], above | {stack_set.arn})
        ordered[stack_set.arn] = stack_set

    for each in stack_sets:
        take(each, frozenset())
    return list(ordered.values())
