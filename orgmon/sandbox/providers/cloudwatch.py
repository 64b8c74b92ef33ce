"""CloudWatch: alarms and dashboards."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.providers.properties import document, is_true, tag_changes, tag_list
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_TEXTS = (
    "AlarmDescription",
    "ComparisonOperator",
    "EvaluateLowSampleCountPercentile",
    "ExtendedStatistic",
    "MetricName",
    "Namespace",
    "Statistic",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
)
_NUMBERS = ("DatapointsToAlarm", "EvaluationPeriods", "Period")
_LISTS = ("AlarmActions", "Dimensions", "InsufficientDataActions", "OKActions")


@provides("AWS::CloudWatch::Alarm")
class Alarm(Provider):
    """An alarm on one metric, or on Metrics."""

    name_property = "AlarmName"
    overwrites = True
    supports = frozenset(
        {"AlarmName", "ActionsEnabled", "Metrics", "Threshold", "Tags"} | {*_TEXTS, *_NUMBERS, *_LISTS}
    )

    def create(self, place: Place, wanted: Properties) -> str:
        """PutMetricAlarm."""
        name = self.name(place, wanted)
        members = _alarm_members(wanted)
        if wanted.get("Tags"):
            members["Tags"] = wanted["Tags"]
        place.client("cloudwatch").put_metric_alarm(AlarmName=name, **members)
        return place.claim(name)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutMetricAlarm, which keeps the tags as they are; these have calls of their own."""
        client = place.client("cloudwatch")
        client.put_metric_alarm(AlarmName=physical_id, **_alarm_members(wanted))
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        arn = place.arn("cloudwatch", f"alarm:{physical_id}")
        if removed:
            client.untag_resource(ResourceARN=arn, TagKeys=removed)
        if changed:
            client.tag_resource(ResourceARN=arn, Tags=tag_list(changed))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteAlarms."""
        place.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """All settings of the alarm."""
        alarms = place.client("cloudwatch").describe_alarms(AlarmNames=[physical_id])["MetricAlarms"]
        if not alarms:
            return None
        names = (*_TEXTS, *_NUMBERS, *_LISTS, "Metrics", "Threshold", "ActionsEnabled")
        settings = {name: alarms[0][name] for name in names if name in alarms[0]}
        return {"AlarmName": physical_id, **settings}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN."""
        return {"Arn": place.arn("cloudwatch", f"alarm:{physical_id}")}


def _alarm_members(wanted: Properties) -> dict[str, Any]:
    """The properties with the types that PutMetricAlarm takes."""
    members: dict[str, Any] = {name: str(wanted[name]) for name in _TEXTS if name in wanted}
    members |= {name: int(wanted[name]) for name in _NUMBERS if name in wanted}
    members |= {name: wanted[name] for name in _LISTS if name in wanted}
    if "Threshold" in wanted:
        members["Threshold"] = float(wanted["Threshold"])
    if "ActionsEnabled" in wanted:
        members["ActionsEnabled"] = is_true(wanted["ActionsEnabled"])
    if "Metrics" in wanted:
        members["Metrics"] = [_query(each) for each in wanted["Metrics"]]
    return members


def _query(wanted: Properties) -> dict[str, Any]:
    query = dict(wanted)
    if "Period" in query:
        query["Period"] = int(query["Period"])
    if "ReturnData" in query:
        query["ReturnData"] = is_true(query["ReturnData"])
    if "MetricStat" in query:
        query["MetricStat"] = {**query["MetricStat"], "Period": int(query["MetricStat"]["Period"])}
    return query


@provides("AWS::CloudWatch::Dashboard")
class Dashboard(Provider):
    """A dashboard; its body is a JSON text."""

    name_property = "DashboardName"
    overwrites = True
    supports = frozenset({"DashboardName", "DashboardBody"})

    def create(self, place: Place, wanted: Properties) -> str:
        """PutDashboard."""
        name = self.name(place, wanted)
        self.update(place, name, {}, wanted)
        return place.claim(name)

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """PutDashboard."""
        body = document(wanted["DashboardBody"])
        place.client("cloudwatch").put_dashboard(DashboardName=physical_id, DashboardBody=body)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteDashboards."""
        place.client("cloudwatch").delete_dashboards(DashboardNames=[physical_id])

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The body, as a text."""
        answer = place.client("cloudwatch").get_dashboard(DashboardName=physical_id)
        return {"DashboardName": physical_id, "DashboardBody": answer["DashboardBody"]}
