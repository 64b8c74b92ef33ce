"""Alarms on Metrics: what they watch, over which periods, and how they are told.

Sources: CloudWatch API reference, PutMetricAlarm (``Metrics``), MetricDataQuery; user guide, "Alarm events and
EventBridge" (the sample event of an alarm on metric math); "Exactly one element ..." and "Metrics expression that
return ..." are quoted in public issues, the trigger of a message as public notifiers' test data have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.signals.metric_queries import Queries, not_there
from orgmon.sandbox.signals.metrics import MetricKey, Metrics

MOST = 10
_BANDS = "alarms on anomaly detection"
_ATTRIBUTE = "sandbox_queries"


@dataclass(frozen=True)
class AlarmQueries:
    """What an alarm on Metrics watches: the query ``watched``, and the metrics that this is made of."""

    queries: Queries
    watched: str
    period: int
    keys: frozenset[MetricKey]

    @classmethod
    def parse(cls, account: str, region: str, params: Mapping[str, Any]) -> AlarmQueries:
        """The queries of PutMetricAlarm. Raises Refusal for those that no alarm can have."""
        asked: Sequence[Mapping[str, Any]] = params["Metrics"]
        if params.get("ThresholdMetricId"):
            raise not_there(_BANDS)
        if len(asked) > MOST:
            raise _invalid(f"The collection Metrics must not have a size greater than {MOST}.")
        queries = Queries.parse(account, region, asked, "Metrics")
        if len(queries.returned) != 1:
            raise _invalid("Exactly one element of the metrics list should return data.")
        [watched] = queries.returned
        if queries.is_array(watched):
            raise _invalid(
                "Metrics expression that return multi time series are only allowed for MetricsInsights "
                "expression with an ORDER BY clause"
            )
        used = queries.formulas.uses(watched)
        keys = frozenset(query.key for query in queries.metrics.values() if query.id in used)
        return cls(queries, watched, queries.period(watched), keys)

    def values(self, metrics: Metrics, end: datetime, count: int) -> tuple[float | None, ...]:
        """The values of the last periods before ``end``, the newest first."""
        more = self.queries.formulas.reach(self.watched)
        start = end - timedelta(seconds=self.period * (count + more))
        return self.queries.result(metrics, self.watched, start, end)[::-1][:count]

    def described(self) -> list[dict[str, Any]]:
        """As DescribeAlarms tells them."""
        return [{**each, "ReturnData": bool(each.get("ReturnData", True))} for each in self.queries.asked]

    def trigger(self) -> list[dict[str, Any]]:
        """As the message to a topic tells them."""
        return [
            {**each, **({"MetricStat": _stat_of_trigger(each["MetricStat"])} if "MetricStat" in each else {})}
            for each in self.described()
        ]

    def configuration(self) -> list[dict[str, Any]]:
        """As the events tell them."""
        return [_of_event(each) for each in self.described()]


def queries_of(alarm: Any) -> AlarmQueries | None:
    """What an alarm on Metrics watches; None for any other alarm."""
    queries: AlarmQueries | None = getattr(alarm, _ATTRIBUTE, None)
    return queries


def keep(alarm: Any, queries: AlarmQueries) -> None:
    """Hang what an alarm watches on moto's alarm: moto itself forgets some members."""
    setattr(alarm, _ATTRIBUTE, queries)


def _stat_of_trigger(stat: Mapping[str, Any]) -> dict[str, Any]:
    given = stat["Metric"].get("Dimensions") or ()
    dimensions = [{"value": each["Value"], "name": each["Name"]} for each in given]
    return {**stat, "Metric": {**stat["Metric"], "Dimensions": dimensions}}


def _of_event(query: Mapping[str, Any]) -> dict[str, Any]:
    told = {"id": query["Id"]}
    if "Expression" in query:
        told["expression"] = query["Expression"]
    if query.get("Label"):
        told["label"] = query["Label"]
    if "MetricStat" in query:
        told["metricStat"] = _stat_of_event(query["MetricStat"])
    return {**told, "returnData": query["ReturnData"]}


def _stat_of_event(stat: Mapping[str, Any]) -> dict[str, Any]:
    metric = stat["Metric"]
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()}
    named = {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions}
    unit = {"unit": stat["Unit"]} if stat.get("Unit") else {}
    return {"metric": named, "period": int(stat["Period"]), "stat": stat["Stat"], **unit}


def _invalid(text: str) -> Refusal:
    return Refusal("ValidationError", text)
