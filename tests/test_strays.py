"""What accounts.yaml or a command names and AWS does not have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orgmon.config.model import Config
from orgmon.config.section import Selector
from orgmon.config.stray import Stray
from orgmon.desired.strays import check_accounts, check_regions, strays
from orgmon.errors import UsageError
from orgmon.organization import Organization
from tests import sample

AWS = sample.organization()
SHARED, WEB_SHOP = "226048917350", "138860294471"


def found(config: Config, organization: Organization = AWS) -> list[tuple[str, str, str]]:
    """Where, what and remedy of all."""
    return [(each.where, each.what, each.remedy) for each in strays(config, organization)]


def changed(**sections: Any) -> Config:
    """The shipped config with other sections."""
    return sample.config().model_copy(update=sections)


def scope(**selection: Any) -> Config:
    """The shipped config with another scope."""
    return changed(scope=sample.config().scope.model_copy(update=selection))


def renamed(path: str, name: str) -> Organization:
    """AWS with another name for a unit, and for its path and those below."""
    new = "/".join((*path.split("/")[:-1], name))
    units = tuple(
        replace(
            unit,
            name=name if unit.path == path else unit.name,
            path=new + unit.path.removeprefix(path) if unit.path.startswith(path) else unit.path,
        )
        for unit in AWS.units
    )
    return replace(AWS, units=units)


def test_the_shipped_config_names_nothing_that_is_not_there() -> None:
    assert found(sample.config()) == []


def test_a_unit_that_was_renamed_is_known_by_its_accounts() -> None:
    told = strays(scope(units=("Sandboxes",)), renamed("Root/Sandboxes", "Playground"))
    assert all("Playground (ou-" in each.remedy for each in told if each.what.startswith("unit"))
    [selecting] = [each for each in told if each.selects]
    assert selecting.where == "scope.units"
    assert selecting.what == "unit Sandboxes is not in AWS"
    assert selecting.remedy.endswith(": renamed?")
    assert {each.where for each in told} == {"scope.units", "units", "accounts"}


def test_a_misspelt_unit_is_told_with_the_nearest() -> None:
    config = scope(exclude=Selector(units=("Workload/Prod",)))
    assert found(config) == [
        ("scope.exclude.units", "unit Workload/Prod is not in AWS", "did you mean 'Workloads/Prod'?")
    ]


def test_an_account_that_left_is_told_wherever_it_is_named() -> None:
    gone = replace(AWS, accounts=tuple(each for each in AWS.accounts if each.id != SHARED))
    told = found(sample.config(), gone)
    assert {where for where, _, _ in told} == {"rollout.waves.0.accounts", "accounts"}
    assert all(SHARED in what and "not in the organization" in what for _, what, _ in told)


def test_an_account_that_moved_is_told_with_the_unit_that_it_is_in() -> None:
    [there] = AWS.units_at("Workloads/NonProd")
    moved = tuple(replace(each, unit_id=there.id) if each.id == WEB_SHOP else each for each in AWS.accounts)
    [(where, what, remedy)] = found(sample.config(), replace(AWS, accounts=moved))
    assert where == "accounts"
    assert f"account {WEB_SHOP}" in what
    assert "is in unit Workloads/NonProd, not in Workloads/Prod" in what
    assert remedy == "write unit: Workloads/NonProd"


def test_a_tag_that_nobody_has_and_a_wave_that_is_empty_are_told() -> None:
    waves = sample.config().rollout.waves
    canary = waves[0].model_copy(update={"accounts": (), "tags": {"canary": "yes"}})
    rollout = sample.config().rollout.model_copy(update={"waves": (canary, *waves[1:])})
    told = strays(changed(rollout=rollout), AWS)
    assert [each.where for each in told] == ["rollout.waves.0.tags", "rollout.waves.0"]
    assert "no account has the tag canary: yes" in told[0].what
    assert "every change would go to the next wave at once" in told[1].what
    assert all(each.selects for each in told)


def test_what_is_only_listed_selects_nobody() -> None:
    assert Stray("accounts", "", "").selects is False
    gone = replace(AWS, accounts=tuple(each for each in AWS.accounts if each.id != WEB_SHOP))
    assert [each.selects for each in strays(sample.config(), gone)] == [False]


def test_regions_and_accounts_to_select_have_to_be_there() -> None:
    check_regions(frozenset({"us-east-1"}), sample.config())
    check_accounts(frozenset({WEB_SHOP}), sample.config(), AWS)
    with pytest.raises(UsageError) as region:
        check_regions(frozenset({"us-eas-1"}), sample.config())
    assert "nothing of orgmon's belongs in Region us-eas-1" in str(region.value)
    assert region.value.remedy == "did you mean 'us-east-1'?"
    with pytest.raises(UsageError) as account:
        check_accounts(frozenset({"138860294417"}), sample.config(), AWS)
    assert account.value.remedy == f"did you mean '{WEB_SHOP}'?"
    with pytest.raises(UsageError) as stranger:
        check_accounts(frozenset({"999999999999"}), sample.config(), AWS)
    assert stranger.value.remedy == "orgmon status lists all accounts"
