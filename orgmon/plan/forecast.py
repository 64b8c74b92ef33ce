"""What an operation will be like before it starts: how many at a time, and roughly how long.

The arithmetic is AWS's (StackSets user guide, "concurrency mode"): percentages are floored, concurrency is at
least one, and the strict mode never runs more than the tolerance and one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from orgmon.plan.model import Plan
from orgmon.plan.step import StackSetOperation
from orgmon.stackset import OperationPreferences

# A small stack takes this long where others have measured it; a rough figure, said as such.
SECONDS_PER_INSTANCE = 40
# At most this many instances of one stack set are worked on at once (StackSets user guide).
CEILING = 100


@dataclass(frozen=True)
class OperationForecast:
    """One operation. ``window`` is how many accounts of a Region are worked on at once at the start."""

    call: str
    stack_set: str
    wave: str
    accounts: int
    regions: int
    window: int
    tolerance: int
    clamped: bool
    seconds: int

    @property
    def instances(self) -> int:
        """How many pairs the operation walks."""
        return self.accounts * self.regions


def tolerance(preferences: OperationPreferences, accounts: int) -> int:
    """How many failures in one Region do not stop the operation; percentages are rounded down."""
    if preferences.failure_tolerance_count is not None:
        return preferences.failure_tolerance_count
    return accounts * (preferences.failure_tolerance_percentage or 0) // 100


def wanted_concurrency(preferences: OperationPreferences, accounts: int) -> int:
    """How many accounts at a time the preferences ask for: at least one."""
    if preferences.max_concurrent_count is not None:
        return preferences.max_concurrent_count
    return max(1, accounts * (preferences.max_concurrent_percentage or 0) // 100)


def window(preferences: OperationPreferences, accounts: int) -> int:
    """How many accounts of a Region are really worked on at once, before anything has failed."""
    asked = min(wanted_concurrency(preferences, accounts), CEILING, max(1, accounts))
    if preferences.concurrency_mode == "STRICT_FAILURE_TOLERANCE":
        return min(asked, tolerance(preferences, accounts) + 1)
    return asked


def forecast(plan: Plan) -> tuple[OperationForecast, ...]:
    """One forecast an operation, in order."""
    return tuple(_of(step, stage.title) for stage in plan.stages for step in stage.operations)


def _of(step: StackSetOperation, wave: str) -> OperationForecast:
    preferences = step.preferences
    accounts, regions = step.size
    effective = window(preferences, accounts)
    asked = min(wanted_concurrency(preferences, accounts), CEILING, max(1, accounts))
    if preferences.region_concurrency == "PARALLEL":
        rounds = ceil(accounts * regions / max(1, min(effective * regions, CEILING)))
    else:
        rounds = ceil(accounts / effective) * regions
    return OperationForecast(
        call=step.call,
        stack_set=step.target_name,
        wave=wave,
        accounts=accounts,
        regions=regions,
        window=effective,
        tolerance=tolerance(preferences, accounts),
        clamped=effective < asked,
        seconds=rounds * SECONDS_PER_INSTANCE,
    )
