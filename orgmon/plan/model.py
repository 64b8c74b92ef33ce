"""A plan is a value: what changes, pair by pair and why, and the steps in the order they are taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from orgmon.plan.step import StackSetOperation, Step
from orgmon.stackset import Pair, TemplateBody

EXTRA = "extra"
"""How the reason of a change begins whose stack is there and not wanted."""


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


class Phase(StrEnum):
    """What a stage is for. Removing comes after all building, and artifacts before what uses them."""

    ARTIFACTS = "artifacts"
    BUILD = "build"
    REMOVE = "removal"


@dataclass(frozen=True)
class Stage:
    """The steps of one stack in one wave; they are taken in order, and a failure ends the rollout.

    ``wave`` is empty where waves do not matter.
    """

    name: str
    wave: str
    steps: tuple[Step, ...]
    phase: Phase = Phase.BUILD

    @property
    def title(self) -> str:
        """What the stage is called beside others of its stack: its wave, or what it is for."""
        return self.wave if self.phase is Phase.BUILD else self.phase

    @property
    def operations(self) -> tuple[StackSetOperation, ...]:
        """The steps that are stack set operations."""
        return tuple(step for step in self.steps if isinstance(step, StackSetOperation))


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
    def operations(self) -> tuple[StackSetOperation, ...]:
        """All stack set operations in order."""
        return tuple(step for stage in self.stages for step in stage.operations)

    def of(self, action: Action) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.action is action)

    @property
    def extras(self) -> tuple[Change, ...]:
        """What is there, is not wanted, and stays because nobody asked to prune."""
        return tuple(change for change in self.of(Action.NONE) if change.reason.startswith(EXTRA))

    @property
    def is_empty(self) -> bool:
        """True where there is nothing to do and nothing is blocked."""
        return not self.stages and not self.of(Action.BLOCKED)
