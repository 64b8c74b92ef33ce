"""One rollout from beginning to end: settle, observe, plan, ask, execute, read again.

What a deploy and a destroy share; both are a plan like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from orgmon.delivery import RouteCheck, RouteState
from orgmon.errors import AwsError, UsageError
from orgmon.execute.outcome import StepOutcome
from orgmon.execute.progress import Progress
from orgmon.failure import Failures, failures
from orgmon.plan import saved
from orgmon.plan.model import Action, Plan
from orgmon.stackset import State
from orgmon.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a rollout is asked to do.

    ``leave_outdated`` accepts that unselected pairs fall behind; ``patience`` is for how many seconds AWS may
    refuse to start an operation before the rollout gives up.
    """

    patience: float
    destroy: bool = False
    prune: bool = False
    accounts: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    leave_outdated: bool = False
    saved_plan: saved.SavedPlan | None = None


@dataclass(frozen=True)
class DeployReport:
    """How a rollout ended. ``left`` is the plan that would be needed now; empty after a good end.

    ``subscribed`` are the routes that had been lost and were subscribed again, ``routes`` how all stand after it.
    """

    plan: Plan
    outcomes: tuple[StepOutcome, ...]
    failures: Failures
    errors: tuple[str, ...]
    left: Plan
    subscribed: tuple[RouteCheck, ...] = ()
    routes: tuple[RouteCheck, ...] = ()

    @property
    def is_good(self) -> bool:
        """True where everything that was planned has happened."""
        return not self.failures and not self.errors and not self.left.stages

    @property
    def has_blocked(self) -> bool:
        """True where something is wanted and cannot be reached."""
        return bool(self.left.of(Action.BLOCKED))


def deploy(
    workspace: Workspace, order: Order, progress: Progress, agree: Callable[[Plan], bool]
) -> DeployReport | None:
    """Do what is ordered, or None where the answer to ``agree`` is no.

    What an earlier run started is waited for before anything is planned; the templates are made before that, so
    that what is wrong with them is told at once. Raises StalePlanError for a saved plan
    that no longer fits, UsageError for a selection that would leave others OUTDATED.
    """
    if not order.destroy:
        _ = workspace.desired
    runner = workspace.runner(progress, order.patience)
    observed = workspace.observe()
    while runner.settle(observed):
        observed = workspace.observe()
    plan = _plan(workspace, order, observed)
    if order.saved_plan is not None:
        saved.check(order.saved_plan, plan, workspace.organization.id)
    _refuse_leaving_outdated(plan, order)
    if plan.stages and not agree(plan):
        return None
    outcomes = runner.run(plan)
    causes = failures(
        (outcome.step.target_name, result) for outcome in outcomes for result in outcome.results
    )
    errors = tuple(outcome.error for outcome in outcomes if outcome.error)
    left = _plan(workspace, order, workspace.observe()) if plan.stages else plan
    report = DeployReport(plan, outcomes, causes, errors, left)
    return report if order.destroy else _subscribed(workspace, report)


def _subscribed(workspace: Workspace, report: DeployReport) -> DeployReport:
    """Subscribe again who is not: CloudFormation does not look whether a subscription that it made is still there.

    What AWS refuses is an error of the rollout, whose result is told all the same.
    """
    try:
        routes = workspace.routes()
        missing = tuple(route for route in routes if route.state is RouteState.MISSING)
        for route in missing:
            workspace.subscribe(route)
        after = workspace.routes() if missing else routes
    except AwsError as error:
        return replace(report, errors=(*report.errors, str(error)))
    return replace(report, subscribed=missing, routes=after)


def _plan(workspace: Workspace, order: Order, observed: State) -> Plan:
    return workspace.plan(
        observed,
        destroy=order.destroy,
        prune=order.prune,
        accounts=order.accounts,
        regions=order.regions,
    )


def _refuse_leaving_outdated(plan: Plan, order: Order) -> None:
    """A changed template or parameter marks every instance OUTDATED, also those that are not selected."""
    if plan.leaves_outdated and not order.leave_outdated:
        names = ", ".join(plan.leaves_outdated)
        raise UsageError(
            f"template or parameters of {names} have changed: what is not selected would be left OUTDATED",
            "deploy everything, or accept it with --leave-outdated",
        )


def require_confirmation(workspace: Workspace, given: str | None) -> None:
    """Raises UsageError unless the organization's id was given: destroying is asked for by name."""
    wanted = workspace.organization.id
    if given != wanted:
        raise UsageError(
            "this removes the monitoring of a whole organization", f"confirm it with --confirm {wanted}"
        )
