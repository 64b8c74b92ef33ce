"""orgmon render: the templates as files for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orgmon.commands.options import CONFIG, FOUND, ConfigOption

NAME = "render"


def command(
    config: ConfigOption = CONFIG,
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where to write.")] = Path(
        "templates"
    ),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 3 when stale.")] = False,
) -> None:
    """Write the templates that would be deployed, as YAML. Needs no credentials."""
    from orgmon.actions.render import render, stale, write
    from orgmon.console.output import out
    from orgmon.project import Project

    files = render(Project(config))
    if not check:
        for name in write(folder, files):
            out().print(f"{folder / name}", markup=False)
        return
    old = stale(folder, files)
    for name in old:
        out().print(f"{folder / name} is stale: run orgmon render", markup=False)
    raise typer.Exit(FOUND if old else 0)
