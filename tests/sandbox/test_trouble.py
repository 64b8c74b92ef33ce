"""Rehearsed trouble, and the clock it runs by."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.clock import Clock
from orgmon.sandbox.trouble import Trouble
from orgmon.sandbox.world import World

from .conftest import DEV, HOME, PROD, Site
from .stacks import resource, template

ONCE = Config(retries={"total_max_attempts": 1})
QUEUE = {"Id": "q", "Arn": f"arn:aws:sqs:{HOME}:{PROD}:q"}
TARGET = (PROD, HOME, "StackSet-orgmon-detection-1", "Rule", "CREATE")


def test_a_failure_hits_what_it_names() -> None:
    trouble = Trouble()
    trouble.fail(account=PROD, region=HOME, logical_id="Ru*", action="CREATE", reason="no")
    assert trouble.failure_for(*TARGET) == "no"
    assert trouble.failure_for(DEV, *TARGET[1:]) is None
    assert trouble.failure_for(PROD, "us-east-1", *TARGET[2:]) is None
    assert trouble.failure_for(*TARGET[:3], "Bus", "CREATE") is None
    assert trouble.failure_for(*TARGET[:4], "DELETE") is None


def test_a_failure_may_end_by_itself_or_be_lifted() -> None:
    trouble = Trouble()
    trouble.fail(reason="twice", times=2)
    assert [trouble.failure_for(*TARGET) for _ in range(3)] == ["twice", "twice", None]
    rule = trouble.fail(reason="always")
    assert trouble.failure_for(*TARGET) == "always"
    trouble.lift(rule)
    assert trouble.failure_for(*TARGET) is None


def test_failures_are_counted_exactly_by_many_threads() -> None:
    trouble = Trouble()
    trouble.fail(reason="no", times=50)
    hits: list[str | None] = []

    def ask() -> None:
        for _ in range(40):
            hits.append(trouble.failure_for(*TARGET))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hits.count("no") == 50


def test_every_nth_call_is_throttled(world: World) -> None:
    world.trouble.throttle("cloudformation", "DescribeStack*", every_nth=3, account=PROD)
    world.operations.register("cloudformation", "DescribeStacks", lambda call: {"Stacks": []})
    outcomes = []
    for account in (PROD, PROD, PROD, DEV, PROD):
        client = world.session(account).client("cloudformation", config=ONCE)
        try:
            client.describe_stacks()
            outcomes.append("")
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            told = error.response["Error"]
            outcomes.append(f"{status} {told['Code']}: {told['Message']}")
    assert outcomes == ["", "", "400 Throttling: Rate exceeded", "", ""]


@pytest.mark.parametrize("operation", ["list_stack_sets", "describe_stack_set", "create_stack_instances"])
def test_stack_sets_are_throttled_as_other_stacks(world: World, operation: str) -> None:
    world.trouble.throttle("cloudformation")
    client = world.session(PROD).client("cloudformation", config=ONCE)
    named = {} if operation == "list_stack_sets" else {"StackSetName": "s"}
    regions = {"Regions": [HOME]} if operation == "create_stack_instances" else {}
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**named, **regions)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    told = caught.value.response["Error"]
    assert (told["Code"], told["Message"]) == ("Throttling", "Rate exceeded")


def test_targets_that_come_too_fast_fail_in_an_answer_that_looks_well(world: World) -> None:
    client = world.session(PROD).client("events", config=ONCE)
    client.put_rule(Name="r", EventPattern='{"source": ["s"]}')
    targets = [{"Id": each, "Arn": f"arn:aws:sqs:{HOME}:{PROD}:{each}"} for each in ("a", "b")]
    rule = world.trouble.throttle("events", "*Targets")
    answer = client.put_targets(Rule="r", Targets=targets)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["FailedEntryCount"] == 2
    assert [(each["TargetId"], each["ErrorCode"]) for each in answer["FailedEntries"]] == [
        ("a", "ConcurrentModificationException"),
        ("b", "ConcurrentModificationException"),
    ]
    assert client.list_targets_by_rule(Rule="r")["Targets"] == []
    world.trouble.lift(rule)
    assert client.put_targets(Rule="r", Targets=targets)["FailedEntryCount"] == 0
    world.trouble.throttle("events", "RemoveTargets")
    assert client.remove_targets(Rule="r", Ids=["a"])["FailedEntries"][0]["TargetId"] == "a"
    assert len(client.list_targets_by_rule(Rule="r")["Targets"]) == 2


def test_a_rule_whose_targets_come_too_fast_fails_its_stack(site: Site) -> None:
    body = template(Rule=resource("AWS::Events::Rule", EventPattern={"source": ["s"]}, Targets=[QUEUE]))
    rule = site.world.trouble.throttle("events", "PutTargets")
    site.cloudformation.create_stack(StackName="too-fast", TemplateBody=body)
    site.engine.background.wait()
    site.world.trouble.lift(rule)
    [stack] = site.cloudformation.describe_stacks(StackName="too-fast")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_client_that_tries_again_gets_through(world: World) -> None:
    world.trouble.throttle("organizations", "ListRoots", every_nth=2)
    config = Config(retries={"mode": "standard", "total_max_attempts": 3})
    client = world.session("111111111111").client("organizations", config=config)
    assert client.list_roots()["Roots"]
    assert client.list_roots()["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_denied_api_is_denied_to_administrators(world: World) -> None:
    world.trouble.deny("logs", "Put*", account=PROD)
    client = world.session(PROD).client("logs", config=ONCE)
    assert client.describe_log_groups()["logGroups"] == []
    with pytest.raises(
        ClientError, match=r"AccessDeniedException.*explicit deny in a service control policy"
    ):
        client.put_retention_policy(logGroupName="g", retentionInDays=1)
    world.trouble.lift()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.put_retention_policy(logGroupName="g", retentionInDays=1)


def test_suspending_reaches_the_organization(world: World) -> None:
    world.trouble.suspend(DEV)
    assert world.organization.is_suspended(DEV)


def test_a_foreign_operation_is_started_by_who_can() -> None:
    trouble = Trouble()
    with pytest.raises(LookupError):
        trouble.foreign_operation("orgmon-detection", 30)
    started: list[tuple[str, float]] = []
    trouble.on_foreign_operation = lambda name, seconds: started.append((name, seconds))
    trouble.foreign_operation("orgmon-detection", 30)
    assert started == [("orgmon-detection", 30)]


def test_expiry_needs_somebody() -> None:
    trouble = Trouble()
    with pytest.raises(LookupError):
        trouble.expire()
    expired: list[bool] = []
    trouble.on_expire = lambda: expired.append(True)
    trouble.control({}, {"kind": "expire"})
    assert expired == [True]


def test_the_longest_lateness_holds() -> None:
    trouble = Trouble()
    assert trouble.lateness == 0
    trouble.late(5)
    trouble.control({}, {"kind": "late", "seconds": 20})
    assert trouble.lateness == 20
    trouble.lift()
    assert trouble.lateness == 0


def test_trouble_is_controlled_by_json() -> None:
    trouble = Trouble()
    trouble.control({}, {"kind": "fail", "account": PROD, "reason": "no", "times": 1})
    told = trouble.control({}, {"kind": "throttle", "service": "s3"})
    assert [rule["kind"] for rule in told["rules"]] == ["ResourceFailure", "Throttle"]
    assert trouble.failure_for(*TARGET) == "no"
    assert trouble.control({}, {"kind": "lift"}) == {"rules": []}
    with pytest.raises(ValueError, match="every_nth"):
        trouble.control({}, {"kind": "throttle", "service": "s3", "every_nth": 0})
    with pytest.raises(TypeError):
        trouble.control({}, {"kind": "fail", "acount": PROD})


def test_the_clock_turns_and_runs_what_is_due_in_order() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock = Clock(start, speed=0)
    ran: list[tuple[str, float]] = []

    def note(name: str) -> None:
        ran.append((name, (clock.now() - start).total_seconds()))

    def early() -> None:
        note("early")
        clock.after(5, lambda: note("between"))

    clock.after(20, lambda: note("late"))
    clock.after(10, early)
    clock.after(10, lambda: note("never")).cancel()
    ticking = clock.every(8, lambda: note("tick"))
    clock.advance(20)
    assert ran == [("tick", 8), ("early", 10), ("between", 15), ("tick", 16), ("late", 20)]
    ticking.cancel()
    clock.advance(100)
    assert len(ran) == 5
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_a_running_clock_runs_what_is_due_by_itself() -> None:
    clock = Clock(speed=100)
    done = threading.Event()
    clock.after(2, done.set)
    assert done.wait(5)
    clock.close()


def test_what_a_timer_raises_is_kept() -> None:
    clock = Clock(speed=0)
    errors: list[BaseException] = []
    clock.on_error = errors.append
    clock.after(1, lambda: 1 // 0)
    clock.advance(2)
    assert [type(error) for error in errors] == [ZeroDivisionError]
