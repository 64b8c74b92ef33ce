"""What accounts.yaml can say of the monitoring itself: trail, alerts, detections and decoys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from orgmon.alerting import Alerting, Protocol, Severity
from orgmon.config.section import Name, Section, Selector
from orgmon.detections.model import Scope
from orgmon.honeytokens import KindName

TRAIL_RETENTION_DAYS = (90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


class ExistingTrail(Section):
    """An organization trail that is already there and is used instead of a new one."""

    log_group: Name = Field(description="The trail's log group, in the home Region of the management account")


class TrailSection(Section):
    """The organization trail."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{2,127}$")] = "orgmon"
    existing: ExistingTrail | None = Field(None, description="Use this trail, and create none")
    retention_days: Annotated[int, Field(strict=True)] = Field(
        365, description="How long the trail's log group keeps events"
    )
    archive_days: Annotated[int, Field(strict=True, ge=90)] = Field(
        2557, description="How long the log bucket keeps files"
    )
    object_lock_days: Annotated[int, Field(strict=True, ge=1, le=36500)] | None = Field(
        None,
        description="How long S3 Object Lock keeps each file of the log bucket from being deleted or overwritten, in "
        "governance mode; once on, Object Lock cannot be taken from the bucket",
    )
    key_arn: Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:kms:")] | None = Field(
        None, description="A key of yours for the log bucket; without it orgmon makes one"
    )


class Route(Section):
    """Where alerts of some severities go."""

    severities: Annotated[tuple[Alerting, ...], Field(min_length=1)]
    protocol: Protocol
    endpoint: Name = Field(description="An e-mail address, an https URL or a queue's ARN")


class AlertsSection(Section):
    """Who is told."""

    routes: Annotated[tuple[Route, ...], Field(min_length=1)]


class DetectionOverride(Section):
    """What is otherwise than in the rule."""

    level: Severity | None = Field(None, description="How bad it is; what is informational alerts nobody")
    scope: Scope | None = Field(None, description="Where its events appear")
    count: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        None, description="Threshold: this many records ..."
    )
    minutes: Annotated[int, Field(strict=True, ge=1, le=1440)] | None = Field(
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
    member_alarms: bool = Field(
        True,
        description="Whether members have alarms of their own for what the trail's log group counts too; without, "
        "only thresholds that are counted apart by account stay",
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
    """A decoy. Its name in AWS is the phrase and a random suffix."""

    phrase: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{5,40}$")] = Field(
        description="A believable phrase of letters and digits, e.g. BillingLedgerDatabase"
    )
    kind: KindName = "secret"


class DecoysSection(Section):
    """Decoys and where they lie. Nothing of them carries orgmon's name."""

    stack_set: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{2,79}$")] = Field(
        description="The neutral name of their stack set"
    )
    placement: Selector = Field(description="The accounts that get them")
    regions: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    items: Annotated[tuple[Decoy, ...], Field(min_length=1, max_length=10)]
