"""Starting operations and waiting for them, against fakes: every way in which AWS answers."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from orgmon.errors import AwsError, DeploymentError
from orgmon.execute.calls import Calls
from orgmon.execute.operations import Operations, operation_id
from orgmon.execute.progress import Progress
from orgmon.plan.step import (
    CreateStackInstances,
    DeleteStackInstances,
    ImportStacksToStackSet,
    OperationStep,
    UpdateStackSet,
)
from orgmon.stackset import (
    AutoDeployment,
    DeploymentTarget,
    OperationPreferences,
    OperationResult,
    OperationStatus,
    Pair,
    ResultStatus,
    StackInstance,
    StackSet,
    TemplateBody,
)
from tests.fakes import FakeArtifacts, FakeStacks, FakeStackSets, FakeTime, Told, operation

RUNNING, SUCCEEDED = OperationStatus.RUNNING, OperationStatus.SUCCEEDED
PATIENCE = 600.0
ACCOUNTS, REGIONS = frozenset({"200000000001", "200000000002"}), frozenset({"us-east-1", "eu-north-1"})
TARGET = DeploymentTarget(ACCOUNTS, REGIONS, ("r-abcd",))
STACK_SET = StackSet(
    "orgmon-detection",
    TemplateBody('{"Resources":{}}'),
    (("Retention", "30"),),
    instances=(StackInstance("200000000001", "us-east-1"), StackInstance("200000000002", "us-east-1")),
)
PLAIN = OperationPreferences()
CREATE = CreateStackInstances("missing", STACK_SET, PLAIN, TARGET)
SEND = UpdateStackSet("template changed", STACK_SET, PLAIN, TARGET, sends_template=True)
AUTO = UpdateStackSet("auto", STACK_SET, PLAIN, auto_deployment=AutoDeployment(enabled=True))
DELETE = DeleteStackInstances("not wanted", STACK_SET, PLAIN, TARGET, retain=True)
ADOPT = ImportStacksToStackSet("retained", STACK_SET, PLAIN, ("arn:one", "arn:two"), "r-abcd")


def refusal(code: str, message: str = "") -> AwsError:
    """AWS's answer to a request that it does not take."""
    return AwsError("cloudformation:CreateStackInstances", code, message)


STALE = refusal("StaleRequestException", "Stale request")
NAMELESS = refusal("OperationInProgressException", "Another Operation is in progress")
NAMED = refusal("OperationInProgressException", "Another Operation on StackSet is in progress: 0a1b-2c3d")


def results(count: int, status: ResultStatus) -> tuple[OperationResult, ...]:
    """Results of so many pairs."""
    return tuple(OperationResult(Pair(f"{number:012}", "us-east-1"), status) for number in range(count))


