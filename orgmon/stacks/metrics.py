"""Metric filters and alarms: the same shape for the trail's log group, a member's log group and queues."""

from __future__ import annotations

from typing import Any

from troposphere import cloudwatch, logs

from orgmon.detections.compile_filter import metric_filters
from orgmon.detections.model import Detection, MetricFilter
from orgmon.stacks import names


def filters_and_alarm(
    detection: Detection, log_group: Any, selector_prefix: str, alarm_actions: list[Any], after: str = ""
) -> list[logs.MetricFilter | cloudwatch.Alarm]:
    """The metric filters of a detection on a log group, and the alarm on their metric.

    ``selector_prefix`` is ``$.`` where CloudTrail records are the log events, ``$.detail.`` where EventBridge
    events are. A pattern that is too long for one filter comes as several of the same metric. ``after`` is the
    logical id of a resource that has to exist first.
    """
    filters = [
        _filter(detection, compiled, log_group, after)
        for compiled in metric_filters(detection, selector_prefix)
    ]
    return [*filters, _alarm(detection, alarm_actions, filters[0].title)]


def _filter(detection: Detection, compiled: MetricFilter, log_group: Any, after: str) -> logs.MetricFilter:
    """No default value: one would make every filter a billed metric."""
    return logs.MetricFilter(
        names.logical_id(compiled.name, "filter"),
        FilterName=names.alarm(compiled.name),
        LogGroupName=log_group,
        FilterPattern=compiled.pattern,
        MetricTransformations=[
            logs.MetricTransformation(
                MetricName=detection.id, MetricNamespace=names.METRIC_NAMESPACE, MetricValue="1"
            )
        ],
        **({"DependsOn": after} if after else {}),
    )


def _alarm(detection: Detection, actions: list[Any], after: str) -> cloudwatch.Alarm:
    threshold = detection.threshold
    return cloudwatch.Alarm(
        names.logical_id(detection.id, "alarm"),
        AlarmName=names.alarm(detection.id),
        AlarmDescription=f"{detection.severity}: {detection.title}. {detection.runbook}"[:1024],
        Namespace=names.METRIC_NAMESPACE,
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
        AlarmName=names.alarm(name),
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
