"""What DescribeAlarms tells, and of which alarms: moto applies one filter at most, and knows no pages.

Source: CloudWatch API reference, DescribeAlarms (50 alarms a page, metric alarms only unless other types are asked
for), DescribeAlarmsForMetric (dimensions, period, statistic and unit have to fit exactly).
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.signals.alarm_queries import queries_of
from orgmon.sandbox.world import World

_PAGES = Pages(
    "MetricAlarms",
    "MaxRecords",
    50,
    "NextToken",
    "NextToken",
    ("InvalidNextToken", "The value specified for NextToken is not valid."),
    most=100,
)
_METRIC = "MetricAlarm"


class AlarmApi:
    """Amends moto's descriptions of alarms."""

    def __init__(self, world: World) -> None:
        self._world = world

    def install(self) -> None:
        """Hang on both operations."""
        self._world.operations.amend("cloudwatch", "DescribeAlarms", self.describe)
        self._world.operations.amend("cloudwatch", "DescribeAlarmsForMetric", self.for_metric)

    def describe(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """The alarms that fit everything that is asked for, by name and page by page."""
        types = call.params.get("AlarmTypes") or [_METRIC]
        metric = [each for each in answer.get("MetricAlarms", []) if _fits(each, call.params)]
        composite = [each for each in answer.get("CompositeAlarms", []) if _fits(each, call.params)]
        told = {
            "CompositeAlarms": composite if "CompositeAlarm" in types else [],
            "MetricAlarms": self._completed(call, metric) if _METRIC in types else [],
        }
        return _PAGES(call, told)

    def for_metric(self, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
        """The alarms on exactly this metric."""
        wanted = call.params
        dimensions = _pairs(wanted.get("Dimensions"))
        fitting = [
            each
            for each in answer.get("MetricAlarms", [])
            if _pairs(each.get("Dimensions")) == dimensions
            and all(wanted.get(name) in (None, each.get(name)) for name in ("Statistic", "Period", "Unit"))
        ]
        return {"MetricAlarms": self._completed(call, fitting)}

    def _completed(self, call: Call, alarms: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """With the time of the last transition and with what they watch, in the order of their names."""
        kept = self._world.store("cloudwatch", call.account, call.region).alarms
        for each in alarms:
            alarm = kept[each["AlarmName"]]
            each["StateTransitionedTimestamp"] = alarm.state_transitioned_timestamp
            each.pop("Metrics", None)
            queries = queries_of(alarm)
            if queries is not None:
                each["Metrics"] = queries.described()
                each.pop("Dimensions", None)
        return sorted(alarms, key=lambda each: str(each["AlarmName"]))


def _fits(alarm: dict[str, Any], wanted: dict[str, Any]) -> bool:
    name, prefix = alarm["AlarmName"], str(wanted.get("ActionPrefix") or "")
    actions = alarm.get("AlarmActions") or []
    return (
        (not wanted.get("AlarmNames") or name in wanted["AlarmNames"])
        and str(name).startswith(str(wanted.get("AlarmNamePrefix") or ""))
        and wanted.get("StateValue") in (None, alarm["StateValue"])
        and (not prefix or any(str(action).startswith(prefix) for action in actions))
    )


def _pairs(dimensions: Any) -> set[tuple[str, str]]:
    return {(str(each["Name"]), str(each["Value"])) for each in dimensions or []}
