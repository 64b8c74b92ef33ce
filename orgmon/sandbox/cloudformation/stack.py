"""A stack as CloudFormation remembers it: resources, events, outputs, change sets."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Principal
from orgmon.sandbox.cloudformation.template import Template


@dataclass
class ResourceRecord:
    """One resource. ``properties`` are the resolved ones that were last applied (stack tags included)."""

    logical_id: str
    type: str
    physical_id: str
    properties: dict[str, Any]
    attributes: dict[str, Any]
    status: str
    updated: datetime
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Any = None
    reason: str = ""


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    time: datetime
    token: str


@dataclass(frozen=True)
class Output:
    """One output, worked out. ``export`` is its name for other stacks, or empty."""

    key: str
    value: str
    description: str
    export: str


@dataclass(frozen=True)
class Change:
    """What an update would do to one resource.

    ``action`` is Add, Modify, Remove or Import, ``replacement`` True or False (empty unless Modify).
    ``details`` are pairs (property, whether a change of it needs a new resource: Never or Always).
    """

    action: str
    logical_id: str
    physical_id: str
    type: str
    replacement: str = ""
    details: tuple[tuple[str, str], ...] = ()
    scope: tuple[str, ...] = ()
    policy_action: str = ""


@dataclass(frozen=True)
class Request:
    """What a stack operation asks for; the values are settled and checked.

    ``on_failure`` is ROLLBACK, DELETE or DO_NOTHING. ``adopts``: take over named resources that exist already.
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
    ``ResourceLogicalId:X, ResourceType:Y, ResourceStatusReason:Z.``; empty when none did.
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
        self, now: datetime, logical_id: str, physical_id: str, type_name: str, status: str, reason: str = ""
    ) -> None:
        """Write an event."""
        prefix = "" if type_name == "AWS::CloudFormation::Stack" else f"{logical_id}-{status}-"
        event_id = f"{prefix}{uuid.uuid4()}"
        token = self.request.token
        self.events.append(Event(event_id, logical_id, physical_id, type_name, status, reason, now, token))

    def enter(self, now: datetime, status: str, reason: str = "") -> None:
        """Go to another stack status, with its event."""
        self.status = status
        self.reason = reason
        self.record(now, self.name, self.id, "AWS::CloudFormation::Stack", status, reason)
