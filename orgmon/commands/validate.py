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
    from orgmon.config.sample import sample
    from orgmon.console.output import emit, out
    from orgmon.validation import problems_of_all, warnings_of_all

    if show_sample:
        print(sample(), end="")
        return
    problems = problems_of_all(config)
    warnings = () if problems else warnings_of_all(config)
    if as_json:
        emit("problems", {"problems": problems, "warnings": warnings})
    else:
        for warning in warnings:
            out().print(f"warning: {warning}", markup=False, highlight=False, soft_wrap=True)
        for problem in problems:
            out().print(str(problem), markup=False, highlight=False, soft_wrap=True)
        if not problems:
            out().print(f"{config}: no problems", markup=False, highlight=False)
    raise typer.Exit(FOUND if problems else 0)
