"""Taking the steps of a plan, against fakes: the order, what stops it, and what is waited for before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orgmon.errors import AwsError, DeploymentError
from orgmon.execute.calls import Calls
from orgmon.execute.operations import Operations
from orgmon.execute.progress import Progress, Unfailing
from orgmon.execute.runner import Runner
from orgmon.plan.model import Phase, Plan, Stage
from orgmon.plan.step import (
    CreateStack,
    CreateStackInstances,
    CreateStackSet,
    DeleteObjects,
    DeleteStack,
    DeleteStackSet,
    PutObject,
    UpdateStack,
)
from orgmon.stackset import (
    Artifact,
    AutoDeployment,
    DeploymentTarget,
    OperationPreferences,
    OperationResult,
    OperationStatus,
    Pair,
    ResultStatus,
    Stack,
    StackSet,
    State,
    TemplateBody,
)
from tests.fakes import FakeArtifacts, FakeStacks, FakeStackSets, FakeTime, Told, Unwritable, operation

TEMPLATE = TemplateBody("{}")
STACK = Stack("orgmon-trail", "100000000000", "us-east-1", TEMPLATE)
STACK_SET = StackSet("orgmon-hub", TEMPLATE)
PAIR = Pair("200000000001", "us-east-1")
CREATE_INSTANCES = CreateStackInstances(
    "missing",
    STACK_SET,
    OperationPreferences(),
    DeploymentTarget(frozenset({PAIR.account}), frozenset({PAIR.region})),
)
PLAIN_STEPS = (
    PutObject("missing", Artifact("artifacts", "code.zip")),
    CreateStack("missing", STACK),
    UpdateStack("template changed", STACK),
    CreateStackSet("missing", STACK_SET, AutoDeployment(enabled=True)),
    DeleteStackSet("not wanted", STACK_SET),
    DeleteObjects("its stack is deleted", "artifacts", "us-east-1"),
    DeleteStack("not wanted", STACK),
)


class Bench:
    """A runner on fakes."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.stack_sets, self.stacks, self.artifacts = FakeStackSets(), FakeStacks(), FakeArtifacts()
        self.told = Told()
        told = progress or self.told
        operations = Operations(self.stack_sets, told, 60.0, FakeTime().clock)
        calls = Calls(self.stack_sets, self.stacks, self.artifacts)
        self.runner = Runner(calls, operations, self.stacks, told)


def plan(*stages: Stage) -> Plan:
    """A plan of stages."""
    return Plan(stages=stages)


def test_every_plain_step_is_done_in_order() -> None:
    bench = Bench()
    outcomes = bench.runner.run(plan(Stage("orgmon-base", "", PLAIN_STEPS)))
    assert [outcome.step for outcome in outcomes] == list(PLAIN_STEPS)
    assert all(outcome.is_good for outcome in outcomes)
    assert bench.artifacts.made == ["put code.zip", "empty artifacts us-east-1"]
    assert bench.stacks.made == ["APPLY orgmon-trail", "APPLY orgmon-trail", "DELETE orgmon-trail"]
    assert bench.stack_sets.made == ["CreateStackSet orgmon-hub True", "DeleteStackSet orgmon-hub"]


def test_stages_and_steps_are_told_as_they_begin_and_end() -> None:
    bench = Bench()
    bench.runner.run(
        plan(
            Stage("orgmon-hub", "canary", (CREATE_INSTANCES,)),
            Stage("orgmon-trail", "", (PLAIN_STEPS[-1],), Phase.REMOVE),
        )
    )
    assert [line for line in bench.told.lines if not line.startswith("operation")] == [
        "stage orgmon-hub canary",
        "step CreateStackInstances",
        "done CreateStackInstances",
        "stage orgmon-trail removal",
        "step DeleteStack",
        "done DeleteStack",
    ]


@pytest.mark.parametrize(
    "error",
    [
        AwsError("cloudformation:CreateChangeSet", "AccessDenied", "no"),
        DeploymentError("orgmon-trail: ROLLBACK_COMPLETE", "see the reason"),
    ],
)
def test_a_step_that_fails_ends_the_run_with_its_reason(error: AwsError | DeploymentError) -> None:
    bench = Bench()
    bench.stacks.error = error
    outcomes = bench.runner.run(plan(Stage("a", "", PLAIN_STEPS[:3]), Stage("b", "", PLAIN_STEPS[3:])))
    assert [outcome.step.call for outcome in outcomes] == ["PutObject", "CreateStack"]
    assert outcomes[-1].error == str(error)
    assert bench.told.lines[-1] == f"done CreateStack {error}"


