"""The shipped accounts.yaml as the values that tests start from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from orgmon.config.load import load
from orgmon.config.model import Config
from orgmon.desired.inputs import inputs
from orgmon.desired.rules import detections_of
from orgmon.detections.model import Detection
from orgmon.organization import Account, AccountState, Organization, OrganizationalUnit
from orgmon.stacks.definition import Inputs

ROOT = Path(__file__).parent.parent
PATH = ROOT / "accounts.yaml"


@cache
def config() -> Config:
    """The shipped config."""
    return load(PATH)


@cache
def detections() -> tuple[Detection, ...]:
    """The detections that the shipped config switches on."""
    return detections_of(config(), PATH)


@cache
def stack_inputs() -> Inputs:
    """What the templates of the shipped config are made from."""
    return inputs(config(), detections(), "functions/code.zip")


def organization(given: Config | None = None) -> Organization:
    """The organization that the shipped config describes, as AWS would tell it."""
    given = given or config()
    paths = sorted({"Root", *(f"Root/{unit.path}" for unit in given.units)}, key=lambda path: path.count("/"))
    by_path = {path: f"ou-abcd-{number:08}" if number else "r-abcd" for number, path in enumerate(paths)}
    units = tuple(_unit(path, by_path) for path in paths)
    accounts = tuple(
        Account(
            entry.id,
            entry.name,
            f"{entry.id}@example.com",
            AccountState.ACTIVE,
            by_path["Root" if entry.unit == "Root" else f"Root/{entry.unit}"],
        )
        for entry in given.accounts
    )
    return Organization(given.organization.id, given.organization.management_account, units, accounts)


def _unit(path: str, ids: Mapping[str, str]) -> OrganizationalUnit:
    above, _, name = path.rpartition("/")
    return OrganizationalUnit(ids[path], name, path, ids[above] if above else None)
