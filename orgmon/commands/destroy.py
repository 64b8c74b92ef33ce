"""orgmon destroy: undo the deployment, keeping the logs."""

from __future__ import annotations

from typing import Annotated

import typer

from orgmon.commands.options import CONFIG, FAILED, FOUND, ConfigOption, JsonOption, YesOption, invocation

NAME = "destroy"


def command(
    context: typer.Context,
    config: ConfigOption = CONFIG,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="ORGANIZATION", help="The id of the organization.")
    ] = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove everything that orgmon deployed, backwards. The trail's logs are kept."""
    from orgmon.console.output import err, out
    from orgmon.console.progress_view import progress_on
    from orgmon.console.rolling_view import agree, finish
    from orgmon.rolling import Order, blocked, require_confirmation, roll

    workspace = invocation(context).workspace(config)
    require_confirmation(workspace, confirm)
    order = Order(destroy=True)
    rolled = roll(
        workspace, order, progress_on(err(), workspace.organization), agree(workspace, yes or bool(confirm))
    )
    if rolled is None:
        err().print("Nothing was done.")
        raise typer.Exit(FAILED)
    finish(out(), rolled, workspace.organization, as_json=as_json)
    if not rolled.is_good:
        raise typer.Exit(FAILED)
    raise typer.Exit(FOUND if blocked(rolled.left) else 0)
