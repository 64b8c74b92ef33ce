"""orgmon as a process of its own, as a user runs it, against a sandbox that somebody else serves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests import sample
from tests.whole.embedded import smaller

# Generous: on a busy machine a rollout takes several times as long, and a hung one must end.
LONGEST = 300.0


@dataclass(frozen=True)
class Ended:
    """How a process ended; ``code`` is negative where a signal ended it."""

    code: int
    out: str
    err: str


def small_config(folder: Path, regions: tuple[str, ...] = ("us-east-1",)) -> Path:
    """The shipped config with three workload accounts and one Region, in a folder."""
    path = folder / "accounts.yaml"
    content = smaller(yaml.safe_load(sample.PATH.read_text(encoding="utf-8")), regions)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def heed_interrupts() -> None:
    """To be called in a new process: what a job in the background inherits is to ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    """Start orgmon in a folder; nobody can be asked there."""
    return subprocess.Popen(
        [sys.executable, "-m", "orgmon", *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def end(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a process; one that hangs is killed and fails the test."""
    try:
        out, err = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"still running after {LONGEST:.0f} s\n{out}\n{err}") from None
    return Ended(process.returncode, out, err)


def orgmon(*arguments: str, environment: Mapping[str, str], folder: Path) -> Ended:
    """Run orgmon in a folder to its end."""
    return end(start(arguments, environment, folder))


def own_temporary_folder(folder: Path, **more: Any) -> dict[str, str]:
    """This process's environment, where a sandbox's note can be neither the user's nor another test's."""
    notes = folder / "notes"
    notes.mkdir(exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ORGMON_"))}
    return {**kept, "TMPDIR": str(notes), **more}
