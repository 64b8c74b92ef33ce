"""A plan is a value: what changes, pair by pair and why, and the steps in the order they are taken.

Steps are named after the API call that they make. Each has a reason that a person can read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum

from orgmon.stackset import (
    Artifact,
    AutoDeployment,
    DeploymentTarget,
    OperationPreferences,
    Pair,
    Stack,
    StackSet,
    TemplateBody,
)


class Action(StrEnum):
    """What happens to one pair, or to one plain stack."""

    CREATE = "create"
    UPDATE = "update"
    NONE = "no change"
    DELETE = "delete"
    BLOCKED = "blocked"

    @property
    def symbol(self) -> str:
        """One character for lists."""
        return {"create": "+", "update": "~", "no change": " ", "delete": "-", "blocked": "!"}[self.value]


@dataclass(frozen=True, order=True, slots=True)
class Change:
    """What happens to one stack in one pair, and why.

    ``before`` and ``after`` are short texts that tell states apart (status and digest); a saved plan is checked
    with them.
    """

    stack: str
    pair: Pair
    action: Action
    reason: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class TemplateChange:
    """Two templates of one stack or stack set that differ."""

    stack: str
    before: TemplateBody
    after: TemplateBody


@dataclass(frozen=True)
class Step(ABC):
    """One thing that is done. ``target_name`` is the stack, stack set or bucket that it is done to."""

    reason: str

    @property
    @abstractmethod
    def target_name(self) -> str:
        """What the step is about."""

    @property
    def call(self) -> str:
        """The API call."""
        return type(self).__name__


@dataclass(frozen=True)
class PutObject(Step):
    """Put an artifact into its bucket."""

    artifact: Artifact

    @property
    def target_name(self) -> str:
        """The bucket."""
        return self.artifact.bucket


@dataclass(frozen=True)
class DeleteObjects(Step):
    """Empty a bucket, all versions, so that its stack can be deleted."""

    bucket: str
    region: str

    @property
    def target_name(self) -> str:
        """The bucket."""
        return self.bucket


@dataclass(frozen=True)
class _StackStep(Step):
    stack: Stack

    @property
    def target_name(self) -> str:
        """The stack."""
        return self.stack.name


@dataclass(frozen=True)
class CreateStack(_StackStep):
    """Create a plain stack; what an earlier one retained is adopted."""


@dataclass(frozen=True)
class UpdateStack(_StackStep):
    """Update a plain stack."""


@dataclass(frozen=True)
class DeleteStack(_StackStep):
    """Delete a plain stack."""


@dataclass(frozen=True)
class _StackSetStep(Step):
    stack_set: StackSet

    @property
    def target_name(self) -> str:
        """The stack set."""
        return self.stack_set.name


@dataclass(frozen=True)
class CreateStackSet(_StackSetStep):
    """Create a stack set without instances."""

    auto_deployment: AutoDeployment


@dataclass(frozen=True)
class UpdateStackSet(_StackSetStep):
    """Bring instances to the stack set's template and parameters.

    ``sends_template`` is true for the first wave of a change only: sending one marks every instance OUTDATED.
    Without a target the whole stack set is walked.
    """

    preferences: OperationPreferences
    target: DeploymentTarget | None = None
    sends_template: bool = False
    auto_deployment: AutoDeployment | None = None


@dataclass(frozen=True)
class CreateStackInstances(_StackSetStep):
    """Create instances in a rectangle of accounts and Regions."""

    target: DeploymentTarget
    preferences: OperationPreferences


@dataclass(frozen=True)
class DeleteStackInstances(_StackSetStep):
    """Delete instances in a rectangle; with ``retain`` the stacks stay."""

    target: DeploymentTarget
    preferences: OperationPreferences
    retain: bool = False


@dataclass(frozen=True)
class ImportStacksToStackSet(_StackSetStep):
    """Adopt stacks that an earlier stack set retained."""

    stack_ids: tuple[str, ...]
    unit: str
    preferences: OperationPreferences


@dataclass(frozen=True)
class DeleteStackSet(_StackSetStep):
    """Delete an empty stack set."""


OPERATIONS = (UpdateStackSet, CreateStackInstances, DeleteStackInstances, ImportStacksToStackSet)


@dataclass(frozen=True)
class Stage:
    """The steps of one stack in one wave; they are taken in order, and a failure ends the rollout."""

    name: str
    wave: str
    steps: tuple[Step, ...]

    @property
    def operations(self) -> tuple[Step, ...]:
        """The steps that are stack set operations."""
        return tuple(step for step in self.steps if isinstance(step, OPERATIONS))


@dataclass(frozen=True)
class Plan:
    """Everything that a deploy would do, and everything that it leaves alone.

    ``leaves_outdated`` names the stack sets that get new content while instances outside the selection do not.
    """

    changes: tuple[Change, ...] = ()
    stages: tuple[Stage, ...] = ()
    templates: tuple[TemplateChange, ...] = field(default=(), repr=False)
    leaves_outdated: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def operations(self) -> tuple[Step, ...]:
        """All stack set operations in order."""
        return tuple(step for stage in self.stages for step in stage.operations)

    def of(self, action: Action) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.action is action)

    @property
    def is_empty(self) -> bool:
        """True where there is nothing to do and nothing is blocked."""
        return not self.stages and not self.of(Action.BLOCKED)
