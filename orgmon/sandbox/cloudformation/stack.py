"""A stack as CloudFormation remembers it: resources, events, outputs, change sets.

Sources for change sets: API reference, ExecuteChangeSet, DescribeChangeSet (ExecutionStatus); that an executed one is
found by its ARN alone: guardian/riff-raff pull request 672 and recorded public tests.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Principal
from orgmon.sandbox.cloudformation.template import Template

_BEGUN = {
    "CREATE_IN_PROGRESS": "CREATE_STACK",
    "UPDATE_IN_PROGRESS": "UPDATE_STACK",
    "DELETE_IN_PROGRESS": "DELETE_STACK",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK",
    "UPDATE_ROLLBACK_IN_PROGRESS": "ROLLBACK",
}
"""The operation that begins with a stack status. Source: API reference, OperationEntry; user guide, "View stack
events by operation", where a rollback is an operation of its own, listed before the one that failed."""


@dataclass
class ResourceRecord:
    """One resource. ``properties`` are the resolved ones that were last applied (stack tags included).

    ``shown`` are those of the template alone, as anybody may see them: values that are NoEcho are masked. A policy is
    empty where the template has none, which means Delete.
    """

    logical_id: str
    type: str
    physical_id: str
    properties: dict[str, Any]
    attributes: dict[str, Any]
    status: str
    updated: datetime
    deletion_policy: str = ""
    update_replace_policy: str = ""
    metadata: Any = None
    reason: str = ""
    shown: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One line of a stack's history. ``properties`` are those of the resource, None where they are not told."""

    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    time: datetime
    token: str
    operation_id: str
    properties: dict[str, Any] | None


@dataclass(frozen=True)
class Output:
    """One output, worked out. ``export`` is its name for other stacks, or empty."""

    key: str
    value: str
    description: str
    export: str


@dataclass(frozen=True)
class Detail:
    """Why one property (or one attribute) of a resource changes.

    ``recreation`` says whether a change of it needs a new resource: Never or Always, empty for an attribute.
    ``is_static``: that it changes, and to what, is known beforehand. ``with_values`` is a detail that only a
    description with values has, ``without_values`` one that only a description without them has.
    """

    attribute: str
    name: str = ""
    recreation: str = ""
    source: str = "DirectModification"
    cause: str = ""
    is_static: bool = True
    before: Any = None
    after: Any = None
    with_values: bool = False
    without_values: bool = False


@dataclass(frozen=True)
class Change:
    """What an update would do to one resource.

    ``action`` is Add, Modify, Remove or Import, ``replacement`` True, False or Conditional (empty unless Modify).
    ``before`` and ``after`` are the properties, None where there is no resource. ``is_open``: whether anything
    changes depends on what becomes of other resources.
    """

    action: str
    logical_id: str
    physical_id: str
    type: str
    replacement: str = ""
    details: tuple[Detail, ...] = ()
    scope: tuple[str, ...] = ()
    policy_action: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    is_open: bool = False


@dataclass(frozen=True)
class Request:
    """What a stack operation asks for; the values are settled and checked.

    ``on_failure`` is ROLLBACK, DELETE or DO_NOTHING. ``adopts``: take over named resources that exist already.
    ``policy`` is the text of the stack's new stack policy (None: it stays), ``policy_during`` of the one that holds
    for this update alone.
    """

    template: Template
    parameters: dict[str, str]
    tags: dict[str, str]
    capabilities: tuple[str, ...]
    principal: Principal | None
    role_arn: str = ""
    on_failure: str = "ROLLBACK"
    adopts: bool = False
    notifications: tuple[str, ...] = ()
    token: str = ""
    policy: str | None = None
    policy_during: str | None = None


@dataclass
class ChangeSet:
    """A change set of a stack. ``request`` is what executing it would do."""

    id: str
    name: str
    kind: str
    description: str
    created: datetime
    request: Request
    status: str = "CREATE_PENDING"
    execution_status: str = "UNAVAILABLE"
    reason: str = ""
    changes: tuple[Change, ...] = ()


@dataclass
class StackRecord:
    """One stack of one account and Region.

    ``failure`` says for the last operation which resource failed first, as StackSets reports it:
    ``ResourceLogicalId:X, ResourceType:Y, ResourceStatusReason:Z.``; empty when none did. ``change_sets`` are those
    that a name finds, ``past_change_sets`` (by ARN) those that only their ARN does: executed or overtaken.
    ``operations`` are types and ids of the last ones, the newest first.
    """

    account: str
    region: str
    name: str
    id: str
    created: datetime
    request: Request
    status: str = ""
    reason: str = ""
    failure: str = ""
    resources: dict[str, ResourceRecord] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    past_change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    operations: list[tuple[str, str]] = field(default_factory=list)
    policy: str = ""
    updated: datetime | None = None
    deleted: datetime | None = None
    termination_protection: bool = False
    change_set_id: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    done: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def is_gone(self) -> bool:
        """Deleted: only its id finds it."""
        return self.status == "DELETE_COMPLETE"

    @property
    def is_busy(self) -> bool:
        """An operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def record(
        self,
        now: datetime,
        logical_id: str,
        physical_id: str,
        type_name: str,
        status: str,
        reason: str = "",
        properties: dict[str, Any] | None = None,
    ) -> None:
        """Write an event."""
        prefix = "" if type_name == "AWS::CloudFormation::Stack" else f"{logical_id}-{status}-"
        event_id = f"{prefix}{uuid.uuid4()}"
        operation_id = self.operations[0][1] if self.operations else ""
        about = (event_id, logical_id, physical_id, type_name, status, reason, now)
        self.events.append(Event(*about, self.request.token, operation_id, properties))

    def enter(self, now: datetime, status: str, reason: str = "") -> None:
        """Go to another stack status, with its event; what that ends or begins is noted before anybody sees it."""
        kind = _BEGUN.get(status)
        if kind:
            self.operations = [(kind, str(uuid.uuid4())), *self.operations][: 2 if kind == "ROLLBACK" else 1]
        if status in ("ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"):
            self.deleted = now
        if not status.endswith("_IN_PROGRESS"):
            self._end_execution(status)
        self.status = status
        self.reason = reason
        self.record(now, self.name, self.id, "AWS::CloudFormation::Stack", status, reason)

    def begin_execution(self, change_set: ChangeSet) -> None:
        """Note that a change set is being executed: all others are gone with it."""
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        self.change_set_id = change_set.id
        self.change_sets = {change_set.name: change_set}

    def overtake(self) -> None:
        """Note that another operation has come before the change sets that wait."""
        for change_set in self.change_sets.values():
            change_set.execution_status = "OBSOLETE"
            self.past_change_sets[change_set.id] = change_set
        self.change_sets = {}

    def _end_execution(self, status: str) -> None:
        good = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        for change_set in list(self.change_sets.values()):
            if change_set.execution_status == "EXECUTE_IN_PROGRESS":
                change_set.execution_status = "EXECUTE_COMPLETE" if good else "EXECUTE_FAILED"
                self.past_change_sets[change_set.id] = change_set
                del self.change_sets[change_set.name]
