"""Where stacks belong: which accounts, Regions and units the placement of a stack means in an organization."""

from __future__ import annotations

from orgmon.config.model import Config
from orgmon.config.section import Selector
from orgmon.organization import Organization
from orgmon.stacks.definition import Placement, StackDefinition

MEMBER_PLACEMENTS = (Placement.MEMBERS_HOME, Placement.MEMBERS_DETECTION, Placement.MEMBERS_GOVERNED)


def selected(selector: Selector, organization: Organization, config: Config) -> frozenset[str]:
    """The ids of the accounts that a selector means: by unit, by tag (live or in accounts.yaml), or listed."""
    chosen = set(selector.accounts) & set(organization.by_id)
    for path in selector.units:
        unit = organization.unit_at(path)
        chosen |= organization.under(unit.id) if unit else set()
    for account in organization.accounts:
        entry = config.entry(account.id)
        tags = {*account.tags, *((entry.tags if entry else {}).items())}
        if tags & set(selector.tags.items()):
            chosen.add(account.id)
    return frozenset(chosen)


def members_in_scope(config: Config, organization: Organization) -> frozenset[str]:
    """The member accounts that monitoring covers; the management account is covered apart."""
    inside = selected(config.scope, organization, config)
    outside = selected(config.scope.exclude, organization, config)
    return inside - outside - {organization.management_account_id}


def accounts_of(definition: StackDefinition, config: Config, organization: Organization) -> frozenset[str]:
    """The ids of the accounts that a stack set reaches."""
    who = config.organization
    match definition.placement:
        case Placement.LOG_ARCHIVE:
            return frozenset({who.log_archive_account or who.management_account})
        case Placement.SECURITY_HOME | Placement.SECURITY_DETECTION:
            return frozenset({who.security_account})
        case Placement.DECOYS:
            placed = selected(config.decoys.placement, organization, config) if config.decoys else frozenset()
            return placed & members_in_scope(config, organization)
        case _:
            return members_in_scope(config, organization)


def regions_of(definition: StackDefinition, account: str, config: Config) -> tuple[str, ...]:
    """The Regions that a stack set reaches in an account."""
    home = config.organization.home_region
    entry = config.entry(account)
    detection_regions = config.regions.detection_regions
    if definition.placement in (Placement.LOG_ARCHIVE, Placement.SECURITY_HOME, Placement.MEMBERS_HOME):
        return (home,)
    if definition.placement is Placement.SECURITY_DETECTION:
        return detection_regions
    if definition.placement is Placement.DECOYS:
        return config.decoys.regions if config.decoys else ()
    wanted = (
        config.regions.governed if definition.placement is Placement.MEMBERS_GOVERNED else detection_regions
    )
    narrower = entry.regions if entry and entry.regions is not None else wanted
    return tuple(region for region in wanted if region in narrower)


def auto_deploys(definition: StackDefinition, config: Config) -> bool:
    """Auto-deployment knows neither accounts nor opt-in Regions: only what all members have can use it."""
    return config.rollout.auto_deployment and definition.placement in MEMBER_PLACEMENTS


def units_of(definition: StackDefinition, config: Config, organization: Organization) -> tuple[str, ...]:
    """The units that a service-managed stack set names: whole units where the scope is, else the root."""
    if definition.placement in MEMBER_PLACEMENTS and config.rollout.auto_deployment:
        found = (organization.unit_at(path) for path in config.scope.units)
        return tuple(unit.id for unit in found if unit)
    return (organization.root.id,)
