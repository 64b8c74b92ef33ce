"""The CloudWatch operations that read metrics: ListMetrics, GetMetricStatistics, GetMetricData.

A metric is its namespace, name and exactly its dimensions; values of different units are kept apart. Sources:
CloudWatch API reference (how a start time is rounded; which metrics are listed); labels and messages as AWS gave them
when LocalStack's public tests were recorded (tests/aws/services/cloudwatch).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.signals.metric_queries import MetricQuery, Queries, metric_key, not_there
from orgmon.sandbox.signals.metrics import Datum, MetricKey, Metrics, aware, statistic
from orgmon.sandbox.world import World

LISTED = timedelta(days=14)
RECENT = timedelta(hours=3)
_PAGES = Pages(
    "Metrics",
    "MaxResults",
    500,
    "NextToken",
    "NextToken",
    ("InvalidParameterValue", "Request parameter NextToken is invalid"),
)


class MetricApi:
    """Answers the operations out of the sandbox's metrics."""

    def __init__(self, world: World, metrics: Metrics) -> None:
        self._world = world
        self._metrics = metrics

    def install(self) -> None:
        """Take the operations over."""
        for name, handler in (
            ("ListMetrics", self.list_metrics),
            ("GetMetricStatistics", self.get_statistics),
            ("GetMetricData", self.get_data),
        ):
            self._world.operations.register("cloudwatch", name, handler)
        self._world.before.append(_check_sizes)

    def list_metrics(self, call: Call) -> dict[str, Any]:
        """The metrics of the last two weeks (or three hours), each once."""
        wanted = call.params
        age = RECENT if wanted.get("RecentlyActive") else LISTED
        known = self._metrics.known(call.account, call.region, call.time - age)
        listed = [
            {
                "Namespace": key.namespace,
                "MetricName": key.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
            }
            for key in known
            if wanted.get("Namespace") in (None, key.namespace)
            and wanted.get("MetricName") in (None, key.name)
            and all(_has(key, each) for each in wanted.get("Dimensions") or ())
        ]
        return _PAGES(call, {"Metrics": listed})

    def get_statistics(self, call: Call) -> dict[str, Any]:
        """Statistics of one metric, for each period and unit that has values."""
        wanted = call.params
        names = [str(name) for name in wanted.get("Statistics") or ()]
        if wanted.get("ExtendedStatistics"):
            raise not_there("ExtendedStatistics")
        if not names:
            text = "Must specify either Statistics or ExtendedStatistics"
            raise Refusal("InvalidParameterCombination", text)
        start, end = _range(call, int(wanted["Period"]), "InvalidParameterValue")
        key = metric_key(call.account, call.region, wanted)
        points = [
            {"Timestamp": time, "Unit": unit, **{name: statistic(name, data) for name in names}}
            for time, data in _periods(self._metrics.between(key, start, end), start, int(wanted["Period"]))
            for unit, data in _by_unit(data, str(wanted.get("Unit") or ""))
        ]
        return {"Label": key.name, "Datapoints": points}

    def get_data(self, call: Call) -> dict[str, Any]:
        """Many metrics at once, each with one statistic, and expressions over them."""
        asked = call.params.get("MetricDataQueries") or []
        queries = Queries.parse(call.account, call.region, asked, "MetricDataQueries")
        labels = _labels(queries)
        if any(map(queries.is_array, queries.returned)):
            raise not_there("answers of several time series to one expression")
        results = [
            self._result(call, queries.metrics[name], labels[name])
            if name in queries.metrics
            else self._worked_out(call, queries, name, labels[name])
            for name in queries.returned
        ]
        return {"MetricDataResults": results, "Messages": []}

    def _worked_out(self, call: Call, queries: Queries, name: str, label: str) -> dict[str, Any]:
        period = queries.period(name)
        start, end = _range(call, period, "ValidationError")
        values = queries.result(self._metrics, name, start, end)
        points = [(start + timedelta(seconds=period * place), value) for place, value in enumerate(values)]
        return _told(call, name, label, [point for point in points if point[1] is not None])

    def _result(self, call: Call, query: MetricQuery, label: str) -> dict[str, Any]:
        start, end = _range(call, query.period, "ValidationError")
        data = self._metrics.between(query.key, start, end)
        units = sorted({datum.unit for datum in data})
        unit = query.unit or (units[0] if units else "")
        points = [
            (time, statistic(query.statistic, own))
            for time, of_period in _periods(data, start, query.period)
            for _, own in _by_unit(of_period, unit)
        ]
        told = _told(call, query.id, label, points)
        if len(units) > 1 and not query.unit:
            text = f"Multiple units returned: '[{', '.join(units)}]'"
            told["Messages"] = [{"Code": "MultipleUnits", "Value": text}]
        return told


