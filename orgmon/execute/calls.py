"""Each kind of step as the call that it is named after."""

from __future__ import annotations

from typing import assert_never

from orgmon.aws.artifacts import Artifacts
from orgmon.aws.stack_sets import StackSets
from orgmon.aws.stacks import Stacks
from orgmon.plan.step import (
    CreateStack,
    CreateStackInstances,
    CreateStackSet,
    DeleteObjects,
    DeleteStack,
    DeleteStackInstances,
    DeleteStackSet,
    ImportStacksToStackSet,
    OperationStep,
    PlainStep,
    PutObject,
    UpdateStack,
    UpdateStackSet,
)


class Calls:
    """Makes the calls of steps."""

    def __init__(self, stack_sets: StackSets, stacks: Stacks, artifacts: Artifacts) -> None:
        self._stack_sets = stack_sets
        self._stacks = stacks
        self._artifacts = artifacts

    def start(self, step: OperationStep, operation_id: str) -> None:
        """Make the request that starts a step's operation under this id. Raises AwsError."""
        match step:
            case UpdateStackSet():
                template = self._template(step) if step.sends_template else None
                self._stack_sets.update(
                    step.stack_set,
                    operation_id,
                    step.preferences,
                    step.target,
                    template,
                    step.auto_deployment,
                )
            case CreateStackInstances():
                self._stack_sets.create_instances(step.stack_set, operation_id, step.preferences, step.target)
            case DeleteStackInstances():
                self._stack_sets.delete_instances(
                    step.stack_set, operation_id, step.preferences, step.target, retain=step.retain
                )
            case ImportStacksToStackSet():
                self._stack_sets.import_stacks(
                    step.stack_set, operation_id, step.preferences, step.stack_ids, step.unit
                )
            case _:
                assert_never(step)

    def perform(self, step: PlainStep) -> None:
        """Do a step that is over when its call returns, or that waits for itself.

        Raises AwsError and DeploymentError.
        """
        match step:
            case PutObject():
                self._artifacts.put(step.artifact)
            case DeleteObjects():
                self._artifacts.empty(step.bucket, step.region)
            case CreateStackSet():
                template = self._template(step)
                self._stack_sets.create(step.stack_set, step.auto_deployment, template)
            case DeleteStackSet():
                self._stack_sets.delete(step.stack_set)
            case CreateStack() | UpdateStack():
                self._stacks.apply(step.stack, self._artifacts.template_argument(step.stack.template))
            case DeleteStack():
                self._stacks.delete(step.stack)
            case _:
                assert_never(step)

    def _template(self, step: UpdateStackSet | CreateStackSet) -> dict[str, str]:
        return self._artifacts.template_argument(step.stack_set.template)
