"""AWS Organizations -> Organization. List calls only, units before accounts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from orgmon.aws.errors import translated
from orgmon.organization import Account, AccountState, Organization, OrganizationalUnit

# AWS Organizations answers few calls a second (roughly a dozen of each kind); more workers only get throttled.
WORKERS = 4


def read_organization(client: Any, *, with_tags: bool = False) -> Organization:
    """The organization with all units and accounts.

    Accounts are listed by parent, so that no call per account is needed; tags are one call per account and only
    read where a selector uses them. Raises AwsError.
    """
    with translated("organizations:DescribeOrganization"):
        described = client.describe_organization()["Organization"]
    with ThreadPoolExecutor(WORKERS) as pool:
        units = tuple(_units(client, pool))
        by_unit = pool.map(lambda unit: list(_accounts(client, unit.id)), units)
        accounts = tuple(sorted((a for group in by_unit for a in group), key=lambda a: a.id))
        if with_tags:
            accounts = tuple(pool.map(lambda account: _tagged(client, account), accounts))
    return Organization(described["Id"], described["MasterAccountId"], units, accounts)


def _units(client: Any, pool: ThreadPoolExecutor) -> Iterator[OrganizationalUnit]:
    """Level by level, the units of a level at once."""
    with translated("organizations:ListRoots"):
        root = client.list_roots()["Roots"][0]
    level = [OrganizationalUnit(root["Id"], root["Name"], "Root")]
    while level:
        yield from level
        below = pool.map(lambda unit: list(_children(client, unit)), level)
        level = [child for children in below for child in children]


def _children(client: Any, parent: OrganizationalUnit) -> Iterator[OrganizationalUnit]:
    with translated("organizations:ListOrganizationalUnitsForParent"):
        pages = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent.id)
        for page in pages:
            for unit in page["OrganizationalUnits"]:
                path = f"{parent.path}/{unit['Name']}"
                yield OrganizationalUnit(unit["Id"], unit["Name"], path, parent.id)


def _accounts(client: Any, unit_id: str) -> Iterator[Account]:
    with translated("organizations:ListAccountsForParent"):
        for page in client.get_paginator("list_accounts_for_parent").paginate(ParentId=unit_id):
            for account in page["Accounts"]:
                yield Account(
                    id=account["Id"],
                    name=account.get("Name", ""),
                    email=account.get("Email", ""),
                    # Status gives way to State (AWS Organizations, announced for September 2026).
                    state=AccountState(account.get("State") or account["Status"]),
                    unit_id=unit_id,
                )


def _tagged(client: Any, account: Account) -> Account:
    with translated("organizations:ListTagsForResource", account=account.id):
        pages = client.get_paginator("list_tags_for_resource").paginate(ResourceId=account.id)
        tags = tuple((tag["Key"], tag["Value"]) for page in pages for tag in page["Tags"])
    return replace(account, tags=tags)
