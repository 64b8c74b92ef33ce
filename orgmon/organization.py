"""The AWS organization: its units and accounts, as AWS Organizations tells them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class AccountState(StrEnum):
    """Where an account is in its life (Organizations ``Account.State``, formerly ``Status``)."""

    PENDING_ACTIVATION = "PENDING_ACTIVATION"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    PENDING_CLOSURE = "PENDING_CLOSURE"
    CLOSED = "CLOSED"


@dataclass(frozen=True)
class OrganizationalUnit:
    """A root or organizational unit. ``path``, for people, is ``Root`` or e.g. ``Root/Workloads/Prod``."""

    id: str
    name: str
    path: str
    parent_id: str | None = None


@dataclass(frozen=True)
class Account:
    """An account of the organization. ``unit_id`` is its parent: the root or an organizational unit."""

    id: str
    name: str
    email: str
    state: AccountState
    unit_id: str
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def is_active(self) -> bool:
        """True where stacks can be deployed into the account."""
        return self.state is AccountState.ACTIVE


@dataclass(frozen=True)
class Organization:
    """The whole organization at one moment. ``units`` holds the root first, parents before children."""

    id: str
    management_account_id: str
    units: tuple[OrganizationalUnit, ...]
    accounts: tuple[Account, ...] = field(default=())

    @property
    def root(self) -> OrganizationalUnit:
        """The root of the organization."""
        return self.units[0]

    @cached_property
    def by_id(self) -> dict[str, Account]:
        """The accounts by their id."""
        return {account.id: account for account in self.accounts}

    @cached_property
    def unit_by_id(self) -> dict[str, OrganizationalUnit]:
        """The organizational units, the root among them, by their id."""
        return {unit.id: unit for unit in self.units}

    def path_of(self, account_id: str) -> str:
        """The path of the unit that holds the account, or an empty string if it is no member."""
        account = self.by_id.get(account_id)
        return self.unit_by_id[account.unit_id].path if account else ""

    def units_at(self, path: str) -> tuple[OrganizationalUnit, ...]:
        """The units that a path or an id may mean, ``Root/`` in front may be left out: none, one, or several.

        A name may hold a slash, so that two units can have one path.
        """
        exact = tuple(unit for unit in self.units if path in (unit.path, unit.id))
        return exact or tuple(unit for unit in self.units if unit.path == f"Root/{path}")

    def above(self, account_id: str) -> tuple[OrganizationalUnit, ...]:
        """The units that hold an account, the nearest first and the root last; none if it is no member."""
        account = self.by_id.get(account_id)
        return tuple(self._upwards(account.unit_id)) if account else ()

    def described(self, unit: OrganizationalUnit) -> str:
        """A unit by its id and the names from the root down to it."""
        names = [each.name for each in self._upwards(unit.id)]
        return f"{unit.id} ({' > '.join(reversed(names))})"

    def under(self, unit_id: str) -> frozenset[str]:
        """The ids of all accounts below a root or unit, at any depth."""
        inside = {
            unit.id for unit in self.units if any(each.id == unit_id for each in self._upwards(unit.id))
        }
        return frozenset(account.id for account in self.accounts if account.unit_id in inside)

    def _upwards(self, unit_id: str | None) -> Iterator[OrganizationalUnit]:
        while unit_id is not None:
            unit = self.unit_by_id[unit_id]
            yield unit
            unit_id = unit.parent_id
