"""Takes the steps of a plan, stage by stage. A failed wave ends the run; the rest stays as it was."""

from __future__ import annotations

import contextlib
import time

from orgmon.aws.artifacts import Artifacts
from orgmon.aws.stack_sets import StackSets
from orgmon.aws.stacks import Stacks
from orgmon.aws.waiting import Sleep
from orgmon.errors import AwsError, DeploymentError, OrgmonError
from orgmon.execute.operations import Operations, OperationStep
from orgmon.execute.outcome import Progress, StepOutcome
from orgmon.plan.model import (
    OPERATIONS,
    CreateStack,
    CreateStackInstances,
    CreateStackSet,
    DeleteObjects,
    DeleteStack,
    DeleteStackInstances,
    DeleteStackSet,
    ImportStacksToStackSet,
    Plan,
    PutObject,
    Step,
    UpdateStack,
    UpdateStackSet,
)
from orgmon.stackset import State


class Runner:
    """Performs steps on AWS."""

    def __init__(
        self,
        stack_sets: StackSets,
        stacks: Stacks,
        artifacts: Artifacts,
        progress: Progress,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._stack_sets = stack_sets
        self._stacks = stacks
        self._artifacts = artifacts
        self._progress = progress
        self._operations = Operations(stack_sets, progress, sleep)

    def settle(self, observed: State) -> bool:
        """Wait for everything that is under way. True where there was something, so that it is read again."""
        waited = False
        for stack_set in observed.stack_sets:
            if stack_set.operation and not stack_set.operation.status.is_over:
                self._operations.settled(stack_set)
                waited = True
        for stack in observed.stacks:
            if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
                # How it ended is part of what is read next, and the plan deals with it.
                with contextlib.suppress(DeploymentError):
                    self._stacks.settle(stack)
                waited = True
        return waited

    def run(self, plan: Plan) -> tuple[StepOutcome, ...]:
        """Take all steps in order, up to the first that stops the rollout.

        Raises AwsError only where AWS cannot be reached at all; what AWS refuses is an outcome.
        """
        outcomes: list[StepOutcome] = []
        for stage in plan.stages:
            self._progress.stage(stage)
            for step in stage.steps:
                outcome = self._take(step, stage.wave)
                outcomes.append(outcome)
                self._progress.done(outcome)
                if outcome.stops:
                    return tuple(outcomes)
        return tuple(outcomes)

    def _take(self, step: Step, wave: str) -> StepOutcome:
        self._progress.step(step)
        try:
            if isinstance(step, OPERATIONS):
                operation, results = self._operations.run(step, lambda identity: self._start(step, identity))
                return StepOutcome(step, wave, operation, results)
            self._perform(step)
        except (AwsError, DeploymentError) as error:
            return StepOutcome(step, wave, error=str(error))
        return StepOutcome(step, wave)

    def _start(self, step: OperationStep, identity: str) -> None:
        """Make the request that starts a step's operation."""
        match step:
            case UpdateStackSet(stack_set=stack_set):
                template = (
                    self._artifacts.template_argument(stack_set.template) if step.sends_template else None
                )
                self._stack_sets.update(
                    stack_set, identity, step.preferences, step.target, template, step.auto_deployment
                )
            case CreateStackInstances(stack_set=stack_set):
                self._stack_sets.create_instances(stack_set, identity, step.preferences, step.target)
            case DeleteStackInstances(stack_set=stack_set):
                self._stack_sets.delete_instances(
                    stack_set, identity, step.preferences, step.target, retain=step.retain
                )
            case ImportStacksToStackSet(stack_set=stack_set):
                self._stack_sets.import_stacks(
                    stack_set, identity, step.preferences, step.stack_ids, step.unit
                )

    def _perform(self, step: Step) -> None:
        """Do a step that is over when its call returns, or that waits for itself."""
        match step:
            case PutObject():
                self._artifacts.put(step.artifact)
            case DeleteObjects():
                self._artifacts.empty()
            case CreateStackSet():
                template = self._artifacts.template_argument(step.stack_set.template)
                self._stack_sets.create(step.stack_set, step.auto_deployment, template)
            case DeleteStackSet():
                self._stack_sets.delete(step.stack_set)
            case CreateStack() | UpdateStack():
                self._stacks.apply(step.stack, self._artifacts.template_argument(step.stack.template))
            case DeleteStack():
                self._stacks.delete(step.stack)
            case _:
                raise OrgmonError(f"no way is known to do {step.call}", "report this as a bug")
