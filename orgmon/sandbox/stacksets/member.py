"""What an operation does in one target: make, change or remove the instance's stack there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from orgmon.sandbox.calls import Call, Principal, Refusal
from orgmon.sandbox.cloudformation.engine import NO_UPDATES, Engine
from orgmon.sandbox.cloudformation.stack import StackRecord
from orgmon.sandbox.providers.provider import SERVICE
from orgmon.sandbox.stacksets.outcome import End, Outcome
from orgmon.sandbox.stacksets.records import Instance, StackSetRecord
from orgmon.sandbox.stacksets.refusals import invalid
from orgmon.sandbox.stacksets.roles import Roles
from orgmon.sandbox.stacksets.stances import Stances
from orgmon.sandbox.wording import access_denied
from orgmon.sandbox.world import World

_Made = TypeVar("_Made", StackRecord, StackRecord | None)
ACCOUNT_SUSPENDED = "ACCOUNT_SUSPENDED"
_REGION_OFF = (
    "STS is not activated in this region for account:{}. Your account administrator can activate STS in this "
    "region using the IAM Console."
)


@dataclass(frozen=True)
class Aim:
    """What the stack of an instance shall be; read while nobody changes the stack set."""

    template: str
    parameters: dict[str, str]
    tags: dict[str, str]
    capabilities: tuple[str, ...]


def aim_of(stack_set: StackSetRecord, instance: Instance) -> Aim:
    """The stack set's template and values, with the instance's overrides where the template has such parameters."""
    declared = stack_set.settings.template.parameters
    overrides = {key: value for key, value in instance.overrides.items() if key in declared}
    return Aim(
        stack_set.settings.template.text,
        {**stack_set.settings.parameters, **overrides},
        dict(stack_set.settings.tags),
        stack_set.settings.capabilities,
    )


class Member:
    """Works in the target accounts, with the rights that ``roles`` gives. Safe to use from several threads."""

    def __init__(self, world: World, stacks: Engine, roles: Roles, stances: Stances) -> None:
        self._world = world
        self._stacks = stacks
        self._roles = roles
        self._stances = stances

    def deploy(self, stack_set: StackSetRecord, instance: Instance, aim: Aim) -> Outcome:
        """Bring the instance's stack to the aim; makes it where there is none. Never raises Refusal."""
        stack = self._stacks.register.find(instance.account, instance.region, instance.stack_name)
        action = "UPDATE" if stack else "CREATE"
        if self._world.organization.is_suspended(instance.account):
            return _skipped(instance)
        try:
            principal = self._enter(stack_set, instance, action)
            if stack is None and instance.has_stack and not self._stances.recreates_deleted_stacks:
                raise invalid(f"Stack with id {instance.stack_id} does not exist")
            made = self._deployed(instance, aim, principal, action)
        except Refusal as refusal:
            if refusal.message == NO_UPDATES:
                return Outcome(End.SUCCEEDED, NO_UPDATES, instance.stack_id, True, took_time=False)
            return Outcome(End.FAILED, refusal.message, instance.stack_id, instance.has_stack)
        return self._outcome(made)

    def delete(self, stack_set: StackSetRecord, instance: Instance, *, retain: bool) -> Outcome:
        """Remove the instance's stack, or leave it behind. Never raises Refusal."""
        if retain:
            return Outcome(End.SUCCEEDED, took_time=False)
        if self._world.organization.is_suspended(instance.account):
            return _skipped(instance)
        if not instance.has_stack:
            return Outcome(End.SUCCEEDED, took_time=False)
        try:
            principal = self._enter(stack_set, instance, "DELETE")
            stack = self._deleted(instance, principal)
        except Refusal as refusal:
            return Outcome(End.FAILED, refusal.message, instance.stack_id, True, is_inoperable=True)
        if stack is not None and not stack.is_gone:
            reason = stack.failure or stack.reason
            return Outcome(End.FAILED, reason, instance.stack_id, True, is_inoperable=True)
        return Outcome(End.SUCCEEDED)

    def check_reachable(self, stack_set: StackSetRecord, account: str, region: str) -> Principal:
        """A session in the target. Raises Refusal with the reason why there is none."""
        if region not in self._world.organization.settings.enabled_regions(account):
            raise invalid(_REGION_OFF.format(account))
        return self._roles.enter(stack_set, account, region)

    def _enter(self, stack_set: StackSetRecord, instance: Instance, action: str) -> Principal:
        principal = self.check_reachable(stack_set, instance.account, instance.region)
        where = (instance.account, instance.region, instance.stack_name)
        # A failure that names no resource is one of the instance itself.
        reason = self._world.trouble.failure_for(*where, "", action)
        if reason:
            raise invalid(reason)
        return principal

    def _deployed(self, instance: Instance, aim: Aim, principal: Principal, action: str) -> StackRecord:
        operation = "UpdateStack" if action == "UPDATE" else "CreateStack"
        members = {
            "StackName": instance.stack_name,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in aim.parameters.items()
            ],
            "Capabilities": list(aim.capabilities),
            "Tags": [{"Key": key, "Value": value} for key, value in aim.tags.items()],
        }

        def deploy() -> StackRecord:
            return self._stacks.deploy(
                instance.account,
                instance.region,
                instance.stack_name,
                aim.template,
                aim.parameters,
                aim.tags,
                principal,
                aim.capabilities,
            )

        return self._recorded(operation, instance.region, principal, members, deploy)

    def _deleted(self, instance: Instance, principal: Principal) -> StackRecord | None:
        def delete() -> StackRecord | None:
            where = (instance.account, instance.region, instance.stack_id)
            return self._stacks.delete(*where, principal, wait=True)

        members = {"StackName": instance.stack_id}
        return self._recorded("DeleteStack", instance.region, principal, members, delete)

    def _recorded(
        self,
        operation: str,
        region: str,
        principal: Principal,
        params: dict[str, Any],
        work: Callable[[], _Made],
    ) -> _Made:
        """Do ``work`` as an API call in the member: authorised, and told to whoever listens. Raises Refusal."""
        call = Call(
            service="cloudformation",
            operation=operation,
            region=region,
            account=principal.account,
            principal=principal,
            params=params,
            request_id=str(uuid.uuid4()),
            time=self._world.clock.now(),
            source_address=SERVICE,
            user_agent=SERVICE,
            invoked_by=SERVICE,
        )
        self._world.policies.address(call)
        try:
            self._authorise(call)
            made = work()
        except Refusal as refusal:
            call.error, call.status = refusal, refusal.status
            raise
        else:
            call.response = {"StackId": made.id} if made is not None and operation != "DeleteStack" else {}
            return made
        finally:
            self._tell(call)

    def _authorise(self, call: Call) -> None:
        if self._world.trouble.is_denied(call.service, call.operation, call.account):
            raise access_denied(call, "query", "with an explicit deny in a service control policy")
        why = self._world.policies.check(call)
        if why is not None:
            raise access_denied(call, "query", why)

    def _tell(self, call: Call) -> None:
        for hook in self._world.after:
            try:
                hook(call)
            except Exception as error:
                self._world.hook_errors.append(error)

    def _outcome(self, stack: StackRecord) -> Outcome:
        """How a deployment ended: a stack that could not be made is gone again."""
        if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return Outcome(End.SUCCEEDED, "", stack.id, True)
        reason = stack.failure or stack.reason
        if stack.is_gone:
            kept = stack.id if self._stances.keeps_id_of_failed_stack else ""
            return Outcome(End.FAILED, reason, kept, False)
        stuck = stack.status == "DELETE_FAILED"
        return Outcome(End.FAILED, reason, stack.id, True, is_inoperable=stuck)


def _skipped(instance: Instance) -> Outcome:
    return Outcome(End.SKIPPED, ACCOUNT_SUSPENDED, instance.stack_id, instance.has_stack, took_time=False)
