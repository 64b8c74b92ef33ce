"""CloudWatch Logs: writing for other services, and metric filters that really count.

Sources: CloudWatch Logs user guide, "Creating metrics from log events using filters" (a default value is published
where events arrived and none matched; a dimension only where its value is there).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from orgmon import filterpattern
from orgmon.errors import PatternError
from orgmon.filterpattern import FilterPattern
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.repairs import log_policies
from orgmon.sandbox.signals.losses import NO_RESOURCE, Undeliverable
from orgmon.sandbox.signals.metrics import NO_UNIT, Metrics
from orgmon.sandbox.world import World

Dated = tuple[str, datetime]
"""A message and when its event happened."""

_WITH_PATTERN = ("PutMetricFilter", "PutSubscriptionFilter", "TestMetricFilter")


class LogGroups:
    """Writes log events and counts what metric filters match."""

    def __init__(self, world: World, metrics: Metrics) -> None:
        self._world = world
        self._metrics = metrics

    def install(self) -> None:
        """Hear of PutLogEvents, and refuse filters that CloudWatch Logs refuses."""
        self._world.before.append(_check_filter)
        self._world.after.append(self._heard)

    def write(
        self,
        account: str,
        region: str,
        group: str,
        stream: str,
        messages: Sequence[str],
        times: Sequence[datetime] = (),
    ) -> None:
        """Append messages to a stream, which is made if need be; no policy is asked.

        ``times`` are when the messages' events happened, now where they are not given. Raises Undeliverable
        (NO_RESOURCE) if there is no such log group.
        """
        store = self._world.store("logs", account, region)
        if group not in store.groups:
            raise Undeliverable(NO_RESOURCE, f"The log group {group} does not exist.")
        if stream not in store.groups[group].streams:
            store.create_log_stream(group, stream)
        now = self._world.clock.now()
        dated = [*zip(messages, times or [now] * len(messages), strict=True)]
        place = store.groups[group].streams[stream]
        place.put_log_events([{"timestamp": _milliseconds(when), "message": text} for text, when in dated])
        for event in place.events[-len(messages) :]:
            event.ingestion_time = _milliseconds(now)
        self._count(account, region, group, dated)

    def exists(self, account: str, region: str, group: str) -> bool:
        """Whether there is such a log group."""
        return self._world.stores.find("logs", account, region, "groups", group) is not None

    def create(self, account: str, region: str, group: str) -> None:
        """Make a log group; no policy is asked."""
        self._world.store("logs", account, region).create_log_group(group, {})

    def resource_policies(self, account: str, region: str, group: str) -> tuple[str, ...]:
        """The documents that say what other services may do with a log group."""
        return log_policies.documents(self._world.store("logs", account, region), group)

    def _heard(self, call: Call) -> None:
        if (call.service, call.operation) != ("logs", "PutLogEvents") or call.error:
            return
        dated = [
            (str(event["message"]), datetime.fromtimestamp(event["timestamp"] / 1000, UTC))
            for event in call.params["logEvents"]
        ]
        self._count(call.account, call.region, str(call.params["logGroupName"]), dated)

    def _count(self, account: str, region: str, group: str, dated: Sequence[Dated]) -> None:
        """Publish what filters find, at the time of the log event (CloudWatch Logs user guide, metric filters)."""
        filters = self._world.store("logs", account, region).filters.metric_filters
        of_group = [
            (_pattern(each["filterPattern"]), each) for each in list(filters) if each["logGroupName"] == group
        ]
        hits: list[list[Dated]] = [[] for _ in of_group]
        # Message by message: a pattern keeps the last few that it was shown, as read.
        for message, when in dated:
            for (pattern, _), own in zip(of_group, hits, strict=True):
                if pattern.matches(message):
                    own.append((message, when))
        for (_, each), own in zip(of_group, hits, strict=True):
            for transformation in each["metricTransformations"]:
                self._publish(account, region, transformation, own)

    def _publish(self, account: str, region: str, transformation: dict[str, Any], hits: list[Dated]) -> None:
        namespace, name = transformation["metricNamespace"], transformation["metricName"]
        default, unit = transformation.get("defaultValue"), str(transformation.get("unit") or NO_UNIT)
        if not hits and default is not None:
            self._metrics.publish(account, region, namespace, name, float(default), unit=unit)
        for hit, when in hits:
            value = _number(transformation["metricValue"], hit)
            if value is not None:
                dimensions = _dimensions(transformation.get("dimensions") or {}, hit)
                self._metrics.publish(account, region, namespace, name, value, dimensions, unit, when)


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> FilterPattern:
    return filterpattern.parse(text)


def _check_filter(call: Call) -> None:
    if call.service != "logs" or call.operation not in _WITH_PATTERN:
        return
    try:
        _pattern(str(call.params.get("filterPattern", "")))
    except PatternError as problem:
        raise Refusal("InvalidParameterException", f"Invalid metric filter pattern: {problem}") from problem


def _number(wanted: str, message: str) -> float | None:
    raw = _selected(wanted, message) if wanted.startswith("$") else wanted
    try:
        return float(raw) if raw is not None else None
    except (TypeError, ValueError):
        return None


def _dimensions(wanted: dict[str, str], message: str) -> dict[str, str]:
    selected = {name: _selected(selector, message) for name, selector in wanted.items()}
    return {name: str(value) for name, value in selected.items() if value is not None}


def _selected(selector: str, message: str) -> Any:
    """The value at ``$.a.b`` in a JSON message, None where there is none."""
    try:
        value = json.loads(message)
    except ValueError:
        return None
    for part in selector.removeprefix("$").strip(".").split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
