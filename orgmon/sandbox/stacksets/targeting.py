"""Which accounts, Regions and units a request names, and which instances that makes.

Source: API reference, DeploymentTargets; user guide, "Account-level targets for service-managed stack sets".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.organization import OrgView
from orgmon.sandbox.stacksets.arithmetic import Pair
from orgmon.sandbox.stacksets.checks import Params, check_places, enum
from orgmon.sandbox.stacksets.records import Instance, StackSetRecord
from orgmon.sandbox.stacksets.refusals import (
    ONLY_ACCOUNTS,
    ONLY_UNITS,
    UNITS_REQUIRED,
    invalid,
    no_instance,
    unit_not_targeted,
)

_FILTERS = ("NONE", "INTERSECTION", "DIFFERENCE", "UNION")


@dataclass(frozen=True)
class Targets:
    """Where an operation goes. ``units`` is empty in self-managed sets; ``account_filter`` is always one of AWS's."""

    regions: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    account_filter: str = "NONE"

    @property
    def whole_units(self) -> tuple[str, ...]:
        """The units that are meant with everything below them."""
        return self.units if self.account_filter in ("NONE", "UNION") else ()

    @property
    def wire(self) -> dict[str, Any]:
        """DeploymentTargets, as an operation shows them."""
        targets: dict[str, Any] = {}
        if self.accounts:
            targets["Accounts"] = list(self.accounts)
        if self.units:
            targets["OrganizationalUnitIds"] = list(self.units)
        if self.units and self.accounts:
            targets["AccountFilterType"] = self.account_filter
        return targets


def targets_of(params: Params, stack_set: StackSetRecord, *, creates: bool = False) -> Targets:
    """The targets of a request on instances. Raises Refusal where they do not fit the stack set's model."""
    regions = tuple(dict.fromkeys(params.get("Regions") or ()))
    accounts = tuple(dict.fromkeys(params.get("Accounts") or ()))
    given = params.get("DeploymentTargets")
    if accounts and given:
        raise invalid("You can specify Accounts or DeploymentTargets, but not both")
    if not regions:
        raise invalid("Regions are required")
    check_places(accounts, regions)
    if stack_set.is_service_managed:
        return _by_units(given or {}, accounts, regions, creates=creates)
    return _by_accounts(given or {}, accounts, regions)


def _by_accounts(given: Mapping[str, Any], accounts: tuple[str, ...], regions: tuple[str, ...]) -> Targets:
    if given.get("OrganizationalUnitIds"):
        raise invalid(ONLY_ACCOUNTS)
    accounts = accounts or tuple(dict.fromkeys(given.get("Accounts") or ()))
    check_places(accounts)
    if not accounts:
        raise invalid("Accounts list cannot be empty")
    return Targets(regions, accounts)


def _by_units(
    given: Mapping[str, Any], accounts: tuple[str, ...], regions: tuple[str, ...], *, creates: bool
) -> Targets:
    if accounts:
        raise invalid(ONLY_UNITS)
    if given.get("AccountsUrl"):
        raise invalid("AccountsUrl is not implemented by the sandbox")
    units = tuple(dict.fromkeys(given.get("OrganizationalUnitIds") or ()))
    named = tuple(dict.fromkeys(given.get("Accounts") or ()))
    check_places(named, (), units)
    if not units:
        raise invalid(UNITS_REQUIRED if creates else ONLY_UNITS)
    chosen = enum(given, "AccountFilterType", _FILTERS)
    _check_filter(chosen, named, creates=creates)
    return Targets(regions, named, units, chosen or ("UNION" if named else "NONE"))


def _check_filter(chosen: str, accounts: tuple[str, ...], *, creates: bool) -> None:
    if creates and chosen == "UNION":
        raise invalid("AccountFilterType UNION is not supported for CreateStackInstances")
    if creates and accounts and not chosen:
        raise invalid(
            "AccountFilterType should be specified when both OrganizationalUnitIds and Accounts are"
        )
    if chosen == "NONE" and accounts:
        raise invalid("Accounts should not be specified when AccountFilterType is NONE")
    if chosen not in ("", "NONE") and not accounts:
        raise invalid(f"Accounts should be specified when AccountFilterType is {chosen}")


def check_units_exist(organization: OrgView, targets: Targets) -> None:
    """Raise Refusal for a unit that the organization does not have."""
    for unit_id in targets.units:
        if unit_id not in organization.units:
            raise invalid(f"Organizational unit {unit_id} not found")


def check_units_targeted(stack_set: StackSetRecord, targets: Targets) -> None:
    """Raise Refusal for a unit that the stack set was never deployed to."""
    for unit_id in targets.units:
        if unit_id not in stack_set.units:
            raise unit_not_targeted(unit_id)


def accounts_of(organization: OrgView, stack_set: StackSetRecord, targets: Targets) -> dict[str, str]:
    """The accounts that are meant, with the unit that each is reached by (empty: self-managed).

    An account that has an instance by one of the units belongs to it, also when it has been moved or has left. The
    management account is never meant by a unit.
    """
    if not targets.units:
        return dict.fromkeys(targets.accounts, "")
    below: dict[str, str] = {}
    for unit_id in targets.units:
        reached = {
            instance.account for instance in stack_set.instances.values() if instance.unit_id == unit_id
        }
        if unit_id in organization.units:
            reached |= organization.members_under(unit_id)
        for account in sorted(reached - {organization.management_account}):
            below.setdefault(account, unit_id)
    named = set(targets.accounts)
    if targets.account_filter == "INTERSECTION":
        return {account: unit for account, unit in below.items() if account in named}
    if targets.account_filter == "DIFFERENCE":
        return {account: unit for account, unit in below.items() if account not in named}
    if targets.account_filter == "UNION":
        return {**dict.fromkeys(sorted(named - {organization.management_account}), ""), **below}
    return below


def pairs_of(organization: OrgView, stack_set: StackSetRecord, targets: Targets) -> dict[Pair, str]:
    """The full rectangle of a request: pair -> unit."""
    accounts = accounts_of(organization, stack_set, targets)
    return {(account, region): unit for region in targets.regions for account, unit in accounts.items()}


def existing(organization: OrgView, stack_set: StackSetRecord, targets: Targets) -> list[Instance]:
    """Those instances of the rectangle that are there."""
    pairs = pairs_of(organization, stack_set, targets)
    return [stack_set.instances[pair] for pair in pairs if pair in stack_set.instances]


def existing_all(organization: OrgView, stack_set: StackSetRecord, targets: Targets) -> list[Instance]:
    """The instances of the rectangle; raises Refusal for a hole in a self-managed set."""
    if not stack_set.is_service_managed:
        for account, region in pairs_of(organization, stack_set, targets):
            if stack_set.find(account, region) is None:
                raise no_instance(stack_set.name, account, region)
    return existing(organization, stack_set, targets)


def check_region_order(order: tuple[str, ...], regions: set[str]) -> None:
    """Raise Refusal unless RegionOrder, where it is given, names exactly the operation's Regions."""
    if order and (len(order) != len(set(order)) or set(order) != regions):
        raise invalid("RegionOrder must contain each Region of the operation exactly once")


def check_regions_open(organization: OrgView, account: str, regions: tuple[str, ...]) -> None:
    """Raise Refusal for a Region that does not exist, or is not enabled in the administrator's account."""
    for region in regions:
        if region not in organization.settings.enabled_regions(account):
            raise region_closed(region)


def region_closed(region: str) -> Refusal:
    """The refusal of a Region that the administrator's account cannot use."""
    return invalid(f"Region {region} is not supported or not enabled in the administrator account")
