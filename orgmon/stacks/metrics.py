"""Metric filters and alarms: the same shape for the trail's log group, a member's log group and queues."""

from __future__ import annotations

from typing import Any

from troposphere import cloudwatch, logs

from orgmon.detections.compile_filter import metric_filter
from orgmon.detections.model import Detection
from orgmon.stacks import names


def filter_and_alarm(
    detection: Detection, log_group: Any, selector_prefix: str, alarm_actions: list[Any]
) -> tuple[logs.MetricFilter, cloudwatch.Alarm]:
    """A metric filter on a log group and the alarm on its metric.

    ``selector_prefix`` is ``$.`` where CloudTrail records are the log events, ``$.detail.`` where EventBridge
    events are. The filter has no default value: one would make every filter a billed metric.
    """
    compiled = metric_filter(detection, selector_prefix)
    threshold = detection.threshold
    metric = logs.MetricFilter(
        names.logical_id(detection.id, "filter"),
        FilterName=names.alarm(detection.id),
        LogGroupName=log_group,
        FilterPattern=compiled.pattern,
        MetricTransformations=[
            logs.MetricTransformation(
                MetricName=detection.id, MetricNamespace=names.METRIC_NAMESPACE, MetricValue="1"
            )
        ],
    )
    alarm = cloudwatch.Alarm(
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
        AlarmActions=alarm_actions,
        DependsOn=metric.title,
    )
    return metric, alarm


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
