"""The work of one stack operation: create, update or delete all resources, and go back when one fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.actions import Actions, copy_of, take_attributes
from orgmon.sandbox.cloudformation.outputs import check_beforehand, outputs_of
from orgmon.sandbox.cloudformation.plan import property_changes
from orgmon.sandbox.cloudformation.reasons import ActionFailed
from orgmon.sandbox.cloudformation.removal import discard, remove_all
from orgmon.sandbox.cloudformation.scope import Scope
from orgmon.sandbox.cloudformation.stack import Request, ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.stack_policy import StackPolicy, parse
from orgmon.sandbox.cloudformation.tagging import with_stack_tags
from orgmon.sandbox.cloudformation.template import Definition

_RENAME = (
    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
    "Rename {} and update the stack again."
)


@dataclass
class Step:
    """Something done that can be undone. ``before`` is the record as it was; None for a new resource.

    ``kept``: the resource itself was left as it is, only what the stack remembers of it has changed.
    """

    after: ResourceRecord
    before: ResourceRecord | None
    replaced: bool = False
    kept: bool = False


@dataclass
class Rollout:
    """One operation on one stack, which was as ``previous`` says.

    ``exported`` are names that other stacks export already.
    """

    stack: StackRecord
    request: Request
    previous: Request
    scope: Scope
    actions: Actions
    exported: dict[str, str]
    steps: list[Step] = field(default_factory=list)

    def create(self) -> None:
        """Make every resource; on failure do as the request's ``on_failure`` says."""
        try:
            check_beforehand(self.request.template, self.scope)
            self._apply_all()
            self._finish_outputs()
        except (ActionFailed, Refusal) as problem:
            self._create_failed(problem)
            return
        self._enter("CREATE_COMPLETE")

    def update(self) -> None:
        """Bring every resource to the wanted state, then remove what is no longer wanted; or go back."""
        before = dict(self.stack.resources)
        try:
            check_beforehand(self.request.template, self.scope)
            self._check_removals()
            self._apply_all()
            self._finish_outputs()
        except (ActionFailed, Refusal) as problem:
            self._update_failed(problem, before)
            return
        self._enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._clean_up(before)
        self._sort()
        if self.request.policy is not None:
            self.stack.policy = self.request.policy
        self._enter("UPDATE_COMPLETE")

    def delete(self, retained: frozenset[str] = frozenset()) -> None:
        """Remove every resource, the last made first. One that cannot be removed leaves DELETE_FAILED."""
        failed = remove_all(self.stack, self.actions, list(self.stack.resources.values()), retained)
        if failed:
            names = ", ".join(problem.logical_id for problem in failed)
            self.stack.failure = failed[0].summary
            self._enter("DELETE_FAILED", f"The following resource(s) failed to delete: [{names}]. ")
            return
        self.stack.outputs = []
        self._enter("DELETE_COMPLETE")

    # -- forwards

    def _check_removals(self) -> None:
        """The stack policy is asked before anything is done, also for what only goes at the end."""
        template = self.request.template
        for logical_id, record in self.stack.resources.items():
            if logical_id not in template.resources or not self.scope.resolver.wanted(logical_id):
                self._ask_policy("Update:Delete", record)

    def _ask_policy(self, action: str, record: ResourceRecord) -> None:
        problem = self.policy.problem(action, record.logical_id, record.type)
        if problem:
            raise self._refused(record, problem)

    def _refused(self, record: ResourceRecord, reason: str) -> ActionFailed:
        """Nothing is done with a resource; going back says that it is in order."""
        self.steps.append(Step(record, copy_of(record), kept=True))
        return self.actions.refused(record, "UPDATE_FAILED", reason)

    @cached_property
    def policy(self) -> StackPolicy:
        """The stack policy that holds for this operation."""
        during = self.request.policy_during
        return parse(self.stack.policy if during is None else during)

    def _apply_all(self) -> None:
        for logical_id in self.request.template.resources:
            if self.scope.resolver.wanted(logical_id):
                self._apply(self.scope.resolver.definition(logical_id))

    def _apply(self, definition: Definition) -> None:
        """Create, update, replace or leave one resource."""
        record = self.stack.resources.get(definition.logical_id)
        properties = self._resolved(definition)
        if record is None:
            self._create(definition, properties, None)
            return
        wanted = self._tagged(definition, properties)
        changes = property_changes(record, wanted)
        if not changes:
            self.steps.append(Step(record, copy_of(record), kept=True))
            take_attributes(record, definition)
        elif any(recreation == "Always" for _, recreation in changes):
            self._ask_policy("Update:Replace", record)
            self._refuse_same_name(record, wanted)
            self._create(definition, properties, record)
        else:
            self._ask_policy("Update:Modify", record)
            self._update(record, definition, wanted)

    def _tagged(self, definition: Definition, properties: dict[str, Any]) -> dict[str, Any]:
        return with_stack_tags(self.stack, self.request, definition.type, definition.logical_id, properties)

    def _resolved(self, definition: Definition) -> dict[str, Any]:
        try:
            return self.scope.resolver.properties(definition.logical_id)
        except Refusal as problem:
            record = self.stack.resources.get(definition.logical_id)
            if record:
                raise self._refused(record, problem.message) from problem
            raise self.actions.impossible(definition, problem.message) from problem

    def _create(self, definition: Definition, properties: dict[str, Any], old: ResourceRecord | None) -> None:
        wanted = self._tagged(definition, properties)
        shown = self.scope.shown(definition.logical_id)
        try:
            made = self.actions.create(definition, wanted, shown, old)
        except ActionFailed as problem:
            if problem.record:
                self.steps.append(Step(problem.record, old, replaced=old is not None))
            raise
        self.steps.append(Step(made, old, replaced=old is not None))
        self._keep(made)

    def _update(self, record: ResourceRecord, definition: Definition, wanted: dict[str, Any]) -> None:
        before = copy_of(record)
        try:
            self.actions.update(record, definition, wanted, self.scope.shown(definition.logical_id))
        except ActionFailed as problem:
            if problem.record:
                record.properties = wanted
            self.steps.append(Step(record, before, kept=problem.record is None))
            raise
        self.steps.append(Step(record, before))

    def _refuse_same_name(self, record: ResourceRecord, wanted: dict[str, Any]) -> None:
        """A replacement is made before the old one goes, so a fixed name that stays stands in its way."""
        name_property = self.actions.name_property(record.type)
        name = wanted.get(name_property)
        if name and name == record.properties.get(name_property):
            raise self._refused(record, _RENAME.format(name))

    def _keep(self, record: ResourceRecord) -> None:
        self.stack.resources.pop(record.logical_id, None)
        self.stack.resources[record.logical_id] = record
        self.scope.records[record.logical_id] = record

    def _finish_outputs(self) -> None:
        """Work out the outputs; a name that another stack exports is refused."""
        outputs = outputs_of(self.request.template, self.scope)
        for output in outputs:
            if output.export in self.exported:
                holder = self.exported[output.export]
                text = f"Export with name {output.export} is already exported by stack {holder}. "
                raise Refusal("ValidationError", text)
        self.stack.outputs = outputs
        self.stack.imports = self.scope.imports

    def _clean_up(self, before: dict[str, ResourceRecord]) -> None:
        """After a good update: remove what was replaced and what the template no longer has."""
        for step in reversed(self.steps):
            if step.replaced and step.before:
                discard(self.actions, step.before, retained=step.before.update_replace_policy == "Retain")
        wanted = {name for name in self.request.template.resources if self.scope.resolver.wanted(name)}
        for record in reversed(list(before.values())):
            if record.logical_id not in wanted:
                discard(self.actions, record, retained=record.deletion_policy.startswith("Retain"))
                del self.stack.resources[record.logical_id]

    def _sort(self) -> None:
        """Bring the records into the template's order, which is the order of making; removal goes backwards."""
        records = self.stack.resources
        ordered = [name for name in self.request.template.resources if name in records]
        self.stack.resources = {name: records[name] for name in ordered}

    # -- backwards

    def _create_failed(self, problem: ActionFailed | Refusal) -> None:
        self._note_failure(problem)
        reason = _why("create", problem)
        if self.request.on_failure == "DO_NOTHING":
            self._enter("CREATE_FAILED", reason)
            return
        gone = self.request.on_failure == "DELETE"
        self._enter(
            "DELETE_IN_PROGRESS" if gone else "ROLLBACK_IN_PROGRESS", f"{reason}. Rollback requested by user."
        )
        made = [step.after for step in self.steps]
        failed = remove_all(self.stack, self.actions, made, created_now=True)
        self.stack.outputs = []
        if failed:
            names = ", ".join(each.logical_id for each in failed)
            text = f"The following resource(s) failed to delete: [{names}]. "
            self._enter("DELETE_FAILED" if gone else "ROLLBACK_FAILED", text)
            return
        self._enter("DELETE_COMPLETE" if gone else "ROLLBACK_COMPLETE")

    def _update_failed(self, problem: ActionFailed | Refusal, before: dict[str, ResourceRecord]) -> None:
        self._note_failure(problem)
        self._enter("UPDATE_ROLLBACK_IN_PROGRESS", _why("update", problem))
        leftovers: list[ResourceRecord] = []
        try:
            for step in reversed(self.steps):
                self._revert(step, leftovers)
        except ActionFailed as second:
            names = f"[{second.logical_id}]"
            self._take_back_request()
            self._enter("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: {names}. ")
            return
        self.stack.resources = {
            name: self.stack.resources.get(name, record) for name, record in before.items()
        }
        self._enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for record in leftovers:
            discard(self.actions, record, retained=record.deletion_policy == "Retain")
        self._take_back_request()
        self._enter("UPDATE_ROLLBACK_COMPLETE")

    def _take_back_request(self) -> None:
        self.stack.request = replace(self.previous, token=self.request.token)

    def _revert(self, step: Step, leftovers: list[ResourceRecord]) -> None:
        """Undo one step: what was updated goes back, what was made is left to the cleaning up."""
        if step.before is None or step.replaced:
            leftovers.append(step.after)
            if step.before:
                self.stack.resources[step.before.logical_id] = step.before
            return
        if not step.kept:
            self.actions.update(step.after, None, step.before.properties, step.before.shown)
        elif step.after.status == "UPDATE_FAILED":
            self.actions.settle(step.after, step.before.shown)
        take_attributes(step.after, step.before)

    def _note_failure(self, problem: ActionFailed | Refusal) -> None:
        self.stack.failure = problem.summary if isinstance(problem, ActionFailed) else problem.message

    def _enter(self, status: str, reason: str = "") -> None:
        self.stack.enter(self.actions.world.clock.now(), status, reason)


def _why(verb: str, problem: ActionFailed | Refusal) -> str:
    if isinstance(problem, ActionFailed):
        return f"The following resource(s) failed to {verb}: [{problem.logical_id}]"
    return problem.message
