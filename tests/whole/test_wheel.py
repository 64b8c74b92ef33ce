"""The wheel, installed in an empty environment outside the checkout, carries what it needs and works."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests import sample


def call(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without this environment's packages."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


# One group, so that one worker installs the wheel once.
pytestmark = pytest.mark.xdist_group("wheel")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel and its runtime dependencies; the folder of its programs."""
    folder = tmp_path_factory.mktemp("wheel")
    # A copy, so that what an earlier build left in the checkout cannot end up in the wheel.
    left = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "tests", "benchmarks")
    source = shutil.copytree(sample.ROOT, folder / "source", ignore=left)
    environment, wheel = folder / "env", folder / f"orgmon-{version('orgmon')}-py3-none-any.whl"
    for step in (
        ("build", "--wheel", "--out-dir", folder, source),
        ("venv", "--python", sys.executable, environment),
        ("pip", "install", "--python", environment, wheel),
    ):
        subprocess.run([find_uv_bin(), *step], check=True, capture_output=True)
    return environment / "bin"


def test_it_works_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    printed = call(installed / "orgmon", "validate", "--sample", folder=tmp_path)
    assert printed.stdout == sample.PATH.read_text(encoding="utf-8")
    (tmp_path / "accounts.yaml").write_text(printed.stdout, encoding="utf-8")
    assert call(installed / "orgmon", "validate", folder=tmp_path).stdout == "accounts.yaml: no problems\n"
    rendered = call(installed / "orgmon", "render", folder=tmp_path)
    assert rendered.returncode == 0, rendered.stderr
    for path in sorted((sample.ROOT / "templates").glob("*.yaml")):
        assert (tmp_path / "templates" / path.name).read_text() == path.read_text()
    schema = json.loads(call(installed / "orgmon", "schema", folder=tmp_path).stdout)
    assert schema["title"] == "accounts.yaml"


@pytest.mark.parametrize("command", [("demo",), ("sandbox", "serve"), ("sandbox", "run", "true")])
def test_without_the_extra_the_embedded_aws_says_what_to_install(
    command: tuple[str, ...], installed: Path, tmp_path: Path
) -> None:
    ended = call(installed / "orgmon", *command, folder=tmp_path)
    assert ended.returncode == 1
    assert "pip install 'orgmon[sandbox]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_credentials_plan_says_so(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "accounts.yaml").write_text(sample.PATH.read_text(encoding="utf-8"), encoding="utf-8")
    ended = subprocess.run(
        [installed / "orgmon", "plan"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "no AWS credentials were found" in ended.stderr
    assert "Traceback" not in ended.stderr
