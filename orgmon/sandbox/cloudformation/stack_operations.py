"""CloudFormation's API for stacks. Every operation sees only the caller's own account and Region."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Principal, Refusal, role_session
from orgmon.sandbox.cloudformation import shapes
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.paging import page
from orgmon.sandbox.cloudformation.policy_operations import policy_in
from orgmon.sandbox.cloudformation.requests import request_of
from orgmon.sandbox.cloudformation.scope import pseudo_parameters
from orgmon.sandbox.cloudformation.stack import Request, ResourceRecord, StackRecord
from orgmon.sandbox.cloudformation.templates import template_of

Members = dict[str, Any]


def principal_of(engine: Engine, call: Call, previous: str = "") -> tuple[Principal, str]:
    """Who acts on the resources, and the role's ARN: the service role, if there is one, else the caller."""
    role_arn = str(call.params.get("RoleARN") or previous)
    if not role_arn:
        return call.principal, ""
    names = {role["Arn"] for role in _roles(engine, call)}
    if role_arn not in names:
        raise Refusal("ValidationError", f"Role {role_arn} is invalid or cannot be assumed")
    return role_session(role_arn, "AWSCloudFormation"), role_arn


def _roles(engine: Engine, call: Call) -> list[dict[str, Any]]:
    client = engine.world.client("iam", call.account, call.region)
    return [role for answer in client.get_paginator("list_roles").paginate() for role in answer["Roles"]]


def tags_in(call: Call, previous: dict[str, str] | None = None) -> dict[str, str]:
    """The stack tags of a call; without the member the previous ones stay."""
    given = call.params.get("Tags")
    if given is None:
        return dict(previous or {})
    return {str(tag["Key"]): str(tag["Value"]) for tag in given}


def pseudo_of(call: Call, stack_name: str, stack_id: str = "") -> dict[str, Any]:
    """The pseudo parameters of the stack that a call is about."""
    notifications = tuple(call.params.get("NotificationARNs") or ())
    return pseudo_parameters(call.account, call.region, stack_name, stack_id, notifications)


