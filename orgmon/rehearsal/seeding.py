"""accounts.yaml -> the organization that the embedded AWS starts with, with exactly the same ids."""

from __future__ import annotations

from orgmon.alerting import Protocol
from orgmon.config.model import AccountEntry, Config
from orgmon.regions import OPT_IN_REGIONS
from orgmon.sandbox.seed import (
    CLOUDTRAIL_PRINCIPAL,
    STACKSETS_PRINCIPAL,
    Seed,
    SeedAccount,
    SeedQueue,
)


def seed_of(config: Config) -> Seed:
    """The seed of a config: its accounts in their units, and the queues that alerts are routed to."""
    who = config.organization
    known = tuple(_account(entry, config) for entry in config.accounts)
    listed = {account.id for account in known}
    named = (who.management_account, who.security_account, who.log_archive_account)
    unlisted = tuple(
        SeedAccount(id, f"account-{id}", f"{id}@example.com", "Root")
        for id in dict.fromkeys(named)
        if id and id not in listed
    )
    return Seed(
        org_id=who.id,
        management_account=who.management_account,
        home_region=who.home_region,
        accounts=(*known, *unlisted),
        units=tuple(f"Root/{unit.path}" for unit in config.units if unit.path != "Root"),
        access_role=who.access_role,
        queues=tuple(_queues(config)),
        trusted_access=(CLOUDTRAIL_PRINCIPAL, STACKSETS_PRINCIPAL),
        delegated_administrators=(
            ((who.security_account, STACKSETS_PRINCIPAL),) if who.sessions.delegated_admin else ()
        ),
    )


def _account(entry: AccountEntry, config: Config) -> SeedAccount:
    opted_in = tuple(region for region in config.regions.detection_regions if region in OPT_IN_REGIONS)
    return SeedAccount(
        id=entry.id,
        name=entry.name,
        email=f"aws+{entry.id}@example.com",
        unit_path="Root" if entry.unit == "Root" else f"Root/{entry.unit}",
        tags=tuple(entry.tags.items()),
        opted_in_regions=opted_in,
    )


def _queues(config: Config) -> list[SeedQueue]:
    """Queues of the user's own that routes name; they exist before orgmon does."""
    arns = [route.endpoint.split(":") for route in config.alerts.routes if route.protocol is Protocol.SQS]
    queues = {(parts[5], parts[4], parts[3]): None for parts in arns}
    return [SeedQueue(name, account, region) for name, account, region in queues]
