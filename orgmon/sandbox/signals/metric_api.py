"""The CloudWatch operations that read metrics: ListMetrics, GetMetricStatistics, GetMetricData.

A metric is its namespace, name and exactly its dimensions; values of different units are kept apart. Sources:
CloudWatch API reference (how a start time is rounded; which metrics are listed); labels and messages as AWS gave them
when LocalStack's public tests were recorded (tests/aws/services/cloudwatch).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.signals.metrics import Datum, MetricKey, Metrics, aware, statistic
from orgmon.sandbox.world import World

SIMPLE = ("Sum", "SampleCount", "Average", "Minimum", "Maximum")
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


@dataclass(frozen=True)
class _Query:
    """One metric over time, as GetMetricData asks for it."""

    id: str
    key: MetricKey
    period: int
    statistic: str
    unit: str
    label: str


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
            raise _not_there("ExtendedStatistics")
        if not names:
            text = "Must specify either Statistics or ExtendedStatistics"
            raise Refusal("InvalidParameterCombination", text)
        start, end = _range(call, int(wanted["Period"]), "InvalidParameterValue")
        key = _key(call, wanted)
        points = [
            {"Timestamp": time, "Unit": unit, **{name: statistic(name, data) for name in names}}
            for time, data in _periods(self._metrics.between(key, start, end), start, int(wanted["Period"]))
            for unit, data in _by_unit(data, str(wanted.get("Unit") or ""))
        ]
        return {"Label": key.name, "Datapoints": points}

    def get_data(self, call: Call) -> dict[str, Any]:
        """Many metrics at once, each with one statistic; other expressions than ids are not known."""
        asked = call.params.get("MetricDataQueries") or []
        queries = [
            _query(call, each, place) for place, each in enumerate(asked, 1) if "Expression" not in each
        ]
        labels = _labels(queries)
        found = {query.id: self._result(call, query, labels[query.id]) for query in queries}
        results = []
        for each in asked:
            if "Expression" in each:
                results.append(_referred(each, found))
            elif each.get("ReturnData", True):
                results.append(found[str(each["Id"])])
        return {"MetricDataResults": results, "Messages": []}

    def _result(self, call: Call, query: _Query, label: str) -> dict[str, Any]:
        start, end = _range(call, query.period, "ValidationError")
        data = self._metrics.between(query.key, start, end)
        units = sorted({datum.unit for datum in data})
        unit = query.unit or (units[0] if units else "")
        points = [
            (time, statistic(query.statistic, own))
            for time, of_period in _periods(data, start, query.period)
            for _, own in _by_unit(of_period, unit)
        ]
        if call.params.get("ScanBy") != "TimestampAscending":
            points.reverse()
        told = {
            "Id": query.id,
            "Label": label,
            "Timestamps": [time for time, _ in points],
            "Values": [value for _, value in points],
            "StatusCode": "Complete",
        }
        if len(units) > 1 and not query.unit:
            text = f"Multiple units returned: '[{', '.join(units)}]'"
            told["Messages"] = [{"Code": "MultipleUnits", "Value": text}]
        return told


def _has(key: MetricKey, wanted: dict[str, Any]) -> bool:
    return any(
        name == wanted["Name"] and wanted.get("Value") in (None, value) for name, value in key.dimensions
    )


def _key(call: Call, metric: dict[str, Any]) -> MetricKey:
    pairs = sorted((str(each["Name"]), str(each["Value"])) for each in metric.get("Dimensions") or ())
    return MetricKey(
        call.account, call.region, str(metric["Namespace"]), str(metric["MetricName"]), tuple(pairs)
    )


def _query(call: Call, asked: dict[str, Any], place: int) -> _Query:
    stat = asked.get("MetricStat")
    if stat is None:
        text = f"The parameter MetricDataQueries.member.{place}.MetricStat is required.\n"
        raise Refusal("ValidationError", text)
    if stat["Stat"] not in SIMPLE:
        raise _not_there(f"the statistic {stat['Stat']}")
    return _Query(
        str(asked["Id"]),
        _key(call, stat["Metric"]),
        int(stat["Period"]),
        str(stat["Stat"]),
        str(stat.get("Unit") or ""),
        str(asked.get("Label") or ""),
    )


def _labels(queries: Sequence[_Query]) -> dict[str, str]:
    """The label of each query: its metric's name, with what tells the queries of a request apart."""
    statistics, periods = {query.statistic for query in queries}, {query.period for query in queries}

    def label(query: _Query) -> str:
        more = [query.statistic] if len(statistics) > 1 else []
        more += [str(query.period)] if len(periods) > 1 else []
        return query.label or " ".join((query.key.name, *more))

    return {query.id: label(query) for query in queries}


def _referred(asked: dict[str, Any], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    expression = str(asked["Expression"])
    if expression not in found:
        raise _not_there(f"the expression {expression}")
    return {**found[expression], "Id": asked["Id"], "Label": asked.get("Label") or asked["Id"]}


def _not_there(what: str) -> Refusal:
    return Refusal("NotImplemented", f"The sandbox does not have {what}.", 501)


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
