"""The calls on stack instances: create, update, delete, describe, list."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.stacksets import refusals, shapes
from orgmon.sandbox.stacksets.arithmetic import Pair
from orgmon.sandbox.stacksets.callers import named_set, operable
from orgmon.sandbox.stacksets.checks import enum
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.lists import Lists
from orgmon.sandbox.stacksets.records import Instance, Operation, StackSetRecord
from orgmon.sandbox.stacksets.requests import operation_of, overrides_of
from orgmon.sandbox.stacksets.targeting import (
    Targets,
    check_region_order,
    check_regions_open,
    check_units_exist,
    check_units_targeted,
    existing,
    existing_all,
    pairs_of,
    targets_of,
)
from orgmon.sandbox.stacksets.tasks import Creation, Deletion, Overrides, Overriding

Members = dict[str, Any]
_FILTERS = ("DETAILED_STATUS", "LAST_OPERATION_ID", "DRIFT_STATUS")
_MAXIMUM_FILTERS = 3


class InstanceOperations:
    """Handlers of the gateway for stack instances."""

    def __init__(self, engine: StackSetEngine, lists: Lists) -> None:
        self._engine = engine
        self._organization = engine.world.organization
        self._lists = lists

    def create(self, call: Call) -> Members:
        """CreateStackInstances: also where there are some already; a unit without accounts is a target as well."""
        stack_set = operable(self._engine, call)
        targets = targets_of(call.params, stack_set, creates=True)
        check_units_exist(self._organization, targets)
        check_regions_open(self._organization, stack_set.account, targets.regions)

        def choose(record: StackSetRecord) -> dict[Pair, str]:
            for unit_id in targets.units:
                record.aim_at(unit_id, targets.regions)
            return pairs_of(self._organization, record, targets)

        overrides = _checked_overrides(call, stack_set)
        task = Creation(self._engine.member, choose, overrides)
        return self._submit(stack_set, operation_of(self._engine, call, task, targets), targets)

    def update(self, call: Call) -> Members:
        """UpdateStackInstances: parameter overrides of instances that are there."""
        stack_set = operable(self._engine, call)
        targets = targets_of(call.params, stack_set)
        check_units_targeted(stack_set, targets)

        def choose(record: StackSetRecord) -> list[Instance]:
            return existing_all(self._organization, record, targets)

        task = Overriding(self._engine.member, choose, _checked_overrides(call, stack_set))
        return self._submit(stack_set, operation_of(self._engine, call, task, targets), targets)

    def delete(self, call: Call) -> Members:
        """DeleteStackInstances: pairs without an instance are passed over."""
        stack_set = operable(self._engine, call)
        targets = targets_of(call.params, stack_set)
        check_units_targeted(stack_set, targets)
        retain = bool(call.params.get("RetainStacks"))
        refuses = self._engine.stances.refuses_missing_on_delete

        def choose(record: StackSetRecord) -> list[Instance]:
            select = existing_all if refuses else existing
            return select(self._organization, record, targets)

        task = Deletion(
            self._engine.member,
            choose,
            retain=retain,
            whole_units=targets.whole_units,
            regions=targets.regions,
        )
        operation = operation_of(self._engine, call, task, targets, retain)
        return self._submit(stack_set, operation, targets)

    def _submit(self, stack_set: StackSetRecord, operation: Operation, targets: Targets) -> Members:
        check_region_order(operation.preferences.region_order, set(targets.regions))
        return {"OperationId": self._engine.submit(stack_set, operation)}

    def describe(self, call: Call) -> Members:
        """DescribeStackInstance."""
        with self._engine.lock:
            stack_set = named_set(self._engine, call)
            account = str(call.params["StackInstanceAccount"])
            region = str(call.params["StackInstanceRegion"])
            instance = stack_set.find(account, region)
            if instance is None:
                raise refusals.no_instance(stack_set.name, account, region)
            return {"StackInstance": shapes.instance_shape(stack_set, instance)}

    def list(self, call: Call) -> Members:
        """ListStackInstances: by account, Region and filters; different filters must all fit."""
        wanted = _filters(call.params)
        account = call.params.get("StackInstanceAccount")
        region = call.params.get("StackInstanceRegion")
        with self._engine.lock:
            stack_set = named_set(self._engine, call)
            summaries = [
                shapes.instance_summary(stack_set, instance)
                for instance in stack_set.sorted_instances()
                if account in (None, instance.account)
                and region in (None, instance.region)
                and all(_value(instance, name) in values for name, values in wanted.items())
            ]
        about = f"{stack_set.id} {account} {region} {wanted}"
        return self._lists.answer(call, about, summaries)


def _filters(params: Members) -> dict[str, set[str]]:
    """Filter name -> values. Raises Refusal."""
    given = params.get("Filters") or []
    if len(given) > _MAXIMUM_FILTERS:
        raise refusals.unfit(len(given), "filters", f"have length less than or equal to {_MAXIMUM_FILTERS}")
    wanted: dict[str, set[str]] = {}
    for each in given:
        wanted.setdefault(enum(each, "Name", _FILTERS), set()).add(str(each.get("Values") or ""))
    return wanted


def _value(instance: Instance, name: str) -> str:
    values = {
        "DETAILED_STATUS": instance.detailed,
        "LAST_OPERATION_ID": instance.last_operation,
        "DRIFT_STATUS": "NOT_CHECKED",
    }
    return values[name]


def _checked_overrides(call: Call, stack_set: StackSetRecord) -> Overrides | None:
    """The overrides of a request. Raises Refusal for a parameter that the template does not have."""
    overrides = overrides_of(call.params)
    unknown = sorted(set(overrides or {}) - set(stack_set.settings.template.parameters))
    if unknown:
        raise refusals.invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return overrides
