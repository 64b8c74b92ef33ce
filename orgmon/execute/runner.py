"""Takes the steps of a plan, stage by stage. A failed wave ends the run; the rest stays as it was."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

from orgmon.aws.stacks import Stacks
from orgmon.errors import AwsError, DeploymentError
from orgmon.execute.calls import Calls
from orgmon.execute.operations import Operations
from orgmon.execute.outcome import StepOutcome
from orgmon.execute.progress import Progress
from orgmon.plan.model import Plan
from orgmon.plan.step import DeleteStackSet, StackSetOperation, Step
from orgmon.stackset import State


class Runner:
    """Performs the steps of plans."""

    def __init__(self, calls: Calls, operations: Operations, stacks: Stacks, progress: Progress) -> None:
        self._calls = calls
        self._operations = operations
        self._stacks = stacks
        self._progress = progress

    def settle(self, observed: State) -> bool:
        """Wait for everything that is under way. True where there was something, so that it is read again."""
        waited = False
        for stack_set in observed.stack_sets:
            if stack_set.operation and not stack_set.operation.status.is_over:
                self._operations.settled(stack_set)
                waited = True
        for stack in observed.stacks:
            if stack.is_changing:
                # How it ended is part of what is read next, and the plan deals with it.
                with contextlib.suppress(DeploymentError):
                    self._stacks.settle(stack)
                waited = True
        return waited

    def pause(self, seconds: float) -> None:
        """Let time pass, so that what was refused for a moment need not be again."""
        self._operations.pause(seconds)

    def run(self, plan: Plan) -> tuple[StepOutcome, ...]:
        """Take all steps in order, up to the first that stops the rollout.

        Raises AwsError only where AWS cannot be reached at all; what AWS refuses is an outcome.
        """
        outcomes = []
        for outcome in self._outcomes(plan):
            outcomes.append(outcome)
            self._progress.done(outcome)
            if outcome.stops:
                break
        return tuple(outcomes)

    def _outcomes(self, plan: Plan) -> Iterator[StepOutcome]:
        for stage in plan.stages:
            self._progress.stage(stage)
            for step in stage.steps:
                self._progress.step(step)
                yield self._take(step, stage.title)

    def _take(self, step: Step, wave: str) -> StepOutcome:
        try:
            if isinstance(step, StackSetOperation):
                operation, results = self._operations.run(step, functools.partial(self._calls.start, step))
                return StepOutcome(step, wave, operation, results)
            if isinstance(step, DeleteStackSet):
                self._operations.when_free(step, lambda _: self._calls.perform(step))
            else:
                self._calls.perform(step)
        except (AwsError, DeploymentError) as error:
            return StepOutcome(step, wave, error=str(error))
        return StepOutcome(step, wave)
