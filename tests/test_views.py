"""What a person sees while a rollout runs and when it has failed."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from orgmon.console import failure_view
from orgmon.console.plan_view import blocked, duration, idle
from orgmon.console.progress_view import LineProgress, LiveProgress, progress_on, waiting
from orgmon.execute.outcome import StepOutcome
from orgmon.execute.progress import Look
from orgmon.failure import failures
from orgmon.plan.model import Action, Change, Plan
from orgmon.plan.step import DeleteStackSet
from orgmon.stackset import (
    Operation,
    OperationResult,
    OperationStatus,
    Pair,
    ResultStatus,
    StackSet,
    TemplateBody,
)
from tests import sample

PAYMENTS = Pair("904417263085", "us-east-1")
SHOP = Pair("138860294471", "us-east-1")
RUNNING = Operation("orgmon-1", "CREATE", OperationStatus.RUNNING)
OVER = Operation("orgmon-1", "CREATE", OperationStatus.SUCCEEDED)


def console(*, terminal: bool) -> Console:
    """A console that keeps what is printed."""
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)


def printed(target: Console) -> str:
    """What a console was given."""
    assert isinstance(target.file, io.StringIO)
    return target.file.getvalue()


def test_without_a_terminal_each_change_of_state_is_a_line() -> None:
    target = console(terminal=False)
    progress = progress_on(target, sample.organization())
    assert type(progress) is LineProgress
    first = (OperationResult(PAYMENTS, ResultStatus.RUNNING), OperationResult(SHOP, ResultStatus.PENDING))
    progress.operation("orgmon-detection", Look(RUNNING, first, 2))
    progress.operation("orgmon-detection", Look(RUNNING, first, 2))
    last = (
        OperationResult(PAYMENTS, ResultStatus.SUCCEEDED),
        OperationResult(SHOP, ResultStatus.FAILED, "quota"),
    )
    progress.operation("orgmon-detection", Look(OVER, last, 2))
    assert printed(target).splitlines() == [
        "  orgmon-detection 904417263085 payments-prod us-east-1 RUNNING",
        "  orgmon-detection 904417263085 payments-prod us-east-1 SUCCEEDED",
        "  orgmon-detection 138860294471 web-shop-prod us-east-1 FAILED: quota",
    ]


def test_on_a_terminal_a_table_shows_regions_rate_and_who_is_worked_on() -> None:
    target = console(terminal=True)
    progress = progress_on(target, sample.organization())
    assert isinstance(progress, LiveProgress)
    results = (
        OperationResult(PAYMENTS, ResultStatus.RUNNING),
        OperationResult(SHOP, ResultStatus.SUCCEEDED),
        OperationResult(Pair("138860294471", "eu-north-1"), ResultStatus.FAILED),
    )
    target.print(progress._table("orgmon-detection", Look(RUNNING, results, 3)))
    text = printed(target)
    assert "orgmon-detection: 2/3" in text
    assert "left" in text
    assert "eu-north-1  ████████████████████  1/1   1" in text
    assert "1/2   0       payments-prod" in text
    progress.operation("orgmon-detection", Look(OVER, results, 3))
    stack_set = StackSet("orgmon-detection", TemplateBody("{}"))
    progress.done(StepOutcome(DeleteStackSet("not wanted", stack_set), "removal"))
    assert "DeleteStackSet orgmon-detection done" in printed(target)


def test_of_a_large_operation_the_table_shows_what_is_worked_on_and_claims_no_more() -> None:
    target = console(terminal=True)
    progress = progress_on(target, sample.organization())
    assert isinstance(progress, LiveProgress)
    part = (OperationResult(PAYMENTS, ResultStatus.RUNNING), OperationResult(SHOP, ResultStatus.RUNNING))
    failing = replace(RUNNING, failed=3)
    target.print(progress._table("orgmon-detection", Look(failing, part, 17_000, is_whole=False)))
    text = printed(target)
    assert "orgmon-detection: 17,000 pairs for" in text
    assert "2 now, 3 failed" in text
    assert "us-east-1  payments-prod, web-shop-prod" in text
    assert "done" not in text


def test_a_refusal_is_said_once_until_something_else_happens() -> None:
    target = console(terminal=False)
    progress = progress_on(target, sample.organization())
    for seconds in (1.0, 1.6, 2.5):
        progress.refused("orgmon-hub", "Stale request", seconds)
    progress.refused("orgmon-hub", "Another operation is in progress", 4.0)
    assert printed(target).splitlines() == [
        "orgmon-hub: AWS does not start the operation yet (Stale request); asking again",
        "orgmon-hub: AWS does not start the operation yet (Another operation is in progress); asking again",
    ]


def test_what_is_waited_for_is_named_with_its_owner_and_age() -> None:
    began = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    foreign = Operation("0a1b", "UPDATE", OperationStatus.RUNNING, began)
    assert waiting("orgmon-hub", foreign) == (
        "orgmon-hub: waiting for somebody else's operation 0a1b (UPDATE, RUNNING, 5 min old)"
    )
    assert "an earlier run's operation orgmon-1" in waiting("orgmon-hub", RUNNING)


def test_root_causes_come_with_names_and_remedies_apart_from_what_was_cancelled() -> None:
    target = console(terminal=False)
    cancelled = "Cancelled since failure tolerance has exceeded"
    grouped = failures(
        [
            ("orgmon-access", OperationResult(PAYMENTS, ResultStatus.FAILED, "role already exists")),
            ("orgmon-access", OperationResult(SHOP, ResultStatus.CANCELLED, cancelled)),
        ]
    )
    failure_view.show(target, grouped, sample.organization())
    text = printed(target)
    assert "Root cause 1 (1 failed)" in text
    assert "orgmon-access  904417263085 payments-prod  us-east-1" in text
    assert "What to do: something of that name is there already" in text
    assert "1 more were only cancelled" in text
    assert "138860294471" not in text


def test_nothing_to_do_is_not_said_of_what_is_not_as_it_should_be() -> None:
    fine = Change("orgmon-hub", PAYMENTS, Action.NONE, "")
    extra = Change("orgmon-hub", PAYMENTS, Action.NONE, "extra; deleted with --prune")
    stuck = Change("orgmon-hub", PAYMENTS, Action.BLOCKED, "suspended")
    assert idle(Plan((fine, fine))) == "Nothing to do: all 2 stacks are as they should be."
    assert idle(Plan((fine, extra))) == "Nothing to do; 1 extra stays without --prune."
    assert idle(Plan((stuck, extra, extra))) == (
        "Nothing to do; 1 stack cannot be reached or changed (blocked), 2 extras stay without --prune."
    )
    out = console(terminal=False)
    blocked(out, Plan((fine, stuck)), sample.organization())
    told = printed(out)
    assert "suspended" in told
    assert told.count(PAYMENTS.account) == 1


def test_durations_are_said_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (0, 59, 60, 3599, 3600, 90000)] == [
        "0 s",
        "59 s",
        "1 min",
        "59 min",
        "1 h 00 min",
        "25 h 00 min",
    ]
