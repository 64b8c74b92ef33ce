"""Units and accounts: what is below what, and which unit a text means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orgmon.config.section import Selector
from orgmon.desired.placing import selected
from orgmon.errors import OrgmonError
from orgmon.organization import Account, AccountState, Organization, OrganizationalUnit
from tests import sample

ROOT = OrganizationalUnit("r-abcd", "Root", "Root")
DEV = OrganizationalUnit("ou-abcd-00000001", "Dev", "Root/Dev", ROOT.id)
INNER = OrganizationalUnit("ou-abcd-00000002", "Test", "Root/Dev/Test", DEV.id)
SLASHED = OrganizationalUnit("ou-abcd-00000003", "Dev/Test", "Root/Dev/Test", ROOT.id)
NAMED_ROOT = OrganizationalUnit("ou-abcd-00000004", "Root", "Root/Root", ROOT.id)
BLANK = OrganizationalUnit("ou-abcd-00000005", "Dev ", "Root/Dev ", ROOT.id)
UMLAUT = OrganizationalUnit("ou-abcd-00000006", "Prüfung", "Root/Prüfung", NAMED_ROOT.id)
UNITS = (ROOT, DEV, INNER, SLASHED, NAMED_ROOT, BLANK, UMLAUT)


def account_of(unit: OrganizationalUnit) -> str:
    """The id of the one account of a unit."""
    return f"2{unit.id[-1:] if unit is not ROOT else 0:0>11}"


ACCOUNTS = tuple(
    Account(account_of(unit), unit.name, "a@example.com", AccountState.ACTIVE, unit.id) for unit in UNITS
)
ORGANIZATION = Organization("o-q1w2e3r4t5", "310247698127", UNITS, ACCOUNTS)


@pytest.mark.parametrize(
    ("unit", "below"),
    [
        (ROOT, UNITS),
        (DEV, (DEV, INNER)),
        (INNER, (INNER,)),
        (SLASHED, (SLASHED,)),
        (NAMED_ROOT, (NAMED_ROOT, UMLAUT)),
        (BLANK, (BLANK,)),
    ],
)
def test_what_is_below_a_unit_is_what_its_parents_say(
    unit: OrganizationalUnit, below: tuple[OrganizationalUnit, ...]
) -> None:
    assert ORGANIZATION.under(unit.id) == {account_of(each) for each in below}


def test_an_account_s_units_are_told_from_the_nearest_up() -> None:
    assert ORGANIZATION.above(account_of(INNER)) == (INNER, DEV, ROOT)
    assert ORGANIZATION.above(account_of(SLASHED)) == (SLASHED, ROOT)
    assert ORGANIZATION.above("999999999999") == ()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Root", (ROOT,)),
        ("Dev", (DEV,)),
        ("Root/Dev", (DEV,)),
        ("Root/Root", (NAMED_ROOT,)),
        ("Dev/Test", (INNER, SLASHED)),
        (SLASHED.id, (SLASHED,)),
        ("Dev ", (BLANK,)),
        ("Prod", ()),
    ],
)
def test_a_text_may_mean_no_unit_one_or_several(text: str, meant: tuple[OrganizationalUnit, ...]) -> None:
    assert ORGANIZATION.units_at(text) == meant


def test_leaving_a_unit_out_leaves_no_other_out() -> None:
    config = sample.config()
    out = selected(Selector(units=("Dev",)), ORGANIZATION, config)
    assert out == {account_of(DEV), account_of(INNER)}
    assert selected(Selector(units=(SLASHED.id,)), ORGANIZATION, config) == {account_of(SLASHED)}


def test_what_could_be_one_of_several_is_refused_with_all_of_them() -> None:
    with pytest.raises(OrgmonError) as refused:
        selected(Selector(units=("Dev/Test",)), ORGANIZATION, sample.config())
    assert f"{INNER.id} (Root > Dev > Test), {SLASHED.id} (Root > Dev/Test)" in str(refused.value)
    assert "id" in refused.value.remedy


def test_a_unit_that_has_moved_takes_its_accounts_along() -> None:
    moved = replace(ORGANIZATION, units=(ROOT, DEV, replace(INNER, parent_id=ROOT.id), *UNITS[3:]))
    assert moved.under(DEV.id) == {account_of(DEV)}
