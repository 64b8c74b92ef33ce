"""What accounts.yaml can say. Each key exists because something uses it.

Reading with positions is in ``load``, the checks that need more than one key in ``check``.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from orgmon.regions import needed_regions, partition_of
from orgmon.stackset import CallAs, PermissionModel

AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$", strict=True)]
OrganizationId = Annotated[str, StringConstraints(pattern=r"^o-[a-z0-9]{10,32}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
UnitPath = Annotated[str, StringConstraints(pattern=r"^[^/]+(/[^/]+)*$")]
Percentage = Annotated[int, Field(ge=0, le=100)]
Severity = Literal["critical", "high", "medium", "low"]

TRAIL_RETENTION_DAYS = (90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


class Section(BaseModel):
    """A part of the file. Unknown keys are refused; nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Session(Section):
    """Which AWS credentials to use; without a profile boto3's own chain decides."""

    profile: Name | None = Field(
        None, description="A profile of the AWS configuration, SSO profiles included"
    )


class Sessions(Section):
    """The sessions that orgmon works with."""

    management: Session = Field(Session(), description="Credentials in the management account")
    delegated_admin: Session | None = Field(
        None, description="Credentials in a delegated administrator account, for all stack set calls"
    )


class OrganizationSection(Section):
    """Who is who in the organization."""

    id: OrganizationId = Field(description="The organization's id, o-...")
    management_account: AccountId = Field(description="The account that owns the organization")
    security_account: AccountId = Field(description="Where the hub is: bus, topics, notifier")
    log_archive_account: AccountId | None = Field(
        None, description="Where the trail's logs are kept; without it they stay in the management account"
    )
    home_region: str = Field(description="The Region of the trail and the hub; one that is always enabled")
    permission_model: PermissionModel = Field(
        PermissionModel.SERVICE_MANAGED, description="Who gives the stack sets their rights"
    )
    access_role: Name = Field(
        "OrganizationAccountAccessRole",
        description="The role that orgmon assumes to read in a member account",
    )
    sessions: Sessions = Sessions()

    @property
    def partition(self) -> str:
        """The partition of the home Region, as ARNs name it."""
        found = partition_of(self.home_region)
        return found.name if found else "aws"

    @property
    def call_as(self) -> CallAs:
        """As whom stack set calls are made: a delegated administrator if there is a session for one."""
        return CallAs.DELEGATED_ADMIN if self.sessions.delegated_admin else CallAs.SELF


class LeftOutRegion(Section):
    """A Region that detections would need and that is left out on purpose."""

    region: str
    reason: Name = Field(description="Why what goes unseen there is acceptable")


class RegionsSection(Section):
    """Where monitoring runs."""

    governed: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="The Regions that workloads may use"
    )
    detection: tuple[str, ...] | None = Field(
        None, description="Where detections run; by default the governed Regions and those that are needed"
    )
    left_out: tuple[LeftOutRegion, ...] = Field(
        (), description="Regions that detections need but that are left out, each with its reason"
    )

    @property
    def detection_regions(self) -> tuple[str, ...]:
        """The Regions that detections run in: governed ones first, then what the detections need."""
        if self.detection is not None:
            return self.detection
        partition = partition_of(self.governed[0])
        needed = needed_regions(partition) if partition else ()
        out = {item.region for item in self.left_out}
        return tuple(dict.fromkeys((*self.governed, *(region for region in needed if region not in out))))


class Waiver(Section):
    """An accepted gap: the account is shown apart, not as uncovered."""

    reason: Name
    owner: Name
    expires: datetime.date = Field(description="The last day on which the waiver holds")


class AccountEntry(Section):
    """What orgmon should know of an account besides what AWS Organizations tells."""

    id: AccountId
    name: Name
    unit: UnitPath = Field(
        description="The path of its organizational unit below the root, e.g. Workloads/Prod"
    )
    owner: Name = Field(description="Whom the SOC calls")
    regions: tuple[str, ...] | None = Field(None, description="Only these of the detection Regions")
    tags: dict[str, str] = Field({}, description="Tags that scope and waves can select by")
    waiver: Waiver | None = None


class UnitEntry(Section):
    """An organizational unit."""

    path: UnitPath
    owner: Name | None = Field(None, description="Whom the SOC calls where an account names nobody")


