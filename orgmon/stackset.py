"""Stacks and stack sets, as CloudFormation tells them, and the State that holds them all.

The enums carry AWS's own strings. One State type serves for what should be and for what is; ``State()`` is
"nothing", so that removing everything is a plan like any other.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

MANAGEMENT_SUFFIX = "-management"
"""What tells the stack set of the management account from the one of the members."""


class PermissionModel(StrEnum):
    """Who gives a stack set its rights in the target accounts."""

    SERVICE_MANAGED = "SERVICE_MANAGED"
    SELF_MANAGED = "SELF_MANAGED"


class CallAs(StrEnum):
    """As whom the caller acts on service-managed stack sets."""

    SELF = "SELF"
    DELEGATED_ADMIN = "DELEGATED_ADMIN"


class InstanceStatus(StrEnum):
    """Is the stack instance in step with its stack set?"""

    CURRENT = "CURRENT"
    OUTDATED = "OUTDATED"
    INOPERABLE = "INOPERABLE"


class DetailedStatus(StrEnum):
    """How the last operation on the stack instance went."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    INOPERABLE = "INOPERABLE"
    SKIPPED_SUSPENDED_ACCOUNT = "SKIPPED_SUSPENDED_ACCOUNT"
    FAILED_IMPORT = "FAILED_IMPORT"


class OperationStatus(StrEnum):
    """Where a stack set operation is."""

    RUNNING = "RUNNING"
    QUEUED = "QUEUED"
    STOPPING = "STOPPING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"

    @property
    def is_over(self) -> bool:
        """True once nothing more will happen; STOPPING and QUEUED are still under way."""
        return self in (OperationStatus.SUCCEEDED, OperationStatus.FAILED, OperationStatus.STOPPED)


class ResultStatus(StrEnum):
    """How an operation went for one pair."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Pair(NamedTuple):
    """One account and Region: what a stack instance is placed in."""

    account: str
    region: str


Parameters = tuple[tuple[str, str], ...]
Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TemplateBody:
    """A CloudFormation template as compact JSON. Two templates are equal when their content is.

    ``is_shared``: other accounts than those that run the monitoring may read it, where it is given by URL.
    """

    text: str
    is_shared: bool = False

    @classmethod
    def of(cls, content: object, *, is_shared: bool = False) -> TemplateBody:
        """The body of a template given as plain dictionaries and lists."""
        text = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        return cls(text, is_shared)

    @cached_property
    def content(self) -> dict[str, object]:
        """The template as plain dictionaries and lists; empty where it is not JSON, as ours always are."""
        try:
            loaded = json.loads(self.text)
        except ValueError:
            return {}
        return loaded if isinstance(loaded, dict) else {}

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that tell this content from any other."""
        canonical = (
            json.dumps(self.content, separators=(",", ":"), sort_keys=True) if self.content else self.text
        )
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def size(self) -> int:
        """The length in bytes, as CloudFormation counts it."""
        return len(self.text.encode())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TemplateBody) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@dataclass(frozen=True)
class AutoDeployment:
    """Whether accounts that join a target get the stack without being asked for."""

    enabled: bool = False
    retain_stacks_on_account_removal: bool = False


@dataclass(frozen=True)
class OperationPreferences:
    """How an operation walks its pairs. Exactly one of count and percentage is used of each kind."""

    failure_tolerance_count: int | None = None
    failure_tolerance_percentage: int | None = None
    max_concurrent_count: int | None = None
    max_concurrent_percentage: int | None = None
    region_concurrency: str = "SEQUENTIAL"
    concurrency_mode: str = "STRICT_FAILURE_TOLERANCE"


@dataclass(frozen=True)
class DeploymentTarget:
    """A full rectangle of accounts and Regions, the only shape that an operation can take.

    ``units`` are the roots or organizational units that service-managed stack sets must name; empty for
    self-managed ones.
    """

    accounts: frozenset[str]
    regions: frozenset[str]
    units: tuple[str, ...] = ()
    whole_units: bool = False

    @property
    def pairs(self) -> frozenset[Pair]:
        """Every pair of the rectangle."""
        return frozenset(Pair(account, region) for account in self.accounts for region in self.regions)


@dataclass(frozen=True, slots=True)
class StackInstance:
    """A stack set's record for one pair. There may be no stack behind it (``stack_id`` is None)."""

    account: str
    region: str
    status: InstanceStatus = InstanceStatus.CURRENT
    detailed_status: DetailedStatus = DetailedStatus.SUCCEEDED
    reason: str = ""
    stack_id: str | None = None
    unit_id: str = ""
    last_operation_id: str = ""

    @property
    def pair(self) -> Pair:
        """Where the instance is."""
        return Pair(self.account, self.region)


@dataclass(frozen=True)
class Operation:
    """A stack set operation: ``created`` and ``ended`` are ISO 8601 times in UTC.

    ``failed`` is how many stack instances have failed so far, where AWS tells it (StackSetOperationStatusDetails,
    CloudFormation API reference).
    """

    id: str
    action: str
    status: OperationStatus
    created: str = ""
    ended: str = ""
    reason: str = ""
    failed: int = 0


@dataclass(frozen=True)
class OperationResult:
    """How an operation went for one pair."""

    pair: Pair
    status: ResultStatus
    reason: str = ""


@dataclass(frozen=True)
class StackSet:
    """A stack set with its instances. ``units`` are the roots or units that it deploys to."""

    name: str
    template: TemplateBody
    parameters: Parameters = ()
    permission_model: PermissionModel = PermissionModel.SERVICE_MANAGED
    auto_deployment: AutoDeployment = AutoDeployment()
    capabilities: tuple[str, ...] = ()
    tags: Tags = ()
    description: str = ""
    units: tuple[str, ...] = ()
    administration_role_arn: str = ""
    execution_role_name: str = ""
    instances: tuple[StackInstance, ...] = ()
    operation: Operation | None = field(default=None, compare=False)

    @cached_property
    def by_pair(self) -> dict[Pair, StackInstance]:
        """The instances by where they are."""
        return {instance.pair: instance for instance in self.instances}


@dataclass(frozen=True)
class Stack:
    """A plain stack. ``status`` is CloudFormation's own word; desired stacks have CREATE_COMPLETE."""

    name: str
    account: str
    region: str
    template: TemplateBody
    parameters: Parameters = ()
    capabilities: tuple[str, ...] = ()
    tags: Tags = ()
    status: str = "CREATE_COMPLETE"
    reason: str = ""

    @property
    def is_changing(self) -> bool:
        """True while CloudFormation works on it."""
        return is_changing(self.status)

    @property
    def is_settled(self) -> bool:
        """True when the last change came to a good end."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def is_changing(status: str | None) -> bool:
    """Does a stack of this status change? One in REVIEW_IN_PROGRESS waits for its first change set to be executed."""
    return status is not None and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class Artifact:
    """A file in the artifact bucket, named by its content, so that it never changes."""

    bucket: str
    key: str
    body: bytes = field(default=b"", compare=False, repr=False)


@dataclass(frozen=True)
class State:
    """Everything that orgmon owns in the organization, wanted or found."""

    stacks: tuple[Stack, ...] = ()
    stack_sets: tuple[StackSet, ...] = ()
    artifacts: frozenset[Artifact] = frozenset()

    def stack_set(self, name: str) -> StackSet | None:
        """The stack set of that name, if there is one."""
        return next((item for item in self.stack_sets if item.name == name), None)

    def stack(self, name: str) -> Stack | None:
        """The plain stack of that name, if there is one."""
        return next((item for item in self.stacks if item.name == name), None)
