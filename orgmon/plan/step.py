"""The steps of a plan, each named after the API call that it makes, with a reason that a person can read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from orgmon.stackset import (
    Artifact,
    AutoDeployment,
    DeploymentTarget,
    OperationPreferences,
    Stack,
    StackSet,
)


@dataclass(frozen=True)
class _Step(ABC):
    reason: str

    @property
    @abstractmethod
    def target_name(self) -> str:
        """The stack, stack set or bucket that the step is done to."""

    @property
    def call(self) -> str:
        """The API call."""
        return type(self).__name__


@dataclass(frozen=True)
class PutObject(_Step):
    """Put an artifact into its bucket."""

    artifact: Artifact

    @property
    def target_name(self) -> str:
        """The bucket."""
        return self.artifact.bucket


@dataclass(frozen=True)
class DeleteObjects(_Step):
    """Empty a bucket, all versions, so that its stack can be deleted."""

    bucket: str
    region: str

    @property
    def target_name(self) -> str:
        """The bucket."""
        return self.bucket


@dataclass(frozen=True)
class _StackStep(_Step):
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
class _StackSetStep(_Step):
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
class DeleteStackSet(_StackSetStep):
    """Delete an empty stack set."""


@dataclass(frozen=True)
class StackSetOperation(_StackSetStep):
    """A step that AWS carries out as an operation, pair by pair, after the request has returned."""

    preferences: OperationPreferences

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """How many accounts and how many Regions the operation walks."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What the step does, in words that stay the same however its fields are called: its operation's id is
        made from them, and a run that was killed finds its operation by that id.
        """
        return (self.call, self.stack_set.name, self.stack_set.template.digest, *self._words())

    def _words(self) -> Iterator[str]:
        yield from (f"parameter {key}={value}" for key, value in self.stack_set.parameters)


@dataclass(frozen=True)
class UpdateStackSet(StackSetOperation):
    """Bring instances to the stack set's template and parameters.

    ``sends_template`` is true for the first wave of a change only: sending one marks every instance OUTDATED.
    Without a target the whole stack set is walked.
    """

    target: DeploymentTarget | None = None
    sends_template: bool = False
    auto_deployment: AutoDeployment | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Those of the target, or of all instances."""
        if self.target is not None:
            return len(self.target.accounts), len(self.target.regions)
        instances = self.stack_set.instances
        return len({instance.account for instance in instances}), len(
            {instance.region for instance in instances}
        )

    def _words(self) -> Iterator[str]:
        yield from super()._words()
        if self.target is not None:
            yield from _words_of(self.target)
        if self.sends_template:
            yield "sends the template"
        if self.auto_deployment is not None:
            retains = self.auto_deployment.retain_stacks_on_account_removal
            yield f"auto-deployment {'on' if self.auto_deployment.enabled else 'off'}"
            yield from ["retains stacks of accounts that leave"] if retains else []


@dataclass(frozen=True)
class _Rectangle(StackSetOperation):
    target: DeploymentTarget

    @property
    def size(self) -> tuple[int, int]:
        """Those of the target."""
        return len(self.target.accounts), len(self.target.regions)

    def _words(self) -> Iterator[str]:
        yield from super()._words()
        yield from _words_of(self.target)


@dataclass(frozen=True)
class CreateStackInstances(_Rectangle):
    """Create instances in a rectangle of accounts and Regions."""


@dataclass(frozen=True)
class DeleteStackInstances(_Rectangle):
    """Delete instances in a rectangle; with ``retain`` the stacks stay."""

    retain: bool = False

    def _words(self) -> Iterator[str]:
        yield from super()._words()
        yield from ["the stacks stay"] if self.retain else []


@dataclass(frozen=True)
class ImportStacksToStackSet(StackSetOperation):
    """Adopt stacks that an earlier stack set retained, by their ids."""

    stack_ids: tuple[str, ...]
    unit: str

    @property
    def size(self) -> tuple[int, int]:
        """A stack each, whatever Regions they are in."""
        return len(self.stack_ids), 1

    def _words(self) -> Iterator[str]:
        yield from super()._words()
        yield from (f"stack {stack_id}" for stack_id in self.stack_ids)
        yield f"unit {self.unit}"


def _words_of(target: DeploymentTarget) -> Iterator[str]:
    yield from (f"account {account}" for account in sorted(target.accounts))
    yield from (f"region {region}" for region in sorted(target.regions))
    yield from (f"unit {unit}" for unit in target.units)


OperationStep = UpdateStackSet | CreateStackInstances | DeleteStackInstances | ImportStacksToStackSet
PlainStep = (
    PutObject | DeleteObjects | CreateStack | UpdateStack | DeleteStack | CreateStackSet | DeleteStackSet
)
Step = PlainStep | OperationStep
"""Every kind of step, so that a match over them can be proved to forget none."""
