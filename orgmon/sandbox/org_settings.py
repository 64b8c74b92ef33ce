"""What is set for the accounts of the sandbox's organization, wherever in its tree they stand.

Regions that an account has opted in to, tags, services with trusted access, delegated administrators.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from orgmon.regions import DEFAULT_REGIONS, OPT_IN_REGIONS
from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.seed import Seed


@dataclass
class Delegation:
    """A member that administers a service for the organization, and since when."""

    account: str
    service: str
    since: datetime


class OrgSettings:
    """The settings, to be read and changed in place. ``service_access``: since when a service is trusted.

    ``tags`` are by the id of an account, unit, root or policy; whether there is such a one is not asked here.
    """

    def __init__(self, seed: Seed, now: Callable[[], datetime]) -> None:
        self._lock = threading.Lock()
        self.service_access: dict[str, datetime] = {name: now() for name in seed.trusted_access}
        self.delegations = [
            Delegation(account, name, now()) for account, name in seed.delegated_administrators
        ]
        self.tags: dict[str, dict[str, str]] = {account.id: dict(account.tags) for account in seed.accounts}
        self._regions = {account.id: set(account.opted_in_regions) for account in seed.accounts}

    def is_delegated(self, account: str, service: str | None = None) -> bool:
        """True if the account is a delegated administrator, of this service or of any."""
        return any(
            delegation.account == account and service in (None, delegation.service)
            for delegation in self.delegations
        )

    def enabled_regions(self, account: str) -> frozenset[str]:
        """The Regions that an account can use: the default ones and those it has opted in to."""
        return frozenset(DEFAULT_REGIONS) | frozenset(self._regions.get(account, set()))

    def set_region(self, account: str, region: str, enabled: bool) -> None:
        """Opt an account in to a Region, or out of it. Raises Refusal for one that cannot be chosen."""
        if region not in OPT_IN_REGIONS:
            raise Refusal("ValidationException", f"The Region {region} cannot be enabled or disabled.")
        with self._lock:
            chosen = self._regions.setdefault(account, set())
            (chosen.add if enabled else chosen.discard)(region)
