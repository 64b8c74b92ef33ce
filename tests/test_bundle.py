"""The zip of the functions: it holds what they import and nothing else, and starts quickly where there is little."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from orgmon.errors import OrgmonError
from orgmon.functions.bundle import HANDLERS, bundle, key_of
from orgmon.functions.closure import closure

CATALOGUE = {"trail-tampering": {"title": "A trail was tampered with"}}
DIRECTORY = {"444455556666": {"name": "payments-prod", "owner": "payments@example.com"}}
LARGEST = 1_000_000
LONGEST = 0.150
"""CPU seconds for importing a handler where nothing has been imported before."""

ALONE = """
import importlib, sys, time
began = time.process_time()
module = importlib.import_module(sys.argv[1])
took = time.process_time() - began
print(callable(module.handler), took, *sorted(name for name in sys.modules if name.startswith("orgmon")))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip as AWS Lambda has it: unpacked."""
    folder = tmp_path_factory.mktemp("function")
    with zipfile.ZipFile(io.BytesIO(bundle(CATALOGUE, DIRECTORY))) as archive:
        archive.extractall(folder)
    return folder


def test_the_same_content_has_the_same_bytes() -> None:
    first, second = bundle(CATALOGUE, DIRECTORY), bundle(dict(CATALOGUE), dict(DIRECTORY))
    assert first == second
    assert key_of(first) != key_of(bundle(CATALOGUE, {}))


def test_it_is_small() -> None:
    assert len(bundle(CATALOGUE, DIRECTORY)) < LARGEST


@pytest.mark.slow
@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_starts_quickly_with_the_standard_library_alone(unpacked: Path, handler: str) -> None:
    """Without site-packages, so that nothing of this machine can help; the SDK is imported when it is needed."""
    times = []
    for _ in range(5):
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(unpacked)!r})\n{ALONE}",
        ]
        done = subprocess.run([*command, handler], capture_output=True, text=True, check=True)
        is_callable, seconds, *modules = done.stdout.split()
        assert is_callable == "True"
        times.append(float(seconds))
    assert min(times) < LONGEST
    packed = {path.relative_to(unpacked) for path in unpacked.rglob("*.py")}
    assert packed == {_place(module, unpacked) for module in modules}


def _place(module: str, folder: Path) -> Path:
    path = Path(*module.split("."))
    return path / "__init__.py" if (folder / path).is_dir() else path.with_suffix(".py")


def test_data_travels_beside_the_code(unpacked: Path) -> None:
    assert (unpacked / "orgmon" / "functions" / "directory.json").is_file()
    assert (unpacked / "orgmon" / "functions" / "catalogue.json").is_file()


def test_what_lambda_does_not_have_is_refused_with_the_module_that_imports_it() -> None:
    with pytest.raises(
        OrgmonError, match=r"orgmon\.stacks\.[a-z_]+ runs in AWS Lambda and imports (awacs|troposphere)"
    ):
        closure(("orgmon.stacks.access",))


def test_several_handlers_share_what_both_need() -> None:
    both = closure(("orgmon.functions.notifier", "orgmon.cloudtrail"))
    assert both == closure(("orgmon.functions.notifier",))
    assert "orgmon/errors.py" not in both
