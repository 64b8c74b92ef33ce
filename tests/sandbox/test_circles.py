"""A circle of imports in the sandbox breaks the contract, wherever and however it is closed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CONTRACT = "the sandbox is free of import circles"
ENGINE = "from orgmon.sandbox.stacksets.engine import StackSetEngine"
CIRCLES = {
    "plain": ("stacksets/member.py", f"\n{ENGINE}\n"),
    "inside a function": ("stacksets/roles.py", f"\n\ndef engine():\n    {ENGINE}\n"),
    "for types only": ("stacksets/records.py", f"\nif TYPE_CHECKING:\n    {ENGINE}\n"),
    "between rooms": ("cloudformation/stack.py", f"\n{ENGINE}\n"),
    "of loose modules": ("calls.py", "\nfrom orgmon.sandbox.world import World\n"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its contracts in a folder of their own."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(REPOSITORY / "orgmon", folder / "orgmon", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def verdict(folder: Path) -> str:
    """KEPT or BROKEN, as lint-imports says of the contract."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False).stdout
    return next(line for line in told.splitlines() if line.startswith(CONTRACT)).rsplit(" ", 1)[-1]


def test_the_sandbox_has_no_circles(copy: Path) -> None:
    assert verdict(copy) == "KEPT"


@pytest.mark.parametrize("where", CIRCLES)
def test_a_circle_is_noticed(copy: Path, where: str) -> None:
    name, planted = CIRCLES[where]
    module = copy / "orgmon/sandbox" / name
    before = module.read_text()
    module.write_text(before + planted)
    try:
        assert verdict(copy) == "BROKEN"
    finally:
        module.write_text(before)