class Selector(Section):
    """Some accounts: those in any of the units, with any of the tags, or listed."""

    units: tuple[UnitPath, ...] = Field(
        (), description="Organizational units with all below them; Root is all"
    )
    tags: dict[str, str] = Field({}, description="Accounts that carry any of these tags")
    accounts: tuple[AccountId, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True where nothing is selected."""
        return not (self.units or self.tags or self.accounts)


class ScopeSection(Selector):
    """The member accounts that monitoring covers."""

    exclude: Selector = Field(Selector(), description="Accounts that are left out of the scope")


class Wave(Selector):
    """A step of every rollout. The last wave takes the rest."""

    name: Name
    rest: bool = Field(
        False, description="All accounts that no earlier wave has; true for the last wave only"
    )


class OperationPreferencesSection(Section):
    """How a stack set operation walks its accounts."""

    failure_tolerance_percentage: Percentage = 10
    max_concurrent_percentage: Annotated[int, Field(ge=1, le=100)] = 100
    region_concurrency: Literal["SEQUENTIAL", "PARALLEL"] = "PARALLEL"
    concurrency_mode: Literal["STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"] = "SOFT_FAILURE_TOLERANCE"


class RolloutSection(Section):
    """In which steps changes reach the accounts."""

    waves: tuple[Wave, ...] = (Wave(name="rest", rest=True),)
    operation_preferences: OperationPreferencesSection = OperationPreferencesSection()
    auto_deployment: bool = Field(
        False, description="Let AWS cover accounts that join; only where the scope is whole units"
    )


class ExistingTrail(Section):
    """An organization trail that is already there and is used instead of a new one."""

    log_group: Name = Field(description="The trail's log group, in the home Region of the management account")


class TrailSection(Section):
    """The organization trail."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,127}$")] = "orgmon"
    existing: ExistingTrail | None = Field(None, description="Use this trail, and create none")
    retention_days: int = Field(365, description="How long the trail's log group keeps events")
    archive_days: Annotated[int, Field(ge=90)] = Field(
        2557, description="How long the log bucket keeps files"
    )
    key_arn: Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:kms:")] | None = Field(
        None, description="A key of yours for the log bucket; without it orgmon makes one"
    )


class Route(Section):
    """Where alerts of some severities go."""

    severities: Annotated[tuple[Severity, ...], Field(min_length=1)]
    protocol: Literal["email", "https", "sqs"]
    endpoint: Name = Field(description="An e-mail address, an https URL or a queue's ARN")


class AlertsSection(Section):
    """Who is told."""

    routes: Annotated[tuple[Route, ...], Field(min_length=1)]


class DetectionOverride(Section):
    """What is otherwise than in the rule."""

    level: Literal["critical", "high", "medium", "low", "informational"] | None = Field(
        None, description="How bad it is; what is informational alerts nobody"
    )
    scope: Literal["regional", "global", "sign-in", "management"] | None = Field(
        None, description="Where its events appear"
    )
    count: Annotated[int, Field(ge=1)] | None = Field(None, description="Threshold: this many records ...")
    minutes: Annotated[int, Field(ge=1, le=1440)] | None = Field(
        None, description="... within so many minutes"
    )


class DetectionsSection(Section):
    """Which detections run."""

    disabled: tuple[Name, ...] = Field((), description="Ids of detections that are switched off")
    folder: str | None = Field(None, description="A folder with Sigma rules of your own, beside this file")
    cis: bool = Field(
        True,
        description="Whether the trail stack has the filters of CIS in the texts that auditors' tools want",
    )
    overrides: dict[str, DetectionOverride] = Field(
        {}, description="Level, scope or threshold of detections, by id"
    )
    deployers: tuple[Name, ...] = Field(
        (),
        description="ARNs, * for any characters, of who rolls orgmon out: their changes of it are no tampering,"
        " e.g. arn:aws:sts::111122223333:assumed-role/Deployer/*",
    )


class Decoy(Section):
    """A decoy secret. Its name in AWS is the phrase and a random suffix."""

    phrase: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{5,40}$")] = Field(
        description="A believable phrase of letters and digits, e.g. BillingLedgerDatabase"
    )
    kind: Literal["secret"] = "secret"


class DecoysSection(Section):
    """Decoys and where they lie. Nothing of them carries orgmon's name."""

    stack_set: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{2,79}$")] = Field(
        description="The neutral name of their stack set"
    )
    placement: Selector = Field(description="The accounts that get them")
    regions: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    items: Annotated[tuple[Decoy, ...], Field(min_length=1, max_length=10)]


class Config(Section):
    """accounts.yaml: what should be."""

    organization: OrganizationSection
    regions: RegionsSection
    units: tuple[UnitEntry, ...] = Field(
        (), description="The organizational units, for owners and for checks"
    )
    accounts: tuple[AccountEntry, ...] = Field(description="The accounts that are known")
    scope: ScopeSection = ScopeSection(units=("Root",))
    rollout: RolloutSection = RolloutSection()
    trail: TrailSection = TrailSection()
    alerts: AlertsSection
    detections: DetectionsSection = DetectionsSection()
    decoys: DecoysSection | None = None

    def entry(self, account_id: str) -> AccountEntry | None:
        """What the file says of an account, or None where it does not list it."""
        return next((item for item in self.accounts if item.id == account_id), None)

    def owner_of(self, account_id: str, unit_path: str) -> str:
        """Whom the SOC calls for an account: its own owner, or that of the nearest unit above it.

        ``unit_path`` is where the account is, e.g. ``Root/Workloads/Prod``; the result may be empty.
        """
        if item := self.entry(account_id):
            return item.owner
        owners = {f"Root/{unit.path}": unit.owner for unit in self.units if unit.owner}
        parts = unit_path.split("/")
        above = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
        return next((owners[path] for path in above if path in owners), "")
