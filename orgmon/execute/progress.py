"""Who is told what happens while a rollout runs."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Protocol

from orgmon.execute.outcome import StepOutcome
from orgmon.plan.model import Stage
from orgmon.plan.step import Step
from orgmon.stackset import Operation, OperationResult


@dataclass(frozen=True)
class Look:
    """One look at an operation that walks ``pairs`` pairs.

    ``results`` has an entry for each pair where ``is_whole``, otherwise only for those that are worked on now.
    """

    operation: Operation
    results: tuple[OperationResult, ...]
    pairs: int
    is_whole: bool = True


class Progress(Protocol):
    """Is told what happens, as it happens."""

    def stage(self, stage: Stage) -> None:
        """A stage begins."""

    def step(self, step: Step) -> None:
        """A step begins."""

    def operation(self, stack_set: str, look: Look) -> None:
        """An operation was looked at: it is under way, or over."""

    def foreign(self, stack_set: str, operation: Operation) -> None:
        """Somebody else's operation, or one of an earlier run, is waited for."""

    def refused(self, stack_set: str, reason: str, seconds: float) -> None:
        """AWS does not start an operation now; it is asked again after ``seconds``."""

    def done(self, outcome: StepOutcome) -> None:
        """A step has ended."""

    def again(self, reasons: tuple[str, ...]) -> None:
        """What failed for these reasons, which pass by themselves, is tried once more."""


class Unfailing:
    """Tells another Progress, and goes on where that cannot write: a closed terminal must not end a rollout."""

    def __init__(self, told: Progress) -> None:
        self._told = told

    def stage(self, stage: Stage) -> None:
        """A stage begins."""
        with _unwritten():
            self._told.stage(stage)

    def step(self, step: Step) -> None:
        """A step begins."""
        with _unwritten():
            self._told.step(step)

    def operation(self, stack_set: str, look: Look) -> None:
        """An operation was looked at."""
        with _unwritten():
            self._told.operation(stack_set, look)

    def foreign(self, stack_set: str, operation: Operation) -> None:
        """An operation of others is waited for."""
        with _unwritten():
            self._told.foreign(stack_set, operation)

    def refused(self, stack_set: str, reason: str, seconds: float) -> None:
        """AWS does not start an operation now."""
        with _unwritten():
            self._told.refused(stack_set, reason, seconds)

    def done(self, outcome: StepOutcome) -> None:
        """A step has ended."""
        with _unwritten():
            self._told.done(outcome)

    def again(self, reasons: tuple[str, ...]) -> None:
        """What failed is tried once more."""
        with _unwritten():
            self._told.again(reasons)


def _unwritten() -> contextlib.suppress:
    """A full disk or a reader that has gone is an OSError; a stream that was closed a ValueError."""
    return contextlib.suppress(OSError, ValueError)
