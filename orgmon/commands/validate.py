"""orgmon validate: every problem of accounts.yaml and the detections, without credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from orgmon.commands.options import CONFIG, FOUND, ConfigOption, JsonOption

NAME = "validate"


def command(
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
    show_sample: Annotated[
        bool, typer.Option("--sample", help="Print an accounts.yaml to begin with, and check nothing.")
    ] = False,
) -> None:
    """Check accounts.yaml, the detections and the templates. Needs no credentials."""
    from orgmon.actions.validate import validate
    from orgmon.config.sample import sample
    from orgmon.console.output import emit, out
    from orgmon.project import Project

    if show_sample:
        print(sample(), end="")
        return
    validation = validate(Project(config))
    if as_json:
        emit("problems", validation)
    else:
        for warning in validation.warnings:
            out().print(f"warning: {warning}", markup=False, highlight=False, soft_wrap=True)
        for problem in validation.problems:
            out().print(str(problem), markup=False, highlight=False, soft_wrap=True)
        if not validation.problems:
            out().print(f"{config}: no problems", markup=False, highlight=False)
    raise typer.Exit(FOUND if validation.problems else 0)
