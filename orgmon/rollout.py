"""In which order a State is reached: stages, and waves of accounts within them."""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.stackset import MANAGEMENT_SUFFIX, OperationPreferences


@dataclass(frozen=True)
class Wave:
    """A step of the rollout: its accounts, no account in two waves."""

    name: str
    accounts: frozenset[str]


@dataclass(frozen=True)
class Rollout:
    """In which order a State is reached. ``stages`` are the stack names in order."""

    stages: tuple[str, ...]
    waves: tuple[Wave, ...]
    preferences: OperationPreferences

    def stage_of(self, name: str) -> str:
        """The stage that a stack or stack set belongs to."""
        base_name = name.removesuffix(MANAGEMENT_SUFFIX)
        return base_name if base_name in self.stages else self.stages[-1]
