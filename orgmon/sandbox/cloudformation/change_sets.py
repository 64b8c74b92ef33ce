"""CloudFormation's API for change sets: what an operation would do, and doing it later."""

from __future__ import annotations

import uuid
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.cloudformation import shapes
from orgmon.sandbox.cloudformation.change_shapes import change_shape, changes_told
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.paging import page
from orgmon.sandbox.cloudformation.plan import check_types
from orgmon.sandbox.cloudformation.requests import request_of
from orgmon.sandbox.cloudformation.stack import ChangeSet, Request, StackRecord
from orgmon.sandbox.cloudformation.stack_operations import principal_of, pseudo_of, tags_in
from orgmon.sandbox.cloudformation.templates import template_of

Members = dict[str, Any]
NOTHING = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class ChangeSetOperations:
    """Handlers of the gateway: a Call comes in, output members go out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_change_set(self, call: Call) -> Members:
        """CreateChangeSet, of type CREATE or UPDATE; what it holds is worked out in the background."""
        kind = str(call.params.get("ChangeSetType") or "UPDATE")
        if kind not in ("CREATE", "UPDATE"):
            raise Refusal("ValidationError", f"ChangeSetType {kind} is not implemented by the sandbox")
        name = str(call.params["ChangeSetName"])
        stack, request = self._prepared(call, kind)
        with stack.lock:
            if name in stack.change_sets:
                raise Refusal("AlreadyExistsException", f"ChangeSet [{name}] already exists")
            change_set = self._new(call, stack, kind, request)
            stack.change_sets[name] = change_set
        self._engine.background.run(lambda: self._work_out(stack, change_set))
        return {"Id": change_set.id, "StackId": stack.id}

    def describe_change_set(self, call: Call) -> Members:
        """DescribeChangeSet, its changes in pages."""
        stack, change_set = self.named(call)
        with_values = bool(call.params.get("IncludePropertyValues"))
        changes = changes_told(change_set.changes, with_values=with_values)
        chosen, more = page(changes, call.params.get("NextToken"))
        request = change_set.request
        return {
            **shapes.change_set_shape(stack, change_set),
            **shapes.set_only(
                {"Parameters": shapes.parameter_shapes(request.template, request.parameters) or None}
            ),
            "NotificationARNs": list(request.notifications),
            "RollbackConfiguration": {},
            "Capabilities": list(request.capabilities),
            **shapes.set_only({"Tags": shapes.tag_shapes(request.tags) or None}),
            "Changes": [change_shape(change, with_values=with_values) for change in chosen],
            **({} if request.on_failure == "ROLLBACK" else {"OnStackFailure": request.on_failure}),
            **more,
        }

    def list_change_sets(self, call: Call) -> Members:
        """ListChangeSets of a stack, in pages."""
        stack = self._stack(call)
        chosen, more = page(list(stack.change_sets.values()), call.params.get("NextToken"))
        return {"Summaries": [shapes.change_set_shape(stack, change_set) for change_set in chosen], **more}

    def execute_change_set(self, call: Call) -> Members:
        """ExecuteChangeSet: starts the operation; the stack's other change sets are gone with it."""
        stack, change_set = self.named(call)
        with stack.lock:
            if change_set.execution_status != "AVAILABLE":
                failed = change_set.status != "CREATE_COMPLETE"
                status = change_set.status if failed else change_set.execution_status
                kind = "status" if failed else "execution status"
                text = f"ChangeSet [{change_set.id}] cannot be executed in its current {kind} of [{status}]"
                raise Refusal("InvalidChangeSetStatus", text)
            self._engine.execute(stack, change_set)
        return {}

    def delete_change_set(self, call: Call) -> Members:
        """DeleteChangeSet; that there is none is fine."""
        try:
            stack, change_set = self.named(call)
        except Refusal as problem:
            if problem.code == "ChangeSetNotFound":
                return {}
            raise
        if change_set.execution_status == "EXECUTE_IN_PROGRESS":
            text = f"ChangeSet [{change_set.id}] cannot be deleted in status [EXECUTE_IN_PROGRESS]"
            raise Refusal("InvalidChangeSetStatus", text)
        stack.past_change_sets.pop(change_set.id, None)
        if stack.change_sets.get(change_set.name) is change_set:
            del stack.change_sets[change_set.name]
        return {}

    def named(self, call: Call) -> tuple[StackRecord, ChangeSet]:
        """The change set that a call names: by its ARN, or by its name and the stack's. Raises Refusal."""
        name = str(call.params["ChangeSetName"])
        for stack in self._candidates(call):
            found = stack.change_sets.get(name) or stack.past_change_sets.get(name)
            for change_set in [found] if found else stack.change_sets.values():
                if name in (change_set.name, change_set.id):
                    return stack, change_set
        raise Refusal("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)

    def _prepared(self, call: Call, kind: str) -> tuple[StackRecord, Request]:
        """The stack and the checked request; a CREATE makes a stack in REVIEW_IN_PROGRESS if there is none."""
        name = str(call.params["StackName"])
        stack = self._engine.register.find(call.account, call.region, name)
        if kind == "UPDATE":
            stack = self._stack(call)
            if stack.status == "REVIEW_IN_PROGRESS":
                raise no_stack(name)
            self._engine.check_updatable(stack)
            request = self._request(call, stack.name, stack.request)
            check_types(stack, request.template)
            return stack, request
        if name.startswith("arn:") and stack is None:
            stack = self._engine.register.get(call.account, call.region, name)
        if stack and stack.status != "REVIEW_IN_PROGRESS":
            raise Refusal(
                "ValidationError",
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{call.params['ChangeSetName']}].",
            )
        request = self._request(call, stack.name if stack else name, None)
        if stack is None:
            stack = self._engine.register.add(call.account, call.region, name, request)
            stack.enter(self._engine.world.clock.now(), "REVIEW_IN_PROGRESS", "User Initiated")
        return stack, request

    def _stack(self, call: Call) -> StackRecord:
        name = str(call.params["StackName"])
        stack = self._engine.register.find(call.account, call.region, name)
        if stack is None:
            raise no_stack(name)
        return stack

    def _request(self, call: Call, stack_name: str, before: Request | None) -> Request:
        params = call.params
        previous = (lambda: before.template) if before else None
        template = template_of(self._engine.world, call, previous)
        principal, role_arn = principal_of(self._engine, call, before.role_arn if before else "")
        return request_of(
            template,
            params.get("Parameters") or [],
            tags_in(call, before.tags if before else None),
            tuple(params.get("Capabilities") or ()),
            principal,
            pseudo=pseudo_of(call, stack_name),
            previous=before.parameters if before else None,
            on_failure=str(params.get("OnStackFailure") or "ROLLBACK"),
            role_arn=role_arn,
            adopts=bool(params.get("ImportExistingResources")),
            notifications=tuple(params.get("NotificationARNs") or ()),
            token=str(params.get("ClientToken") or ""),
        )

    def _new(self, call: Call, stack: StackRecord, kind: str, request: Request) -> ChangeSet:
        name = str(call.params["ChangeSetName"])
        prefix = stack.id.split(":stack/")[0]
        return ChangeSet(
            id=f"{prefix}:changeSet/{name}/{uuid.uuid4()}",
            name=name,
            kind=kind,
            description=str(call.params.get("Description") or ""),
            created=self._engine.world.clock.now(),
            request=request,
        )

    def _work_out(self, stack: StackRecord, change_set: ChangeSet) -> None:
        """Fill in the changes, or say why there are none."""
        change_set.status = "CREATE_IN_PROGRESS"
        try:
            change_set.changes = self._engine.changes(stack, change_set.request)
            useful = change_set.kind == "CREATE" or self._engine.has_changes(stack, change_set.request)
            change_set.reason = "" if useful else NOTHING
        except Refusal as problem:
            change_set.reason = problem.message
        with stack.lock:
            if change_set.execution_status != "OBSOLETE":
                change_set.execution_status = "UNAVAILABLE" if change_set.reason else "AVAILABLE"
            change_set.status = "FAILED" if change_set.reason else "CREATE_COMPLETE"

    def _candidates(self, call: Call) -> list[StackRecord]:
        if str(call.params["ChangeSetName"]).startswith("arn:"):
            return self._engine.register.stacks(call.account, call.region)
        if not call.params.get("StackName"):
            raise Refusal(
                "ValidationError", "StackName must be specified if ChangeSetName is not specified as an ARN."
            )
        return [self._stack(call)]


def no_stack(name: str) -> Refusal:
    """The refusal of the change sets of a stack that there is not."""
    return Refusal("ValidationError", f"Stack [{name}] does not exist")
