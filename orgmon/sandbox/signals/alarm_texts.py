"""How CloudWatch words an alarm that changed: the message to a topic, the events on the bus and to a function.

Sources: CloudWatch user guide, "Alarm events and EventBridge", "Invoke a Lambda function from an alarm"; messages of
alarms as AWS sent them when LocalStack's public tests were recorded (tests/aws/services/cloudwatch).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgmon.sandbox.signals.alarm_queries import queries_of
from orgmon.sandbox.signals.evaluation import ALARM, OK, stamp

_REGION_NAMES = {
    "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-southeast-1": "Asia Pacific (Singapore)",
    "ap-southeast-2": "Asia Pacific (Sydney)",
    "eu-central-1": "EU (Frankfurt)",
    "eu-north-1": "EU (Stockholm)",
    "eu-west-1": "EU (Ireland)",
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
}


@dataclass(frozen=True)
class Change:
    """An alarm (moto's, with its new state) that changed from state ``old`` at ``time``.

    ``before`` is the former state as events tell it.
    """

    account: str
    region: str
    alarm: Any
    old: str
    time: datetime
    before: dict[str, Any]

    @property
    def region_name(self) -> str:
        """The Region as people call it."""
        return _REGION_NAMES.get(self.region, self.region)


def actions_of(change: Change) -> list[str]:
    """The ARNs that the new state is told to."""
    alarm = change.alarm
    if alarm.state_value == ALARM:
        return list(alarm.alarm_actions or [])
    return list((alarm.ok_actions if alarm.state_value == OK else alarm.insufficient_data_actions) or [])


def subject(change: Change) -> str:
    """The subject of a notification, at most 100 characters of ASCII."""
    text = f'{change.alarm.state_value}: "{change.alarm.name}" in {change.region_name}'
    return text.encode("ascii", "replace").decode()[:100]


def message(change: Change) -> dict[str, Any]:
    """The text of a notification, which is JSON."""
    alarm = change.alarm
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description or None,
        "AWSAccountId": change.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(alarm.configuration_updated_timestamp),
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": stamp(change.time),
        "Region": change.region_name,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": change.old,
        "OKActions": list(alarm.ok_actions or []),
        "AlarmActions": list(alarm.alarm_actions or []),
        "InsufficientDataActions": list(alarm.insufficient_data_actions or []),
        "Trigger": _trigger(alarm),
    }


def _trigger(alarm: Any) -> dict[str, Any]:
    needed = {"DatapointsToAlarm": int(alarm.datapoints_to_alarm)} if alarm.datapoints_to_alarm else {}
    queries = queries_of(alarm)
    return {
        **(_one_metric(alarm) if queries is None else {}),
        "Period": int(alarm.period or 0) if queries is None else queries.period,
        "EvaluationPeriods": int(alarm.evaluation_periods or 0),
        **needed,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile or "",
        **({} if queries is None else {"Metrics": queries.trigger()}),
    }


def _one_metric(alarm: Any) -> dict[str, Any]:
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "StatisticType": "Statistic",
        "Statistic": str(alarm.statistic).upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": each.value, "name": each.name} for each in alarm.dimensions],
    }


def state_of(alarm: Any) -> dict[str, Any]:
    """An alarm's present state as events tell it."""
    data = {"reasonData": alarm.state_reason_data} if alarm.state_reason_data else {}
    return {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        **data,
        "timestamp": stamp(alarm.state_updated_timestamp),
    }


def event_detail(change: Change) -> dict[str, Any]:
    """The detail of a state change event, but for the previous state."""
    alarm = change.alarm
    queries = queries_of(alarm)
    return {
        "alarmName": alarm.name,
        "state": state_of(alarm),
        "configuration": {
            "description": alarm.description or "",
            "metrics": [_one_query(alarm)] if queries is None else queries.configuration(),
        },
    }


def _one_query(alarm: Any) -> dict[str, Any]:
    metric = {
        "namespace": alarm.namespace,
        "name": alarm.metric_name,
        "dimensions": {each.name: each.value for each in alarm.dimensions},
    }
    stat = {"metric": metric, "period": int(alarm.period or 0), "stat": alarm.statistic}
    return {"id": str(uuid.uuid4()), "metricStat": stat, "returnData": True}


def function_event(change: Change) -> dict[str, Any]:
    """What a function gets that is an action of the alarm."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": change.alarm.alarm_arn,
        "accountId": change.account,
        "time": stamp(change.time),
        "region": change.region,
        "alarmData": {**event_detail(change), "previousState": change.before},
    }
