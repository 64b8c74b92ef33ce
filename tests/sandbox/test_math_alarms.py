"""Alarms on Metrics: they watch an expression, wake up with each of its metrics, and are told as by AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import HOME, PROD, SECURITY
from tests.sandbox.services import allow, bodies, client, document, make_queue, make_topic, service

SOURCE = '{"source": ["aws.cloudwatch"]}'
INBOX = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"


def metric(identity: str, name: str, **more: Any) -> dict[str, Any]:
    """A metric that an alarm does not watch itself."""
    stat = {"Metric": {"Namespace": "n", "MetricName": name}, "Period": 60, "Stat": "Sum", **more}
    return {"Id": identity, "MetricStat": stat, "ReturnData": False}


def put_alarm(cloudwatch: Any, name: str, *metrics: dict[str, Any], **more: Any) -> None:
    """An alarm on queries, which goes off above zero in one period."""
    wanted: dict[str, Any] = {
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **more,
    }
    cloudwatch.put_metric_alarm(AlarmName=name, Metrics=list(metrics), **wanted)


def described(cloudwatch: Any, name: str) -> dict[str, Any]:
    """What AWS tells of one alarm."""
    [told] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert isinstance(told, dict)
    return told


def count(cloudwatch: Any, name: str, value: float) -> None:
    """Publish a value."""
    cloudwatch.put_metric_data(Namespace="n", MetricData=[{"MetricName": name, "Value": value}])


def next_minute(sandbox: Sandbox) -> None:
    """Turn the clock to just after the minute's ticks."""
    sandbox.settle(60)


def test_an_alarm_on_the_growth_of_a_queue_goes_off_each_time_it_grows(shared: Sandbox) -> None:
    cloudwatch, sqs = client(shared, "cloudwatch", PROD), client(shared, "sqs", PROD)
    make_queue(shared, "dead", PROD)
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    depth = {
        "Metric": {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": "dead"}],
        }
    }
    growth = {"Id": "growth", "Expression": "DIFF(depth)", "Label": "growth"}
    put_alarm(cloudwatch, "dead", growth, metric("depth", "", **depth, Stat="Maximum"))

    def state() -> str:
        return str(described(cloudwatch, "dead")["StateValue"])

    next_minute(shared)
    assert state() == "OK"
    sqs.send_message(QueueUrl=url, MessageBody="one")
    sqs.send_message(QueueUrl=url, MessageBody="two")
    next_minute(shared)
    assert state() == "ALARM"
    next_minute(shared)
    assert state() == "OK"
    sqs.send_message(QueueUrl=url, MessageBody="three")
    next_minute(shared)
    sqs.send_message(QueueUrl=url, MessageBody="four")
    next_minute(shared)
    assert state() == "ALARM"
    changes = cloudwatch.describe_alarm_history(AlarmName="dead", HistoryItemType="StateUpdate")
    assert [each["HistorySummary"][14:] for each in changes["AlarmHistoryItems"]] == [
        "from OK to ALARM",
        "from ALARM to OK",
        "from OK to ALARM",
        "from INSUFFICIENT_DATA to OK",
    ]
    shared.settle(8 * 3600)
    assert state() == "OK"


