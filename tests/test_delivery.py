"""Who should be told, compared with who is subscribed; and that a route is known by what it is."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from orgmon.alerting import Protocol, Severity
from orgmon.config.monitoring import Route as RouteSection
from orgmon.delivery import RouteState, Subscription, Unread, checked
from orgmon.stacks import hub
from orgmon.stacks.definition import Route
from tests import sample

SOC = RouteSection(severities=("critical", "high"), protocol=Protocol.EMAIL, endpoint="soc@example.com")
QUEUE = RouteSection(severities=("low",), protocol=Protocol.SQS, endpoint="arn:aws:sqs:eu-west-1:1:q")
HEARD = [
    Subscription(topic, "email", "soc@example.com", "arn:aws:sns:1")
    for topic in ("critical", "high", "pipeline")
]


def states(*found: Subscription | Unread) -> dict[tuple[str, str], RouteState]:
    """How the two routes stand at their topics."""
    return {(check.topic, check.endpoint[:3]): check.state for check in checked((SOC, QUEUE), found)}


def test_whoever_gets_critical_alerts_should_get_the_pipeline_s() -> None:
    missing = RouteState.MISSING
    assert states() == {
        ("critical", "soc"): missing,
        ("high", "soc"): missing,
        ("low", "arn"): missing,
        ("pipeline", "soc"): missing,
    }


@pytest.mark.parametrize(
    ("found", "state", "remedy"),
    [
        (Subscription("low", "sqs", QUEUE.endpoint, "arn:aws:sns:2"), RouteState.SUBSCRIBED, ""),
        (
            Subscription("low", "sqs", QUEUE.endpoint, "PendingConfirmation"),
            RouteState.PENDING,
            "SubscribeURL",
        ),
        (Subscription("low", "sqs", QUEUE.endpoint, "Deleted"), RouteState.MISSING, "orgmon deploy"),
        (Subscription("low", "sqs", "arn:other", "arn:aws:sns:2"), RouteState.MISSING, "orgmon deploy"),
        (Subscription("high", "sqs", QUEUE.endpoint, "arn:aws:sns:2"), RouteState.MISSING, "orgmon deploy"),
        (Unread("low", "denied"), RouteState.UNREADABLE, "denied"),
    ],
)
def test_a_route_stands_as_its_own_topic_tells(
    found: Subscription | Unread, state: RouteState, remedy: str
) -> None:
    for others in ((), tuple(HEARD)):
        [check] = [check for check in checked((SOC, QUEUE), (*others, found)) if check.topic == "low"]
        assert check.state is state
        assert remedy in check.remedy
        assert check.is_good is (remedy == "")


def test_a_deleted_subscription_does_not_hide_the_one_after_it() -> None:
    gone = replace(HEARD[0], arn="Deleted")
    for found in ((*HEARD, gone), (gone, *HEARD)):
        assert states(*found)["critical", "soc"] is RouteState.SUBSCRIBED


def test_an_endpoint_in_two_routes_is_told_once() -> None:
    again = SOC.model_copy(update={"severities": ("critical",)})
    checks = checked((SOC, again), HEARD)
    assert len(checks) == len(set(checks)) == 3


ROUTES = (
    Route((Severity.CRITICAL, Severity.HIGH), Protocol.EMAIL, "soc@example.com"),
    Route((Severity.CRITICAL,), Protocol.HTTPS, "https://pager.example.com/x"),
    Route((Severity.LOW,), Protocol.SQS, "arn:aws:sqs:us-east-1:111122223333:q"),
    Route((Severity.CRITICAL,), Protocol.EMAIL, "soc@example.com"),
)


def subscriptions(routes: tuple[Route, ...]) -> dict[str, object]:
    """The subscriptions of the hub's template by their logical id, each with its endpoint."""
    given = replace(sample.stack_inputs(), routes=routes)
    values = dict(hub.STACK.parameters(given))
    parts = hub.STACK.build(given).to_dict()["Resources"]
    return {
        title: (part["Properties"]["TopicArn"]["Ref"], values[part["Properties"]["Endpoint"]["Ref"]])
        for title, part in parts.items()
        if part["Type"] == "AWS::SNS::Subscription" and "Audit" not in title
    }


def test_reordering_inserting_or_removing_a_route_touches_no_other() -> None:
    before = subscriptions(ROUTES)
    assert len(before) == 6
    shuffled = random.Random(3).sample(ROUTES, len(ROUTES))
    assert subscriptions(tuple(shuffled)) == before
    for gone in range(3):
        left = subscriptions(tuple(route for place, route in enumerate(ROUTES) if place != gone))
        assert left.items() < before.items()
