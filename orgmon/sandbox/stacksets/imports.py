"""ImportStacksToStackSet: stacks that exist become instances of a stack set; nothing is deployed.

Source: user guide, "Importing a stack into StackSets".
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.cloudformation.parameters import is_secret
from orgmon.sandbox.cloudformation.stack import StackRecord
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.stacksets import refusals
from orgmon.sandbox.stacksets.arithmetic import Pair
from orgmon.sandbox.stacksets.callers import operable
from orgmon.sandbox.stacksets.checks import check_places
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.member import Member
from orgmon.sandbox.stacksets.outcome import End, Outcome
from orgmon.sandbox.stacksets.records import Instance, StackSetRecord
from orgmon.sandbox.stacksets.requests import operation_of
from orgmon.sandbox.stacksets.targeting import Targets, check_units_exist
from orgmon.sandbox.stacksets.tasks import Task, mark_pending

Members = dict[str, Any]
MAXIMUM_STACKS = 10
_IMPORTABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})


class Adoption(Task):
    """Make instances of stacks. ``units`` are the targets that the accounts must be below (none: self-managed)."""

    action = "CREATE"

    def __init__(
        self,
        member: Member,
        organization: OrgView,
        stacks: list[StackRecord],
        units: tuple[str, ...],
    ) -> None:
        super().__init__(member)
        self._organization = organization
        self._stacks: dict[Pair, StackRecord] = {(stack.account, stack.region): stack for stack in stacks}
        self._units = units

    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """New records for the stacks, and their units are targets. Raises Refusal where a pair has an instance."""
        for pair in self._stacks:
            instance = stack_set.instances.get(pair)
            if instance is not None and instance.detailed != "FAILED_IMPORT":
                text = f"Stack instance for account {pair[0]} and region {pair[1]} already exists"
                raise refusals.bad_operation(text)
        return [self._instance(stack_set, stack) for stack in self._stacks.values()]

    def _instance(self, stack_set: StackSetRecord, stack: StackRecord) -> Instance:
        unit_id = self._unit_of(stack.account)
        instance = Instance(stack.account, stack.region, unit_id, stack.name, stack_id=stack.id)
        mark_pending(instance)
        stack_set.instances[instance.pair] = instance
        if unit_id:
            stack_set.aim_at(unit_id, (stack.region,))
        return instance

    def perform(self, stack_set: StackSetRecord, instance: Instance) -> Outcome:
        """Look at the stack, from inside its account; nothing is changed there."""
        stack = self._stacks[instance.pair]
        if self._organization.is_suspended(instance.account):
            return Outcome(End.SKIPPED, "ACCOUNT_SUSPENDED", stack.id, True, took_time=False)
        try:
            self._member.check_reachable(stack_set, instance.account, instance.region)
        except Refusal as refusal:
            return Outcome(End.FAILED, refusal.message, stack.id, True)
        problem = _problem(stack) or self._problem_of_place(stack_set, instance)
        end = End.FAILED if problem else End.SUCCEEDED
        return Outcome(end, problem, stack.id, True)

    def settle(self, stack_set: StackSetRecord, instance: Instance, outcome: Outcome) -> None:
        """CURRENT where the stack is what the set asks for, else OUTDATED; a failed import is INOPERABLE."""
        super().settle(stack_set, instance, outcome)
        if outcome.end is End.FAILED:
            instance.status, instance.detailed = "INOPERABLE", "FAILED_IMPORT"
        elif outcome.end is End.SUCCEEDED:
            is_same = _is_current(stack_set, self._stacks[instance.pair])
            instance.status = "CURRENT" if is_same else "OUTDATED"

    def _unit_of(self, account: str) -> str:
        covering = (unit for unit in self._units if account in self._organization.members_under(unit))
        return next(covering, self._units[0] if self._units else "")

    def _problem_of_place(self, stack_set: StackSetRecord, instance: Instance) -> str:
        if not stack_set.is_service_managed:
            return ""
        if instance.account in self._organization.members_under(instance.unit_id):
            return ""
        return f"Account {instance.account} is not in the organizational units of the request"


class Imports:
    """Handler of the gateway for imports."""

    def __init__(self, engine: StackSetEngine) -> None:
        self._engine = engine

    def start(self, call: Call) -> Members:
        """ImportStacksToStackSet."""
        stack_set = operable(self._engine, call)
        units = self._units(call, stack_set)
        stacks = [self._stack(stack_id) for stack_id in _stack_ids(call.params)]
        targets = Targets(tuple(sorted({stack.region for stack in stacks})), units=units)
        organization = self._engine.world.organization
        check_units_exist(organization, targets)
        task = Adoption(self._engine.member, organization, stacks, units)
        operation = operation_of(self._engine, call, task, targets)
        return {"OperationId": self._engine.submit(stack_set, operation)}

    def _units(self, call: Call, stack_set: StackSetRecord) -> tuple[str, ...]:
        units = tuple(dict.fromkeys(call.params.get("OrganizationalUnitIds") or ()))
        check_places((), (), units)
        if stack_set.is_service_managed and not units:
            raise refusals.invalid(refusals.UNITS_REQUIRED)
        if units and not stack_set.is_service_managed:
            raise refusals.invalid(refusals.ONLY_ACCOUNTS)
        return units

    def _stack(self, stack_id: str) -> StackRecord:
        parts = stack_id.split(":")
        if len(parts) < 6 or parts[2] != "cloudformation":
            raise refusals.invalid(f"{stack_id} is not a stack ARN")
        stack = self._engine.stacks.register.find(parts[4], parts[3], stack_id)
        if stack is None:
            raise refusals.no_stack(stack_id)
        holder = self._engine.register.holder_of(stack_id)
        if holder is not None:
            raise refusals.bad_operation(f"Stack {stack_id} already belongs to StackSet {holder.name}")
        return stack


def _stack_ids(params: Members) -> tuple[str, ...]:
    if params.get("StackIdsUrl"):
        raise refusals.invalid("StackIdsUrl is not implemented by the sandbox")
    stack_ids = tuple(dict.fromkeys(params.get("StackIds") or ()))
    if not stack_ids:
        raise refusals.invalid("StackIds are required")
    if len(stack_ids) > MAXIMUM_STACKS:
        raise refusals.unfit(
            len(stack_ids), "stackIds", f"have length less than or equal to {MAXIMUM_STACKS}"
        )
    return stack_ids


def _problem(stack: StackRecord) -> str:
    """Why a stack cannot be imported; empty when it can."""
    if stack.status not in _IMPORTABLE:
        return f"Stack:{stack.id} is in {stack.status} state and can not be imported."
    declared = stack.request.template.parameters
    if any(is_secret(body) for body in declared.values()):
        return "Stacks with NoEcho parameters can not be imported"
    return ""


def _is_current(stack_set: StackSetRecord, stack: StackRecord) -> bool:
    settings = stack_set.settings
    request = stack.request
    return request.template.text == settings.template.text and request.parameters == settings.parameters
