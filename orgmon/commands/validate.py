"""orgmon validate: every problem of accounts.yaml and the detections, without credentials."""

from __future__ import annotations

import typer

from orgmon.commands.options import CONFIG, FOUND, ConfigOption, JsonOption

NAME = "validate"


def command(config: ConfigOption = CONFIG, as_json: JsonOption = False) -> None:
    """Check accounts.yaml, the detections and the templates. Needs no credentials."""
    from orgmon.console.output import emit, out
    from orgmon.validation import problems_of_all

    problems = problems_of_all(config)
    if as_json:
        emit("problems", {"problems": problems})
    else:
        for problem in problems:
            out().print(str(problem), markup=False, highlight=False, soft_wrap=True)
        if not problems:
            out().print(f"{config}: no problems", markup=False, highlight=False)
    raise typer.Exit(FOUND if problems else 0)
