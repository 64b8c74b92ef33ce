"""What a stack is before it is deployed: where it goes, how its template is built, what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from troposphere import Parameter, Template

from orgmon.alerting import Protocol, Severity
from orgmon.detections.cis import CisFilter
from orgmon.detections.model import Detection
from orgmon.detections.secrecy import told
from orgmon.errors import TemplateError
from orgmon.honeytokens import Decoy
from orgmon.stackset import TemplateBody

# CloudFormation quotas: a template given by URL.
LARGEST_TEMPLATE = 1024 * 1024


class Who(StrEnum):
    """The accounts that hold copies of a stack."""

    MANAGEMENT = "management account"
    LOG_ARCHIVE = "log archive account"
    SECURITY = "security account"
    MEMBERS = "members"
    CHOSEN_MEMBERS = "chosen members"


class Where(StrEnum):
    """The Regions of an account that hold copies of a stack."""

    HOME = "home Region"
    DETECTION = "detection Regions"
    CHOSEN = "chosen Regions"


@dataclass(frozen=True)
class Placement:
    """Where the copies of a stack go."""

    who: Who
    where: Where

    def __str__(self) -> str:
        return f"{self.who}, {self.where}"

    @property
    def is_plain(self) -> bool:
        """True for a plain stack; everything outside the management account is a stack set's."""
        return self.who is Who.MANAGEMENT

    @property
    def covers_members(self) -> bool:
        """True where every member that monitoring covers has a copy, and the management account has one too."""
        return self.who is Who.MEMBERS

    @property
    def is_monitoring_s_own(self) -> bool:
        """True where nobody but the people of the management and the security account can read the template."""
        return self.who in (Who.MANAGEMENT, Who.SECURITY)

    @property
    def is_in_members(self) -> bool:
        """True where people of a member account can read the template."""
        return self.who in (Who.MEMBERS, Who.CHOSEN_MEMBERS)


@dataclass(frozen=True)
class Route:
    """Where alerts of some severities go: an AWS SNS protocol and endpoint."""

    severities: tuple[Severity, ...]
    protocol: Protocol
    endpoint: str


@dataclass(frozen=True)
class Inputs:
    """All that templates and their parameters are made from."""

    organization_id: str
    management_account: str
    security_account: str
    log_archive_account: str
    home_region: str
    detections: tuple[Detection, ...]
    routes: tuple[Route, ...]
    trail_name: str = "orgmon"
    existing_log_group: str = ""
    retention_days: int = 365
    archive_days: int = 2557
    object_lock_days: int = 0
    key_arn: str = ""
    decoys: tuple[Decoy, ...] = ()
    notifier_key: str = ""
    cis: tuple[CisFilter, ...] = ()
    member_alarms: bool = True
    partition: str = "aws"
    opt_in_regions: tuple[str, ...] = ()
    detection_regions: tuple[str, ...] = ()
    governed_regions: tuple[str, ...] = ()
    neutral_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def secrets(self) -> frozenset[str]:
        """What no template that members can read may tell."""
        of_rules = (secret for detection in self.detections for secret in detection.secrets)
        return frozenset((*of_rules, *(decoy.prefix for decoy in self.decoys)))

    @property
    def keeps_logs_itself(self) -> bool:
        """True where the management account has to hold the log bucket."""
        return self.log_archive_account == self.management_account


def _always(inputs: Inputs) -> bool:
    return True


def _nothing(inputs: Inputs) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class StackDefinition:
    """One stack of orgmon's.

    ``is_neutral``: nothing of the stack may say whose it is, so it has no tag, no description, and the name that
    the config gives. ``is_wanted`` tells from the inputs whether there is such a stack at all, ``plants`` which of the
    secrets it puts into accounts itself.
    """

    name: str
    placement: Placement
    description: str
    build: Callable[[Inputs], Template]
    values: Callable[[Inputs], Mapping[str, str]]
    has_iam: bool = False
    is_retained: bool = False
    is_neutral: bool = False
    is_wanted: Callable[[Inputs], bool] = _always
    plants: Callable[[Inputs], frozenset[str]] = _nothing

    def name_in(self, inputs: Inputs) -> str:
        """The name of the stack or stack set in AWS."""
        return inputs.neutral_names.get(self.name, self.name)

    def body(self, inputs: Inputs) -> TemplateBody:
        """The template, ready to deploy.

        Raises TemplateError where it is larger than CloudFormation takes, or would tell a secret in a member account.
        """
        content = self.build(inputs).to_dict()
        self._check_secrecy(content, inputs)
        body = TemplateBody.of(content, is_shared=not self.placement.is_monitoring_s_own)
        if body.size > LARGEST_TEMPLATE:
            raise TemplateError(
                f"the template of {self.name} has {body.size:,} bytes; CloudFormation takes {LARGEST_TEMPLATE:,}",
                "switch off some detections (detections.disabled) or split the stack",
            )
        return body

    def parameters(self, inputs: Inputs) -> tuple[tuple[str, str], ...]:
        """The parameter values, sorted by key, so that equal settings compare equal.

        Raises TemplateError where one would tell a secret in a member account.
        """
        values = self.values(inputs)
        self._check_secrecy(values, inputs)
        return tuple(sorted(values.items()))

    def _check_secrecy(self, content: object, inputs: Inputs) -> None:
        if not self.placement.is_in_members:
            return
        place = next(told(content, inputs.secrets - self.plants(inputs)), None)
        if place is not None:
            raise TemplateError(
                f"people of member accounts can read {self.name}, and its {place} tells a secret",
                "the hub and the trail are the place for detections that name decoys; or use another phrase",
            )


def new_template(description: str, **parameters: str) -> Template:
    """A template with string parameters; each keyword is a parameter's name and its description."""
    template = Template(Description=description)
    template.set_version("2010-09-09")
    for name, meaning in parameters.items():
        template.add_parameter(Parameter(name, Type="String", Description=meaning))
    return template
