"""Where stacks belong: which accounts and Regions a placement means in an organization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orgmon.config.model import Config
from orgmon.config.section import Selector
from orgmon.errors import OrgmonError
from orgmon.organization import Account, Organization, OrganizationalUnit
from orgmon.stacks.definition import Placement, Where, Who

NARROWED = (Who.MEMBERS, Where.DETECTION)
"""Where an account's own ``regions`` in accounts.yaml leave Regions out."""


def selected(selector: Selector, organization: Organization, config: Config) -> frozenset[str]:
    """The ids of the accounts that a selector means: by unit, by tag (live or in accounts.yaml), or listed.

    Raises OrgmonError for a unit that could be one of several.
    """
    chosen = set(selector.accounts) & set(organization.by_id)
    for unit in units_of(selector, organization):
        chosen |= organization.under(unit.id)
    for account in organization.accounts:
        if tags_of(account, config) & set(selector.tags.items()):
            chosen.add(account.id)
    return frozenset(chosen)


def tags_of(account: Account, config: Config) -> frozenset[tuple[str, str]]:
    """The tags of an account, in AWS and in accounts.yaml."""
    entry = config.entry(account.id)
    return frozenset({*account.tags, *((entry.tags if entry else {}).items())})


def units_of(selector: Selector, organization: Organization) -> tuple[OrganizationalUnit, ...]:
    """The units that a selector names, as far as they are there. Raises OrgmonError for what could be several."""
    found = [(path, organization.units_at(path)) for path in selector.units]
    for path, units in found:
        if len(units) > 1:
            raise OrgmonError(
                f"unit {path} could be one of several: {', '.join(map(organization.described, units))}",
                "write the id of the one that is meant, for example under scope: units",
            )
    return tuple(units[0] for _, units in found if units)


@dataclass(frozen=True)
class Places:
    """The accounts and Regions that the words of a placement mean, looked up in an organization.

    ``narrower`` holds the Regions of accounts that have fewer than the others.
    """

    accounts: Mapping[Who, frozenset[str]]
    regions: Mapping[Where, tuple[str, ...]]
    narrower: Mapping[str, frozenset[str]]

    def accounts_of(self, placement: Placement) -> tuple[str, ...]:
        """The ids of the accounts that hold copies, in order."""
        return tuple(sorted(self.accounts[placement.who]))

    def regions_of(self, placement: Placement, account: str) -> tuple[str, ...]:
        """The Regions of an account that hold copies."""
        regions = self.regions[placement.where]
        if (placement.who, placement.where) != NARROWED or account not in self.narrower:
            return regions
        return tuple(region for region in regions if region in self.narrower[account])


def places(config: Config, organization: Organization) -> Places:
    """What the words of placements mean for a config in an organization."""
    who = config.organization
    members = _members_in_scope(config, organization)
    decoys = config.decoys
    return Places(
        accounts={
            Who.MANAGEMENT: frozenset({who.management_account}),
            Who.LOG_ARCHIVE: frozenset({who.log_archive_account or who.management_account}),
            Who.SECURITY: frozenset({who.security_account}),
            Who.MEMBERS: members,
            Who.CHOSEN_MEMBERS: selected(decoys.placement, organization, config) & members
            if decoys
            else frozenset(),
        },
        regions={
            Where.HOME: (who.home_region,),
            Where.DETECTION: config.regions.detection_regions,
            Where.CHOSEN: decoys.regions if decoys else (),
        },
        narrower={
            entry.id: frozenset(entry.regions) for entry in config.accounts if entry.regions is not None
        },
    )


def _members_in_scope(config: Config, organization: Organization) -> frozenset[str]:
    """The member accounts that monitoring covers; the management account is covered apart."""
    inside = selected(config.scope, organization, config)
    outside = selected(config.scope.exclude, organization, config)
    return inside - outside - {organization.management_account_id}
