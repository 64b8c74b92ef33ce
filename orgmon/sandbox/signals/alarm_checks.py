"""What PutMetricAlarm and SetAlarmState refuse beyond what their model says.

Sources: CloudWatch API reference, PutMetricAlarm (members of an alarm on one metric; periods of 10, 20, 30 or whole
minutes, a week at most in all), SetAlarmState; "Invalid region" and "Invalid arn syntax" are quoted in public issues.
"""

from __future__ import annotations

import json

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals.alarm_queries import AlarmQueries
from orgmon.sandbox.signals.arns import Arn

_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_OF_ONE_METRIC = ("Namespace", "Period", "Threshold")
_STATISTICS = {"Statistic", "ExtendedStatistic"}
_OF_ONE_METRIC_ONLY = {"MetricName", "Namespace", "Dimensions", "Period", "Unit", *_STATISTICS}
_SHORT_PERIODS = (10, 20, 30)
_WEEK = 7 * 24 * 3600


def check_alarm(call: Call) -> None:
    """Raises Refusal if a new alarm could not work."""
    for member in _ACTIONS:
        for action in call.params.get(member) or []:
            _check_action(call, str(action))
    if call.params.get("Metrics"):
        if _OF_ONE_METRIC_ONLY & set(call.params):
            raise _invalid("An alarm on Metrics takes none of the members of an alarm on one metric.")
        _check_period(call, AlarmQueries.parse(call.account, call.region, call.params).period)
        if "Threshold" not in call.params:
            raise _invalid("An alarm on Metrics needs Threshold.")
        return
    missing = [name for name in ("MetricName", *_OF_ONE_METRIC) if name not in call.params]
    if missing:
        raise _invalid(f"An alarm on one metric needs {', '.join(missing)}.")
    if len(_STATISTICS & set(call.params)) != 1:
        raise _invalid("An alarm on one metric needs either Statistic or ExtendedStatistic.")
    _check_period(call, int(call.params["Period"]))


def _check_period(call: Call, period: int) -> None:
    if period not in _SHORT_PERIODS and period % 60:
        raise _invalid("Period must be 10, 20, 30 or a multiple of 60.")
    if period * int(call.params["EvaluationPeriods"]) > _WEEK:
        raise _invalid("An alarm cannot look back further than a week.")


def check_data(text: str) -> None:
    """Raises Refusal if the data of a state that is set by hand is no JSON."""
    try:
        json.loads(text)
    except ValueError as problem:
        raise Refusal("InvalidFormat", "Data was not syntactically valid JSON.") from problem


def _check_action(call: Call, action: str) -> None:
    try:
        region = Arn.parse(action).region
    except ValueError as problem:
        raise _invalid(f"Invalid arn syntax: {action}") from problem
    if region != call.region:
        raise _invalid(f"Invalid region {region} specified. Only {call.region} is supported.")


def _invalid(text: str) -> Refusal:
    return Refusal("ValidationError", text)
