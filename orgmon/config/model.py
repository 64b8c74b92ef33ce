"""What accounts.yaml can say. Each key exists because something uses it.

Reading with positions is in ``load``, the checks that need more than one key in ``check``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from orgmon.config.monitoring import AlertsSection, DecoysSection, DetectionsSection, TrailSection
from orgmon.config.section import AccountId, Name, OrganizationId, Percentage, Section, Selector, UnitPath
from orgmon.organization import OrganizationalUnit
from orgmon.positions import Where
from orgmon.regions import needed_regions, partition_of
from orgmon.stackset import CallAs, PermissionModel


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
        partition = partition_of(self.home_region)
        return partition.name if partition else "aws"

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
    owner: Name | None = Field(None, description="Whom the SOC calls; without, the owner of its unit")
    regions: tuple[str, ...] | None = Field(None, description="Only these of the detection Regions")
    tags: dict[str, str] = Field({}, description="Tags that scope and waves can select by")
    waiver: Waiver | None = None


class UnitEntry(Section):
    """An organizational unit."""

    path: UnitPath
    owner: Name | None = Field(None, description="Whom the SOC calls where an account names nobody")


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
    max_concurrent_percentage: Annotated[int, Field(strict=True, ge=1, le=100)] = 100
    region_concurrency: Literal["SEQUENTIAL", "PARALLEL"] = "PARALLEL"
    concurrency_mode: Literal["STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"] = "SOFT_FAILURE_TOLERANCE"


class RolloutSection(Section):
    """In which steps changes reach the accounts."""

    waves: tuple[Wave, ...] = (Wave(name="rest", rest=True),)
    operation_preferences: OperationPreferencesSection = OperationPreferencesSection()
    auto_deployment: bool = Field(
        False, description="Let AWS cover accounts that join; only where the scope is whole units"
    )


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

    @property
    def selects_by_tags(self) -> bool:
        """True where accounts are selected by their tags, so that AWS has to be asked for those."""
        return any(selector.tags for selector in self.selectors.values())

    @property
    def selectors(self) -> Mapping[Where, Selector]:
        """Every selector by its path in the file."""
        found: dict[Where, Selector] = {("scope",): self.scope, ("scope", "exclude"): self.scope.exclude}
        found |= {("rollout", "waves", number): wave for number, wave in enumerate(self.rollout.waves)}
        if self.decoys:
            found["decoys", "placement"] = self.decoys.placement
        return found

    def entry(self, account_id: str) -> AccountEntry | None:
        """What the file says of an account, or None where it does not list it."""
        return next((item for item in self.accounts if item.id == account_id), None)

    def owner_of(self, account_id: str, above: Iterable[OrganizationalUnit]) -> str:
        """Whom the SOC calls for an account: its own owner, or that of the nearest unit above it; may be empty.

        ``above`` are the units that hold it, the nearest first.
        """
        item = self.entry(account_id)
        if item and item.owner:
            return item.owner
        owners = {unit.path.removeprefix("Root/"): unit.owner for unit in self.units if unit.owner}
        names = (name for unit in above for name in (unit.id, unit.path.removeprefix("Root/")))
        return next((owners[name] for name in names if name in owners), "")
