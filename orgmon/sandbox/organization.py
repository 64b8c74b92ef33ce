"""The sandbox's own store of AWS Organizations, and the view that the other rooms have of it.

moto's organizations store is not used: its account ids are random and it has no ``State``, no delegated
administrators for CloudTrail or StackSets, and no pages of the right size.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from orgmon.organization import Account, AccountState, Organization, OrganizationalUnit
from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.org_settings import OrgSettings
from orgmon.sandbox.org_units import Units
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


class OrgView:
    """The live organization: its accounts, each at its place in the ``tree``, with ``settings`` of its own.

    Reading returns values; whoever changes something tells the listeners.
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
        self.settings = OrgSettings(seed, now)
        self.tree = Units(seed.org_id, seed.unit_paths())
        self.policy_ids: set[str] = set()
        self._members: dict[str, Member] = {}
        self._seat(seed)

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
        return self.tree.all()

    @property
    def root_id(self) -> str:
        """The id of the root, ``r-...``."""
        return self.tree.root_id

    def snapshot(self) -> Organization:
        """The organization as it is now, as a value."""
        accounts = tuple(
            Account(
                member.id,
                member.name,
                member.email,
                member.state,
                member.parent_id,
                tuple(sorted(self.settings.tags.get(member.id, {}).items())),
            )
            for member in self.accounts.values()
        )
        return Organization(self.org_id, self.management_account, tuple(self.units.values()), accounts)

    def path_of(self, account: str) -> str:
        """The unit path of an account, an empty string if it is no member."""
        member = self._joined(account)
        return self.tree.path_of(member.parent_id) if member else ""

    def id_path_of(self, account: str) -> str:
        """The path of ids as ``aws:PrincipalOrgPaths`` has it: ``o-.../r-.../ou-.../``; empty for no member."""
        line = self.line_of(account)
        return "/".join([self.org_id, *line[:-1], ""]) if line else ""

    def line_of(self, account: str) -> tuple[str, ...]:
        """The ids from the root down to an account, with itself at the end; nothing for no member."""
        member = self._joined(account)
        return (*self.tree.line_of(member.parent_id), account) if member else ()

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

    def tags_of(self, resource_id: str) -> dict[str, str]:
        """The tags of an account, unit, root or policy, to be changed in place.

        Raises Refusal if there is none of that id.
        """
        is_known = resource_id in self.units or resource_id in self.policy_ids
        if not is_known and self._joined(resource_id) is None:
            raise Refusal("TargetNotFoundException", "You specified a target that doesn't exist.")
        return self.settings.tags.setdefault(resource_id, {})

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
            if target not in self.units:
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
            if self.settings.is_delegated(account):
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

    def delete_unit(self, unit_id: str) -> None:
        """Delete a unit that holds nothing."""
        with self._lock:
            held = any(member.parent_id == unit_id for member in self._members.values())
            self.tree.remove(unit_id, holds_accounts=held)

    def member(self, account: str) -> Member:
        """An account of the organization. Raises Refusal if it is none."""
        member = self._joined(account)
        if member is None:
            raise Refusal("AccountNotFoundException", "You specified an account that doesn't exist.")
        return member

    def _joined(self, account: str) -> Member | None:
        """The account if it is in the organization. Asked at every call: it must not look at the others."""
        member = self._members.get(account)
        return member if member is not None and member.parent_id else None

    def _tell(self, kind: Change, account: str, old_parent: str, new_parent: str) -> None:
        for listener in tuple(self._listeners):
            listener(kind, account, old_parent, new_parent)

    def _seat(self, seed: Seed) -> None:
        places = {unit.path: unit.id for unit in self.units.values()}
        for account in seed.accounts:
            method: Literal["INVITED", "CREATED"] = (
                "INVITED" if account.id == seed.management_account else "CREATED"
            )
            parent_id = places[account.unit_path]
            self._members[account.id] = Member(
                account.id, account.name, account.email, account.state, parent_id, self._now(), method
            )
