"""Fakes of what talks to AWS, with names: they record what is asked of them and answer what a test has scripted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orgmon.aws.artifacts import Artifacts
from orgmon.aws.stack_sets import StackSets
from orgmon.aws.stacks import Stacks
from orgmon.errors import AwsError, DeploymentError
from orgmon.execute.outcome import StepOutcome
from orgmon.execute.progress import Look
from orgmon.execute.waiting import Clock
from orgmon.plan.model import Stage
from orgmon.plan.step import Step
from orgmon.stackset import (
    Artifact,
    AutoDeployment,
    DeploymentTarget,
    Operation,
    OperationPreferences,
    OperationResult,
    OperationStatus,
    PermissionModel,
    ResultStatus,
    Stack,
    StackSet,
    TemplateBody,
)


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []
        self.clock = Clock(lambda: self.seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


@dataclass
class FakeStackSets(StackSets):
    """Operations of stack sets. What is started succeeds at once, unless a test says otherwise.

    ``refusals`` answer the next starts, None for one that is accepted. ``looks`` are what the next looks at an
    operation see (its last one for ever), ``results_of`` what is read of it then; ``next_looks`` and
    ``next_results`` are those of whatever is started next. ``listed`` are the operations, the newest first.
    """

    listed: list[Operation] = field(default_factory=list)
    refusals: list[AwsError | None] = field(default_factory=list)
    looks: dict[str, list[Operation]] = field(default_factory=dict)
    results_of: dict[str, list[tuple[OperationResult, ...]]] = field(default_factory=dict)
    next_results: list[tuple[OperationResult, ...]] = field(default_factory=list)
    next_looks: list[Operation] = field(default_factory=list)
    started: list[tuple[str, str]] = field(default_factory=list)
    arguments: list[tuple[object, ...]] = field(default_factory=list)
    reads: list[ResultStatus | None] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def operations(self, name: str, model: PermissionModel) -> tuple[Operation, ...]:
        return tuple(self.listed)

    def operation(self, name: str, model: PermissionModel, operation_id: str) -> Operation:
        script = self.looks[operation_id]
        return script.pop(0) if len(script) > 1 else script[0]

    def results(
        self, name: str, model: PermissionModel, operation_id: str, status: ResultStatus | None = None
    ) -> tuple[OperationResult, ...]:
        self.reads.append(status)
        script = self.results_of[operation_id]
        results = script.pop(0) if len(script) > 1 else script[0]
        return tuple(result for result in results if status is None or result.status is status)

    def update(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        target: DeploymentTarget | None,
        template: Mapping[str, str] | None,
        auto: AutoDeployment | None,
    ) -> None:
        self._begin("UpdateStackSet", operation_id, target, template, auto)

    def create_instances(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        target: DeploymentTarget,
    ) -> None:
        self._begin("CreateStackInstances", operation_id, target)

    def delete_instances(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        target: DeploymentTarget,
        *,
        retain: bool,
    ) -> None:
        self._begin("DeleteStackInstances", operation_id, target, retain)

    def import_stacks(
        self,
        stack_set: StackSet,
        operation_id: str,
        preferences: OperationPreferences,
        stack_ids: tuple[str, ...],
        unit: str,
    ) -> None:
        self._begin("ImportStacksToStackSet", operation_id, stack_ids, unit)

    def create(self, stack_set: StackSet, auto: AutoDeployment, template: Mapping[str, str]) -> None:
        self.made.append(f"CreateStackSet {stack_set.name} {auto.enabled}")

    def delete(self, stack_set: StackSet) -> None:
        self.made.append(f"DeleteStackSet {stack_set.name}")
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal

    def _begin(self, call: str, operation_id: str, *arguments: object) -> None:
        self.started.append((call, operation_id))
        self.arguments.append(arguments)
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            raise refusal
        over = operation(operation_id, OperationStatus.SUCCEEDED)
        self.looks[operation_id] = [replace(look, id=operation_id) for look in self.next_looks] or [over]
        self.results_of[operation_id] = self.next_results or [()]
        self.listed.insert(0, self.looks[operation_id][-1])


def operation(identity: str, status: OperationStatus, failed: int = 0) -> Operation:
    """An operation of some kind."""
    return Operation(identity, "UPDATE", status, failed=failed)


@dataclass
class FakeStacks(Stacks):
    """Plain stacks; each call succeeds unless ``error`` is set."""

    error: AwsError | DeploymentError | None = None
    made: list[str] = field(default_factory=list)

    def apply(self, stack: Stack, template: Mapping[str, str]) -> None:
        self._make(f"APPLY {stack.name}")

    def delete(self, stack: Stack) -> None:
        self._make(f"DELETE {stack.name}")

    def settle(self, stack: Stack) -> Stack | None:
        self._make(f"settle {stack.name}")
        return stack

    def _make(self, text: str) -> None:
        self.made.append(text)
        if self.error is not None:
            raise self.error


@dataclass
class FakeArtifacts(Artifacts):
    """An artifact bucket that takes everything."""

    made: list[str] = field(default_factory=list)

    def put(self, artifact: Artifact) -> str:
        self.made.append(f"put {artifact.key}")
        return "1"

    def empty(self, bucket: str, region: str) -> None:
        self.made.append(f"empty {bucket} {region}")

    def template_argument(self, template: TemplateBody) -> dict[str, str]:
        return {"TemplateBody": template.text}


class Told:
    """A Progress that keeps what it was told, as short lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stage(self, stage: Stage) -> None:
        self.lines.append(f"stage {stage.name} {stage.title}".strip())

    def step(self, step: Step) -> None:
        self.lines.append(f"step {step.call}")

    def operation(self, stack_set: str, look: Look) -> None:
        whole = "whole" if look.is_whole else "part"
        self.lines.append(f"operation {look.operation.status} {whole} {len(look.results)}/{look.pairs}")

    def foreign(self, stack_set: str, operation: Operation) -> None:
        self.lines.append(f"foreign {operation.id} {operation.status}")

    def refused(self, stack_set: str, reason: str, seconds: float) -> None:
        self.lines.append(f"refused {stack_set}: {reason}")

    def done(self, outcome: StepOutcome) -> None:
        self.lines.append(f"done {outcome.step.call}{f' {outcome.error}' if outcome.error else ''}")

    def again(self, reasons: tuple[str, ...]) -> None:
        self.lines.append(f"again {', '.join(reasons)}")


class Unwritable(Told):
    """A Progress whose terminal has gone."""

    def stage(self, stage: Stage) -> None:
        raise BrokenPipeError

    def step(self, step: Step) -> None:
        raise ValueError("I/O operation on closed file")

    def operation(self, stack_set: str, look: Look) -> None:
        raise OSError("No space left on device")

    def foreign(self, stack_set: str, operation: Operation) -> None:
        raise BrokenPipeError

    def refused(self, stack_set: str, reason: str, seconds: float) -> None:
        raise BrokenPipeError

    def done(self, outcome: StepOutcome) -> None:
        raise BrokenPipeError

    def again(self, reasons: tuple[str, ...]) -> None:
        raise BrokenPipeError
