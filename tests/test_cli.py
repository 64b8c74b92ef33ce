"""Habits of the command line that need no AWS."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orgmon import __version__
from orgmon.cli import app, heed_signals, run
from orgmon.console.output import _out, confirm, plain
from orgmon.errors import UsageError
from orgmon.stackset import Artifact, Pair, PermissionModel
from tests import sample

HEAVY = ("boto3", "botocore", "moto", "pydantic", "rich", "sigma", "troposphere", "yaml", "cfnlint")


def test_only_typer_is_imported_for_help() -> None:
    code = f"import sys, orgmon.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"orgmon {__version__}\n"


COMMANDS = sorted(
    str(name)
    for name in (
        *(command.name for command in app.registered_commands),
        *(group.name for group in app.registered_groups),
    )
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["plan", "--nonsense"], ["status", "--watch", "0"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_exclusive_options_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json", "--csv"]) == 2
    assert "--json and --csv exclude each other" in capsys.readouterr().err


@pytest.fixture
def heeded() -> Iterator[None]:
    """Signals are heeded as the console script does it, for one test; a job in the background may ignore them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    heed_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_asks_for_an_end_is_told_that_nothing_is_lost(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(profile: str | None) -> None:
        signal.raise_signal(number)

    assert run(["plan", "--config", str(sample.PATH)], interrupted) == 1
    assert "interrupted: run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "status", "deploy", "destroy", "render"])
def test_without_a_config_each_command_says_how_to_begin(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--config", str(tmp_path / "accounts.yaml")]) == 1
    assert "orgmon validate --sample" in capsys.readouterr().err


def test_a_file_that_is_no_saved_plan_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.json").write_text("{}")
    assert run(["deploy", str(tmp_path / "plan.json"), "--config", str(sample.PATH)]) == 2
    assert "is not a saved plan" in capsys.readouterr().err


@pytest.mark.slow
def test_rendering_is_fresh_twice_the_same_and_stale_when_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "templates"
    options = ["--config", str(sample.PATH), "--folder", str(folder)]
    assert run(["render", *options]) == 0
    assert run(["render", "--check", *options]) == 0  # it renders again, and compares
    (folder / "orgmon-hub.yaml").write_text("changed")
    assert run(["render", "--check", *options]) == 3
    assert "orgmon-hub.yaml is stale" in capsys.readouterr().out


def test_nobody_is_asked_without_a_terminal() -> None:
    with pytest.raises(UsageError, match="run it again with --yes"):
        confirm("Do this?", flag="--yes", answers=io.StringIO("y\n"))


def test_json_knows_every_noun() -> None:
    value = {
        "pair": Pair("1", "r"),
        "model": PermissionModel.SELF_MANAGED,
        "set": frozenset({"b", "a"}),
        "artifact": Artifact("bucket", "key", b"secret"),
    }
    assert plain(value) == {
        "pair": {"account": "1", "region": "r"},
        "model": "SELF_MANAGED",
        "set": ["a", "b"],
        "artifact": {"bucket": "bucket", "key": "key"},
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", [["validate"], ["render", "--check"]])
def test_what_needs_no_credentials_loads_no_aws_sdk(command: list[str]) -> None:
    code = (
        "import sys; from orgmon.cli import app, run; code = run(sys.argv[1:]);"
        "print([name for name in sys.modules if name.startswith(('boto', 'moto'))], code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True, cwd=sample.ROOT
    )
    assert done.stdout.splitlines()[-1] == "[] 0"


def ended(shell: str) -> subprocess.CompletedProcess[str]:
    """A command line in a shell, which can close streams and connect pipes."""
    program = f"{sys.executable} -m orgmon"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell.replace('orgmon', program)}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=sample.ROOT,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("orgmon validate >/dev/full", 1, "error: "),
        ("orgmon schema >/dev/full", 1, "error: No space left on device"),
        ("orgmon validate >&-", 0, ""),
        ("orgmon validate >&- 2>&-", 0, ""),
        ("orgmon render --folder README.md", 1, "error: README.md: File exists"),
        ("orgmon detections test --junit /nosuch/x", 1, "error: /nosuch/x: No such file or directory"),
    ],
)
def test_what_the_machine_refuses_is_told_and_is_no_bug(shell: str, code: int, said: str) -> None:
    done = ended(shell)
    assert (done.returncode, "bug" in done.stderr, "Traceback" in done.stderr) == (code, False, False)
    assert done.stderr.startswith(said), done.stderr


def test_a_reader_that_has_gone_is_an_error_and_not_the_end_of_the_program() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        _out(Gone()).print("text")
