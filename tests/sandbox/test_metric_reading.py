"""Metrics are read as from CloudWatch: a metric has exactly its dimensions, and units are kept apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import DEV, HOME, PROD, SECURITY
from tests.sandbox.services import client, make_queue

SPLIT = [{"Name": "a", "Value": "1"}]


@pytest.fixture(scope="module")
def measured(shared: Sandbox) -> Sandbox:
    """Values of a metric with and without dimensions, and of one in three units."""
    cloudwatch = client(shared, "cloudwatch", PROD)
    data: list[dict[str, Any]] = [
        {"MetricName": "m", "Value": 1.0},
        {"MetricName": "m", "Value": 2.0, "Unit": "Count"},
        {"MetricName": "m", "Value": 30.0, "Dimensions": SPLIT},
        {"MetricName": "other", "Values": [1, 2], "Counts": [3, 1], "Unit": "Count"},
        {"MetricName": "units", "Value": 60000, "Unit": "Milliseconds"},
        {"MetricName": "units", "Value": 60, "Unit": "Seconds"},
        {"MetricName": "units", "Value": 5, "Unit": "Count"},
    ]
    cloudwatch.put_metric_data(Namespace="n", MetricData=data)
    return shared


def period(sandbox: Sandbox) -> dict[str, datetime]:
    """From a crooked time before now to after it."""
    now = sandbox.world.clock.now()
    return {"StartTime": now - timedelta(minutes=7, seconds=13), "EndTime": now + timedelta(minutes=2)}


def stat(sandbox: Sandbox, name: str, **more: Any) -> list[dict[str, Any]]:
    """The sums of a metric in whole hours."""
    points: list[dict[str, Any]] = client(sandbox, "cloudwatch", PROD).get_metric_statistics(
        Namespace="n", MetricName=name, Statistics=["Sum"], **{"Period": 3600, **period(sandbox), **more}
    )["Datapoints"]
    return points


def query(name: str, identity: str = "q", **more: Any) -> dict[str, Any]:
    """A query for a metric's sum."""
    dimensions = {"Dimensions": more.pop("dimensions")} if "dimensions" in more else {}
    metric = {"Namespace": "n", "MetricName": name, **dimensions}
    return {"Id": identity, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum", **more}}


def data(sandbox: Sandbox, *queries: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """What GetMetricData answers."""
    results: list[dict[str, Any]] = client(sandbox, "cloudwatch", PROD).get_metric_data(
        MetricDataQueries=list(queries), **period(sandbox), **more
    )["MetricDataResults"]
    return results


def test_a_metric_is_listed_once_whatever_was_published(measured: Sandbox) -> None:
    listed = client(measured, "cloudwatch", PROD).list_metrics(Namespace="n")["Metrics"]
    told = [(each["MetricName"], len(each["Dimensions"])) for each in listed]
    assert sorted(told) == [("m", 0), ("m", 1), ("other", 0), ("units", 0)]
    by_dimension = client(measured, "cloudwatch", PROD).list_metrics(Dimensions=[{"Name": "a"}])["Metrics"]
    assert [each["MetricName"] for each in by_dimension] == ["m"]


def test_without_dimensions_only_what_has_none_is_counted(measured: Sandbox) -> None:
    [found] = data(measured, query("m", Unit="None"))
    assert found["Values"] == [1.0]
    [found] = data(measured, query("m", dimensions=SPLIT))
    assert found["Values"] == [30.0]
    assert [each["Sum"] for each in stat(measured, "m", Dimensions=SPLIT)] == [30.0]


def test_units_are_not_put_together(measured: Sandbox) -> None:
    points = stat(measured, "units")
    assert {each["Unit"]: each["Sum"] for each in points} == {
        "Milliseconds": 60000,
        "Seconds": 60,
        "Count": 5,
    }
    assert [each["Sum"] for each in stat(measured, "units", Unit="Seconds")] == [60]
    [found] = data(measured, query("units"))
    assert found["Values"] == [5.0]
    text = "Multiple units returned: '[Count, Milliseconds, Seconds]'"
    assert found["Messages"] == [{"Code": "MultipleUnits", "Value": text}]
    [found] = data(measured, query("units", Unit="Bytes"))
    assert (found["Values"], found.get("Messages")) == ([], None)


def test_periods_begin_on_whole_minutes(measured: Sandbox) -> None:
    [found] = data(measured, query("other"))
    assert found["Values"] == [5.0]
    assert [time.second for time in found["Timestamps"]] == [0]
    [point] = stat(measured, "other", Period=60)
    assert (point["Timestamp"].second, point["Timestamp"].microsecond) == (0, 0)


def test_results_come_the_newest_first(measured: Sandbox) -> None:
    cloudwatch = client(measured, "cloudwatch", PROD)
    now = measured.world.clock.now()
    for minutes in (1, 3):
        entry = {"MetricName": "old", "Value": minutes, "Timestamp": now - timedelta(minutes=minutes)}
        cloudwatch.put_metric_data(Namespace="n", MetricData=[entry])
    [found] = data(measured, query("old"))
    assert found["Values"] == [1.0, 3.0]
    [found] = data(measured, query("old"), ScanBy="TimestampAscending")
    assert found["Values"] == [3.0, 1.0]


@pytest.mark.parametrize(
    ("queries", "labels"),
    [
        ([query("m", "a"), query("other", "b")], ["m", "other"]),
        ([query("m", "a"), query("m", "b", Stat="Maximum")], ["m Sum", "m Maximum"]),
        ([query("m", "a"), query("m", "b", Period=30)], ["m 60", "m 30"]),
        ([query("m", "a"), query("m", "b", Period=30, Stat="Minimum")], ["m Sum 60", "m Minimum 30"]),
        ([{**query("m", "a"), "Label": "mine"}, query("m", "b")], ["mine", "m"]),
    ],
)
def test_labels_say_what_tells_the_queries_apart(
    measured: Sandbox, queries: list[dict[str, Any]], labels: list[str]
) -> None:
    assert [each["Label"] for each in data(measured, *queries)] == labels


def test_expressions_are_worked_out_over_the_other_queries(measured: Sandbox) -> None:
    hidden = {**query("other", "a"), "ReturnData": False}
    inner = {"Id": "e1", "Expression": "a * 2", "ReturnData": False}
    [named, doubled] = data(
        measured,
        hidden,
        inner,
        {"Id": "e", "Expression": "a"},
        {"Id": "e2", "Expression": "e1 + SUM(METRICS())", "Label": "more"},
    )
    assert (named["Id"], named["Label"], named["Values"]) == ("e", "e", [5.0])
    assert (doubled["Id"], doubled["Label"], doubled["Values"]) == ("e2", "more", [15.0])
    assert doubled["Timestamps"] == named["Timestamps"]


def test_what_is_filled_covers_the_time_that_is_asked_for(measured: Sandbox) -> None:
    hidden = {**query("other", "a"), "ReturnData": False}
    [found] = data(measured, hidden, {"Id": "e", "Expression": "FILL(a, 0)"}, ScanBy="TimestampAscending")
    assert sorted(found["Values"]) == [0.0] * (len(found["Values"]) - 1) + [5.0]
    assert len(found["Values"]) in (9, 10, 11)
    steps = zip(found["Timestamps"], found["Timestamps"][1:], strict=False)
    assert {later - earlier for earlier, later in steps} == {timedelta(minutes=1)}


@pytest.mark.parametrize(
    ("queries", "code", "text"),
    [
        ([{"Id": "e", "Expression": "a +"}], "ValidationError", "Error in expression 'e': Invalid syntax"),
        (
            [{"Id": "e", "Expression": "NO(a)"}],
            "ValidationError",
            "Error in expression 'e': Function 'NO' not found",
        ),
        (
            [query("m", "a")],
            "ValidationError",
            "The values for parameter id in MetricDataQueries are not unique.",
        ),
        ([{**query("m", "B")}], "ValidationError", "MetricDataQueries.member.2.Id must match"),
        ([{**query("m", "b"), "Expression": "a"}], "ValidationError", "are mutually exclusive"),
        (
            [query("m", "b", Period=300), {"Id": "e", "Expression": "a + b"}],
            "NotImplemented",
            "over metrics of different periods",
        ),
        ([{"Id": "e", "Expression": "METRICS()"}], "NotImplemented", "several time series"),
        ([query("m", "b", Stat="p99")], "NotImplemented", "the statistic p99"),
    ],
)
def test_queries_that_cannot_be_answered_are_refused(
    measured: Sandbox, queries: list[dict[str, Any]], code: str, text: str
) -> None:
    with pytest.raises(ClientError) as caught:
        data(measured, query("m", "a"), *queries)
    assert caught.value.response["Error"]["Code"] == code
    assert text in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("call", "params", "code"),
    [
        ("get_metric_statistics", {}, "InvalidParameterCombination"),
        ("get_metric_statistics", {"Statistics": ["Sum"], "backwards": True}, "InvalidParameterValue"),
        ("get_metric_data", {"MetricDataQueries": [{"Id": "a"}]}, "ValidationError"),
        ("get_metric_data", {"MetricDataQueries": [query("m")], "backwards": True}, "ValidationError"),
        ("list_metrics", {"NextToken": "guessed"}, "InvalidParameterValue"),
    ],
)
def test_questions_that_are_refused(measured: Sandbox, call: str, params: dict[str, Any], code: str) -> None:
    given = dict(params)
    times = period(measured) if call != "list_metrics" else {}
    if given.pop("backwards", False):
        times = {"StartTime": times["EndTime"], "EndTime": times["StartTime"]}
    more = {"Namespace": "n", "MetricName": "m", "Period": 60} if call == "get_metric_statistics" else {}
    with pytest.raises(ClientError, match=code):
        getattr(client(measured, "cloudwatch", PROD), call)(**times, **more, **given)


def depths(sandbox: Sandbox, name: str, account: str = SECURITY) -> dict[str, list[float]]:
    """What was published of a queue within the last ten minutes, the newest first."""
    cloudwatch = client(sandbox, "cloudwatch", account)
    now = sandbox.world.clock.now()
    kinds = ("Visible", "NotVisible", "Delayed")
    queries = [
        {
            "Id": kind.lower(),
            "Label": kind,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SQS",
                    "MetricName": f"ApproximateNumberOfMessages{kind}",
                    "Dimensions": [{"Name": "QueueName", "Value": name}],
                },
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for kind in kinds
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(minutes=10), EndTime=now + timedelta(minutes=1)
    )
    return {each["Label"]: each["Values"] for each in answer["MetricDataResults"]}


def test_an_idle_queue_tells_that_it_is_empty(measured: Sandbox) -> None:
    make_queue(measured, "idle", SECURITY)
    measured.settle(120)
    assert depths(measured, "idle") == {"Visible": [0, 0], "NotVisible": [0, 0], "Delayed": [0, 0]}


def test_a_queue_tells_what_waits_what_is_read_and_what_is_delayed(measured: Sandbox) -> None:
    make_queue(measured, "busy", SECURITY)
    sqs = client(measured, "sqs", SECURITY)
    url = sqs.get_queue_url(QueueName="busy")["QueueUrl"]
    for body, delay in (("a", 0), ("b", 0), ("c", 0), ("d", 900)):
        sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay)
    sqs.receive_message(QueueUrl=url)
    measured.settle(60)
    assert depths(measured, "busy") == {"Visible": [2], "NotVisible": [1], "Delayed": [1]}


def test_a_queue_that_nobody_used_for_six_hours_is_silent(measured: Sandbox) -> None:
    make_queue(measured, "asleep", DEV)
    measured.settle(5 * 3600)
    assert depths(measured, "asleep", DEV)["Visible"]
    measured.settle(2 * 3600)
    assert depths(measured, "asleep", DEV)["Visible"] == []


def test_messages_vanish_after_their_retention(measured: Sandbox) -> None:
    make_queue(measured, "short", DEV, MessageRetentionPeriod="600")
    sqs = client(measured, "sqs", DEV)
    url = sqs.get_queue_url(QueueName="short")["QueueUrl"]

    def waiting() -> str:
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return str(told["Attributes"]["ApproximateNumberOfMessages"])

    sqs.send_message(QueueUrl=url, MessageBody="old")
    measured.settle(400)
    sqs.send_message(QueueUrl=url, MessageBody="new")
    assert waiting() == "2"
    measured.settle(201)
    assert waiting() == "1"
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=url)["Messages"]] == ["new"]
    measured.settle(400)
    assert waiting() == "0"
    queue = measured.world.store("sqs", DEV, HOME).queues["short"]
    assert queue._messages == []
