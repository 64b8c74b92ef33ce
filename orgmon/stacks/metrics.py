"""Metric filters and alarms: the same shape for the trail's log group, a member's log group and queues."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troposphere import cloudwatch, logs

from orgmon.detections.cis import CisFilter
from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.model import Detection, MetricFilter, Threshold
from orgmon.stacks import names

LATE_SECONDS = 15 * 60
"""How late an event may be in its log group and still be alarmed on."""

GROWTH_MINUTES = 5
"""For how long the growth of a queue is looked at."""

LANES: Mapping[str, int] = {"AWS::Logs::MetricFilter": 5, "AWS::CloudWatch::Alarm": 3}
"""How many of a kind are made at once."""


@dataclass(frozen=True)
class Place:
    """Where filters and alarms are: the log group, how its events are read, and how things are named there.

    ``selectors`` is ``$.`` where CloudTrail records are the log events, ``$.detail.`` where EventBridge events are.
    ``after`` is the logical id of a resource that has to exist first.
    """

    log_group: Any
    selectors: str
    namespace: str
    name: Callable[[str], str]
    after: str = ""


def filters_and_alarm(
    detection: Detection, place: Place, alarm_actions: list[Any]
) -> list[logs.MetricFilter | cloudwatch.Alarm]:
    """The metric filters of a detection, and the alarm on their metric.

    A pattern that is too long for one filter comes as several of the same metric.
    """
    filters = [_metric_filter(compiled, place) for compiled in metric_filters(detection, place.selectors)]
    return [*filters, _alarm(detection, place, alarm_actions, filters[0].title)]


def in_lanes(resources: Sequence[logs.MetricFilter | cloudwatch.Alarm]) -> None:
    """Let each filter and alarm wait for an earlier one, so that few are made at once.

    CloudFormation makes at once what depends on nothing, and the services take five filters and three alarms a second
    in an account and Region (CloudWatch Logs and CloudWatch quotas); not every handler tries again.
    """
    for kind, lanes in LANES.items():
        made = [resource for resource in resources if resource.resource_type == kind]
        for earlier, later in zip(made, made[lanes:], strict=False):
            former = getattr(later, "DependsOn", [])
            later.DependsOn = [*([former] if isinstance(former, str) else former), earlier.title]


def _metric_filter(compiled: MetricFilter, place: Place) -> logs.MetricFilter:
    """No default value: one would make every filter a billed metric."""
    return logs.MetricFilter(
        names.logical_id(compiled.name, "filter"),
        FilterName=place.name(compiled.name),
        LogGroupName=place.log_group,
        FilterPattern=compiled.pattern,
        MetricTransformations=[
            logs.MetricTransformation(
                MetricName=compiled.detection, MetricNamespace=place.namespace, MetricValue="1"
            )
        ],
        **({"DependsOn": place.after} if place.after else {}),
    )


def _alarm(detection: Detection, place: Place, actions: list[Any], after: str) -> cloudwatch.Alarm:
    threshold = detection.threshold or Threshold(1, 60)
    text = f"{detection.severity}: {detection.title}. {detection.runbook}"
    return _counting_alarm(detection.id, text, place, actions, threshold, after)


def cis_filter_and_alarm(
    control: CisFilter, place: Place, alarm_actions: list[Any]
) -> list[logs.MetricFilter | cloudwatch.Alarm]:
    """A control's filter, word for word, and its alarm: auditors' tools look for both."""
    compiled = _metric_filter(MetricFilter(control.id, control.pattern, control.id), place)
    text = f"low: CIS {control.number}, asked for by auditors' tools. The detection for it is {control.detection}."
    alarm = _counting_alarm(control.id, text, place, alarm_actions, Threshold(1, 300), compiled.title)
    return [compiled, alarm]


def _counting_alarm(
    name: str, description: str, place: Place, actions: list[Any], threshold: Threshold, after: str
) -> cloudwatch.Alarm:
    return cloudwatch.Alarm(
        names.logical_id(name, "alarm"),
        AlarmName=place.name(name),
        AlarmDescription=description[:1024],
        Namespace=place.namespace,
        MetricName=name,
        Statistic="Sum",
        Period=threshold.seconds,
        # One period of many is enough: CloudTrail delivers up to a quarter of an hour late, and what is counted
        # belongs to the minute in which it happened (CloudTrail user guide; CloudWatch Logs user guide).
        EvaluationPeriods=1 + math.ceil(LATE_SECONDS / threshold.seconds),
        DatapointsToAlarm=1,
        Threshold=threshold.count,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        # "ignore" would stay in ALARM for ever and "missing" evaluates oddly: filters publish nothing
        # without a match.
        TreatMissingData="notBreaching",
        AlarmActions=actions,
        DependsOn=after,
    )


def queue_alarm(title: str, name: str, queue_name: Any, actions: list[Any]) -> cloudwatch.Alarm:
    """An alarm that goes off whenever more messages have come into a dead-letter queue, however many are there.

    A queue that nobody uses publishes nothing (SQS developer guide, available CloudWatch metrics), and DIFF has no
    value where there is none before: so a queue of which nothing is known yet counts as empty, and a value that is
    missing as the one before. Values come late, so some minutes are looked at; what stays in the queue sets nothing
    off for longer than these.
    """
    visible = cloudwatch.Metric(
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[cloudwatch.MetricDimension(Name="QueueName", Value=queue_name)],
    )
    return cloudwatch.Alarm(
        title,
        AlarmName=name,
        AlarmDescription="high: events or alerts could not be delivered. Read the queue's messages: their "
        "attributes say which rule, which target and why.",
        Metrics=[
            cloudwatch.MetricDataQuery(
                Id="visible",
                MetricStat=cloudwatch.MetricStat(Metric=visible, Period=60, Stat="Maximum"),
                ReturnData=False,
            ),
            cloudwatch.MetricDataQuery(
                Id="growth",
                Expression="DIFF(FILL(FILL(visible, REPEAT), 0))",
                Label="Messages that came",
                ReturnData=True,
            ),
        ],
        EvaluationPeriods=GROWTH_MINUTES,
        DatapointsToAlarm=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=actions,
    )