def test_each_metric_of_an_expression_wakes_its_alarm(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", PROD)
    ratio = {"Id": "ratio", "Expression": "errors / calls"}
    put_alarm(cloudwatch, "ratio", ratio, metric("errors", "errors"), metric("calls", "calls"), Threshold=0.5)
    count(cloudwatch, "errors", 3)
    assert described(cloudwatch, "ratio")["StateValue"] == "OK"
    count(cloudwatch, "calls", 4)
    assert described(cloudwatch, "ratio")["StateValue"] == "ALARM"
    count(cloudwatch, "calls", 4)
    assert described(cloudwatch, "ratio")["StateValue"] == "OK"
    next_minute(shared)
    count(cloudwatch, "unwatched", 9)
    assert described(cloudwatch, "ratio")["StateValue"] == "OK"


def test_an_alarm_looks_at_as_many_periods_as_it_says(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", PROD)
    growth = {"Id": "growth", "Expression": "DIFF(m)"}
    some = {"EvaluationPeriods": 3, "DatapointsToAlarm": 2}
    put_alarm(cloudwatch, "twice", growth, metric("m", "twice"), **some)
    for value, expected in ((1, "OK"), (2, "OK"), (2, "OK"), (3, "ALARM"), (3, "OK")):
        count(cloudwatch, "twice", value)
        assert described(cloudwatch, "twice")["StateValue"] == expected
        next_minute(shared)


def test_everything_tells_the_queries_of_an_alarm_as_aws_does(shared: Sandbox) -> None:
    cloudwatch, topic = client(shared, "cloudwatch", SECURITY), make_topic(shared, "math", SECURITY)
    client(shared, "sns", SECURITY).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)
    changes = make_queue(
        shared,
        "changes",
        SECURITY,
        document(allow("sqs:SendMessage", "*", Principal=service("events"))),
    )
    client(shared, "events", SECURITY).put_rule(Name="all", EventPattern=SOURCE)
    client(shared, "events", SECURITY).put_targets(Rule="all", Targets=[{"Id": "q", "Arn": changes}])
    sums = {"Id": "e1", "Expression": "m1 + 1", "Label": "more"}
    dimensioned = metric("m1", "told")
    dimensioned["MetricStat"]["Metric"]["Dimensions"] = [{"Name": "a", "Value": "b"}]
    put_alarm(cloudwatch, "told", sums, dimensioned, AlarmActions=[topic])
    data = {"MetricName": "told", "Value": 1, "Dimensions": [{"Name": "a", "Value": "b"}]}
    bodies(shared, changes)
    cloudwatch.put_metric_data(Namespace="n", MetricData=[data])

    told = described(cloudwatch, "told")
    assert told["Metrics"] == [{**sums, "ReturnData": True}, dimensioned]
    assert not {"MetricName", "Namespace", "Dimensions", "Period", "Statistic"} & told.keys()
    reason = json.loads(told["StateReasonData"])
    assert (reason["recentDatapoints"], reason["period"]) == ([2.0], 60)
    assert "statistic" not in reason
    assert reason["evaluatedDatapoints"] == [{"timestamp": reason["startDate"], "value": 2.0}]

    [[event], [message]] = bodies(shared, changes), bodies(shared, INBOX)
    stat = {
        "metric": {"namespace": "n", "name": "told", "dimensions": {"a": "b"}},
        "period": 60,
        "stat": "Sum",
    }
    assert event["detail"]["configuration"]["metrics"] == [
        {"id": "e1", "expression": "m1 + 1", "label": "more", "returnData": True},
        {"id": "m1", "metricStat": stat, "returnData": False},
    ]
    trigger = json.loads(message["Message"])["Trigger"]
    assert (
        not {"MetricName", "Namespace", "Dimensions", "Statistic", "StatisticType", "Unit"} & trigger.keys()
    )
    metric_of_trigger = {
        "Namespace": "n",
        "MetricName": "told",
        "Dimensions": [{"name": "a", "value": "b"}],
    }
    assert (trigger["Period"], trigger["Metrics"]) == (
        60,
        [
            {**sums, "ReturnData": True},
            {
                "Id": "m1",
                "MetricStat": {"Metric": metric_of_trigger, "Period": 60, "Stat": "Sum"},
                "ReturnData": False,
            },
        ],
    )


def test_an_alarm_may_leave_metrics_for_one_metric(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", PROD)
    put_alarm(cloudwatch, "changed", {**metric("m", "changed"), "ReturnData": True})
    count(cloudwatch, "changed", 1)
    assert described(cloudwatch, "changed")["StateValue"] == "ALARM"
    cloudwatch.put_metric_alarm(
        AlarmName="changed",
        Namespace="n",
        MetricName="changed",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    count(cloudwatch, "changed", 1)
    told = described(cloudwatch, "changed")
    assert (told["StateValue"], told["MetricName"], told.get("Metrics")) == ("OK", "changed", None)


TWO = [metric("a", "a"), metric("b", "b")]


@pytest.mark.parametrize(
    ("metrics", "more", "code", "text"),
    [
        (TWO, {}, "ValidationError", "Exactly one element of the metrics list should return data."),
        (
            [*TWO, {"Id": "c", "Expression": "a"}, {"Id": "d", "Expression": "a"}],
            {},
            "ValidationError",
            "Exactly one element of the metrics list should return data.",
        ),
        (
            [*TWO, {"Id": "e", "Expression": "a b"}],
            {},
            "ValidationError",
            "Error in expression 'e': Invalid syntax",
        ),
        ([*TWO, {"Id": "e", "Expression": "METRICS()"}], {}, "ValidationError", "return multi time series"),
        ([*TWO, {"Id": "e", "Expression": "c"}], {}, "ValidationError", "Undefined variable 'c'"),
        (
            [*(metric(f"m{number}", "m") for number in range(10)), {"Id": "e", "Expression": "m1"}],
            {},
            "ValidationError",
            "must not have a size greater than 10",
        ),
        ([*TWO, {"Id": "e", "Expression": "a"}], {"Namespace": "n"}, "ValidationError", "takes none of"),
        ([{**metric("a", "a", Period=45), "ReturnData": True}], {}, "ValidationError", "Period must be"),
        ([*TWO, {"Id": "e", "Expression": "a"}], {"EvaluationPeriods": 20000}, "ValidationError", "a week"),
    ],
)
def test_queries_that_no_alarm_can_have_are_refused(
    shared: Sandbox, metrics: list[dict[str, Any]], more: dict[str, Any], code: str, text: str
) -> None:
    cloudwatch = client(shared, "cloudwatch", PROD)
    with pytest.raises(ClientError) as caught:
        put_alarm(cloudwatch, "refused", *metrics, **more)
    assert caught.value.response["Error"]["Code"] == code
    assert text in caught.value.response["Error"]["Message"]
    assert cloudwatch.describe_alarms(AlarmNames=["refused"])["MetricAlarms"] == []


def in_stack(expression: str, name: str) -> str:
    """A template with an alarm on an expression over a metric."""
    queries = [{"Id": "e", "Expression": expression}, {**metric("m", name), "ReturnData": "false"}]
    properties = {
        "AlarmName": name,
        "Metrics": queries,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    return json.dumps({"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}})


def test_a_stack_makes_and_changes_an_alarm_on_an_expression(shared: Sandbox) -> None:
    cloudwatch, stacks = client(shared, "cloudwatch", PROD), client(shared, "cloudformation", PROD)
    quickly = {"Delay": 0.02, "MaxAttempts": 500}
    stacks.create_stack(StackName="math", TemplateBody=in_stack("DIFF(m)", "stacked"))
    stacks.get_waiter("stack_create_complete").wait(StackName="math", WaiterConfig=quickly)
    for value, expected in ((1, "OK"), (2, "ALARM"), (2, "OK")):
        next_minute(shared)
        count(cloudwatch, "stacked", value)
        assert described(cloudwatch, "stacked")["StateValue"] == expected
    stacks.update_stack(StackName="math", TemplateBody=in_stack("m * 2", "stacked"))
    stacks.get_waiter("stack_update_complete").wait(StackName="math", WaiterConfig=quickly)
    told = described(cloudwatch, "stacked")
    assert told["Metrics"] == [
        {"Id": "e", "Expression": "m * 2", "ReturnData": True},
        metric("m", "stacked"),
    ]
    shared.settle(60)
    count(cloudwatch, "stacked", 1)
    assert described(cloudwatch, "stacked")["StateValue"] == "ALARM"


def test_a_stack_with_an_expression_that_is_none_fails_and_says_why(shared: Sandbox) -> None:
    stacks = client(shared, "cloudformation", PROD)
    stacks.create_stack(StackName="wrong", TemplateBody=in_stack("DIFF(m", "wrong"))
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_create_complete").wait(
            StackName="wrong", WaiterConfig={"Delay": 0.02, "MaxAttempts": 500}
        )
    reasons = [
        each.get("ResourceStatusReason", "")
        for each in stacks.describe_stack_events(StackName="wrong")["StackEvents"]
    ]
    assert any("Error in expression 'e': Invalid syntax (Service: CloudWatch" in reason for reason in reasons)
