"""Metric filters and alarms: the same shape for the trail's log group, a member's log group and queues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from troposphere import cloudwatch, logs

from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.model import Detection, MetricFilter
from orgmon.stacks import names


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
    filters = [_filter(detection, one, place) for one in metric_filters(detection, place.selectors)]
    return [*filters, _alarm(detection, place, alarm_actions, filters[0].title)]


def _filter(detection: Detection, compiled: MetricFilter, place: Place) -> logs.MetricFilter:
    """No default value: one would make every filter a billed metric."""
    return logs.MetricFilter(
        names.logical_id(compiled.name, "filter"),
        FilterName=place.name(compiled.name),
        LogGroupName=place.log_group,
        FilterPattern=compiled.pattern,
        MetricTransformations=[
            logs.MetricTransformation(
                MetricName=detection.id, MetricNamespace=place.namespace, MetricValue="1"
            )
        ],
        **({"DependsOn": place.after} if place.after else {}),
    )


def _alarm(detection: Detection, place: Place, actions: list[Any], after: str) -> cloudwatch.Alarm:
    threshold = detection.threshold
    return cloudwatch.Alarm(
        names.logical_id(detection.id, "alarm"),
        AlarmName=place.name(detection.id),
        AlarmDescription=f"{detection.severity}: {detection.title}. {detection.runbook}"[:1024],
        Namespace=place.namespace,
        MetricName=detection.id,
        Statistic="Sum",
        Period=threshold.seconds if threshold else 60,
        EvaluationPeriods=1,
        DatapointsToAlarm=1,
        Threshold=threshold.count if threshold else 1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        # "ignore" would stay in ALARM for ever and "missing" evaluates oddly: filters publish nothing
        # without a match.
        TreatMissingData="notBreaching",
        AlarmActions=actions,
        DependsOn=after,
    )


def queue_alarm(title: str, name: str, queue_name: Any, actions: list[Any]) -> cloudwatch.Alarm:
    """An alarm that goes off as soon as a dead-letter queue holds a message."""
    return cloudwatch.Alarm(
        title,
        AlarmName=name,
        AlarmDescription="high: events or alerts could not be delivered. Read the queue's messages: their "
        "attributes say which rule, which target and why.",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[cloudwatch.MetricDimension(Name="QueueName", Value=queue_name)],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=actions,
    )
