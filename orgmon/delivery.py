"""Who should be told of alerts, compared with who is subscribed: per route and severity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from orgmon.alerting import ALERTING, Protocol, Severity
from orgmon.config.monitoring import Route

PIPELINE = "pipeline"
TOPICS = (*ALERTING, PIPELINE)
"""The topics that people are subscribed to: one a severity, and the one of the pipeline's own alarms."""

DELETED = "Deleted"


@dataclass(frozen=True)
class Subscription:
    """A subscription of a topic. Only one whose ARN is an ARN gets messages.

    ``arn`` can be ``PendingConfirmation`` or ``Deleted`` (SNS API reference, ListSubscriptionsByTopic).
    """

    topic: str
    protocol: str
    endpoint: str
    arn: str


@dataclass(frozen=True)
class Unread:
    """A topic whose subscriptions are not known, and why."""

    topic: str
    reason: str


class RouteState(StrEnum):
    """How a route of accounts.yaml stands at one topic."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"
    MISSING = "missing"
    UNREADABLE = "not readable"


@dataclass(frozen=True)
class RouteCheck:
    """One endpoint at one topic: how it stands, and what mends that (empty where nothing has to be)."""

    topic: str
    protocol: str
    endpoint: str
    state: RouteState
    remedy: str = ""

    @property
    def is_good(self) -> bool:
        """True where alerts arrive."""
        return self.state is RouteState.SUBSCRIBED


_CONFIRM = {
    Protocol.EMAIL: "open the mail from AWS within two days of its arrival",
    Protocol.HTTPS: "let the endpoint visit the SubscribeURL that it was sent",
    Protocol.SQS: "let the queue's owner confirm: the SubscribeURL is in the queue",
}
_SUBSCRIBE = "run: orgmon deploy"
_READ = "run: orgmon deploy; the hub's topics let the management account read them"


def checked(routes: Iterable[Route], found: Iterable[Subscription | Unread]) -> tuple[RouteCheck, ...]:
    """Every endpoint that should hear of a topic, in the order of the topics."""
    found = tuple(found)
    unread = {item.topic: item.reason for item in found if isinstance(item, Unread)}
    there: dict[tuple[str, str, str], str] = {}
    for item in found:
        # A deleted subscription can be listed beside the one that was made after it.
        if isinstance(item, Subscription) and item.arn != DELETED:
            there[item.topic, item.protocol, item.endpoint] = item.arn
    wanted = dict.fromkeys(_wanted(routes))
    return tuple(_check(one, there.get(one), unread.get(one[0])) for one in wanted)


def _wanted(routes: Iterable[Route]) -> Iterator[tuple[str, Protocol, str]]:
    """Topic, protocol and endpoint. Whoever gets critical alerts gets the pipeline's alarms."""
    routes = tuple(routes)
    for topic in TOPICS:
        severity = Severity.CRITICAL if topic == PIPELINE else Severity(topic)
        for route in routes:
            if severity in route.severities:
                yield topic, route.protocol, route.endpoint


def _check(one: tuple[str, Protocol, str], arn: str | None, unread: str | None) -> RouteCheck:
    if unread is not None:
        return RouteCheck(*one, RouteState.UNREADABLE, f"{unread}; {_READ}")
    if arn is None:
        return RouteCheck(*one, RouteState.MISSING, _SUBSCRIBE)
    if not arn.startswith("arn:"):
        return RouteCheck(*one, RouteState.PENDING, _CONFIRM[one[1]])
    return RouteCheck(*one, RouteState.SUBSCRIBED)
