"""The operations on stacks.

An operation is checked in the caller's thread, where AWS would refuse it at once, and then works in a thread of
its own (or, for StackSets, in the caller's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from orgmon.sandbox.calls import Principal, Refusal
from orgmon.sandbox.cloudformation import plan
from orgmon.sandbox.cloudformation.actions import Actions
from orgmon.sandbox.cloudformation.background import Background
from orgmon.sandbox.cloudformation.register import Register
from orgmon.sandbox.cloudformation.requests import request_of
from orgmon.sandbox.cloudformation.rollout import Rollout
from orgmon.sandbox.cloudformation.scope import Scope, pseudo_parameters
from orgmon.sandbox.cloudformation.stack import Change, ChangeSet, Request, StackRecord
from orgmon.sandbox.cloudformation.templates import checked
from orgmon.sandbox.world import World

Work = Callable[[StackRecord, Request, Request], None]
NO_UPDATES = "No updates are to be performed."
_UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "UPDATE_FAILED"}
)


class Engine:
    """All stacks. ``pace`` is seconds of real time that each resource takes. Safe to use from several threads."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pace = 0.0
        self.register = Register(world.clock.now)
        self.background = Background()

    # -- the synchronous way, for StackSets

    def deploy(
        self,
        account: str,
        region: str,
        stack_name: str,
        template_text: str,
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        principal: Principal | None = None,
        capabilities: Iterable[str] = (),
        *,
        on_failure: str = "DELETE",
    ) -> StackRecord:
        """Create the stack, or update it when it exists, and wait for the end.

        Returns the record: its ``status`` says how it ended, ``failure`` which resource failed first. Raises
        Refusal for what AWS refuses at the door, also ``No updates are to be performed.``
        """
        template = checked(template_text)
        stack = self.register.find(account, region, stack_name)
        given = [{"ParameterKey": key, "ParameterValue": each} for key, each in (parameters or {}).items()]
        request = request_of(
            template,
            given,
            tags or {},
            tuple(capabilities),
            principal,
            pseudo=pseudo_parameters(account, region, stack_name, stack.id if stack else ""),
            on_failure=on_failure,
        )
        if stack is None:
            return self.create(account, region, stack_name, request, wait=True)
        return self.update(stack, request, wait=True)

    # -- operations

    def create(
        self,
        account: str,
        region: str,
        name: str,
        request: Request,
        *,
        protected: bool = False,
        policy: str = "",
        wait: bool = False,
    ) -> StackRecord:
        """Start a new stack; one that only has change sets so far is no obstacle.

        Raises Refusal (AlreadyExistsException) when the name is taken.
        """
        stack = self.register.find(account, region, name)
        if stack is None or stack.status != "REVIEW_IN_PROGRESS":
            stack = self.register.add(account, region, name, request)
        stack.termination_protection = protected
        stack.policy = policy
        self._start(stack, "CREATE_IN_PROGRESS", request, self._create, wait=wait)
        return stack

    def update(self, stack: StackRecord, request: Request, *, wait: bool = False) -> StackRecord:
        """Start an update. Raises Refusal when the stack cannot be updated now, or nothing would change."""
        self.check_updatable(stack)
        plan.check_types(stack, request.template)
        if not self._may_change(stack, request):
            raise Refusal("ValidationError", NO_UPDATES)
        self._start(stack, "UPDATE_IN_PROGRESS", request, self._update, wait=wait)
        return stack

    def execute(self, stack: StackRecord, change_set: ChangeSet) -> None:
        """Start what a change set has worked out. Raises Refusal when the stack cannot be changed now."""
        if stack.status == "REVIEW_IN_PROGRESS":
            status, work = "CREATE_IN_PROGRESS", self._create
        else:
            self.check_updatable(stack)
            status, work = "UPDATE_IN_PROGRESS", self._update
        self._start(stack, status, change_set.request, work, wait=False, change_set=change_set)

    def delete(
        self,
        account: str,
        region: str,
        stack_id: str,
        principal: Principal | None = None,
        *,
        retained: Iterable[str] = (),
        wait: bool = True,
    ) -> StackRecord | None:
        """Delete a stack (that there is none is fine: None). Raises Refusal if it is protected or being updated."""
        stack = self.register.find(account, region, stack_id)
        if stack is None:
            return None
        if stack.termination_protection:
            text = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            raise Refusal("ValidationError", text)
        if stack.is_busy:
            return self._delete_later(stack, principal, frozenset(retained), wait=wait)
        keep = frozenset(retained)
        request = replace(stack.request, principal=principal or stack.request.principal)
        self._start(
            stack, "DELETE_IN_PROGRESS", request, lambda each, *_: self._delete(each, keep), wait=wait
        )
        return stack

    # -- looking ahead

    def check_updatable(self, stack: StackRecord) -> None:
        """Raise Refusal unless the stack is in a state that can be updated."""
        if stack.status not in _UPDATABLE:
            text = f"Stack:{stack.id} is in {stack.status} state and can not be updated."
            raise Refusal("ValidationError", text)

    def changes(self, stack: StackRecord, request: Request) -> tuple[Change, ...]:
        """What the request would change. Raises Refusal when the template cannot be worked out."""
        return plan.changes_of(
            stack, request, self._scope(stack, request, planning=True), self._actions(stack, request)
        )

    def has_changes(self, stack: StackRecord, request: Request) -> bool:
        """Whether the request would change a resource, a tag or an output."""
        if request.tags != stack.request.tags or self.changes(stack, request):
            return True
        return plan.outputs_change(stack, request, self._scope(stack, request, planning=True))

    def _may_change(self, stack: StackRecord, request: Request) -> bool:
        """What cannot be worked out fails as an operation, and says why in the stack's events."""
        try:
            return self.has_changes(stack, request)
        except Refusal:
            return True

    def live_properties(self, stack: StackRecord, logical_id: str) -> dict[str, Any] | None:
        """What the services say about a resource now, in CloudFormation's words; None when it is gone."""
        return self._actions(stack, stack.request).read(stack.resources[logical_id])

    # -- work

    def _start(
        self,
        stack: StackRecord,
        status: str,
        request: Request,
        work: Work,
        *,
        wait: bool,
        change_set: ChangeSet | None = None,
    ) -> None:
        """Enter the first state of an operation, then work: here, or in a thread of its own."""
        with stack.lock:
            if stack.is_busy:
                text = f"Stack:{stack.id} is in {stack.status} state and can not be updated."
                raise Refusal("ValidationError", text)
            previous = stack.request
            stack.request = request
            stack.failure = ""
            stack.done.clear()
            if change_set:
                stack.begin_execution(change_set)
            elif status != "DELETE_IN_PROGRESS":
                stack.overtake()
            if change_set or status == "UPDATE_IN_PROGRESS":
                stack.updated = self.world.clock.now()
            stack.enter(self.world.clock.now(), status, "User Initiated")
        if wait:
            self._work(stack, request, previous, work)
        else:
            self.background.run(lambda: self._work(stack, request, previous, work))

    def _delete_later(
        self, stack: StackRecord, principal: Principal | None, retained: frozenset[str], *, wait: bool
    ) -> StackRecord:
        """Delete a stack that is being made, when that has ended; one that is being deleted already is left."""
        if stack.status.startswith("UPDATE"):
            text = f"Stack [{stack.name}] cannot be deleted while in status {stack.status}"
            raise Refusal("ValidationError", text)

        def finish() -> None:
            stack.done.wait()
            self.delete(stack.account, stack.region, stack.id, principal, retained=retained, wait=True)

        if wait:
            finish()
        else:
            self.background.run(finish)
        return stack

    def _work(
        self,
        stack: StackRecord,
        request: Request,
        previous: Request,
        work: Work,
    ) -> None:
        try:
            work(stack, request, previous)
        except Exception as problem:
            self.world.hook_errors.append(problem)
            stack.failure = f"Internal Failure: {problem}"
            stack.enter(self.world.clock.now(), f"{stack.status.split('_')[0]}_FAILED", stack.failure)
        finally:
            stack.done.set()

    def _create(self, stack: StackRecord, request: Request, previous: Request) -> None:
        self._rollout(stack, request, previous).create()

    def _update(self, stack: StackRecord, request: Request, previous: Request) -> None:
        self._rollout(stack, request, previous).update()

    def _delete(self, stack: StackRecord, retained: frozenset[str]) -> None:
        used = self.register.export_in_use(stack)
        if used:
            text = f"Export {used} cannot be deleted as it is in use by another stack"
            stack.failure = text
            stack.enter(self.world.clock.now(), "DELETE_FAILED", text)
            return
        self._rollout(stack, stack.request, stack.request).delete(retained)

    def _rollout(self, stack: StackRecord, request: Request, previous: Request) -> Rollout:
        exported = {
            name: holder.id
            for name, (_, holder) in self.register.exports(stack.account, stack.region).items()
            if holder is not stack
        }
        scope, actions = self._scope(stack, request), self._actions(stack, request)
        return Rollout(stack, request, previous, scope, actions, exported)

    def _actions(self, stack: StackRecord, request: Request) -> Actions:
        return Actions(self.world, stack, request.principal, self.register.owner, self.pace, request.adopts)

    def _scope(self, stack: StackRecord, request: Request, *, planning: bool = False) -> Scope:
        exports = {
            name: value for name, (value, _) in self.register.exports(stack.account, stack.region).items()
        }
        return Scope(stack, request, exports, self._actions(stack, request).read, planning=planning)
