"""orgmon destroy: undo the deployment, keeping the logs."""

from __future__ import annotations

from typing import Annotated

import typer

from orgmon.commands.options import (
    CONFIG,
    PATIENCE,
    ConfigOption,
    JsonOption,
    PatienceOption,
    YesOption,
    code_of,
    invocation,
)

NAME = "destroy"


def command(
    context: typer.Context,
    config: ConfigOption = CONFIG,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="ORGANIZATION", help="The id of the organization.")
    ] = None,
    patience: PatienceOption = PATIENCE,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove everything that orgmon deployed, backwards. The trail's logs are kept."""
    from orgmon.actions.deploy import Order, deploy, require_confirmation
    from orgmon.console.deploy_view import agree, finish
    from orgmon.console.output import err, out
    from orgmon.console.progress_view import progress_on

    workspace = invocation(context).workspace(config)
    require_confirmation(workspace, confirm)
    order = Order(destroy=True, patience=patience * 60)
    report = deploy(
        workspace, order, progress_on(err(), workspace.organization), agree(workspace, yes or bool(confirm))
    )
    if report is None:
        err().print("Nothing was done.")
    else:
        finish(out(), report, workspace.organization, as_json=as_json)
    raise typer.Exit(code_of(report))
