"""orgmon deploy: make it so, in waves, with live progress; run again after any interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orgmon.commands.options import (
    CONFIG,
    PATIENCE,
    AccountsOption,
    ConfigOption,
    JsonOption,
    LeaveOutdatedOption,
    PatienceOption,
    PruneOption,
    RegionsOption,
    YesOption,
    chosen,
    code_of,
    invocation,
)

NAME = "deploy"


def command(
    context: typer.Context,
    saved_plan: Annotated[
        Path | None, typer.Argument(metavar="[PLAN]", help="A plan saved with orgmon plan --out.")
    ] = None,
    config: ConfigOption = CONFIG,
    account: AccountsOption = None,
    region: RegionsOption = None,
    prune: PruneOption = False,
    leave_outdated: LeaveOutdatedOption = False,
    patience: PatienceOption = PATIENCE,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Deploy what accounts.yaml says. Interrupted anywhere, the same command goes on."""
    from orgmon.actions.deploy import Order, deploy
    from orgmon.console.deploy_view import agree, finish
    from orgmon.console.output import err, out
    from orgmon.console.progress_view import progress_on
    from orgmon.plan import saved

    workspace = invocation(context).workspace(config)
    kept = saved.read(saved_plan) if saved_plan else None
    order = Order(
        prune=kept.prune if kept else prune,
        accounts=frozenset(kept.accounts) if kept and kept.accounts else chosen(account),
        regions=frozenset(kept.regions) if kept and kept.regions else chosen(region),
        leave_outdated=leave_outdated,
        saved_plan=kept,
        patience=patience * 60,
    )
    if not order.destroy:
        workspace.check()
    report = deploy(workspace, order, progress_on(err(), workspace.organization), agree(workspace, yes))
    if report is None:
        err().print("Nothing was done.")
    else:
        finish(out(), report, workspace.organization, as_json=as_json)
    raise typer.Exit(code_of(report))
