"""What accounts.yaml or a command names and AWS does not have: it vanished, moved, or was misspelt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from orgmon.config.model import AccountEntry, Config
from orgmon.config.section import Selector
from orgmon.config.stray import Stray
from orgmon.desired.placing import selected, tags_of
from orgmon.errors import UsageError
from orgmon.organization import Organization


def strays(config: Config, organization: Organization) -> tuple[Stray, ...]:
    """All of them, those that select accounts first. Raises OrgmonError for a unit that could be one of several."""
    return (
        *_selecting(config, organization),
        *_empty_waves(config, organization),
        *_units(config, organization),
        *_accounts(config, organization),
    )


def _selecting(config: Config, organization: Organization) -> Iterator[Stray]:
    for place, selector in config.selectors.items():
        where = ".".join(map(str, place))
        for path in selector.units:
            if not organization.units_at(path):
                remedy = _instead_of(path, config, organization)
                yield Stray(f"{where}.units", f"unit {path} is not in AWS", remedy, selects=True)
        for account in selector.accounts:
            if account not in organization.by_id:
                what = f"account {account} is not in the organization"
                yield Stray(
                    f"{where}.accounts", what, _nearest(account, list(organization.by_id)), selects=True
                )
        yield from _tags(where, selector, config, organization)


def _tags(where: str, selector: Selector, config: Config, organization: Organization) -> Iterator[Stray]:
    there = {tag for account in organization.accounts for tag in tags_of(account, config)}
    for key, value in selector.tags.items():
        if (key, value) not in there:
            known = sorted(f"{name}: {text}" for name, text in there)
            what = f"no account has the tag {key}: {value}"
            yield Stray(f"{where}.tags", what, _nearest(f"{key}: {value}", known), selects=True)


def _empty_waves(config: Config, organization: Organization) -> Iterator[Stray]:
    for number, wave in enumerate(config.rollout.waves):
        if not wave.rest and not selected(wave, organization, config):
            what = f"wave {wave.name} has no account: every change would go to the next wave at once"
            yield Stray(
                f"rollout.waves.{number}", what, "correct what it selects, or remove it", selects=True
            )


def _units(config: Config, organization: Organization) -> Iterator[Stray]:
    for entry in config.units:
        if not organization.units_at(entry.path):
            remedy = _instead_of(entry.path, config, organization)
            yield Stray("units", f"unit {entry.path} is not in AWS", remedy)


def _accounts(config: Config, organization: Organization) -> Iterator[Stray]:
    for entry in config.accounts:
        account = organization.by_id.get(entry.id)
        if account is None:
            what = f"account {entry.id} {entry.name} is not in the organization"
            yield Stray("accounts", what, "remove its entry, or correct its id")
        elif account.unit_id not in {unit.id for unit in organization.units_at(entry.unit)}:
            now = organization.path_of(entry.id).removeprefix("Root/")
            what = f"account {entry.id} {entry.name} is in unit {now}, not in {entry.unit}"
            yield Stray("accounts", what, f"write unit: {now}")


def _instead_of(path: str, config: Config, organization: Organization) -> str:
    """What a unit may be called now: that of the accounts which are listed in it, or one of a similar name."""
    listed = [entry for entry in config.accounts if entry.unit == path]
    if now := _where_now(listed, organization):
        return f"{now}: renamed?"
    known = [unit.path.removeprefix("Root/") for unit in organization.units]
    return _nearest(path, known)


def _where_now(listed: list[AccountEntry], organization: Organization) -> str:
    units = Counter(
        organization.by_id[entry.id].unit_id for entry in listed if entry.id in organization.by_id
    )
    if not units:
        return ""
    [(unit_id, count)] = units.most_common(1)
    of_all = f"its {count} accounts" if count > 1 else "its account"
    held = of_all if count == len(listed) else f"{count} of its {len(listed)} accounts"
    path = organization.unit_by_id[unit_id].path.removeprefix("Root/")
    return f"{path} ({unit_id}) holds {held}"


def check_regions(regions: frozenset[str], config: Config) -> None:
    """Raises UsageError for a Region to select in which nothing is wanted."""
    known = config.regions.detection_regions
    for region in sorted(regions - set(known)):
        otherwise = f"there are {', '.join(known)}"
        raise UsageError(
            f"nothing of orgmon's belongs in Region {region}", _nearest(region, known, otherwise)
        )


def check_accounts(accounts: frozenset[str], config: Config, organization: Organization) -> None:
    """Raises UsageError for an account to select that is neither in AWS nor in accounts.yaml."""
    known = {*organization.by_id, *(entry.id for entry in config.accounts)}
    for account in sorted(accounts - known):
        hint = _nearest(account, sorted(known), "orgmon status lists all accounts")
        raise UsageError(f"the organization has no account {account}", hint)


def _nearest(name: str, known: Sequence[str], otherwise: str = "correct it, or remove it") -> str:
    # Numbers of twelve digits are all a little alike: only one or two that were mistyped are a hint.
    near = get_close_matches(name, known, n=1, cutoff=0.85 if name.isdigit() else 0.6)
    return f"did you mean '{near[0]}'?" if near else otherwise
