"""The rules of rehearsed trouble: what shall fail, be refused, be slow or be out of order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from orgmon.sandbox.conditions import like

Action = Literal["CREATE", "UPDATE", "DELETE"]
DEFAULT_REASON = (
    'Resource handler returned message: "Rehearsed failure" (HandlerErrorCode: GeneralServiceException)'
)


@dataclass(frozen=True)
class ResourceFailure:
    """A resource action that fails with ``reason``.

    None stands for anything; ``stack_name`` and ``logical_id`` may contain ``*``. ``times`` says how often it fails
    (None: until it is lifted).
    """

    account: str | None = None
    region: str | None = None
    logical_id: str | None = None
    action: Action | None = None
    stack_name: str | None = None
    reason: str = DEFAULT_REASON
    times: int | None = None

    def fits(self, account: str, region: str, stack_name: str, logical_id: str, action: str) -> bool:
        """True if the failure is meant for that resource action."""
        pairs = (
            (self.account, account),
            (self.region, region),
            (self.stack_name, stack_name),
            (self.logical_id, logical_id),
            (self.action, action),
        )
        return all(pattern is None or like(value, pattern) for pattern, value in pairs)


@dataclass(frozen=True)
class Throttle:
    """Every nth call of an operation comes too fast (1: each one). ``operation`` may contain ``*``."""

    service: str
    operation: str
    every_nth: int = 1
    account: str | None = None

    def __post_init__(self) -> None:
        if self.every_nth < 1:
            raise ValueError("every_nth counts from 1")


@dataclass(frozen=True)
class Denial:
    """An API that is refused, as by a service control policy. ``operation`` may contain ``*``."""

    service: str
    operation: str
    account: str | None = None


@dataclass(frozen=True)
class Lateness:
    """Roles and users are known to other services only that many sandbox seconds after they were made."""

    seconds: float


@dataclass(frozen=True)
class Shuffle:
    """Auto-deployment takes the stack sets in an order of its own; the same seed gives the same orders."""

    seed: int


@dataclass(frozen=True)
class Haste:
    """Calls that come faster than AWS's documented rates are refused; so are those of CloudFormation's handlers.

    No handler tries again. Today's handler of metric filters does, for hours, and others do for a while: what gets
    through here needs neither luck nor patience.
    """

    account: str | None = None


Rule = ResourceFailure | Throttle | Denial | Lateness | Shuffle | Haste
