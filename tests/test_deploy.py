"""A rollout from order to report, against a workspace whose world a test has scripted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import pytest

from orgmon.actions.deploy import DeployReport, Order, deploy, require_confirmation
from orgmon.delivery import RouteCheck, RouteState
from orgmon.errors import AwsError, StalePlanError, UsageError
from orgmon.execute.outcome import StepOutcome
from orgmon.execute.progress import Progress
from orgmon.execute.runner import Runner
from orgmon.organization import Organization
from orgmon.plan import saved
from orgmon.plan.model import Action, Change, Plan, Stage
from orgmon.plan.step import CreateStackInstances
from orgmon.stackset import (
    DeploymentTarget,
    OperationPreferences,
    OperationResult,
    OperationStatus,
    Pair,
    ResultStatus,
    StackSet,
    State,
    TemplateBody,
)
from orgmon.workspace import Workspace
from tests import sample
from tests.fakes import Told, operation

PAIR = Pair("904417263085", "us-east-1")
STACK_SET = StackSet("orgmon-hub", TemplateBody("{}"))
STEP = CreateStackInstances(
    "missing",
    STACK_SET,
    OperationPreferences(),
    DeploymentTarget(frozenset({PAIR.account}), frozenset({PAIR.region})),
)
TODO = Plan(
    (Change("orgmon-hub", PAIR, Action.CREATE, "missing", "", "CURRENT abc"),),
    (Stage("orgmon-hub", "", (STEP,)),),
)
DONE = Plan((Change("orgmon-hub", PAIR, Action.NONE, "", "CURRENT abc", "CURRENT abc"),))
ORDER = Order(patience=60.0)
SUBSCRIBED, MISSING = RouteState.SUBSCRIBED, RouteState.MISSING
ROUTE = RouteCheck("critical", "email", "soc@example.com", SUBSCRIBED)


@dataclass
class FakeRunner(Runner):
    """Ends every step as scripted; waits as often as it is told to."""

    outcomes: tuple[StepOutcome, ...] = ()
    unsettled: int = 0
    later: tuple[StepOutcome, ...] = ()
    paused: list[float] = field(default_factory=list)
    ran: list[Plan] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    def settle(self, observed: State) -> bool:
        self.unsettled -= 1
        return self.unsettled >= 0

    def run(self, plan: Plan) -> tuple[StepOutcome, ...]:
        self.ran.append(plan)
        return self.outcomes if len(self.ran) == 1 else self.later


class FakeWorkspace(Workspace):
    """Plans as scripted, one for each time that it is asked, the last one for ever; counts how often it looks."""

    def __init__(self, *plans: Plan, outcomes: tuple[StepOutcome, ...] = (), unsettled: int = 0) -> None:
        super().__init__(sample.PATH)
        self._plans = list(plans)
        self.performing = FakeRunner(outcomes, unsettled)
        self.observed = 0
        self.asked: list[dict[str, object]] = []
        self.patience = 0.0
        self.wanted = ["soc@example.com"]
        self.subscribed = ["soc@example.com"]
        self.refuses: AwsError | None = None

    @property
    def organization(self) -> Organization:
        return sample.organization()

    @cached_property
    def desired(self) -> State:
        return State()

    def observe(self) -> State:
        self.observed += 1
        return State()

    def plan(
        self,
        observed: State,
        *,
        destroy: bool = False,
        prune: bool = False,
        accounts: frozenset[str] | None = None,
        regions: frozenset[str] | None = None,
    ) -> Plan:
        self.asked.append({"destroy": destroy, "prune": prune, "accounts": accounts, "regions": regions})
        return self._plans.pop(0) if len(self._plans) > 1 else self._plans[0]

    def routes(self) -> tuple[RouteCheck, ...]:
        if self.refuses is not None:
            raise self.refuses
        return tuple(
            replace(ROUTE, endpoint=one, state=SUBSCRIBED if one in self.subscribed else MISSING)
            for one in self.wanted
        )

    def subscribe(self, route: RouteCheck) -> None:
        self.subscribed.append(route.endpoint)

    def runner(self, progress: Progress, patience: float) -> Runner:
        self.patience = patience
        return self.performing


def outcome(
    status: ResultStatus = ResultStatus.SUCCEEDED, error: str = "", reason: str = "quota exceeded"
) -> StepOutcome:
    """How the step ended."""
    ended = OperationStatus.FAILED if status is not ResultStatus.SUCCEEDED else OperationStatus.SUCCEEDED
    results = (OperationResult(PAIR, status, reason),)
    return StepOutcome(STEP, "", operation("orgmon-1", ended), () if error else results, error)


def deployed(workspace: FakeWorkspace, order: Order = ORDER, *, agrees: bool = True) -> DeployReport | None:
    """Deploy and answer the question."""
    return deploy(workspace, order, Told(), lambda plan: agrees)


def test_where_nothing_is_to_do_the_world_is_read_once_and_nobody_is_asked() -> None:
    workspace = FakeWorkspace(DONE)
    report = deployed(workspace, agrees=False)
    assert report is not None
    assert report.is_good
    assert not report.has_blocked
    assert (workspace.observed, len(workspace.asked)) == (1, 1)


def test_what_is_done_is_read_again_and_compared() -> None:
    workspace = FakeWorkspace(TODO, DONE, outcomes=(outcome(),))
    report = deployed(workspace)
    assert report is not None
    assert report.is_good
    assert (report.plan, report.left) == (TODO, DONE)
    assert workspace.observed == 2
    assert workspace.performing.ran == [TODO]
    assert workspace.patience == ORDER.patience


def test_without_consent_nothing_is_done() -> None:
    workspace = FakeWorkspace(TODO)
    assert deployed(workspace, agrees=False) is None
    assert workspace.performing.ran == []


def test_what_is_under_way_is_waited_for_and_the_world_read_again_before_it_is_planned() -> None:
    workspace = FakeWorkspace(DONE, unsettled=2)
    assert deployed(workspace) is not None
    assert (workspace.observed, len(workspace.asked)) == (3, 1)


def test_failures_are_grouped_by_cause_and_the_report_is_not_good() -> None:
    report = deployed(FakeWorkspace(TODO, TODO, outcomes=(outcome(ResultStatus.FAILED),)))
    assert report is not None
    assert not report.is_good
    assert [cause.reason for cause in report.failures.causes] == ["quota exceeded"]


def test_an_error_is_told_and_what_is_left_too() -> None:
    report = deployed(FakeWorkspace(TODO, TODO, outcomes=(outcome(error="AccessDenied"),)))
    assert report is not None
    assert report.errors == ("AccessDenied",)
    assert report.left == TODO
    assert not report.is_good


PASSING = "Rate exceeded (Service: CloudWatchLogs, Status Code: 400)"
FRESH = "Policy contains a statement with one or more invalid principals."
BUSY = outcome(ResultStatus.FAILED, reason=PASSING)
BEGUN = replace(TODO, changes=(replace(TODO.changes[0], action=Action.UPDATE, reason="failed before"),))


@pytest.mark.parametrize("first", [BUSY, outcome(error=f"CreateStack orgmon-hub: {FRESH}")])
def test_what_passes_by_itself_is_tried_once_more(first: StepOutcome) -> None:
    workspace = FakeWorkspace(TODO, BEGUN, DONE, outcomes=(first,))
    workspace.performing.later = (outcome(),)
    told = Told()
    report = deploy(workspace, ORDER, told, lambda plan: True)
    assert report is not None
    assert report.is_good
    assert report.outcomes == (outcome(),)
    assert workspace.performing.ran == [TODO, BEGUN]
    assert workspace.performing.paused == [5.0]
    assert [line for line in told.lines if line.startswith("again")] == [f"again {first.reasons[0]}"]


def test_once_more_is_not_for_ever() -> None:
    workspace = FakeWorkspace(TODO, BEGUN, outcomes=(BUSY,))
    workspace.performing.later = (BUSY,)
    report = deployed(workspace)
    assert report is not None
    assert len(workspace.performing.ran) == 2
    assert [(cause.reason, len(cause.failed)) for cause in report.failures.causes] == [(PASSING, 1)]


def test_what_nobody_has_agreed_to_is_not_done_while_it_is_tried_again() -> None:
    other = replace(TODO.changes[0], pair=Pair("138860294471", "us-east-1"))
    moved = replace(TODO, changes=(*BEGUN.changes, other))
    workspace = FakeWorkspace(TODO, moved, outcomes=(BUSY,))
    report = deployed(workspace)
    assert report is not None
    assert workspace.performing.ran == [TODO]
    assert [cause.reason for cause in report.failures.causes] == [PASSING]


def test_what_is_left_is_not_good_even_where_nothing_failed() -> None:
    report = deployed(FakeWorkspace(TODO, TODO, outcomes=(outcome(),)))
    assert report is not None
    assert not report.is_good


def test_what_is_blocked_is_said_and_is_no_failure() -> None:
    blocked = Plan((Change("orgmon-hub", PAIR, Action.BLOCKED, "suspended"),))
    report = deployed(FakeWorkspace(blocked))
    assert report is not None
    assert (report.is_good, report.has_blocked) == (True, True)


def test_the_selection_reaches_the_plan() -> None:
    workspace = FakeWorkspace(DONE)
    chosen = frozenset({PAIR.account}), frozenset({PAIR.region})
    deployed(workspace, replace(ORDER, prune=True, accounts=chosen[0], regions=chosen[1]))
    [asked] = workspace.asked
    assert asked == {"destroy": False, "prune": True, "accounts": chosen[0], "regions": chosen[1]}


def test_a_selection_that_leaves_others_outdated_has_to_be_accepted() -> None:
    behind = replace(TODO, leaves_outdated=("orgmon-hub",))
    workspace = FakeWorkspace(behind, DONE, outcomes=(outcome(),))
    with pytest.raises(UsageError, match="orgmon-hub have changed"):
        deployed(workspace)
    assert workspace.performing.ran == []
    accepting = FakeWorkspace(behind, DONE, outcomes=(outcome(),))
    assert deployed(accepting, replace(ORDER, leave_outdated=True)) is not None


def test_a_saved_plan_that_no_longer_fits_is_refused() -> None:
    kept = saved.saved(TODO, sample.organization().id, prune=False, accounts=None, regions=None)
    moved = replace(TODO, changes=(replace(TODO.changes[0], before="OUTDATED def", after="CURRENT def"),))
    workspace = FakeWorkspace(moved)
    with pytest.raises(StalePlanError):
        deployed(workspace, replace(ORDER, saved_plan=kept))
    assert (
        deployed(FakeWorkspace(TODO, DONE, outcomes=(outcome(),)), replace(ORDER, saved_plan=kept))
        is not None
    )


def test_to_destroy_nothing_that_should_be_is_computed() -> None:
    workspace = FakeWorkspace(DONE)
    deployed(workspace, replace(ORDER, destroy=True))
    assert workspace.asked[0]["destroy"] is True
    assert "desired" not in vars(workspace)
    deployed(workspace)
    assert "desired" in vars(workspace)


def test_destroying_is_confirmed_by_the_organizations_id() -> None:
    workspace = FakeWorkspace(DONE)
    require_confirmation(workspace, sample.organization().id)
    with pytest.raises(UsageError, match="--confirm"):
        require_confirmation(workspace, "o-other")


def test_who_is_not_subscribed_is_subscribed_again_also_where_nothing_is_to_do() -> None:
    workspace = FakeWorkspace(DONE)
    workspace.wanted.append("https://pager.example.com")
    report = deployed(workspace)
    assert report is not None
    assert [route.endpoint for route in report.subscribed] == ["https://pager.example.com"]
    assert [route.state for route in report.routes] == [SUBSCRIBED, SUBSCRIBED]
    assert report.is_good
    again = deployed(workspace)
    assert again is not None
    assert again.subscribed == ()


def test_a_subscription_that_aws_refuses_hides_no_result() -> None:
    workspace = FakeWorkspace(DONE)
    workspace.refuses = AwsError("sns:Subscribe", "AccessDenied", "not you")
    report = deployed(workspace)
    assert report is not None
    assert not report.is_good
    assert "not you" in report.errors[0]
