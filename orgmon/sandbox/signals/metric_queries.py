"""The queries of GetMetricData and of alarms on Metrics: metrics over time, and expressions over these.

Sources: CloudWatch API reference, MetricDataQuery, GetMetricData; user guide, "Using math expressions with CloudWatch
metrics". What is refused is worded as AWS does it where public reports quote it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import NOT_HERE, Refusal
from orgmon.sandbox.signals.math_syntax import MathError
from orgmon.sandbox.signals.math_values import Many, Series
from orgmon.sandbox.signals.metric_math import Formulas
from orgmon.sandbox.signals.metrics import Datum, MetricKey, Metrics, statistic

SIMPLE = ("Sum", "SampleCount", "Average", "Minimum", "Maximum")
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class MetricQuery:
    """One metric over time. ``label`` is empty where none is asked for."""

    id: str
    key: MetricKey
    period: int
    statistic: str
    unit: str
    label: str

    def series(self, data: Sequence[Datum], start: datetime, count: int) -> Series:
        """Its values in that many periods, of its unit or of the first one that is there."""
        unit = self.unit or min((datum.unit for datum in data), default="")
        periods: list[list[Datum]] = [[] for _ in range(count)]
        for datum in data:
            if datum.unit == unit:
                periods[int((datum.time - start).total_seconds()) // self.period].append(datum)
        return tuple(statistic(self.statistic, own) for own in periods)


@dataclass(frozen=True)
class Queries:
    """All queries of a request or an alarm: as they were asked, the metrics among them by id, and the expressions."""

    asked: tuple[Mapping[str, Any], ...]
    metrics: Mapping[str, MetricQuery]
    formulas: Formulas

    @classmethod
    def parse(cls, account: str, region: str, asked: Sequence[Mapping[str, Any]], member: str) -> Queries:
        """The queries that an account asks for in ``member`` of a call. Raises Refusal for those that cannot be."""
        for place, each in enumerate(asked, 1):
            _check(each, f"{member}.member.{place}")
        if len({each["Id"] for each in asked}) < len(asked):
            raise _invalid(f"The values for parameter id in {member} are not unique.")
        metrics = {str(each["Id"]): _metric(account, region, each) for each in asked if "MetricStat" in each}
        texts = {str(each["Id"]): str(each["Expression"]) for each in asked if "Expression" in each}
        queries = cls(tuple(asked), metrics, Formulas(texts, tuple(metrics)))
        for name in texts:
            queries._check_expression(name)
        return queries

    @property
    def returned(self) -> list[str]:
        """The ids of those that are to be answered."""
        return [str(each["Id"]) for each in self.asked if each.get("ReturnData", True)]

    def is_array(self, name: str) -> bool:
        """True for an expression that makes several time series."""
        return isinstance(self.formulas.check(name), Many)

    def period(self, name: str) -> int:
        """The seconds of a period of a metric, or of the metrics of an expression."""
        return next(self.metrics[each].period for each in self.metrics if each in self.formulas.uses(name))

    def result(self, metrics: Metrics, name: str, start: datetime, end: datetime) -> Series:
        """The values of a metric or of an expression that is no array, in each period from ``start`` to ``end``."""
        period = self.period(name)
        count = -int((start - end).total_seconds() // period)
        used = self.formulas.uses(name)
        series = {
            each.id: each.series(metrics.between(each.key, start, end), start, count)
            for each in self.metrics.values()
            if each.id in used
        }
        found = self.formulas.result(name, series, period)
        assert isinstance(found, tuple)
        return found

    def _check_expression(self, name: str) -> None:
        try:
            self.formulas.check(name)
        except MathError as problem:
            raise _invalid(f"Error in expression '{name}': {problem}") from problem
        if len({self.metrics[each].period for each in self.formulas.uses(name)}) > 1:
            raise not_there("expressions over metrics of different periods")


def metric_key(account: str, region: str, metric: Mapping[str, Any]) -> MetricKey:
    """The metric that a call names."""
    pairs = sorted((str(each["Name"]), str(each["Value"])) for each in metric.get("Dimensions") or ())
    return MetricKey(account, region, str(metric["Namespace"]), str(metric["MetricName"]), tuple(pairs))


def not_there(what: str) -> Refusal:
    """The answer for what AWS has and the sandbox has not."""
    return Refusal("NotImplemented", f"The sandbox does not have {what}.", NOT_HERE)


def _check(asked: Mapping[str, Any], member: str) -> None:
    if "Expression" in asked and "MetricStat" in asked:
        both = f"{member}.Expression and {member}.MetricStat"
        raise _invalid(f"The parameters {both} are mutually exclusive and you have specified both.")
    if "Expression" not in asked and "MetricStat" not in asked:
        raise _invalid(f"The parameter {member}.MetricStat is required.\n")
    if not _ID.fullmatch(str(asked["Id"])):
        raise _invalid(f"The parameter {member}.Id must match {_ID.pattern}.")


def _metric(account: str, region: str, asked: Mapping[str, Any]) -> MetricQuery:
    stat = asked["MetricStat"]
    if stat["Stat"] not in SIMPLE:
        raise not_there(f"the statistic {stat['Stat']}")
    if asked.get("AccountId") not in (None, account):
        raise not_there("metrics of other accounts")
    return MetricQuery(
        str(asked["Id"]),
        metric_key(account, region, stat["Metric"]),
        int(stat["Period"]),
        str(stat["Stat"]),
        str(stat.get("Unit") or ""),
        str(asked.get("Label") or ""),
    )


def _invalid(text: str) -> Refusal:
    return Refusal("ValidationError", text)
