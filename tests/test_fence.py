"""The walls of the house: every way through them that somebody may try is refused by `lint-imports`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from tests import sample

PLANTED = {
    "drift.py": "import boto3",
    "newroom.py": "",
    "commands/extra.py": "from orgmon.commands import plan",
    "actions/extra.py": "from orgmon.actions import deploy",
    "actions/validate.py": "from orgmon.aws import session",
    "config/extra.py": "import moto, awacs, rich\nfrom orgmon.sandbox import world",
    "detections/sigma/extra.py": "from orgmon.detections import compile_rule",
    "plan/extra.py": "from orgmon.stacks import names",
    "sandbox/extra.py": "import orgmon.stackset",
    "sandbox/clock.py": "from orgmon.sandbox import world",
}
"""Modules and what they must not import."""

REFUSED = {
    "each layer imports only what stands below it": (
        "- orgmon.drift",
        "- orgmon.newroom",
        "orgmon.sandbox.extra -> orgmon.stackset",
    ),
    "reading a rule does not compile it, and no compiler reads one": (
        "orgmon.detections.sigma.extra -> orgmon.detections.compile_rule",
    ),
    "only rehearsal/ and its two commands import the sandbox": (
        "orgmon.config.extra -> orgmon.sandbox.world",
    ),
    "only the sandbox imports moto": ("orgmon.config.extra -> moto",),
    "only aws/, what runs in Lambda, and the sandbox import the AWS SDK": ("orgmon.drift -> boto3",),
    "only stacks/ imports Troposphere and awacs": ("orgmon.config.extra -> awacs",),
    "only the command line and the console know a terminal": ("orgmon.config.extra -> rich",),
    "what needs no credentials loads no AWS SDK": ("orgmon.actions.validate -> orgmon.aws.session",),
    "the planner decides on values alone": ("orgmon.plan.extra -> orgmon.stacks.names",),
    "commands know nothing of each other": ("orgmon.commands.extra -> orgmon.commands.plan",),
    "the sandbox is free of import circles, at every depth": ("- .clock -> .world",),
    "actions know nothing of each other": ("orgmon.actions.extra -> orgmon.actions.deploy",),
}
"""What is said of each contract that the planted modules break."""


def contracts() -> list[str]:
    """The names of all contracts of the project."""
    settings = tomllib.loads((sample.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def linted(folder: Path, planted: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """The exit code for a copy of the project with additions, and what is said of each broken contract."""
    shutil.copytree(sample.ROOT / "orgmon", folder / "orgmon", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(sample.ROOT / "pyproject.toml", folder)
    for name, text in planted.items():
        with (folder / "orgmon" / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, _by_contract(done.stdout.partition("Broken contracts")[2])


def _by_contract(details: str) -> dict[str, str]:
    """The part of the report that is about each contract."""
    names = {details.find(f"\n{name}\n---"): name for name in contracts()}
    places = sorted(place for place in names if place >= 0)
    return {names[begin]: details[begin:end] for begin, end in pairwise([*places, len(details)])}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said of the project with all planted modules."""
    code, said = linted(tmp_path_factory.mktemp("planted"), PLANTED)
    assert code == 1
    return said


def test_every_contract_is_tried() -> None:
    assert sorted(REFUSED) == sorted(contracts())


@pytest.mark.slow
@pytest.mark.parametrize("contract", REFUSED)
def test_what_breaks_a_contract_is_refused(broken: dict[str, str], contract: str) -> None:
    for evidence in REFUSED[contract]:
        assert evidence in broken[contract]


@pytest.mark.slow
def test_without_them_the_project_is_let_through(tmp_path: Path) -> None:
    assert linted(tmp_path, {}) == (0, {})
