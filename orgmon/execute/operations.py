"""Starting stack set operations and waiting for their end.

An operation of ours is known by its id: a prefix and a hash of what it does and of the operation before it. The
same step on the same world has the same id, so a run that was killed after its request finds its own operation.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from itertools import islice

from orgmon.aws.stack_sets import IN_PROGRESS, SAME_ID, STALE, StackSets, running_operation
from orgmon.aws.waiting import Sleep, waits
from orgmon.errors import AwsError
from orgmon.execute.outcome import Progress
from orgmon.plan.model import (
    CreateStackInstances,
    DeleteStackInstances,
    ImportStacksToStackSet,
    UpdateStackSet,
)
from orgmon.stackset import Operation, OperationResult, ResultStatus, StackSet

PREFIX = "orgmon-"
# Results are eventually consistent: after the end they are read again until none is still under way.
SETTLING_READS = 8
OperationStep = UpdateStackSet | CreateStackInstances | DeleteStackInstances | ImportStacksToStackSet
Start = Callable[[str], None]


def operation_id(step: OperationStep, previous: str) -> str:
    """The id of a step's operation after the operation ``previous`` (empty if it is the first)."""
    parts = [step.call, step.stack_set.name, step.stack_set.template.digest, previous]
    parts += [f"{key}={value}" for key, value in step.stack_set.parameters]
    target = getattr(step, "target", None)
    if target is not None:
        parts += [*sorted(target.accounts), *sorted(target.regions), *target.units]
    parts += [str(getattr(step, name, "")) for name in ("sends_template", "auto_deployment", "retain")]
    return PREFIX + hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]


def is_ours(operation: Operation) -> bool:
    """Was the operation started by orgmon?"""
    return operation.id.startswith(PREFIX)


class Operations:
    """Runs stack set operations one after the other."""

    def __init__(self, stack_sets: StackSets, progress: Progress, sleep: Sleep = time.sleep) -> None:
        self._stack_sets = stack_sets
        self._progress = progress
        self._sleep = sleep

    def run(self, step: OperationStep, start: Start) -> tuple[Operation, tuple[OperationResult, ...]]:
        """Start a step's operation, or find the one of an earlier run, and wait for its end.

        Somebody else's operation is waited for first. Raises AwsError.
        """
        while True:
            newest = self.settled(step.stack_set)
            identity = operation_id(step, newest.id if newest else "")
            if self._started(step.stack_set, identity, start):
                return self.wait(step.stack_set, identity)

    def _started(self, stack_set: StackSet, identity: str, start: Start) -> bool:
        """Make the request. False where another operation came first and the world has to be read again."""
        try:
            start(identity)
        except AwsError as error:
            if error.code == SAME_ID:
                return True
            if error.code == STALE:
                return False
            if error.code != IN_PROGRESS:
                raise
            if other := running_operation(error):
                self._wait_for_other(stack_set, other)
            return False
        return True

    def settled(self, stack_set: StackSet) -> Operation | None:
        """Wait until no operation is under way; the newest operation, or None if there never was one."""
        newest = next(iter(self._list(stack_set)), None)
        while newest is not None and not newest.status.is_over:
            self._wait_for_other(stack_set, newest.id)
            newest = next(iter(self._list(stack_set)), None)
        return newest

    def _list(self, stack_set: StackSet) -> tuple[Operation, ...]:
        return self._stack_sets.operations(stack_set.name, stack_set.permission_model)

    def _wait_for_other(self, stack_set: StackSet, identity: str) -> None:
        for seconds in waits():
            found = self._stack_sets.operation(stack_set.name, stack_set.permission_model, identity)
            self._progress.foreign(stack_set.name, found)
            if found.status.is_over:
                return
            self._sleep(seconds)

    def wait(self, stack_set: StackSet, identity: str) -> tuple[Operation, tuple[OperationResult, ...]]:
        """Wait for the end of an operation and read all its results."""
        name, model = stack_set.name, stack_set.permission_model
        for seconds in waits():
            found = self._stack_sets.operation(name, model, identity)
            results = self._stack_sets.results(name, model, identity)
            self._progress.operation(name, found, results)
            if found.status.is_over:
                break
            self._sleep(seconds)
        return found, self._final(stack_set, found, results)

    def _final(
        self, stack_set: StackSet, operation: Operation, results: tuple[OperationResult, ...]
    ) -> tuple[OperationResult, ...]:
        under_way = (ResultStatus.PENDING, ResultStatus.RUNNING)
        for seconds in islice(waits(), SETTLING_READS):
            if not any(result.status in under_way for result in results):
                break
            self._sleep(seconds)
            results = self._stack_sets.results(stack_set.name, stack_set.permission_model, operation.id)
        self._progress.operation(stack_set.name, operation, results)
        return results
