"""What an embedded organization starts with: a plain value that config, tests or a demo can write down."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from orgmon.organization import AccountState

STACKSETS_PRINCIPAL = "member.org.stacksets.cloudformation.amazonaws.com"
CLOUDTRAIL_PRINCIPAL = "cloudtrail.amazonaws.com"


@dataclass(frozen=True)
class SeedAccount:
    """An account that exists from the start. ``opted_in_regions`` are the opt-in Regions it has enabled."""

    id: str
    name: str
    email: str
    unit_path: str = "Root"
    tags: tuple[tuple[str, str], ...] = ()
    state: AccountState = AccountState.ACTIVE
    opted_in_regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeedQueue:
    """An SQS queue that exists from the start, such as the mailbox of the security team."""

    name: str
    account: str
    region: str


@dataclass(frozen=True)
class Seed:
    """The organization before anything is rolled out.

    ``units`` are paths such as ``Root/Workloads/Prod``; the units above them exist without being named.
    ``accounts`` holds the management account too. ``delegated_administrators`` are pairs of account id and
    service principal.
    """

    org_id: str
    management_account: str
    home_region: str
    accounts: tuple[SeedAccount, ...]
    units: tuple[str, ...] = ()
    access_role: str = "OrganizationAccountAccessRole"
    admin_user: str = "admin"
    queues: tuple[SeedQueue, ...] = ()
    trusted_access: tuple[str, ...] = (CLOUDTRAIL_PRINCIPAL, STACKSETS_PRINCIPAL)
    delegated_administrators: tuple[tuple[str, str], ...] = field(default=())

    def unit_paths(self) -> tuple[str, ...]:
        """Every unit's path, the root first, parents before children."""
        paths = {"Root"}
        for path in (*self.units, *(account.unit_path for account in self.accounts)):
            parts = path.split("/")
            paths.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))
        return tuple(sorted(paths, key=lambda path: (path.count("/"), path)))


def admin_key(account: str) -> tuple[str, str]:
    """The static access key (id, secret) of an account's seeded administrator: the same in every run."""
    digest = hashlib.sha256(f"orgmon sandbox {account}".encode()).digest()
    name = base64.b32encode(digest).decode()[:16]
    return f"AKIA{name}", base64.b64encode(digest + digest[:8]).decode()[:40]
