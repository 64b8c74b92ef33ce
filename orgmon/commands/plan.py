"""orgmon plan: what would change, pair by pair."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orgmon.commands.options import (
    CONFIG,
    FOUND,
    AccountsOption,
    ConfigOption,
    JsonOption,
    PruneOption,
    RegionsOption,
    chosen,
    invocation,
)
from orgmon.errors import UsageError

NAME = "plan"


def command(
    context: typer.Context,
    config: ConfigOption = CONFIG,
    account: AccountsOption = None,
    region: RegionsOption = None,
    prune: PruneOption = False,
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan, for orgmon deploy FILE.")
    ] = None,
    destroy: Annotated[bool, typer.Option("--destroy", help="Show what orgmon destroy would do.")] = False,
    diff: Annotated[bool, typer.Option("--diff/--no-diff", help="Show how templates change.")] = True,
    prices: Annotated[
        Path | None, typer.Option("--prices", metavar="FILE", help="Prices and assumptions of your own.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also list what does not change.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a deploy would change, pair by pair, and how.

    Exit code 3 with changes, or where somebody would not hear of an alert or a name is not in AWS; else 0.
    """
    from orgmon.actions.plan import estimate
    from orgmon.console import cost_view, plan_view, routes_view, strays_view
    from orgmon.console.output import emit, out
    from orgmon.delivery import RouteState
    from orgmon.plan import saved
    from orgmon.plan.forecast import forecast
    from orgmon.plan.prices import read as read_prices

    if destroy and out_file is not None:
        raise UsageError("a plan to destroy cannot be saved", "run: orgmon destroy --confirm ORGANIZATION")
    charged = read_prices(prices)
    workspace = invocation(context).workspace(config)
    workspace.check()
    accounts, regions = chosen(account), chosen(region)
    workspace.check_selection(accounts, regions)
    observed = workspace.observe()
    plan = workspace.plan(observed, destroy=destroy, prune=prune, accounts=accounts, regions=regions)
    cost = estimate(workspace, observed, charged, destroy=destroy)
    routes, strays = ((), ()) if destroy else (workspace.routes(), workspace.strays)
    if out_file is not None:
        kept = saved.saved(
            plan,
            workspace.organization.id,
            prune=prune,
            accounts=tuple(sorted(accounts)) if accounts else None,
            regions=tuple(sorted(regions)) if regions else None,
        )
        saved.write(out_file, kept)
    if as_json:
        steps = [
            {
                "stage": s.name,
                "wave": s.title,
                "call": step.call,
                "on": step.target_name,
                "reason": step.reason,
            }
            for s in plan.stages
            for step in s.steps
        ]
        told = {
            "changes": plan.changes,
            "steps": steps,
            "operations": forecast(plan),
            "routes": routes,
            "strays": strays,
        }
        emit("plan", {**told, "cost": cost_view.data(cost)})
    else:
        plan_view.show(
            out(),
            plan,
            workspace.organization,
            diff=diff,
            every=every,
            hidden=workspace.hidden(plan),
            estimate=cost,
        )
        strays_view.show(out(), strays)
        # What a rollout of the hub will subscribe needs no telling.
        if not any(route.state is RouteState.UNREADABLE for route in routes) or plan.is_empty:
            routes_view.show(out(), routes)
    is_good = plan.is_empty and all(route.is_good for route in routes) and not strays
    raise typer.Exit(0 if is_good else FOUND)
