"""A figure and its aim, and how to measure something in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured value. ``aim`` is the most that is wanted, None where nothing was set."""

    group: str
    name: str
    value: float
    unit: str = ""
    aim: float | None = None

    @property
    def holds(self) -> bool:
        """True where the aim is met or there is none."""
        return self.aim is None or self.value <= self.aim


def in_own_process(module: str, *arguments: str) -> dict[str, Any]:
    """What ``python -m module arguments`` prints as JSON. Raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


def peak_memory() -> float:
    """The most memory that this process has had so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
