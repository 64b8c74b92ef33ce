"""One rollout from beginning to end: settle, observe, plan, ask, execute, read again.

What a deploy and a destroy share; both are a plan like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from orgmon.config.stray import Stray
from orgmon.delivery import RouteCheck, RouteState
from orgmon.errors import AwsError, UsageError
from orgmon.execute.outcome import StepOutcome
from orgmon.execute.progress import Progress
from orgmon.execute.runner import Runner
from orgmon.failure import Failures, failures, is_passing
from orgmon.plan import saved
from orgmon.plan.model import Action, Plan
from orgmon.stackset import State
from orgmon.workspace import Workspace

BREATH = 5.0
"""Seconds between a refusal that passes and the next try: AWS's rates are told by the second."""


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

    ``subscribed`` are the routes that had been lost and were subscribed again, ``routes`` how all stand after it,
    ``strays`` what accounts.yaml names and AWS does not have.
    """

    plan: Plan
    outcomes: tuple[StepOutcome, ...]
    failures: Failures
    errors: tuple[str, ...]
    left: Plan
    subscribed: tuple[RouteCheck, ...] = ()
    routes: tuple[RouteCheck, ...] = ()
    strays: tuple[Stray, ...] = ()

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
    that what is wrong with them is told at once. What AWS refuses for a reason that passes is tried once more, where
    nothing else has to be done for it than was agreed to. Raises StalePlanError for a saved plan that no longer fits,
    UsageError for a selection of what is not there, or one that would leave others OUTDATED.
    """
    workspace.check_selection(order.accounts, order.regions)
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
    report = _report(plan, *_tried(workspace, order, runner, plan, progress))
    return report if order.destroy else _subscribed(workspace, replace(report, strays=workspace.strays))


def _tried(
    workspace: Workspace, order: Order, runner: Runner, plan: Plan, progress: Progress
) -> tuple[tuple[StepOutcome, ...], Plan]:
    """Take a plan's steps, and once more what failed for a reason that passes; what came of it, and what is left."""
    outcomes, left = _performed(workspace, order, runner, plan)
    passing = tuple(reason for outcome in outcomes for reason in outcome.reasons if is_passing(reason))
    if not passing or not _is_within(left, plan):
        return outcomes, left
    progress.again(passing)
    runner.pause(BREATH)
    more, left = _performed(workspace, order, runner, left)
    return (*(outcome for outcome in outcomes if outcome.is_good), *more), left


def _performed(
    workspace: Workspace, order: Order, runner: Runner, plan: Plan
) -> tuple[tuple[StepOutcome, ...], Plan]:
    """Take a plan's steps; how they ended, and what would be left to do now."""
    outcomes = runner.run(plan)
    return outcomes, _plan(workspace, order, workspace.observe()) if plan.stages else plan


def _is_within(left: Plan, agreed: Plan) -> bool:
    """Does a plan do nothing that has not been agreed to?"""
    wanted = {(each.stack, each.pair, each.action) for each in agreed.changes}
    # What could not be created is there all the same, and has to be updated.
    begun = {(stack, pair, Action.UPDATE) for stack, pair, action in wanted if action is Action.CREATE}
    doing = [each for each in left.changes if each.action not in (Action.NONE, Action.BLOCKED)]
    return all((each.stack, each.pair, each.action) in wanted | begun for each in doing)


def _report(plan: Plan, outcomes: tuple[StepOutcome, ...], left: Plan) -> DeployReport:
    causes = failures(
        (outcome.step.target_name, result) for outcome in outcomes for result in outcome.results
    )
    return DeployReport(plan, outcomes, causes, tuple(each.error for each in outcomes if each.error), left)


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
