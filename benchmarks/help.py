"""How long ``orgmon --help`` takes, against an empty Typer app with as many commands."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from benchmarks.measure import Figure

RUNS = 11
AIM = 1.3
EMPTY_APP = '''
import typer

app = typer.Typer(name="empty", help="An empty app.", no_args_is_help=True)
for number in range({count}):
    @app.command(f"command-{{number}}")
    def command(context: typer.Context) -> None:
        """Do nothing at all."""

@app.callback()
def options(context: typer.Context) -> None:
    """Options before the command."""

app()
'''


def commands() -> int:
    """How many commands orgmon shows."""
    code = "import typer, orgmon.cli; print(len(typer.main.get_command(orgmon.cli.app).commands))"
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def measured() -> Iterator[Figure]:
    """Median seconds of both, taken in turn, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY_APP.format(count=commands()))
        ours, theirs = _in_turn(
            [sys.executable, "-m", "orgmon", "--help"], [sys.executable, str(empty), "--help"]
        )
    yield Figure("help", "orgmon --help", ours, "s")
    yield Figure("help", "an empty Typer app with as many commands", theirs, "s")
    yield Figure("help", "ratio", ours / theirs, "x", AIM)


def _in_turn(first: Sequence[str], second: Sequence[str]) -> tuple[float, float]:
    """The medians of two commands; in turn, so that what else the machine does falls on both."""
    pairs = [(_seconds(first), _seconds(second)) for _ in range(RUNS)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def _seconds(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun
