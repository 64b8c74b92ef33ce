"""The sandbox's own store of AWS Organizations, and the view that the other rooms have of it.

moto's organizations store is not used: its account ids are random and it has no ``State``, no delegated
administrators for CloudTrail or StackSets, and no pages of the right size.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from orgmon.organization import Account, AccountState, Organization, OrganizationalUnit
from orgmon.regions import DEFAULT_REGIONS, OPT_IN_REGIONS
from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.seed import Seed

Change = Literal["CREATED", "MOVED", "REMOVED", "SUSPENDED"]
Listener = Callable[[Change, str, str, str], None]


@dataclass(frozen=True)
class Member:
    """An account, with what Organizations tells of it. ``parent_id`` is empty once it has left."""

    id: str
    name: str
    email: str
    state: AccountState
    parent_id: str
    joined: datetime
    joined_method: Literal["INVITED", "CREATED"] = "CREATED"


@dataclass
class Delegation:
    """A member that administers a service for the organization, and since when."""

    account: str
    service: str
    since: datetime


class OrgView:
    """The live organization. Reading returns values; whoever changes something tells the listeners.

    Methods that change something raise Refusal as the Organizations API does.
    """

    def __init__(self, seed: Seed, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self.seed = seed
        self.org_id = seed.org_id
        self.management_account = seed.management_account
        self.home_region = seed.home_region
        self.service_access: dict[str, datetime] = {name: now() for name in seed.trusted_access}
        self.delegations = [
            Delegation(account, name, now()) for account, name in seed.delegated_administrators
        ]
        self.policy_ids: set[str] = set()
        self._tags: dict[str, dict[str, str]] = {}
        self._units: dict[str, OrganizationalUnit] = {}
        self._members: dict[str, Member] = {}
        self._regions: dict[str, set[str]] = {}
        self._plant(seed)

    @property
    def accounts(self) -> dict[str, Member]:
        """The accounts of the organization by id, in the order in which they joined."""
        with self._lock:
            return {key: member for key, member in self._members.items() if member.parent_id}

    @property
    def all_accounts(self) -> dict[str, Member]:
        """Every account of the embedded AWS, also those that have left the organization."""
        with self._lock:
            return dict(self._members)

    @property
    def units(self) -> dict[str, OrganizationalUnit]:
        """The root and the units by id, parents before children."""
        with self._lock:
            return dict(self._units)

    @property
    def root_id(self) -> str:
        """The id of the root, ``r-...``."""
        return next(iter(self._units))

    def snapshot(self) -> Organization:
        """The organization as it is now, as a value."""
        accounts = tuple(
            Account(
                member.id,
                member.name,
                member.email,
                member.state,
                member.parent_id,
                tuple(sorted(self._tags.get(member.id, {}).items())),
            )
            for member in self.accounts.values()
        )
        return Organization(self.org_id, self.management_account, tuple(self.units.values()), accounts)

    def path_of(self, account: str) -> str:
        """The unit path of an account, an empty string if it is no member."""
        member = self._joined(account)
        return self._units[member.parent_id].path if member else ""

    def id_path_of(self, account: str) -> str:
        """The path of ids as ``aws:PrincipalOrgPaths`` has it: ``o-.../r-.../ou-.../``; empty for no member."""
        member = self._joined(account)
        parts: list[str] = []
        unit_id = member.parent_id if member else None
        while unit_id:
            parts.insert(0, unit_id)
            unit_id = self._units[unit_id].parent_id
        return "/".join([self.org_id, *parts, ""]) if parts else ""

    def line_of(self, account: str) -> tuple[str, ...]:
        """The ids from the root down to an account, with itself at the end; nothing for no member."""
        member = self._joined(account)
        line: list[str] = [account] if member else []
        unit_id = member.parent_id if member else None
        while unit_id:
            line.insert(0, unit_id)
            unit_id = self._units[unit_id].parent_id
        return tuple(line)

    def members_under(self, unit_id: str) -> frozenset[str]:
        """The accounts below a root or unit at any depth, the management account too if it is there."""
        return self.snapshot().under(unit_id)

    def organization_of(self, account: str) -> str | None:
        """The organization id of an account, None if it belongs to none."""
        return self.org_id if self._joined(account) else None

    def exists(self, account: str) -> bool:
        """True if the embedded AWS has this account at all."""
        return account in self._members

    def is_suspended(self, account: str) -> bool:
        """True for an account that is closed, or being closed."""
        member = self._members.get(account)
        return member is not None and member.state is not AccountState.ACTIVE

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

    def tags_of(self, resource_id: str) -> dict[str, str]:
        """The tags of an account, unit, root or policy, to be changed in place.

        Raises Refusal if there is none of that id.
        """
        is_known = resource_id in self._units or resource_id in self.policy_ids
        if not is_known and self._joined(resource_id) is None:
            raise Refusal("TargetNotFoundException", "You specified a target that doesn't exist.")
        return self._tags.setdefault(resource_id, {})

    def on_account_changed(self, listener: Listener) -> None:
        """Call ``listener(kind, account, old_parent, new_parent)`` whenever an account's place or state changes."""
        self._listeners.append(listener)

    def add_account(self, name: str, email: str) -> Member:
        """A new account under the root; its id is the next free one."""
        with self._lock:
            if any(other.email.lower() == email.lower() for other in self._members.values()):
                raise Refusal(
                    "DuplicateAccountException", "You have provided an email that is already in use."
                )
            number = max(int(account) for account in self._members) + 1
            member = Member(f"{number:012}", name, email, AccountState.ACTIVE, self.root_id, self._now())
            self._members[member.id] = member
        self._tell("CREATED", member.id, "", self.root_id)
        return member

    def move(self, account: str, source: str, target: str) -> None:
        """Move an account from one root or unit to another."""
        with self._lock:
            member = self.member(account)
            if target not in self._units:
                raise Refusal(
                    "DestinationParentNotFoundException", "You specified a parent that doesn't exist."
                )
            if member.parent_id != source:
                raise Refusal("SourceParentNotFoundException", "The account is not in the source parent.")
            if source == target:
                raise Refusal("DuplicateAccountException", "The account is already in that parent.")
            self._members[account] = replace(member, parent_id=target)
        self._tell("MOVED", account, source, target)

    def remove(self, account: str) -> None:
        """Take an account out of the organization; it goes on as a standalone account."""
        with self._lock:
            member = self.member(account)
            if account == self.management_account:
                raise Refusal(
                    "MasterCannotLeaveOrganizationException", "The management account cannot be removed."
                )
            if self.is_delegated(account):
                raise Refusal(
                    "ConstraintViolationException",
                    "The account is a delegated administrator; deregister it first.",
                )
            self._members[account] = replace(member, parent_id="")
        self._tell("REMOVED", account, member.parent_id, "")

    def close(self, account: str) -> None:
        """Close an account: it stays a member, with the state SUSPENDED."""
        with self._lock:
            member = self.member(account)
            if account == self.management_account:
                raise Refusal("ConstraintViolationException", "You can't close the management account.")
            if member.state is AccountState.SUSPENDED:
                raise Refusal("AccountAlreadyClosedException", "The account is already closed.")
            self._members[account] = replace(member, state=AccountState.SUSPENDED)
        self._tell("SUSPENDED", account, member.parent_id, member.parent_id)

    def add_unit(self, parent_id: str, name: str) -> OrganizationalUnit:
        """A new unit below a root or unit."""
        with self._lock:
            parent = self._units.get(parent_id)
            if parent is None:
                raise Refusal("ParentNotFoundException", "You specified parent that doesn't exist.")
            if any(unit.parent_id == parent_id and unit.name == name for unit in self._units.values()):
                raise Refusal(
                    "DuplicateOrganizationalUnitException", "An OU with the same name already exists."
                )
            return self._plant_unit(name, parent)

    def rename_unit(self, unit_id: str, name: str) -> OrganizationalUnit:
        """Give a unit another name; the paths below it follow."""
        with self._lock:
            unit = self.unit(unit_id)
            siblings = (other for other in self._units.values() if other.parent_id == unit.parent_id)
            if any(other.name == name and other.id != unit_id for other in siblings):
                raise Refusal(
                    "DuplicateOrganizationalUnitException", "An OU with the same name already exists."
                )
            self._units[unit_id] = replace(unit, name=name)
            self._lay_paths()
            return self._units[unit_id]

    def delete_unit(self, unit_id: str) -> None:
        """Delete a unit that holds nothing."""
        with self._lock:
            self.unit(unit_id)
            children = [unit for unit in self._units.values() if unit.parent_id == unit_id]
            if children or any(member.parent_id == unit_id for member in self._members.values()):
                raise Refusal("OrganizationalUnitNotEmptyException", "The OU is not empty.")
            del self._units[unit_id]

    def member(self, account: str) -> Member:
        """An account of the organization. Raises Refusal if it is none."""
        member = self._joined(account)
        if member is None:
            raise Refusal("AccountNotFoundException", "You specified an account that doesn't exist.")
        return member

    def unit(self, unit_id: str) -> OrganizationalUnit:
        """A unit, not the root. Raises Refusal if there is none with that id."""
        unit = self._units.get(unit_id)
        if unit is None or unit.parent_id is None:
            raise Refusal(
                "OrganizationalUnitNotFoundException",
                "You specified an organizational unit that doesn't exist.",
            )
        return unit

    def _joined(self, account: str) -> Member | None:
        """The account if it is in the organization. Asked at every call: it must not look at the others."""
        member = self._members.get(account)
        return member if member is not None and member.parent_id else None

    def _tell(self, kind: Change, account: str, old_parent: str, new_parent: str) -> None:
        for listener in tuple(self._listeners):
            listener(kind, account, old_parent, new_parent)

    def _plant(self, seed: Seed) -> None:
        by_path: dict[str, OrganizationalUnit] = {}
        for path in seed.unit_paths():
            above, _, name = path.rpartition("/")
            by_path[path] = self._plant_unit(name, by_path.get(above))
        for account in seed.accounts:
            method: Literal["INVITED", "CREATED"] = (
                "INVITED" if account.id == seed.management_account else "CREATED"
            )
            parent_id = by_path[account.unit_path].id
            self._members[account.id] = Member(
                account.id, account.name, account.email, account.state, parent_id, self._now(), method
            )
            self._tags[account.id] = dict(account.tags)
            self._regions[account.id] = set(account.opted_in_regions)

    def _plant_unit(self, name: str, parent: OrganizationalUnit | None) -> OrganizationalUnit:
        """A name may have a slash in it: then the path does not tell where the unit is, but its parent does."""
        path = f"{parent.path}/{name}" if parent else name
        root = f"r-{_digest(self.org_id, 4)}"
        unit_id = f"ou-{root[2:]}-{_digest(f'{self.org_id}{path}{len(self._units)}', 8)}" if parent else root
        unit = OrganizationalUnit(unit_id, name, path, parent.id if parent else None)
        self._units[unit_id] = unit
        return unit

    def _lay_paths(self) -> None:
        """Paths follow the names above them; parents are before children."""
        for unit_id, unit in self._units.items():
            if unit.parent_id:
                path = f"{self._units[unit.parent_id].path}/{unit.name}"
                self._units[unit_id] = replace(unit, path=path)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
