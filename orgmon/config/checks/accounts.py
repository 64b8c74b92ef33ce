"""Accounts, units and what refers to them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from orgmon.config.checks.subject import Subject, nearest, repeated
from orgmon.errors import Problem

# Which units there are is known in AWS alone (API reference: OrganizationalUnit, Root).
UNIT_ID = re.compile(r"^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$")


def check(subject: Subject, today: datetime.date) -> Iterator[Problem]:
    """Duplicate accounts and units, unknown units and accounts, no owner, expired waivers, roles that collide."""
    yield from _duplicates(subject)
    yield from _units(subject)
    yield from _owners(subject)
    yield from _references(subject)
    yield from _waivers(subject, today)
    yield from _roles(subject)


def _duplicates(subject: Subject) -> Iterator[Problem]:
    entries = subject.config.accounts
    for number in repeated([entry.id for entry in entries]):
        yield subject.problem(
            ("accounts", number, "id"),
            f"account {entries[number].id} is listed twice",
            "keep one of the entries",
        )
    for number in repeated([unit.path for unit in subject.config.units]):
        yield subject.problem(
            ("units", number, "path"), f"unit {subject.config.units[number].path} is there twice", "keep one"
        )


def _known_units(subject: Subject) -> list[str]:
    """The paths that may be named; a unit above a named one exists as well."""
    paths = {"Root"}
    for unit in subject.config.units:
        parts = unit.path.split("/")
        paths.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return sorted(paths)


def _units(subject: Subject) -> Iterator[Problem]:
    if not subject.config.units:
        return
    known = _known_units(subject)
    for number, entry in enumerate(subject.config.accounts):
        if entry.unit.removeprefix("Root/") not in known:
            hint = nearest(entry.unit, known, "add it under units, or correct it")
            yield subject.problem(("accounts", number, "unit"), f"unit {entry.unit} is not known", hint)
    for where, selector in subject.config.selectors.items():
        for number, path in enumerate(selector.units):
            if path.removeprefix("Root/") not in known and not UNIT_ID.match(path):
                hint = nearest(path, known, "add it under units, or correct it")
                yield subject.problem((*where, "units", number), f"unit {path} is not known", hint)


def _owners(subject: Subject) -> Iterator[Problem]:
    """Somebody has to be called: the owner of the account, or of a unit that it is in."""
    owned = {unit.path.removeprefix("Root/") for unit in subject.config.units if unit.owner}
    for number, entry in enumerate(subject.config.accounts):
        parts = entry.unit.removeprefix("Root/").split("/")
        above = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        if not entry.owner and not above & owned:
            yield subject.problem(
                ("accounts", number),
                f"account {entry.id} {entry.name} has no owner, and no unit above it has one",
                "write owner: of the account, or of its unit under units",
            )


def _references(subject: Subject) -> Iterator[Problem]:
    """Accounts that a selector names and nobody has listed are most likely misspelt."""
    known = [entry.id for entry in subject.config.accounts]
    for where, selector in subject.config.selectors.items():
        for number, account in enumerate(selector.accounts):
            if account not in known:
                hint = nearest(account, known, "list it under accounts, or correct it")
                yield subject.problem((*where, "accounts", number), f"account {account} is not listed", hint)
    who = subject.config.organization
    for key in ("management_account", "security_account", "log_archive_account"):
        account = getattr(who, key)
        if account and account not in known:
            yield subject.problem(
                ("organization", key),
                f"account {account} is not listed",
                nearest(account, known, "list it under accounts, with the owner whom the SOC calls"),
            )


def _waivers(subject: Subject, today: datetime.date) -> Iterator[Problem]:
    for number, entry in enumerate(subject.config.accounts):
        if entry.waiver and entry.waiver.expires < today:
            yield subject.problem(
                ("accounts", number, "waiver", "expires"),
                f"the waiver of {entry.name} has expired on {entry.waiver.expires}",
                "cover the account and remove the waiver, or agree on a new date",
            )


def _roles(subject: Subject) -> Iterator[Problem]:
    who = subject.config.organization
    if who.security_account == who.management_account:
        yield subject.problem(
            ("organization", "security_account"),
            "the hub cannot be in the management account: service-managed stack sets never reach it",
            "name a member account",
        )
    if who.log_archive_account == who.management_account:
        yield subject.problem(
            ("organization", "log_archive_account"),
            "this is the management account",
            "leave the key out: without a log archive account the logs stay there",
            at_key=True,
        )
