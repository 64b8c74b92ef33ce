"""Haste: what comes faster than AWS takes it is refused, by the clock and by the order in which a stack is made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orgmon.sandbox.cloudformation.stack import StackRecord
from orgmon.sandbox.rates import RATES, Buckets, Rate, later
from orgmon.sandbox.trouble import Trouble
from orgmon.sandbox.world import World
from orgmon.stacks import detection, trail
from orgmon.stacks.definition import StackDefinition
from tests import sample

from .conftest import DEV, HOME, PROD, SECURITY, Site
from .stacks import resource

ONCE = Config(retries={"total_max_attempts": 1})
START = datetime(2026, 11, 1, tzinfo=UTC)
FILTER, ALARM, GROUP = "AWS::Logs::MetricFilter", "AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup"
REGION = sample.stack_inputs().governed_regions[0]
PARAMETERS = {"SecurityAccountId": SECURITY, "HomeRegion": REGION}
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "kms:*",
            "Resource": "*",
            "Principal": {"AWS": f"arn:aws:iam::{PROD}:root"},
        }
    ],
}


def taken(buckets: Buckets, seconds: float, operation: str = "PutMetricFilter", region: str = HOME) -> bool:
    """Whether a call of that many seconds after the beginning is taken."""
    return buckets.take("logs", operation, PROD, region, START + timedelta(seconds=seconds))


def test_a_bucket_holds_a_burst_and_fills_again() -> None:
    buckets = Buckets()
    assert [taken(buckets, 0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [taken(buckets, 1) for _ in range(6)] == [True] * 5 + [False]
    assert [taken(buckets, 100) for _ in range(11)] == [True] * 10 + [False]


def test_buckets_are_of_an_operation_and_a_region() -> None:
    buckets = Buckets()
    assert all(taken(buckets, 0) for _ in range(10))
    assert not taken(buckets, 0)
    assert taken(buckets, 0, "DeleteMetricFilter")
    assert taken(buckets, 0, region="us-east-1")
    assert all(taken(buckets, 0, "PutLogEvents") for _ in range(100))


def test_calls_count_at_their_time_and_not_in_their_order() -> None:
    buckets = Buckets()
    assert all(taken(buckets, second) for second in (3, 0, 2, 1) for _ in range(5))
    with later(2):
        assert [taken(buckets, 0) for _ in range(6)] == [True] * 5 + [False]
    assert [taken(buckets, 0) for _ in range(2)] == [False] * 2


def test_every_bucket_fills() -> None:
    assert all(rate.rate > 0 and rate.burst >= rate.rate for rate in RATES.values())
    assert RATES["cloudwatch", "PutMetricAlarm"] == Rate(3, 3)


def test_haste_is_rehearsed_only_where_it_is_asked_for() -> None:
    trouble = Trouble()

    def is_slow(account: str) -> bool:
        return not any(trouble.is_too_fast("kms", "CreateKey", account, HOME, START) for _ in range(6))

    assert is_slow(PROD)
    trouble.control({}, {"kind": "haste", "account": PROD})
    assert not is_slow(PROD)
    assert is_slow(DEV)
    trouble.lift()
    assert is_slow(PROD)


def test_a_caller_is_told_as_the_service_does_and_waits(world: World) -> None:
    world.trouble.haste()
    alarms = world.session(PROD).client("cloudwatch", config=ONCE)
    keys = world.session(PROD).client("kms", config=ONCE)
    for _ in range(3):
        alarms.delete_alarms(AlarmNames=["absent"])
    with pytest.raises(ClientError, match=r"\(Throttling\) .*: Rate exceeded"):
        alarms.delete_alarms(AlarmNames=["absent"])
    for _ in range(5):
        keys.create_key()
    with pytest.raises(ClientError, match=r"\(ThrottlingException\) .*: You have exceeded the rate"):
        keys.create_key()
    world.clock.advance(1)
    alarms.delete_alarms(AlarmNames=["absent"])
    keys.create_key()


@pytest.fixture
def hasty(site: Site) -> Iterator[Site]:
    """A world in which nobody may be hasty, with all buckets full."""
    rule = site.world.trouble.haste()
    yield site
    site.world.trouble.lift(rule)


def made(site: Site, name: str, body: dict[str, Any]) -> StackRecord:
    """A stack that was tried to make; one that was made has been removed again, without haste either."""
    asked = {key: PARAMETERS[key] for key in body.get("Parameters", {})}
    named = ["CAPABILITY_NAMED_IAM"]
    stack = site.engine.deploy(
        PROD, REGION, name, json.dumps(body), asked, {}, None, named, on_failure="ROLLBACK"
    )
    if stack.status == "CREATE_COMPLETE":
        site.engine.delete(PROD, REGION, name)
        assert stack.status == "DELETE_COMPLETE", stack.failure
    return stack


def filters(count: int, lanes: int) -> dict[str, Any]:
    """A stack of metric filters, each of which waits for the one that is ``lanes`` before it."""
    resources = {"Group": resource(GROUP, LogGroupName="filtered")}
    for number in range(count):
        after = f"F{number - lanes}" if number >= lanes else "Group"
        resources[f"F{number}"] = resource(
            FILTER,
            LogGroupName="filtered",
            FilterPattern=f"x{number}",
            MetricTransformations=[{"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"}],
            attributes={"DependsOn": ["Group", after]},
        )
    return {"Resources": resources}


def test_metric_filters_that_are_made_at_once_fail_as_their_handler_says(hasty: Site) -> None:
    stack = made(hasty, "at-once", filters(25, lanes=25))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert re.search(
        r"ResourceType:AWS::Logs::MetricFilter, ResourceStatusReason:Resource handler returned message: "
        r'"Rate exceeded \(Service: CloudWatchLogs, Status Code: 400, Request ID: \S+\)" '
        r"\(RequestToken: \S+, HandlerErrorCode: InvalidRequest\)",
        stack.failure,
    )


@pytest.mark.parametrize(("lanes", "status"), [(5, "DELETE_COMPLETE"), (6, "ROLLBACK_COMPLETE")])
def test_five_lanes_are_slow_enough_and_six_are_not(hasty: Site, lanes: int, status: str) -> None:
    assert made(hasty, f"lanes-{lanes}", filters(60, lanes)).status == status


def test_other_resources_fail_in_words_of_their_own(hasty: Site) -> None:
    keys = {f"Key{number}": resource("AWS::KMS::Key", KeyPolicy=KEY_POLICY) for number in range(6)}
    stack = made(hasty, "keys", {"Resources": keys})
    assert "(Service: Kms, Status Code: 400, " in stack.failure
    assert "HandlerErrorCode: GeneralServiceException" in stack.failure


def counted(definition: StackDefinition) -> dict[str, Any]:
    """The filters, the alarms and their log group of a product's stack."""
    body: dict[str, Any] = json.loads(json.dumps(definition.body(sample.stack_inputs()).content))
    kept = {name: part for name, part in body["Resources"].items() if part["Type"] in (FILTER, ALARM, GROUP)}
    sections: dict[str, Any] = {name: body[name] for name in ("Conditions", "Mappings") if name in body}
    for name, part in kept.items():
        if part["Type"] == GROUP:
            kept[name] = resource(GROUP, LogGroupName=part["Properties"]["LogGroupName"])
    parameters = {name: each for name, each in body["Parameters"].items() if name in PARAMETERS}
    return {**sections, "Parameters": parameters, "Resources": kept}


def without_lanes(body: dict[str, Any]) -> dict[str, Any]:
    """The same, made as soon as what is of another kind is there."""
    resources = body["Resources"]

    def waiting(part: dict[str, Any]) -> list[str]:
        depends = part.get("DependsOn", [])
        named = [depends] if isinstance(depends, str) else depends
        return [name for name in named if resources[name]["Type"] != part["Type"]]

    return {
        **body,
        "Resources": {name: {**part, "DependsOn": waiting(part)} for name, part in resources.items()},
    }


@pytest.mark.parametrize("definition", [detection.STACK, trail.STACK], ids=lambda one: one.name)
def test_the_products_own_filters_and_alarms_come_slowly_enough(
    hasty: Site, definition: StackDefinition
) -> None:
    body = counted(definition)
    assert made(hasty, "in-lanes", body).status == "DELETE_COMPLETE"
    hasty.world.trouble.haste()
    assert "Rate exceeded" in made(hasty, f"{definition.name}-at-once", without_lanes(body)).failure


def test_the_members_whole_stack_comes_slowly_enough(hasty: Site) -> None:
    body = dict(detection.STACK.body(sample.stack_inputs()).content)
    assert made(hasty, "member", body).status == "DELETE_COMPLETE"
