"""Stack sets, their instances and operations, as the service remembers them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from orgmon.sandbox.cloudformation.template import Template
from orgmon.sandbox.stacksets.arithmetic import Pair, Preferences, Walk
from orgmon.sandbox.stacksets.outcome import Outcome

SERVICE_MANAGED = "SERVICE_MANAGED"
SELF_MANAGED = "SELF_MANAGED"
USER_INITIATED = "User Initiated"
TERMINAL = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})


@dataclass
class Instance:
    """One stack instance. ``stack_id`` is empty where no stack was ever made; ``has_stack``: one should be there.

    ``status`` is CURRENT, OUTDATED or INOPERABLE, ``detailed`` the StackInstanceDetailedStatus. ``unit_id`` is the
    target by which the account was reached, empty in self-managed sets.
    """

    account: str
    region: str
    unit_id: str
    stack_name: str
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = USER_INITIATED
    stack_id: str = ""
    has_stack: bool = False
    overrides: dict[str, str] = field(default_factory=dict)
    last_operation: str = ""

    @property
    def pair(self) -> Pair:
        """Account and Region."""
        return self.account, self.region


@dataclass
class Result:
    """How an operation goes for one pair. ``status`` is a StackSetOperationResultStatus."""

    account: str
    region: str
    unit_id: str
    status: str = "PENDING"
    reason: str = ""


class Work(Protocol):
    """What an operation does. All but ``perform`` run under the engine's lock.

    ``action`` is its StackSetOperationAction, ``seconds`` the real time that it takes beside its instances.
    ``shows_roles``: the roles that it uses are known.
    """

    action: str
    seconds: float
    shows_roles: bool

    def begin(self, stack_set: StackSetRecord) -> list[Instance]:
        """The instances that it covers, marked. Raises Refusal when it cannot be done; then nothing is changed."""

    def problem(self, stack_set: StackSetRecord) -> str:
        """Why the whole operation must fail before it works on anything; mostly empty."""

    def touches(self, instance: Instance) -> bool:
        """Whether anything is done to an instance that it covers."""

    def perform(self, stack_set: StackSetRecord, instance: Instance) -> Outcome:
        """Work on one instance. Raises nothing."""

    def settle(self, stack_set: StackSetRecord, instance: Instance, outcome: Outcome) -> None:
        """Write down how the work on one instance ended."""

    def cancel(self, instance: Instance, reason: str) -> None:
        """Write down that an instance was not worked on."""

    def end(self, stack_set: StackSetRecord) -> None:
        """It is over."""


@dataclass
class Operation:
    """One operation. ``walk`` is there from the moment it runs; ``targets`` are its DeploymentTargets, for the echo.

    ``retain`` is RetainStacks, None where the action has no such choice.
    """

    id: str
    task: Work
    preferences: Preferences
    wire_preferences: dict[str, Any]
    created: datetime
    status: str = "QUEUED"
    reason: str = ""
    ended: datetime | None = None
    targets: dict[str, Any] | None = None
    retain: bool | None = None
    results: dict[Pair, Result] = field(default_factory=dict)
    walk: Walk | None = None
    waits_for: tuple[Operation, ...] = ()

    @property
    def is_over(self) -> bool:
        """Ended, one way or another."""
        return self.status in TERMINAL

    @property
    def failures(self) -> int:
        """Pairs that failed so far."""
        return sum(result.status == "FAILED" for result in self.results.values())


@dataclass(frozen=True)
class AutoDeployment:
    """Whether accounts that join or leave a target are followed."""

    enabled: bool = False
    retains: bool = False
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What CreateStackSet and UpdateStackSet determine. The role ARN and name are the ones that are in force."""

    template: Template
    parameters: dict[str, str]
    permission_model: str
    administration_role: str
    execution_role: str
    description: str = ""
    capabilities: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    auto_deployment: AutoDeployment = AutoDeployment()
    managed_execution: bool = False

    @property
    def is_service_managed(self) -> bool:
        """Deploys by OU, with roles that AWS makes."""
        return self.permission_model == SERVICE_MANAGED


@dataclass
class StackSetRecord:
    """A stack set. ``account`` and ``region`` say where it lives; the management account for service-managed ones.

    ``units`` remembers the targets: unit id -> Regions. ``operations`` are in order of acceptance. ``asked`` is
    the request that made the set, ``modified`` says that it has changed since.
    """

    account: str
    region: str
    name: str
    id: str
    arn: str
    settings: Settings
    asked: dict[str, Any] = field(default_factory=dict)
    modified: bool = False
    status: str = "ACTIVE"
    units: dict[str, set[str]] = field(default_factory=dict)
    instances: dict[Pair, Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    running: Operation | None = None
    queue: deque[Operation] = field(default_factory=deque)

    @property
    def is_service_managed(self) -> bool:
        """Deploys by OU, with roles that AWS makes."""
        return self.settings.is_service_managed

    @property
    def is_busy(self) -> bool:
        """An operation is under way or waits."""
        return self.running is not None or bool(self.queue)

    def find(self, account: str, region: str) -> Instance | None:
        """The instance of a pair, or None."""
        return self.instances.get((account, region))

    def sorted_instances(self) -> list[Instance]:
        """All instances, by account and Region."""
        return [self.instances[pair] for pair in sorted(self.instances)]

    def aim_at(self, unit_id: str, regions: tuple[str, ...]) -> None:
        """Remember a unit as a target in these Regions."""
        self.units.setdefault(unit_id, set()).update(regions)

    def forget_target(self, unit_id: str, regions: tuple[str, ...]) -> None:
        """A unit is no target any more in those of these Regions where it has no instance left."""
        left = {instance.region for instance in self.instances.values() if instance.unit_id == unit_id}
        kept = self.units.get(unit_id, set()) - (set(regions) - left)
        if kept:
            self.units[unit_id] = kept
        else:
            self.units.pop(unit_id, None)
