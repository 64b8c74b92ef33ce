"""Rules on a schedule: what EventBridge takes, and when they fire."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.signals.schedule_expressions import Cron, parse
from tests.sandbox.conftest import HOME, PROD
from tests.sandbox.services import allow, bodies, client, document, make_queue, service

REFUSED = [
    "rate(10 seconds)",
    "rate(10 years)",
    "rate(1 minutes)",
    "rate(1 hours)",
    "rate(1 days)",
    "rate(10 minute)",
    "rate(10 hour)",
    "rate()",
    "rate(10)",
    "rate(10 minutess)",
    "rate(foo minutes)",
    "rate(0 minutes)",
    "rate(-10 minutes)",
    "rate(10 MINUTES)",
    "rate( 10 minutes )",
    " rate(10 minutes)",
    "cron(0 1 * * * *)",
    "cron(0 1 ? * ? *)",
    "cron(7 20 * * NOT *)",
    "cron(INVALID)",
    "cron(0 dummy ? * MON-FRI *)",
    "cron(71 8 1 * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 8 32 * ? *)",
    "cron(0 8 0 * ? *)",
    "cron(0 8 ? * 8 *)",
    "cron(0 8 ? 13 1 *)",
    "cron(0 8 1 * ? 1969)",
    "cron(0 8 1 *)",
    "cron(30-10 8 1 * ? *)",
    "every minute",
]
TAKEN = [
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(1 hour)",
    "rate(7 days)",
    "cron(0 2 ? * SAT *)",
    "cron(5,35 14 * * ? *)",
    "cron(15 10 ? * 6L 2002-2005)",
    "cron(* * ? * SAT#3 *)",
    "cron(0/5 5 ? JAN 1-5 2022)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0/30 20-23 ? * MON-FRI *)",
    "cron(0 8 LW * ? *)",
    "cron(0 8 15W * ? *)",
]


def seen(sandbox: Sandbox, name: str, expression: str, **target: Any) -> str:
    """The ARN of a queue into which a rule of that name puts what it makes on a schedule."""
    arn = f"arn:aws:sqs:{HOME}:{PROD}:{name}"
    make_queue(sandbox, name, PROD, document(allow("sqs:SendMessage", arn, Principal=service("events"))))
    events = client(sandbox, "events", PROD)
    events.put_rule(Name=name, ScheduleExpression=expression)
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn, **target}])
    return arn


@pytest.mark.parametrize("expression", REFUSED)
def test_expressions_that_are_refused(shared: Sandbox, expression: str) -> None:
    with pytest.raises(ClientError) as caught:
        client(shared, "events", PROD).put_rule(Name="bad", ScheduleExpression=expression)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (
        "ValidationException",
        "Parameter ScheduleExpression is not valid.",
    )


@pytest.mark.parametrize("expression", TAKEN)
def test_expressions_that_are_taken(shared: Sandbox, expression: str) -> None:
    events = client(shared, "events", PROD)
    events.put_rule(Name="good", ScheduleExpression=expression)
    assert events.describe_rule(Name="good")["ScheduleExpression"] == expression


def test_only_the_default_bus_has_schedules(shared: Sandbox) -> None:
    events = client(shared, "events", PROD)
    events.create_event_bus(Name="own")
    with pytest.raises(ClientError, match="ScheduleExpression is supported only on the default event bus"):
        events.put_rule(Name="own", EventBusName="own", ScheduleExpression="rate(1 minute)")


@pytest.mark.parametrize(
    ("expression", "time", "fits"),
    [
        ("cron(0 12 * * ? *)", "2026-11-20 12:00", True),
        ("cron(0 12 * * ? *)", "2026-11-20 12:01", False),
        ("cron(0/15 * * * ? *)", "2026-11-20 03:45", True),
        ("cron(0 10 ? * MON-FRI *)", "2026-11-20 10:00", True),
        ("cron(0 10 ? * MON-FRI *)", "2026-11-21 10:00", False),
        ("cron(0 10 ? * 1 *)", "2026-11-22 10:00", True),
        ("cron(0 10 ? * 6L *)", "2026-11-27 10:00", True),
        ("cron(0 10 ? * 6L *)", "2026-11-20 10:00", False),
        ("cron(0 10 ? * FRI#3 *)", "2026-11-20 10:00", True),
        ("cron(0 10 ? * FRI#5 *)", "2026-11-27 10:00", False),
        ("cron(0 10 ? * L *)", "2026-11-28 10:00", True),
        ("cron(0 10 L * ? *)", "2028-02-29 10:00", True),
        ("cron(0 10 LW * ? *)", "2026-10-30 10:00", True),
        ("cron(0 10 15W * ? *)", "2026-11-16 10:00", True),
        ("cron(0 10 1W * ? *)", "2026-08-03 10:00", True),
        ("cron(0 10 31 * ? *)", "2026-11-30 10:00", False),
        ("cron(0 10 1 JAN,JUL ? 2027)", "2027-07-01 10:00", True),
        ("cron(0 10 1 JAN,JUL ? 2027)", "2026-07-01 10:00", False),
    ],
)
def test_the_minutes_that_a_schedule_means(expression: str, time: str, fits: bool) -> None:
    schedule = parse(expression)
    assert isinstance(schedule, Cron)
    assert schedule.fits(datetime.strptime(time, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)) is fits


def test_a_rate_fires_again_and_again(sandbox: Sandbox) -> None:
    queue = seen(sandbox, "beat", "rate(5 minutes)")
    sandbox.settle(240)
    assert bodies(sandbox, queue) == []
    sandbox.settle(660)
    first, second, third = bodies(sandbox, queue)
    assert first.pop("id") != second["id"]
    time = datetime.fromisoformat(first.pop("time"))
    assert datetime.fromisoformat(second["time"]) - time == timedelta(minutes=5)
    assert third["detail"] == {}
    assert first == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": PROD,
        "region": HOME,
        "resources": [f"arn:aws:events:{HOME}:{PROD}:rule/beat"],
        "detail": {},
    }


def test_a_cron_fires_in_its_minute_alone_and_with_the_target_s_input(sandbox: Sandbox) -> None:
    now = sandbox.world.clock.now()
    due = now + timedelta(minutes=10)
    expression = f"cron({due.minute} {due.hour} {due.day} {due.month} ? {due.year})"
    queue = seen(sandbox, "once", expression, Input=json.dumps({"own": "text"}))
    sandbox.settle(9 * 60 - 1)
    assert bodies(sandbox, queue) == []
    sandbox.settle(3600)
    assert bodies(sandbox, queue) == [{"own": "text"}]


def test_a_rule_that_is_disabled_changed_or_gone_does_not_fire(sandbox: Sandbox) -> None:
    queue = seen(sandbox, "beat", "rate(1 minute)")
    events = client(sandbox, "events", PROD)
    events.disable_rule(Name="beat")
    sandbox.settle(180)
    assert bodies(sandbox, queue) == []
    events.put_rule(Name="beat", ScheduleExpression="rate(1 hour)")
    sandbox.settle(180)
    assert bodies(sandbox, queue) == []
    sandbox.settle(3600)
    assert len(bodies(sandbox, queue)) == 1
    events.remove_targets(Rule="beat", Ids=["queue"])
    events.delete_rule(Name="beat")
    sandbox.settle(7200)
    assert bodies(sandbox, queue) == []


def test_a_rule_of_a_stack_fires_too(sandbox: Sandbox) -> None:
    arn = f"arn:aws:sqs:{HOME}:{PROD}:stacked"
    make_queue(sandbox, "stacked", PROD, document(allow("sqs:SendMessage", arn, Principal=service("events"))))
    rule = {"ScheduleExpression": "rate(1 minute)", "Targets": [{"Id": "queue", "Arn": arn}]}
    template = {"Resources": {"Beat": {"Type": "AWS::Events::Rule", "Properties": rule}}}
    client(sandbox, "cloudformation", PROD).create_stack(StackName="beat", TemplateBody=json.dumps(template))
    sandbox.engine.background.wait()
    sandbox.settle(120)
    assert len(bodies(sandbox, arn)) == 2
