"""Runs all benchmarks, prints a table and writes results.json. Exit code 1 where an aim is missed."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import everywhere, help, operations, reading, replay, sandbox
from benchmarks.measure import Figure
from orgmon import __version__

RESULTS = Path(__file__).with_name("results.json")


def show(console: Console, figures: Iterable[Figure]) -> None:
    """Print the figures, each with its aim and whether it is met."""
    table = Table("what", "value", "aim", "", box=None)
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            table.add_row(f"[bold]{group}[/bold]")
        aim = f"<= {figure.aim:g}{figure.unit}" if figure.aim is not None else ""
        verdict = "" if figure.aim is None else "ok" if figure.holds else "[red]missed[/red]"
        table.add_row(
            f"  {figure.name}", f"{round(figure.value, 3):,}".removesuffix(".0") + figure.unit, aim, verdict
        )
    console.print(table)


def write(path: Path, figures: Iterable[Figure]) -> None:
    """Write the figures and what they were measured on."""
    content = {
        "orgmon": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [asdict(figure) | {"holds": figure.holds} for figure in figures],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Measure one thing after the other."""
    figures: list[Figure] = []
    for module in (help, reading, everywhere, operations, sandbox, replay):
        print(f"measuring {module.__name__.split('.')[-1]} ...", file=sys.stderr)
        figures += module.measured()
    show(Console(), figures)
    write(RESULTS, figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