class StackOperations:
    """Handlers of the gateway: a Call comes in, output members go out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_stack(self, call: Call) -> Members:
        """CreateStack: returns at once; the work goes on."""
        params = call.params
        template = template_of(self._engine.world, call)
        principal, role_arn = principal_of(self._engine, call)
        request = request_of(
            template,
            params.get("Parameters") or [],
            tags_in(call),
            tuple(params.get("Capabilities") or ()),
            principal,
            pseudo=pseudo_of(call, str(params["StackName"])),
            on_failure=_on_failure(params),
            role_arn=role_arn,
            notifications=tuple(params.get("NotificationARNs") or ()),
            token=str(params.get("ClientRequestToken") or ""),
        )
        policy = policy_in(self._engine.world, call, "StackPolicy")
        stack = self._engine.create(
            call.account,
            call.region,
            str(params["StackName"]),
            request,
            protected=bool(params.get("EnableTerminationProtection")),
            policy=policy or "",
        )
        return {"StackId": stack.id}

    def update_stack(self, call: Call) -> Members:
        """UpdateStack: refused when nothing would change."""
        stack = self._stack(call)
        self._engine.check_updatable(stack)
        self._engine.update(stack, self._update_request(call, stack))
        return {"StackId": stack.id}

    def _update_request(self, call: Call, stack: StackRecord) -> Request:
        params = call.params
        before = stack.request
        template = template_of(self._engine.world, call, lambda: before.template)
        principal, role_arn = principal_of(self._engine, call, before.role_arn)
        return request_of(
            template,
            params.get("Parameters") or [],
            tags_in(call, before.tags),
            tuple(params.get("Capabilities") or ()),
            principal,
            pseudo=pseudo_of(call, stack.name, stack.id),
            previous=before.parameters,
            on_failure=before.on_failure,
            role_arn=role_arn,
            notifications=tuple(params.get("NotificationARNs") or before.notifications),
            token=str(params.get("ClientRequestToken") or ""),
            policy=policy_in(self._engine.world, call, "StackPolicy"),
            policy_during=policy_in(self._engine.world, call, "StackPolicyDuringUpdate"),
        )

    def delete_stack(self, call: Call) -> Members:
        """DeleteStack: no error when there is no such stack."""
        name = str(call.params["StackName"])
        stack = self._engine.register.find(call.account, call.region, name)
        if stack is None:
            return {}
        retained = frozenset(call.params.get("RetainResources") or ())
        if retained and stack.status != "DELETE_FAILED":
            raise Refusal(
                "ValidationError",
                "Invalid operation on stack. RetainResources can only be used with stacks in DELETE_FAILED state",
            )
        principal, _ = principal_of(self._engine, call, stack.request.role_arn)
        self._engine.delete(call.account, call.region, stack.id, principal, retained=retained, wait=False)
        return {}

    def describe_stacks(self, call: Call) -> Members:
        """DescribeStacks: one stack by name or id, or all that are not deleted, in pages."""
        if call.params.get("StackName"):
            return {"Stacks": [shapes.stack_shape(self._stack(call))]}
        living = [
            stack for stack in self._engine.register.stacks(call.account, call.region) if not stack.is_gone
        ]
        chosen, more = page(living, call.params.get("NextToken"))
        return {"Stacks": [shapes.stack_shape(stack) for stack in chosen], **more}

    def list_stacks(self, call: Call) -> Members:
        """ListStacks: deleted stacks as well, in pages."""
        wanted = call.params.get("StackStatusFilter")
        stacks = self._engine.register.stacks(call.account, call.region)
        fitting = [stack for stack in stacks if not wanted or stack.status in wanted]
        chosen, more = page(fitting, call.params.get("NextToken"))
        return {"StackSummaries": [shapes.summary_shape(stack) for stack in chosen], **more}

    def describe_stack_events(self, call: Call) -> Members:
        """DescribeStackEvents: the newest first, in pages."""
        stack = self._stack(call)
        chosen, more = page(list(reversed(stack.events)), call.params.get("NextToken"))
        return {"StackEvents": [shapes.event_shape(stack, event) for event in chosen], **more}

    def describe_stack_resources(self, call: Call) -> Members:
        """DescribeStackResources: by stack, or by the physical id of a resource."""
        stack = self._stack_with(call) if call.params.get("PhysicalResourceId") else self._stack(call)
        logical_id = call.params.get("LogicalResourceId")
        records = [each for each in stack.resources.values() if logical_id in (None, each.logical_id)]
        return {"StackResources": [shapes.resource_shape(stack, record) for record in records]}

    def describe_stack_resource(self, call: Call) -> Members:
        """DescribeStackResource: one resource, without its metadata."""
        stack = self._stack(call)
        record = self._resource(stack, str(call.params["LogicalResourceId"]))
        return {"StackResourceDetail": shapes.resource_shape(stack, record, "LastUpdatedTimestamp")}

    def list_stack_resources(self, call: Call) -> Members:
        """ListStackResources, in pages."""
        stack = self._stack(call)
        chosen, more = page(list(stack.resources.values()), call.params.get("NextToken"))
        summaries = [shapes.resource_shape(stack, record, "LastUpdatedTimestamp") for record in chosen]
        dropped = ("StackId", "StackName")
        listed = [{key: each[key] for key in each if key not in dropped} for each in summaries]
        return {"StackResourceSummaries": listed, **more}

    def update_termination_protection(self, call: Call) -> Members:
        """UpdateTerminationProtection: on or off."""
        stack = self._stack(call)
        if stack.is_gone:
            raise Refusal("ValidationError", f"Stack [{stack.name}] does not exist")
        stack.termination_protection = bool(call.params["EnableTerminationProtection"])
        return {"StackId": stack.id}

    def list_exports(self, call: Call) -> Members:
        """ListExports, in pages."""
        exports = sorted(self._engine.register.exports(call.account, call.region).items())
        chosen, more = page(exports, call.params.get("NextToken"))
        listed = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value} for name, (value, stack) in chosen
        ]
        return {"Exports": listed, **more}

    def list_imports(self, call: Call) -> Members:
        """ListImports: the stacks that use an export."""
        name = str(call.params["ExportName"])
        using = [
            stack.name
            for stack in self._engine.register.stacks(call.account, call.region)
            if name in stack.imports and not stack.is_gone
        ]
        if not using:
            raise Refusal("ValidationError", f"Export '{name}' is not imported by any stack.")
        chosen, more = page(using, call.params.get("NextToken"))
        return {"Imports": chosen, **more}

    def _stack(self, call: Call) -> StackRecord:
        return self._engine.register.get(call.account, call.region, str(call.params.get("StackName") or ""))

    def _stack_with(self, call: Call) -> StackRecord:
        physical_id = call.params["PhysicalResourceId"]
        for stack in self._engine.register.stacks(call.account, call.region):
            if any(record.physical_id == physical_id for record in stack.resources.values()):
                return stack
        raise Refusal("ValidationError", f"Stack for {physical_id} does not exist")

    def _resource(self, stack: StackRecord, logical_id: str) -> ResourceRecord:
        if logical_id not in stack.resources:
            raise Refusal("ValidationError", f"Resource {logical_id} does not exist for stack {stack.name}")
        return stack.resources[logical_id]


def _on_failure(params: Members) -> str:
    """What becomes of a failed creation. Both members exclude each other, whatever they say (API reference)."""
    if {"DisableRollback", "OnFailure"} <= set(params):
        text = "You can specify either DisableRollback or OnFailure, but not both."
        raise Refusal("ValidationError", text)
    if params.get("DisableRollback"):
        return "DO_NOTHING"
    return str(params.get("OnFailure") or "ROLLBACK")
