"""Starting stack set operations and waiting for their end.

An operation of ours is known by its id: a prefix and a hash of what it does and of the operation before it. The
same step on the same world has the same id, so a run that was killed after its request finds its own operation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from orgmon.aws.stack_sets import IN_PROGRESS, SAME_ID, STALE, StackSets, running_operation
from orgmon.aws.waiting import waits
from orgmon.errors import AwsError, DeploymentError
from orgmon.execute.progress import Look, Progress
from orgmon.execute.waiting import REAL, Clock, pauses
from orgmon.plan.step import DeleteStackSet, OperationStep
from orgmon.stackset import Operation, OperationResult, ResultStatus, StackSet

PREFIX = "orgmon-"
# Results are eventually consistent (API reference: ListStackSetOperationResults), the operation itself is not: after
# its end they are read again until each pair has one and none is still under way, or so often.
SETTLING_READS = 8
# Up to so many pairs all results are read at each look: three pages of a hundred.
READ_WHOLE = 300
UNDER_WAY = (ResultStatus.PENDING, ResultStatus.RUNNING)
Start = Callable[[str], None]
T = TypeVar("T")


def operation_id(step: OperationStep, previous: str) -> str:
    """The id of a step's operation after the operation ``previous`` (empty if it is the first)."""
    text = "\n".join((*step.identity, f"after {previous}"))
    return PREFIX + hashlib.sha256(text.encode()).hexdigest()[:24]


def is_ours(operation: Operation) -> bool:
    """Was the operation started by orgmon?"""
    return operation.id.startswith(PREFIX)


class Operations:
    """Runs stack set operations one after the other.

    ``patience`` is for how many seconds AWS may refuse to start one without naming the one that is in the way.
    """

    def __init__(
        self,
        stack_sets: StackSets,
        progress: Progress,
        patience: float,
        clock: Clock = REAL,
    ) -> None:
        self._stack_sets = stack_sets
        self._progress = progress
        self._clock = clock
        self._patience = patience

    def run(self, step: OperationStep, start: Start) -> tuple[Operation, tuple[OperationResult, ...]]:
        """Start a step's operation, or find the one of an earlier run, and wait for its end.

        Somebody else's operation is waited for first. Raises AwsError, and DeploymentError where AWS goes on
        refusing.
        """
        accounts, regions = step.size
        identity = self.when_free(step, lambda newest: _started(step, newest, start))
        return self.wait(step.stack_set, identity, accounts * regions)

    def when_free(self, step: OperationStep | DeleteStackSet, request: Callable[[Operation | None], T]) -> T:
        """Make a request about a stack set until it is accepted, and return what it returns.

        It is given the newest operation, or None. What came first is waited for, and the world read again; a refusal
        that names nothing to wait for is met with ever longer pauses. Raises AwsError where AWS refuses for another
        reason, and DeploymentError where patience ends.
        """
        left, waited = self._pauses(), ""
        while True:
            newest = self.settled(step.stack_set)
            try:
                return request(newest)
            except AwsError as error:
                if error.code not in (STALE, IN_PROGRESS):
                    raise
                refusal = error
            other = running_operation(refusal)
            if other and other != waited:
                # Something moved: AWS gets all the time once more.
                self._wait_for_other(step.stack_set, other)
                left, waited = self._pauses(), other
                continue
            seconds = next(left, None)
            if seconds is None:
                raise self._given_up(step, refusal.message)
            self._progress.refused(step.target_name, refusal.message, seconds)
            self._clock.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._clock.sleep(seconds)

    def _pauses(self) -> Iterator[float]:
        return pauses(self._patience, self._clock)

    def _given_up(self, step: OperationStep | DeleteStackSet, refusal: str) -> DeploymentError:
        return DeploymentError(
            f"{step.call} on {step.target_name} was refused for {self._patience / 60:.0f} minutes: {refusal}",
            "see what goes on (aws cloudformation list-stack-set-operations --stack-set-name "
            f"{step.target_name}) and run the same command again, or give it more time with --patience",
        )

    def settled(self, stack_set: StackSet) -> Operation | None:
        """Wait until no operation is under way; the newest operation, or None if there never was one."""
        ended: Operation | None = None
        while True:
            newest = next(iter(self._stack_sets.operations(stack_set.name, stack_set.permission_model)), None)
            if newest is None or newest.status.is_over:
                return newest
            # The list may lag behind: what one look has seen ended is not waited for again.
            if ended is not None and ended.id == newest.id:
                return ended
            ended = self._wait_for_other(stack_set, newest.id)

    def _wait_for_other(self, stack_set: StackSet, identity: str) -> Operation:
        for seconds in waits():
            operation = self._stack_sets.operation(stack_set.name, stack_set.permission_model, identity)
            self._progress.foreign(stack_set.name, operation)
            if operation.status.is_over:
                break
            self._clock.sleep(seconds)
        return operation

    def wait(
        self, stack_set: StackSet, identity: str, pairs: int
    ) -> tuple[Operation, tuple[OperationResult, ...]]:
        """Wait for the end of an operation that walks ``pairs`` pairs, and read all its results.

        While a large one goes well, only the pairs that are worked on are read: at most a few hundred.
        """
        failed = 0
        for seconds in waits():
            operation = self._stack_sets.operation(stack_set.name, stack_set.permission_model, identity)
            whole = operation.status.is_over or pairs <= READ_WHOLE or operation.failed != failed
            failed = operation.failed
            results = self._results(stack_set, identity, None if whole else ResultStatus.RUNNING)
            self._progress.operation(stack_set.name, Look(operation, results, pairs, whole))
            if operation.status.is_over:
                break
            self._clock.sleep(seconds)
        return operation, self._final(stack_set, operation, results, pairs)

    def _results(
        self, stack_set: StackSet, identity: str, status: ResultStatus | None = None
    ) -> tuple[OperationResult, ...]:
        return self._stack_sets.results(stack_set.name, stack_set.permission_model, identity, status)

    def _final(
        self,
        stack_set: StackSet,
        operation: Operation,
        results: tuple[OperationResult, ...],
        pairs: int,
    ) -> tuple[OperationResult, ...]:
        for seconds in islice(waits(), SETTLING_READS):
            if len(results) >= pairs and not any(result.status in UNDER_WAY for result in results):
                break
            self._clock.sleep(seconds)
            results = self._results(stack_set, operation.id)
        self._progress.operation(stack_set.name, Look(operation, results, pairs))
        return results


def _started(step: OperationStep, newest: Operation | None, start: Start) -> str:
    """Start a step's operation; its id. One of the same id is ours: an earlier run's, or the answer was lost."""
    identity = operation_id(step, newest.id if newest else "")
    try:
        start(identity)
    except AwsError as error:
        if error.code != SAME_ID:
            raise
    return identity
