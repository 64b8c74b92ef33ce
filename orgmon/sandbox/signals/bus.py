"""EventBridge: an event on a bus, the rules that take it, and where they send it.

Sources: EventBridge user guide, "Read-only management events" (the state that a rule needs is decided by the name
of the call), "Sending and receiving events between event buses" (an event is forwarded once), "Monitoring Amazon
EventBridge" (dimensions of metrics).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from orgmon import eventpattern
from orgmon.eventpattern import EventPattern, Leaf
from orgmon.sandbox.signals.losses import NO_RESOURCE, Undeliverable
from orgmon.sandbox.signals.metrics import Metrics
from orgmon.sandbox.world import World

Event = dict[str, Any]
Put = Callable[[str, str, str, Event, int], None]
"""Account, Region and name of a bus, an event for it, and how often that has been forwarded."""
Deliver = Callable[[Any, dict[str, Any], Event, int, Put], None]
"""A rule, one of its targets, an event, how often that has been forwarded, and the way to another bus."""
ALL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_READING = ("Get", "List", "Describe")
_READING_BUT_DELIVERED = frozenset(
    {("sts.amazonaws.com", "GetFederationToken"), ("sts.amazonaws.com", "GetSessionToken")}
)


class EventBus:
    """All buses of all accounts and Regions. ``deliver`` takes what a rule lets through, and never raises."""

    def __init__(self, world: World, metrics: Metrics, deliver: Deliver) -> None:
        self._world = world
        self._metrics = metrics
        self._deliver = deliver

    def emit(
        self,
        account: str,
        region: str,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        *,
        resources: tuple[str, ...] = (),
        time: str = "",
    ) -> None:
        """Put an event of an AWS service on the default bus of an account and Region."""
        event = self.envelope(account, region, source, detail_type, detail, resources, time)
        self.put(account, region, "default", event)

    def envelope(
        self,
        account: str,
        region: str,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        resources: tuple[str, ...] = (),
        time: str = "",
    ) -> dict[str, Any]:
        """An event with everything that EventBridge puts around it; ``time`` is ISO 8601, now if not given."""
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": account,
            "time": time or f"{self._world.clock.now():%Y-%m-%dT%H:%M:%SZ}",
            "region": region,
            "resources": list(resources),
            "detail": detail,
        }

    def put(
        self,
        account: str,
        region: str,
        bus: str,
        event: dict[str, Any],
        hops: int = 0,
        only: frozenset[str] | None = None,
    ) -> None:
        """Let the rules of a bus have an event that has been forwarded ``hops`` times.

        ``only`` names the rules (ARNs) that are asked, as in a replay. Raises Undeliverable (NO_RESOURCE) if there
        is no such bus.
        """
        event_bus = self._world.stores.find("events", account, region, "event_buses", bus)
        if event_bus is None:
            text = f"The bus arn:aws:events:{region}:{account}:event-bus/{bus} does not exist."
            raise Undeliverable(NO_RESOURCE, text)
        leaves = eventpattern.by_paths(event)
        for rule in list(event_bus.rules.values()):
            if (only is None or rule.arn in only) and _takes(rule, event, leaves):
                self.trigger(rule, event, hops)

    def trigger(self, rule: Any, event: dict[str, Any], hops: int = 0) -> None:
        """Hand an event to the targets of a rule that takes it, or that made it."""
        if not is_archive(rule):
            count(self._metrics, rule, "TriggeredRules")
        for target in list(rule.targets):
            self._deliver(rule, target, event, hops, self.put)


def is_archive(rule: Any) -> bool:
    """True for the rule that EventBridge itself keeps for an archive."""
    return bool(rule.managed_by) and rule.name.startswith("Events-Archive-")


def parsed(pattern: str) -> EventPattern:
    """A pattern, read once. Raises PatternError."""
    return _parsed(pattern)


@lru_cache(maxsize=4096)
def _parsed(pattern: str) -> EventPattern:
    return eventpattern.parse(pattern)


def _takes(rule: Any, event: Mapping[str, Any], leaves: Mapping[str, Sequence[Leaf]]) -> bool:
    """Does a rule let an event through, of which these are the leaves?"""
    if rule.state == "DISABLED":
        return False
    pattern = rule.event_pattern.dump()
    if not pattern or (rule.state != ALL_MANAGEMENT_EVENTS and is_hidden(event) and not is_archive(rule)):
        return False
    may_fit = all(event.get(key) in wanted for key, wanted in _plain(pattern))
    return may_fit and _parsed(pattern).takes(leaves)


@lru_cache(maxsize=4096)
def _plain(pattern: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """The top-level fields that a pattern wants to equal given texts: a quick look before the real one."""
    return tuple(_plain_fields(json.loads(pattern)))


def _plain_fields(document: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    for key in ("source", "detail-type", "account"):
        wanted = document.get(key)
        if isinstance(wanted, list) and all(isinstance(each, str) for each in wanted):
            yield key, frozenset(wanted)


def is_hidden(event: Mapping[str, Any]) -> bool:
    """True for a read-only management event that plain ENABLED rules do not get."""
    detail = event.get("detail")
    if event.get("detail-type") != "AWS API Call via CloudTrail" or not isinstance(detail, Mapping):
        return False
    name = str(detail.get("eventName", ""))
    if (detail.get("eventSource"), name) in _READING_BUT_DELIVERED:
        return False
    return name.startswith(_READING) and detail.get("eventCategory", "Management") == "Management"


def count(metrics: Metrics, rule: Any, name: str) -> None:
    """Publish one of EventBridge's metrics about a rule: by its name, and on a custom bus by that of the bus, too."""
    bus = {} if rule.event_bus_name == "default" else {"EventBusName": str(rule.event_bus_name)}
    dimensions = {"RuleName": str(rule.name), **bus}
    metrics.publish(rule.account_id, rule.region_name, "AWS/Events", name, 1, dimensions, "Count")


def iso(given: Any) -> str:
    """A time as EventBridge writes it; an empty text for none."""
    if given is None:
        return ""
    time = given if isinstance(given, datetime) else datetime.fromtimestamp(float(given), UTC)
    return f"{time.astimezone(UTC) if time.tzinfo else time:%Y-%m-%dT%H:%M:%SZ}"
