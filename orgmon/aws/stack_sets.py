"""Single calls on stack sets: read one whole, start an operation, look at an operation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from orgmon.aws import stack_set_shapes as shapes
from orgmon.aws.errors import translated
from orgmon.aws.session import Sessions
from orgmon.errors import AwsError, NotFoundError
from orgmon.stackset import (
    AutoDeployment,
    CallAs,
    DeploymentTarget,
    Operation,
    OperationPreferences,
    OperationResult,
    PermissionModel,
    ResultStatus,
    StackInstance,
    StackSet,
)

IN_PROGRESS = "OperationInProgressException"
SAME_ID = "OperationIdAlreadyExistsException"
STALE = "StaleRequestException"
# CreateStackSet finds the name taken: by another run, or by this call, whose first answer was lost.
TAKEN = ("NameAlreadyExistsException", "CreatedButModifiedException")

# CloudFormation's words for a template whose parameters it has no value for.
_WANTS_VALUES = "must have values"


class StackSets:
    """Stack sets as AWS has them. Every call carries CallAs where the permission model wants it.

    All methods raise AwsError, which names the stack set, the account and the Region.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @contextmanager
    def _call(self, operation: str, model: PermissionModel, name: str = "") -> Iterator[tuple[Any, CallAs]]:
        """The client for an API call, and its CallAs."""
        client, call_as = self._sessions.stack_sets(model)
        ours = call_as is CallAs.SELF
        with translated(
            f"cloudformation:{operation}",
            account=self._sessions.management_account if ours else "",
            region=self._sessions.home_region,
            of=name if ours or not name else f"{name} as {call_as}",
        ):
            yield client, call_as

    def names(self, model: PermissionModel) -> tuple[str, ...]:
        """The names of all active stack sets that the session for a permission model sees."""
        with self._call("ListStackSets", model) as (client, call_as):
            pages = client.get_paginator("list_stack_sets").paginate(Status="ACTIVE", CallAs=call_as)
            return tuple(
                item["StackSetName"]
                for page in pages
                for item in page["Summaries"]
                if item.get("PermissionModel", PermissionModel.SELF_MANAGED) == model
            )

    def read(self, name: str, model: PermissionModel) -> StackSet | None:
        """A stack set with all instances and its newest operation, or None where there is none."""
        try:
            stack_set = self._described(name, model)
            instances = tuple(self._instances(name, model))
            operation = next(iter(self.operations(name, model)), None)
        except NotFoundError:
            return None
        return replace(stack_set, instances=instances, operation=operation)

    def _described(self, name: str, model: PermissionModel) -> StackSet:
        with self._call("DescribeStackSet", model, name) as (client, call_as):
            return shapes.stack_set(client.describe_stack_set(StackSetName=name, CallAs=call_as)["StackSet"])

    def _instances(self, name: str, model: PermissionModel) -> Iterator[StackInstance]:
        with self._call("ListStackInstances", model, name) as (client, call_as):
            pages = client.get_paginator("list_stack_instances").paginate(
                StackSetName=name, CallAs=call_as, PaginationConfig={"PageSize": 100}
            )
            for page in pages:
                for summary in page["Summaries"]:
                    yield shapes.instance(summary)

    def operations(self, name: str, model: PermissionModel) -> tuple[Operation, ...]:
        """The newest operations of a stack set, newest first (one page)."""
        with self._call("ListStackSetOperations", model, name) as (client, call_as):
            page = client.list_stack_set_operations(StackSetName=name, CallAs=call_as, MaxResults=20)
        listed = tuple(shapes.operation(summary) for summary in page["Summaries"])
        return tuple(sorted(listed, key=lambda operation: operation.created, reverse=True))

    def operation(self, name: str, model: PermissionModel, operation_id: str) -> Operation:
        """One operation, strongly consistent. Raises NotFoundError."""
        with self._call("DescribeStackSetOperation", model, name) as (client, call_as):
            answer = client.describe_stack_set_operation(
                StackSetName=name, OperationId=operation_id, CallAs=call_as
            )
        return shapes.operation(answer["StackSetOperation"])

    def results(
        self, name: str, model: PermissionModel, operation_id: str, status: ResultStatus | None = None
    ) -> tuple[OperationResult, ...]:
        """How an operation went or goes, for every pair; with ``status`` only for those that AWS has at it.

        A page is 100 pairs, so that all pairs of a large operation are many calls, and those that failed are few.
        """
        asked: dict[str, Any] = {"StackSetName": name, "OperationId": operation_id}
        if status is not None:
            asked["Filters"] = [{"Name": "OPERATION_RESULT_STATUS", "Values": status}]
        with self._call("ListStackSetOperationResults", model, name) as (client, call_as):
            pages = client.get_paginator("list_stack_set_operation_results").paginate(
                **asked, CallAs=call_as, PaginationConfig={"PageSize": 100}
            )
            return tuple(shapes.result(summary) for page in pages for summary in page["Summaries"])

    def create(self, stack_set: StackSet, auto: AutoDeployment, template: Mapping[str, str]) -> None:
        """Create a stack set without instances. ``template`` is TemplateBody or TemplateURL.

        That one of the same content is there already is fine: a second operator's, or what this call has made.
        """
        arguments = shapes.creation(stack_set, auto, template)
        try:
            with self._call("CreateStackSet", stack_set.permission_model, stack_set.name) as (
                client,
                call_as,
            ):
                if stack_set.permission_model is PermissionModel.SERVICE_MANAGED:
                    arguments["CallAs"] = call_as
                client.create_stack_set(**arguments)
        except AwsError as error:
            if error.code not in TAKEN or not self._is_there(stack_set):
                raise

    def _is_there(self, stack_set: StackSet) -> bool:
        try:
            there = self._described(stack_set.name, stack_set.permission_model)
        except NotFoundError:
            return False
        return shapes.content(there) == shapes.content(stack_set) and (
            (there.template, there.permission_model) == (stack_set.template, stack_set.permission_model)
        )

    def update(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        target: DeploymentTarget | None,
        template: Mapping[str, str] | None,
        auto: AutoDeployment | None,
    ) -> None:
        """Start an update operation; without a template the previous one is used.

        Parameters go only with a template: their presence marks every instance OUTDATED, also those that an
        earlier wave brought up to date. Absent ones are kept, which AWS's own resource handler for stack sets
        relies on, and so are absent tags; should AWS miss the values after all, they are sent. Of an absent
        description nothing is said anywhere: it is sent.
        """
        arguments = shapes.started(stack_set, operation_id, preferences, target)
        if template is None:
            arguments |= {
                "UsePreviousTemplate": True,
                "Capabilities": list(stack_set.capabilities),
                **shapes.description(stack_set),
            }
        else:
            arguments |= {**template, **shapes.content(stack_set)}
        if auto is not None:
            arguments["AutoDeployment"] = shapes.auto_deployment(auto)
        if stack_set.permission_model is PermissionModel.SELF_MANAGED:
            arguments |= shapes.roles(stack_set)
        try:
            self._start("UpdateStackSet", "update_stack_set", stack_set, arguments)
        except AwsError as error:
            if "Parameters" in arguments or _WANTS_VALUES not in error.message:
                raise
            arguments |= shapes.content(stack_set)
            self._start("UpdateStackSet", "update_stack_set", stack_set, arguments)

    def create_instances(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        target: DeploymentTarget,
    ) -> None:
        """Start an operation that creates instances in a rectangle."""
        arguments = shapes.started(stack_set, operation_id, preferences, target)
        self._start("CreateStackInstances", "create_stack_instances", stack_set, arguments)

    def delete_instances(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        target: DeploymentTarget,
        *,
        retain: bool,
    ) -> None:
        """Start an operation that deletes instances in a rectangle; with ``retain`` the stacks stay."""
        arguments = shapes.started(stack_set, operation_id, preferences, target)
        arguments["RetainStacks"] = retain
        self._start("DeleteStackInstances", "delete_stack_instances", stack_set, arguments)

    def import_stacks(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        stack_ids: tuple[str, ...],
        unit: str,
    ) -> None:
        """Start an operation that makes existing stacks instances of a stack set."""
        arguments = shapes.started(stack_set, operation_id, preferences)
        arguments["StackIds"] = list(stack_ids)
        if unit:
            arguments["OrganizationalUnitIds"] = [unit]
        self._start("ImportStacksToStackSet", "import_stacks_to_stack_set", stack_set, arguments)

    def delete(self, stack_set: StackSet) -> None:
        """Delete a stack set that has no instances any more; that there is none is fine."""
        try:
            with self._call("DeleteStackSet", stack_set.permission_model, stack_set.name) as (
                client,
                call_as,
            ):
                client.delete_stack_set(StackSetName=stack_set.name, CallAs=call_as)
        except NotFoundError:
            return

    def _start(self, call: str, method: str, stack_set: StackSet, arguments: dict[str, Any]) -> None:
        with self._call(call, stack_set.permission_model, stack_set.name) as (client, call_as):
            getattr(client, method)(CallAs=call_as, **arguments)


def running_operation(error: AwsError) -> str:
    """The id of the operation that is in the way, from AWS's message; empty where it is not told."""
    told = re.search(r"in progress: ([A-Za-z0-9][-A-Za-z0-9]*)", error.message)
    return told.group(1) if told else ""