def _has(key: MetricKey, wanted: dict[str, Any]) -> bool:
    return any(
        name == wanted["Name"] and wanted.get("Value") in (None, value) for name, value in key.dimensions
    )


def _labels(queries: Queries) -> dict[str, str]:
    """The label of each query: its metric's name, with what tells the metrics of a request apart; or its own id."""
    metrics = queries.metrics.values()
    statistics, periods = {query.statistic for query in metrics}, {query.period for query in metrics}

    def label(query: MetricQuery) -> str:
        more = [query.statistic] if len(statistics) > 1 else []
        more += [str(query.period)] if len(periods) > 1 else []
        return query.label or " ".join((query.key.name, *more))

    own = {str(each["Id"]): str(each.get("Label") or each["Id"]) for each in queries.asked}
    return own | {query.id: label(query) for query in metrics}


def _told(
    call: Call, name: str, label: str, points: Sequence[tuple[datetime, float | None]]
) -> dict[str, Any]:
    """A result, its newest values first unless asked otherwise. ``points`` are in the order of time."""
    ordered = points if call.params.get("ScanBy") == "TimestampAscending" else points[::-1]
    return {
        "Id": name,
        "Label": label,
        "Timestamps": [time for time, _ in ordered],
        "Values": [value for _, value in ordered],
        "StatusCode": "Complete",
    }


def _range(call: Call, period: int, code: str) -> tuple[datetime, datetime]:
    """From when to when to look; the start is rounded down as CloudWatch does. Raises Refusal for no time at all."""
    start, end = aware(call.params["StartTime"]), aware(call.params["EndTime"])
    if start is None or end is None:
        raise Refusal(code, "StartTime and EndTime must be times.")
    if start >= end:
        text = "The parameter StartTime must be less than the parameter EndTime."
        raise Refusal(code, text)
    return _rounded(start, call.time, period), end


def _rounded(start: datetime, now: datetime, period: int) -> datetime:
    age = now - start
    step = 60 if age < timedelta(days=15) else 300 if age < timedelta(days=63) else 3600
    if period in (5, 10, 20, 30):
        step = period
    seconds = int(start.timestamp()) // step * step
    return datetime.fromtimestamp(seconds, UTC)


def _periods(data: Sequence[Datum], start: datetime, period: int) -> Iterator[tuple[datetime, list[Datum]]]:
    """The values of each period that has any, in the order of time."""
    grouped: dict[int, list[Datum]] = {}
    for datum in data:
        grouped.setdefault(int((datum.time - start).total_seconds()) // period, []).append(datum)
    for number in sorted(grouped):
        yield start + timedelta(seconds=number * period), grouped[number]


def _by_unit(data: Sequence[Datum], wanted: str) -> Iterator[tuple[str, list[Datum]]]:
    """The values of each unit, or of the one that is wanted."""
    grouped: dict[str, list[Datum]] = {}
    for datum in data:
        if wanted in ("", datum.unit):
            grouped.setdefault(datum.unit, []).append(datum)
    yield from grouped.items()


def _check_sizes(call: Call) -> None:
    """Every value of a datum has its count, if counts are given."""
    if (call.service, call.operation) != ("cloudwatch", "PutMetricData"):
        return
    for place, datum in enumerate(call.params.get("MetricData") or (), 1):
        counts = datum.get("Counts")
        if counts and len(counts) != len(datum.get("Values") or ()):
            member = f"MetricData.member.{place}"
            text = f"The parameters {member}.Values and {member}.Counts must be of the same size."
            raise Refusal("InvalidParameterValue", text)
