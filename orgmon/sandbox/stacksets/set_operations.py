"""The calls on stack sets themselves: create, update, delete, describe, list."""

from __future__ import annotations

import uuid
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.cloudformation.scope import partition_of
from orgmon.sandbox.stacksets import refusals, shapes
from orgmon.sandbox.stacksets.callers import Caller, caller_of, check_service_managed, named_set, operable
from orgmon.sandbox.stacksets.checks import check_name, preferences_of
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.lists import Lists
from orgmon.sandbox.stacksets.records import SERVICE_MANAGED, Instance, Settings, StackSetRecord
from orgmon.sandbox.stacksets.requests import operation_of
from orgmon.sandbox.stacksets.settings import changed_settings, check_managed_execution, new_settings
from orgmon.sandbox.stacksets.targeting import (
    Targets,
    check_region_order,
    check_units_targeted,
    existing_all,
    targets_of,
)
from orgmon.sandbox.stacksets.tasks import Update

Members = dict[str, Any]


class SetOperations:
    """Handlers of the gateway for stack sets."""

    def __init__(self, engine: StackSetEngine, lists: Lists) -> None:
        self._engine = engine
        self._lists = lists

    def create(self, call: Call) -> Members:
        """CreateStackSet: synchronous, deploys nothing."""
        caller = caller_of(self._engine, call)
        name = str(call.params["StackSetName"])
        check_name(name)
        if call.params.get("PermissionModel") == SERVICE_MANAGED:
            check_service_managed(self._engine, caller)
        elif caller.is_delegated:
            raise refusals.invalid("CallAs DELEGATED_ADMIN can only be used with SERVICE_MANAGED stack sets")
        settings = new_settings(self._engine, call, caller.home[0])
        with self._engine.lock:
            known = self._known(caller, name, call.params)
            if known is None:
                known = self._new(caller, name, settings, call.params)
                self._engine.register.add(known)
        return {"StackSetId": known.id}

    def _known(self, caller: Caller, name: str, params: Members) -> StackSetRecord | None:
        """The set that an earlier try of the same request has made. Raises Refusal when the name is taken."""
        other = self._engine.register.find(caller.home, name)
        if other is None or other.status != "ACTIVE":
            return None
        if other.asked.get("ClientRequestToken") != params.get("ClientRequestToken"):
            raise refusals.name_taken()
        if other.modified or other.asked != params:
            raise refusals.created_but_modified(name)
        return other

    def _new(self, caller: Caller, name: str, settings: Settings, params: Members) -> StackSetRecord:
        account, region = caller.home
        set_id = f"{name}:{uuid.uuid4()}"
        arn = f"arn:{partition_of(region)[0]}:cloudformation:{region}:{account}:stackset/{set_id}"
        return StackSetRecord(account, region, name, set_id, arn, settings, asked=dict(params))

    def update(self, call: Call) -> Members:
        """UpdateStackSet: the set changes at once; its instances by an operation."""
        params = call.params
        stack_set = operable(self._engine, call)
        with self._engine.lock:
            check_managed_execution(params, stack_set)
        settings = changed_settings(self._engine, call, stack_set)
        targets = self._targets(params, stack_set)
        organization = self._engine.world.organization
        order = preferences_of(params).region_order

        def choose(record: StackSetRecord) -> list[Instance]:
            named = existing_all(organization, record, targets) if targets else None
            chosen = record.sorted_instances() if named is None else named
            check_region_order(order, {each.region for each in chosen})
            return chosen

        def apply(record: StackSetRecord) -> None:
            record.settings = settings
            record.modified = True

        outdates = not params.get("UsePreviousTemplate") or params.get("Parameters") is not None
        task = Update(self._engine.member, choose, apply, outdates=outdates)
        operation = operation_of(self._engine, call, task, targets)
        return {"OperationId": self._engine.submit(stack_set, operation)}

    def _targets(self, params: Members, stack_set: StackSetRecord) -> Targets | None:
        """The targets of an update, None for all instances. Raises Refusal."""
        if not any(params.get(member) for member in ("Accounts", "DeploymentTargets", "Regions")):
            return None
        if params.get("AutoDeployment") is not None:
            raise refusals.invalid(
                "AutoDeployment cannot be specified together with DeploymentTargets or Regions"
            )
        targets = targets_of(params, stack_set)
        check_units_targeted(stack_set, targets)
        return targets

    def delete(self, call: Call) -> Members:
        """DeleteStackSet: only an empty one; one that is not there is fine."""
        caller = caller_of(self._engine, call)
        with self._engine.lock:
            stack_set = self._engine.register.find(caller.home, str(call.params["StackSetName"]))
            if stack_set is None or not caller.sees(stack_set) or stack_set.status == "DELETED":
                return {}
            if stack_set.running is not None:
                raise refusals.in_progress(stack_set.arn, stack_set.running.id)
            if stack_set.instances:
                raise refusals.not_empty()
            stack_set.status = "DELETED"
        return {}

    def describe(self, call: Call) -> Members:
        """DescribeStackSet: a deleted one by its id only."""
        with self._engine.lock:
            return {"StackSet": shapes.set_shape(named_set(self._engine, call, deleted=True))}

    def list(self, call: Call) -> Members:
        """ListStackSets: what the caller sees, deleted ones included unless Status says otherwise."""
        caller = caller_of(self._engine, call)
        wanted = call.params.get("Status")
        with self._engine.lock:
            summaries = [
                shapes.set_summary(each)
                for each in self._engine.register.sets(caller.home)
                if caller.sees(each) and wanted in (None, each.status)
            ]
        return self._lists.answer(call, "", sorted(summaries, key=lambda each: each["StackSetName"]))
