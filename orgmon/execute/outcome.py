"""What came of a step."""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.plan.step import Step
from orgmon.stackset import Operation, OperationResult, OperationStatus, ResultStatus


@dataclass(frozen=True)
class StepOutcome:
    """How a step ended. ``operation`` is None for steps that are no stack set operation."""

    step: Step
    wave: str
    operation: Operation | None = None
    results: tuple[OperationResult, ...] = ()
    error: str = ""

    @property
    def failed(self) -> tuple[OperationResult, ...]:
        """The pairs that failed, and those that were cancelled because of them.

        SUCCEEDED only means that failures stayed within tolerance, so the results are what counts.
        """
        bad = (ResultStatus.FAILED, ResultStatus.CANCELLED)
        return tuple(result for result in self.results if result.status in bad)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not good, in AWS's words; pairs that were only cancelled say nothing."""
        failed = (result.reason for result in self.results if result.status is ResultStatus.FAILED)
        return tuple(filter(None, (self.error, *failed)))

    @property
    def stops(self) -> bool:
        """True where the rest of the rollout must not go on."""
        ended_badly = self.operation is not None and self.operation.status is not OperationStatus.SUCCEEDED
        return bool(self.error) or ended_badly

    @property
    def is_good(self) -> bool:
        """True where everything that the step wanted has happened."""
        return not self.stops and not self.failed
