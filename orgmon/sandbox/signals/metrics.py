"""CloudWatch metrics: every value that is published, and when. Alarms listen; moto checks what callers publish."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.world import World

NO_UNIT = "None"


@dataclass(frozen=True)
class MetricKey:
    """What makes a metric a metric of its own. ``dimensions`` are sorted pairs of name and value."""

    account: str
    region: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Datum:
    """A published value, or several that were summed up. Values of different units are never put together."""

    time: datetime
    total: float
    count: float
    least: float
    most: float
    unit: str = NO_UNIT


Listener = Callable[[MetricKey], None]


class Metrics:
    """The values of all accounts and Regions. ``listeners`` hear of every metric that got one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._data: dict[MetricKey, list[Datum]] = defaultdict(list)
        self.listeners: list[Listener] = []

    def install(self) -> None:
        """Hear of PutMetricData, which moto answers."""
        self._world.after.append(self._heard)

    def publish(
        self,
        account: str,
        region: str,
        namespace: str,
        name: str,
        value: float,
        dimensions: Mapping[str, str] | None = None,
        unit: str = NO_UNIT,
        when: datetime | None = None,
    ) -> None:
        """Publish one value as an AWS service does, of now or of another time."""
        pairs = tuple(sorted((dimensions or {}).items()))
        now = when or self._world.clock.now()
        entry = {
            "MetricName": name,
            "Value": value,
            # moto keeps times without their zone, in UTC.
            "Timestamp": now.replace(tzinfo=None),
            "Dimensions": [{"Name": key, "Value": each} for key, each in pairs],
            "Unit": unit,
        }
        self._world.store("cloudwatch", account, region).put_metric_data(namespace, [entry])
        key = MetricKey(account, region, namespace, name, pairs)
        self._add(key, [Datum(now, value, 1, value, value, unit)])

    def between(self, key: MetricKey, start: datetime, end: datetime) -> tuple[Datum, ...]:
        """The values from ``start`` on and before ``end``, in the order of their publication."""
        with self._lock:
            return tuple(datum for datum in self._data.get(key, ()) if start <= datum.time < end)

    def known(self, account: str, region: str, since: datetime) -> list[MetricKey]:
        """The metrics that have had a value since then, each once, in the order of their first value."""
        with self._lock:
            return [
                key
                for key, data in self._data.items()
                if (key.account, key.region) == (account, region) and data and data[-1].time >= since
            ]

    def _add(self, key: MetricKey, data: list[Datum]) -> None:
        with self._lock:
            self._data[key].extend(data)
        for listener in tuple(self.listeners):
            listener(key)

    def _heard(self, call: Call) -> None:
        if (call.service, call.operation) != ("cloudwatch", "PutMetricData") or call.error:
            return
        for entry in call.params.get("MetricData", []):
            given = entry.get("Dimensions") or []
            pairs = tuple(sorted((str(each["Name"]), str(each["Value"])) for each in given))
            namespace, name = str(call.params["Namespace"]), str(entry["MetricName"])
            key = MetricKey(call.account, call.region, namespace, name, pairs)
            self._add(key, _data_of(entry, call.time))


def _data_of(entry: dict[str, Any], now: datetime) -> list[Datum]:
    time = aware(entry.get("Timestamp")) or now
    unit = str(entry.get("Unit") or NO_UNIT)
    if entry.get("StatisticValues"):
        values = entry["StatisticValues"]
        total, count = float(values["Sum"]), float(values["SampleCount"])
        return [Datum(time, total, count, float(values["Minimum"]), float(values["Maximum"]), unit)]
    values = entry.get("Values") or [entry.get("Value", 0)]
    counts = entry.get("Counts") or [1] * len(values)
    pairs = [(float(value), float(count)) for value, count in zip(values, counts, strict=True)]
    return [Datum(time, value * count, count, value, value, unit) for value, count in pairs]


def statistic(name: str, data: Sequence[Datum]) -> float | None:
    """One of the five simple statistics over some values; None over none. Raises KeyError for any other name."""
    if not data:
        return None
    total, count = sum(datum.total for datum in data), sum(datum.count for datum in data)
    values = {
        "Sum": total,
        "SampleCount": count,
        "Average": total / count,
        "Minimum": min(datum.least for datum in data),
        "Maximum": max(datum.most for datum in data),
    }
    return float(values[name])


def aware(time: Any) -> datetime | None:
    """A time with its zone: one that is written without is in UTC. None for what is no time."""
    if not isinstance(time, datetime):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
