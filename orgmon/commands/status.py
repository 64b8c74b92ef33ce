"""orgmon status: which stacks run where, from AWS alone."""

from __future__ import annotations

from typing import Annotated

import typer

from orgmon.commands.options import CONFIG, FOUND, ConfigOption, JsonOption, invocation
from orgmon.errors import UsageError

NAME = "status"


def command(
    context: typer.Context,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a line a stack, as CSV.")] = False,
    watch: Annotated[
        float | None, typer.Option("--watch", metavar="SECONDS", min=1, help="Show it again and again.")
    ] = None,
) -> None:
    """Show account x Region x stack, the coverage, and who is not told. Exit code 3 where something is amiss."""
    import time

    from orgmon.actions.status import status
    from orgmon.console import status_view
    from orgmon.console.output import emit, out

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other", "choose one")
    current = invocation(context)
    while True:
        report = status(current.workspace(config))
        if as_json:
            emit("status", report)
        elif as_csv:
            print(status_view.as_csv(report), end="")
        else:
            if watch and out().is_terminal:
                out().clear()
            status_view.show(out(), report)
        if watch is None:
            break
        time.sleep(watch)
    raise typer.Exit(0 if report.is_good else FOUND)
