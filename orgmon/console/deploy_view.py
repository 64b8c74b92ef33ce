"""A rollout's beginning and end: the question, and what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from orgmon.actions.deploy import DeployReport
from orgmon.console import failure_view, plan_view, routes_view, strays_view
from orgmon.console.output import confirm, emit, err
from orgmon.delivery import RouteState
from orgmon.errors import OrgmonError
from orgmon.organization import Organization
from orgmon.plan.model import Action, Plan
from orgmon.workspace import Workspace


def agree(workspace: Workspace, yes: bool) -> Callable[[Plan], bool]:
    """A function that shows a plan and asks, unless the answer is known."""

    def ask(plan: Plan) -> bool:
        # Whoever has agreed already need not be able to read it.
        with contextlib.suppress(*([OSError, ValueError] if yes else [])):
            if plan.of(Action.CREATE) or plan.of(Action.UPDATE):
                strays_view.show(err(), workspace.strays)
            plan_view.show(
                err(), plan, workspace.organization, diff=not yes, every=False, hidden=workspace.hidden(plan)
            )
        return yes or confirm("Do this?", flag="--yes")

    return ask


def finish(console: Console, report: DeployReport, organization: Organization, *, as_json: bool) -> None:
    """Print how a rollout ended. Raises OrgmonError where that cannot be written: the rollout is over all the same."""
    try:
        _finish(console, report, organization, as_json=as_json)
    except OSError as error:
        how = "everything is done" if report.is_good else "not everything is done"
        raise OrgmonError(
            f"the rollout is over ({how}), and its result cannot be written: {error}",
            "orgmon status shows how things are",
        ) from error


def _finish(console: Console, report: DeployReport, organization: Organization, *, as_json: bool) -> None:
    if as_json:
        emit("rollout", _data(report))
        return
    failure_view.show(console, report.failures, organization)
    for error in report.errors:
        console.print(f"[bold red]Stopped[/bold red] {escape(error)}")
    if not report.plan.stages:
        console.print(plan_view.idle(report.plan))
        plan_view.blocked(console, report.plan, organization)
    elif report.is_good:
        done = sum(len(report.plan.of(action)) for action in (Action.CREATE, Action.UPDATE, Action.DELETE))
        console.print(f"[bold green]Done.[/bold green] {plan_view.count(done, 'stack')} changed.")
    else:
        _unfinished(console, report)
    for route in report.subscribed:
        console.print(
            f"subscribed {route.protocol} {escape(route.endpoint)} to {route.topic} alerts again",
            soft_wrap=True,
        )
    strays_view.show(console, report.strays)
    # What did not get as far as the topics has said so already.
    if report.is_good or any(route.state is not RouteState.UNREADABLE for route in report.routes):
        routes_view.show(console, report.routes)


def _unfinished(console: Console, report: DeployReport) -> None:
    left = [change for change in report.left.changes if change.action in (Action.CREATE, Action.UPDATE)]
    console.print(
        f"[bold red]Not done.[/bold red] {plan_view.count(len(left), 'stack')} still to do. Run the same command "
        "again: it retries only what is left."
    )
    if report.plan.templates and any(outcome.stops for outcome in report.outcomes):
        console.print(
            "Later waves still run the stacks they had. To go back, restore the earlier detections or "
            "accounts.yaml and deploy again."
        )


def _data(report: DeployReport) -> dict[str, object]:
    return {
        "good": report.is_good,
        "steps": [
            {
                "call": outcome.step.call,
                "on": outcome.step.target_name,
                "wave": outcome.wave,
                "operation": outcome.operation,
                "results": outcome.results,
                "error": outcome.error,
            }
            for outcome in report.outcomes
        ],
        "root_causes": report.failures.causes,
        "cancelled": report.failures.cancelled,
        "subscribed": report.subscribed,
        "routes": report.routes,
        "strays": report.strays,
        "left": [change for change in report.left.changes if change.action is not Action.NONE],
    }