class Bench:
    """Operations on fakes."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.stack_sets = FakeStackSets(next_results=[results(4, ResultStatus.SUCCEEDED)])
        self.time = FakeTime()
        self.told = Told()
        self.operations = Operations(self.stack_sets, progress or self.told, PATIENCE, self.time.clock)
        self.calls = Calls(self.stack_sets, FakeStacks(), FakeArtifacts())

    def run(self, step: OperationStep = CREATE) -> tuple[OperationStatus, tuple[OperationResult, ...]]:
        """Run a step; how its operation ended and its results."""
        ended, results = self.operations.run(step, functools.partial(self.calls.start, step))
        return ended.status, results


@pytest.mark.parametrize(
    ("step", "identity"),
    [
        (CREATE, "orgmon-1a1d29a2640aaf3f2e3453be"),
        (SEND, "orgmon-d13418c4c551aa084c5b5cd4"),
        (AUTO, "orgmon-aae44db724ec0daa13a6eb16"),
        (DELETE, "orgmon-d03054368cf6ac1f8de7bd04"),
        (ADOPT, "orgmon-1a2410ff383981649789c6a4"),
    ],
)
def test_the_identity_of_an_operation_never_changes(step: OperationStep, identity: str) -> None:
    """A run that was killed finds its operation by this id, also with the next release."""
    assert operation_id(step, "previous") == identity


@pytest.mark.parametrize(
    "other",
    [
        replace(CREATE, target=replace(TARGET, accounts=frozenset({"200000000001"}))),
        replace(CREATE, target=replace(TARGET, regions=frozenset({"us-east-1"}))),
        replace(CREATE, target=replace(TARGET, units=("ou-abcd-00000001",))),
        replace(CREATE, stack_set=replace(STACK_SET, name="orgmon-access")),
        replace(CREATE, stack_set=replace(STACK_SET, template=TemplateBody('{"Resources":{"A":{}}}'))),
        replace(CREATE, stack_set=replace(STACK_SET, parameters=(("Retention", "90"),))),
        DeleteStackInstances("not wanted", STACK_SET, PLAIN, TARGET),
        DELETE,
        SEND,
        replace(SEND, sends_template=False),
        AUTO,
        replace(AUTO, auto_deployment=AutoDeployment()),
        replace(AUTO, auto_deployment=AutoDeployment(enabled=True, retain_stacks_on_account_removal=True)),
        ADOPT,
        replace(ADOPT, stack_ids=("arn:one",)),
        replace(ADOPT, unit="ou-abcd-00000001"),
    ],
)
def test_what_does_something_else_has_another_identity(other: OperationStep) -> None:
    assert operation_id(other, "previous") != operation_id(CREATE, "previous")
    assert operation_id(other, "previous") != operation_id(other, "later")


def test_why_and_how_fast_are_not_part_of_the_identity() -> None:
    other = replace(CREATE, reason="was lost", preferences=OperationPreferences(max_concurrent_count=9))
    assert operation_id(other, "") == operation_id(CREATE, "")


@pytest.mark.parametrize("step", [CREATE, SEND, AUTO, DELETE, ADOPT])
def test_each_kind_of_operation_makes_its_call(step: OperationStep) -> None:
    bench = Bench()
    assert bench.run(step)[0] is SUCCEEDED
    assert bench.stack_sets.started == [(step.call, operation_id(step, ""))]


def test_only_an_update_that_sends_the_template_gives_one() -> None:
    bench = Bench()
    bench.run(SEND)
    bench.run(AUTO)
    [_, sent, _], [_, unsent, auto] = bench.stack_sets.arguments
    assert sent == {"TemplateBody": STACK_SET.template.text}
    assert (unsent, auto) == (None, AutoDeployment(enabled=True))


def test_an_operation_of_the_same_id_is_our_own_and_is_waited_for() -> None:
    bench = Bench()
    identity = operation_id(CREATE, "")
    bench.stack_sets.refusals = [refusal("OperationIdAlreadyExistsException")]
    bench.stack_sets.looks[identity] = [operation(identity, RUNNING), operation(identity, SUCCEEDED)]
    bench.stack_sets.results_of[identity] = [results(4, ResultStatus.SUCCEEDED)]
    assert bench.run()[0] is SUCCEEDED
    assert len(bench.time.pauses) == 1


def test_the_operation_before_is_part_of_the_identity_so_a_step_can_be_taken_again() -> None:
    bench = Bench()
    bench.run()
    bench.run()
    first, second = (identity for _, identity in bench.stack_sets.started)
    assert second == operation_id(CREATE, first) != first


def test_an_operation_that_is_under_way_is_waited_for_before_anything_is_started() -> None:
    bench = Bench()
    bench.stack_sets.listed = [operation("foreign", RUNNING)]
    bench.stack_sets.looks["foreign"] = [
        operation("foreign", OperationStatus.QUEUED),
        operation("foreign", OperationStatus.STOPPING),
        operation("foreign", OperationStatus.STOPPED),
    ]
    bench.run()
    # The list still shows it as running: what a look has seen ended is not waited for again.
    assert bench.stack_sets.started == [("CreateStackInstances", operation_id(CREATE, "foreign"))]
    assert bench.told.lines[:3] == [
        "foreign foreign QUEUED",
        "foreign foreign STOPPING",
        "foreign foreign STOPPED",
    ]
    assert len(bench.time.pauses) == 2


def test_another_operation_that_came_first_is_waited_for_by_the_id_in_the_refusal() -> None:
    bench = Bench()
    bench.stack_sets.refusals = [NAMED]
    bench.stack_sets.looks["0a1b-2c3d"] = [operation("0a1b-2c3d", RUNNING), operation("0a1b-2c3d", SUCCEEDED)]
    assert bench.run()[0] is SUCCEEDED
    assert [line for line in bench.told.lines if "0a1b" in line] == [
        "foreign 0a1b-2c3d RUNNING",
        "foreign 0a1b-2c3d SUCCEEDED",
    ]


@pytest.mark.parametrize("answer", [STALE, NAMELESS])
def test_a_refusal_without_a_reason_to_wait_for_is_met_with_ever_longer_pauses(answer: AwsError) -> None:
    bench = Bench()
    bench.stack_sets.refusals = [answer] * 4
    assert bench.run()[0] is SUCCEEDED
    assert bench.time.pauses == sorted(bench.time.pauses)
    assert len(set(bench.time.pauses)) == 4
    assert bench.told.lines[:4] == [f"refused orgmon-detection: {answer.message}"] * 4


@pytest.mark.parametrize("answer", [STALE, NAMELESS])
def test_patience_ends_with_what_aws_said_and_what_to_do(answer: AwsError) -> None:
    bench = Bench()
    bench.stack_sets.refusals = [answer] * 1000
    with pytest.raises(DeploymentError) as caught:
        bench.run()
    assert f"CreateStackInstances on orgmon-detection was refused for 10 minutes: {answer.message}" in str(
        caught.value
    )
    assert "--patience" in caught.value.remedy
    assert sum(bench.time.pauses) == pytest.approx(PATIENCE)
    assert len(bench.stack_sets.started) < 40


def test_an_operation_that_has_ended_and_is_still_in_the_way_is_no_loop_without_a_pause() -> None:
    bench = Bench()
    bench.stack_sets.refusals = [NAMED] * 1000
    bench.stack_sets.looks["0a1b-2c3d"] = [operation("0a1b-2c3d", SUCCEEDED)]
    with pytest.raises(DeploymentError, match="in progress: 0a1b-2c3d"):
        bench.run()
    assert len(bench.stack_sets.started) < 40


def test_what_aws_refuses_for_good_is_raised_at_once() -> None:
    bench = Bench()
    bench.stack_sets.refusals = [refusal("AccessDenied", "no")]
    with pytest.raises(AwsError, match="AccessDenied"):
        bench.run()
    assert bench.time.pauses == []


def large(accounts: int = 17_000) -> CreateStackInstances:
    """A step for many accounts."""
    ids = frozenset(f"{number:012}" for number in range(accounts))
    return replace(CREATE, target=DeploymentTarget(ids, frozenset({"us-east-1"})))


def test_a_small_operation_is_read_whole_at_each_look() -> None:
    bench = Bench()
    bench.stack_sets.next_looks = [operation("", RUNNING), operation("", SUCCEEDED)]
    bench.stack_sets.next_results = [results(4, ResultStatus.RUNNING), results(4, ResultStatus.SUCCEEDED)]
    assert bench.run()[1] == results(4, ResultStatus.SUCCEEDED)
    assert bench.told.lines == [
        "operation RUNNING whole 4/4",
        "operation SUCCEEDED whole 4/4",
        "operation SUCCEEDED whole 4/4",
    ]


@pytest.mark.slow
def test_of_a_large_operation_only_what_is_worked_on_is_read_until_something_fails_or_it_ends() -> None:
    bench = Bench()
    bench.stack_sets.next_looks = [
        *[operation("", RUNNING)] * 50,
        *[operation("", RUNNING, failed=1)] * 50,
        operation("", SUCCEEDED, failed=1),
    ]
    bench.stack_sets.next_results = [results(17_000, ResultStatus.SUCCEEDED)]
    bench.run(large())
    whole = [number for number, status in enumerate(bench.stack_sets.reads) if status is None]
    assert whole == [50, 100]
    assert set(bench.stack_sets.reads) == {None, ResultStatus.RUNNING}


def test_results_that_lag_behind_the_end_are_read_again() -> None:
    bench = Bench()
    bench.stack_sets.next_results = [
        results(4, ResultStatus.RUNNING),
        results(4, ResultStatus.PENDING),
        results(3, ResultStatus.SUCCEEDED),
        results(4, ResultStatus.SUCCEEDED),
    ]
    assert bench.run()[1] == results(4, ResultStatus.SUCCEEDED)
    assert len(bench.time.pauses) == 3


def test_results_that_never_settle_are_taken_as_they_are() -> None:
    bench = Bench()
    bench.stack_sets.next_results = [results(1, ResultStatus.PENDING)]
    assert bench.run()[1] == results(1, ResultStatus.PENDING)
    assert len(bench.time.pauses) == 8


def test_an_operation_says_how_many_pairs_it_walks() -> None:
    assert [step.size for step in (CREATE, SEND, DELETE, ADOPT)] == [(2, 2), (2, 2), (2, 2), (2, 1)]
    assert AUTO.size == (2, 1)
