"""The calls on operations: describe, list, results, stop."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.stacksets import refusals, shapes
from orgmon.sandbox.stacksets.callers import named_set
from orgmon.sandbox.stacksets.checks import enum
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.lists import Lists
from orgmon.sandbox.stacksets.records import Operation, StackSetRecord

Members = dict[str, Any]
_RESULTS = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED")


class OperationQueries:
    """Handlers of the gateway for operations."""

    def __init__(self, engine: StackSetEngine, lists: Lists) -> None:
        self._engine = engine
        self._lists = lists

    def describe(self, call: Call) -> Members:
        """DescribeStackSetOperation."""
        with self._engine.lock:
            stack_set, operation = self._find(call)
            return {"StackSetOperation": shapes.operation_shape(stack_set, operation)}

    def list(self, call: Call) -> Members:
        """ListStackSetOperations: the newest first."""
        with self._engine.lock:
            stack_set = named_set(self._engine, call)
            newest_first = reversed(stack_set.operations.values())
            summaries = [shapes.operation_summary(each) for each in newest_first]
        return self._lists.answer(call, stack_set.id, summaries)

    def results(self, call: Call) -> Members:
        """ListStackSetOperationResults: for every pair."""
        wanted = _wanted(call.params)
        with self._engine.lock:
            _, operation = self._find(call)
            summaries = [
                shapes.result_shape(operation.results[pair])
                for pair in sorted(operation.results)
                if wanted in ("", operation.results[pair].status)
            ]
        return self._lists.answer(call, f"{operation.id} {wanted}", summaries)

    def stop(self, call: Call) -> Members:
        """StopStackSetOperation: what is under way still completes."""
        with self._engine.lock:
            stack_set, operation = self._find(call)
            self._engine.stop(stack_set, operation)
        return {}

    def _find(self, call: Call) -> tuple[StackSetRecord, Operation]:
        stack_set = named_set(self._engine, call)
        operation = stack_set.operations.get(str(call.params["OperationId"]))
        if operation is None:
            raise refusals.no_operation(str(call.params["OperationId"]))
        return stack_set, operation


def _wanted(params: Members) -> str:
    """The status that a filter asks for; empty for all. Raises Refusal."""
    given = params.get("Filters") or []
    if len(given) > 1:
        raise refusals.unfit(len(given), "filters", "have length less than or equal to 1")
    for each in given:
        enum(each, "Name", ("OPERATION_RESULT_STATUS",))
        return enum(each, "Values", _RESULTS)
    return ""