def test_an_error_while_an_operation_is_waited_for_is_the_steps_error() -> None:
    bench = Bench()
    bench.stack_sets.refusals = [
        AwsError("cloudformation:CreateStackInstances", "LimitExceededException", "x")
    ]
    [outcome] = bench.runner.run(plan(Stage("a", "", (CREATE_INSTANCES, PLAIN_STEPS[0]))))
    assert outcome.stops
    assert "LimitExceededException" in outcome.error


@pytest.mark.parametrize("status", [OperationStatus.FAILED, OperationStatus.STOPPED])
def test_an_operation_that_ends_badly_stops_the_rollout(status: OperationStatus) -> None:
    bench = Bench()
    bench.stack_sets.next_looks = [operation("", status)]
    bench.stack_sets.next_results = [(OperationResult(PAIR, ResultStatus.FAILED, "quota"),)]
    outcomes = bench.runner.run(
        plan(Stage("a", "one", (CREATE_INSTANCES,)), Stage("a", "two", (CREATE_INSTANCES,)))
    )
    assert [(outcome.wave, outcome.stops) for outcome in outcomes] == [("one", True)]
    assert outcomes[0].failed == (OperationResult(PAIR, ResultStatus.FAILED, "quota"),)


def test_failures_within_the_tolerance_do_not_stop_it_and_are_not_good_either() -> None:
    bench = Bench()
    bench.stack_sets.next_results = [(OperationResult(PAIR, ResultStatus.FAILED, "quota"),)]
    outcomes = bench.runner.run(plan(Stage("a", "", (CREATE_INSTANCES, *PLAIN_STEPS[:1]))))
    assert [(outcome.stops, outcome.is_good) for outcome in outcomes] == [(False, False), (False, True)]


@pytest.mark.parametrize(
    "status", [OperationStatus.RUNNING, OperationStatus.QUEUED, OperationStatus.STOPPING]
)
def test_an_operation_that_is_under_way_is_settled_first(status: OperationStatus) -> None:
    bench = Bench()
    running = operation("foreign", status)
    bench.stack_sets.listed = [running]
    bench.stack_sets.looks["foreign"] = [running, operation("foreign", OperationStatus.SUCCEEDED)]
    observed = State(stack_sets=(replace(STACK_SET, operation=running),))
    assert bench.runner.settle(observed)
    assert bench.told.lines == [f"foreign foreign {status}", "foreign foreign SUCCEEDED"]


@pytest.mark.parametrize(
    ("status", "waited"),
    [
        ("CREATE_IN_PROGRESS", True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", True),
        ("DELETE_IN_PROGRESS", True),
        ("REVIEW_IN_PROGRESS", False),
        ("CREATE_COMPLETE", False),
        ("ROLLBACK_COMPLETE", False),
    ],
)
def test_a_stack_that_changes_is_settled_first_and_one_in_review_is_not(status: str, waited: bool) -> None:
    bench = Bench()
    bench.stacks.error = DeploymentError("it failed")
    assert bench.runner.settle(State((replace(STACK, status=status),))) is waited
    assert bench.stacks.made == (["settle orgmon-trail"] if waited else [])


def test_nothing_under_way_needs_no_waiting() -> None:
    over = replace(STACK_SET, operation=operation("old", OperationStatus.FAILED))
    assert not Bench().runner.settle(State((STACK,), (over, STACK_SET)))


def test_a_stack_set_that_somebody_works_on_is_deleted_when_it_is_free() -> None:
    bench = Bench()
    busy = "Another operation is in progress: 0a1b"
    bench.stack_sets.refusals = [
        AwsError("cloudformation:DeleteStackSet", "OperationInProgressException", busy)
    ]
    bench.stack_sets.looks["0a1b"] = [operation("0a1b", OperationStatus.SUCCEEDED)]
    [outcome] = bench.runner.run(plan(Stage("a", "", (DeleteStackSet("not wanted", STACK_SET),))))
    assert outcome.is_good
    assert bench.stack_sets.made == ["DeleteStackSet orgmon-hub"] * 2
    assert "foreign 0a1b SUCCEEDED" in bench.told.lines


def test_progress_that_cannot_be_written_ends_no_rollout() -> None:
    bench = Bench(Unfailing(Unwritable()))
    bench.stack_sets.listed = [operation("foreign", OperationStatus.RUNNING)]
    bench.stack_sets.looks["foreign"] = [operation("foreign", OperationStatus.SUCCEEDED)]
    bench.stack_sets.refusals = [AwsError("cloudformation:CreateStackInstances", "StaleRequestException", "")]
    outcomes = bench.runner.run(plan(Stage("a", "", (CREATE_INSTANCES, *PLAIN_STEPS))))
    assert len(outcomes) == 1 + len(PLAIN_STEPS)
    assert all(outcome.is_good for outcome in outcomes)
