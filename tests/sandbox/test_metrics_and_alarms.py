"""From a log line to an alarm's message, and every grant without which nobody hears of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.signals.evaluation import evaluate, window_of
from orgmon.sandbox.signals.metrics import Datum
from tests.sandbox.conftest import HOME, MANAGEMENT, ORG, SECURITY
from tests.sandbox.services import (
    LOG_GROUP,
    allow,
    bodies,
    client,
    document,
    key_use,
    make_key,
    make_organization_trail,
    make_queue,
    make_topic,
    service,
)

ALARM = f"arn:aws:cloudwatch:{HOME}:{MANAGEMENT}:alarm:root-use"


@dataclass(frozen=True)
class Watch:
    """A filter and an alarm in the management account, and the topic of the security account that it tells."""

    sandbox: Sandbox
    topic: str
    queue: str
    key: str

    def sign_in_as_root(self) -> None:
        """Do what the filter looks for."""
        self.sandbox.world.controls["console-login"]({}, {"account": SECURITY})

    def heard(self) -> list[dict[str, Any]]:
        """The alarm messages that arrived."""
        return [json.loads(each["Message"]) for each in bodies(self.sandbox, self.queue)]

    def history(self, kind: str) -> list[str]:
        """The summaries of the alarm's history, the newest first."""
        history = self.cloudwatch().describe_alarm_history(AlarmName="root-use", HistoryItemType=kind)
        return [each["HistorySummary"] for each in history["AlarmHistoryItems"]]

    def cloudwatch(self) -> Any:
        """The management account's CloudWatch."""
        return client(self.sandbox, "cloudwatch", MANAGEMENT)

    def state(self) -> str:
        """The alarm's state."""
        return str(
            self.cloudwatch().describe_alarms(AlarmNames=["root-use"])["MetricAlarms"][0]["StateValue"]
        )


def _topic_policy(topic: str) -> str:
    condition = {
        "StringEquals": {"aws:SourceAccount": MANAGEMENT, "aws:SourceOrgID": ORG},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{HOME}:{MANAGEMENT}:alarm:*"},
    }
    return document(allow("sns:Publish", topic, Principal=service("cloudwatch"), Condition=condition))


@pytest.fixture
def watch(sandbox: Sandbox) -> Watch:
    """Everything in place and granted."""
    make_organization_trail(sandbox)
    key = make_key(sandbox, SECURITY, key_use("cloudwatch"))
    topic = make_topic(sandbox, "critical", SECURITY, KmsMasterKeyId=key)
    sns = client(sandbox, "sns", SECURITY)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=_topic_policy(topic))
    queue = f"arn:aws:sqs:{HOME}:{SECURITY}:soc"
    make_queue(
        sandbox,
        "soc",
        SECURITY,
        document(allow("sqs:SendMessage", queue, Principal=service("sns"))),
    )
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    client(sandbox, "logs", MANAGEMENT).put_metric_filter(
        logGroupName=LOG_GROUP,
        filterName="root-use",
        filterPattern='{ $.userIdentity.type = "Root" }',
        metricTransformations=[{"metricName": "root-use", "metricNamespace": "soc", "metricValue": "1"}],
    )
    put_alarm(sandbox, "root-use", AlarmActions=[topic], **LATE)
    sandbox.settle(120)
    return Watch(sandbox, topic, queue, key)


# CloudTrail delivers late, and what a filter counts belongs to the time of the event.
LATE: dict[str, Any] = {"EvaluationPeriods": 16, "DatapointsToAlarm": 1}


def put_alarm(sandbox: Sandbox, name: str, account: str = MANAGEMENT, **more: Any) -> None:
    """An alarm on the sum of a metric of the same name, which goes off at one."""
    wanted: dict[str, Any] = {
        "Namespace": "soc",
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **more,
    }
    client(sandbox, "cloudwatch", account).put_metric_alarm(AlarmName=name, **wanted)


def test_an_alarm_tells_the_topic_once_and_calms_down(watch: Watch) -> None:
    assert watch.state() == "OK"
    watch.sign_in_as_root()
    watch.sandbox.settle(watch.sandbox.trail.latency + 5)
    [message] = watch.heard()
    assert message["AlarmName"] == "root-use"
    assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
    assert message["AWSAccountId"] == MANAGEMENT
    assert message["Trigger"]["Threshold"] == 1
    assert "greater than or equal to the threshold (1.0)" in message["NewStateReason"]
    assert watch.state() == "ALARM"
    watch.sandbox.settle(1200)
    assert watch.state() == "OK"
    assert watch.heard() == []
    assert watch.history("Action") == [f"Successfully executed action {watch.topic}"]


def test_an_alarm_that_looks_at_the_last_minute_only_misses_what_comes_late(watch: Watch) -> None:
    put_alarm(watch.sandbox, "root-use", AlarmActions=[watch.topic])
    watch.sign_in_as_root()
    watch.sandbox.settle(watch.sandbox.trail.latency + 600)
    assert watch.heard() == []
    assert watch.state() == "OK"


@pytest.mark.parametrize("late", [300.0, 890.0])
def test_an_alarm_that_looks_back_far_enough_misses_nothing(watch: Watch, late: float) -> None:
    watch.sandbox.trail.delivery.logs.seconds = late
    watch.sign_in_as_root()
    watch.sandbox.settle(late + 65)
    assert [message["NewStateValue"] for message in watch.heard()] == ["ALARM"]


def test_a_member_s_record_counts_on_the_trail_s_log_group_and_nothing_else_does(watch: Watch) -> None:
    client(watch.sandbox, "iam", SECURITY).create_user(UserName="eve")
    watch.sandbox.settle(600)
    assert watch.heard() == []
    assert watch.history("StateUpdate") == ["Alarm updated from INSUFFICIENT_DATA to OK"]


def take_topic_policy(watch: Watch) -> None:
    """The topic lets only its own account in."""
    policy = document(allow("sns:Publish", watch.topic, Principal={"AWS": SECURITY}))
    sns = client(watch.sandbox, "sns", SECURITY)
    sns.set_topic_attributes(TopicArn=watch.topic, AttributeName="Policy", AttributeValue=policy)


def take_key_grant(watch: Watch) -> None:
    """The key's policy knows CloudWatch no more."""
    policy = document(allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{SECURITY}:root"}))
    client(watch.sandbox, "kms", SECURITY).put_key_policy(
        KeyId=watch.key, PolicyName="default", Policy=policy
    )


def use_managed_key(watch: Watch) -> None:
    """The topic is encrypted with a key that no service principal may use."""
    sns = client(watch.sandbox, "sns", SECURITY)
    sns.set_topic_attributes(
        TopicArn=watch.topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/aws/sns"
    )


def delete_topic(watch: Watch) -> None:
    """There is no topic any more."""
    client(watch.sandbox, "sns", SECURITY).delete_topic(TopicArn=watch.topic)


@pytest.mark.parametrize("take", [take_topic_policy, take_key_grant, use_managed_key, delete_topic])
def test_without_a_grant_only_the_history_shows_that_nobody_heard(watch: Watch, take: Any) -> None:
    take(watch)
    watch.sign_in_as_root()
    watch.sandbox.settle(watch.sandbox.trail.latency + 5)
    assert watch.heard() == []
    assert watch.state() == "ALARM"
    [summary] = watch.history("Action")
    assert summary.startswith(f"Failed to execute action {watch.topic}")


def test_disabled_actions_are_not_taken(watch: Watch) -> None:
    watch.cloudwatch().disable_alarm_actions(AlarmNames=["root-use"])
    watch.sign_in_as_root()
    watch.sandbox.settle(watch.sandbox.trail.latency + 5)
    assert watch.state() == "ALARM"
    assert watch.heard() == []


def test_an_alarm_names_no_topic_of_another_region(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError, match=f"Invalid region us-east-1 specified. Only {HOME} is supported"):
        put_alarm(sandbox, "far", AlarmActions=[f"arn:aws:sns:us-east-1:{SECURITY}:critical"])


def _collect_state_changes(sandbox: Sandbox) -> str:
    """A rule that puts the alarm events of the management account into a queue there."""
    arn = f"arn:aws:sqs:{HOME}:{MANAGEMENT}:changes"
    policy = document(allow("sqs:SendMessage", arn, Principal=service("events")))
    make_queue(sandbox, "changes", MANAGEMENT, policy)
    events = client(sandbox, "events", MANAGEMENT)
    events.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": arn}])
    return arn


def test_every_change_is_an_event_on_the_default_bus(sandbox: Sandbox) -> None:
    queue = _collect_state_changes(sandbox)
    put_alarm(sandbox, "quiet")
    client(sandbox, "cloudwatch", MANAGEMENT).set_alarm_state(
        AlarmName="quiet", StateValue="ALARM", StateReason="rehearsal"
    )
    created, changed = bodies(sandbox, queue)
    assert created["detail-type"] == "CloudWatch Alarm Configuration Change"
    assert changed["detail-type"] == "CloudWatch Alarm State Change"
    assert changed["resources"] == [f"arn:aws:cloudwatch:{HOME}:{MANAGEMENT}:alarm:quiet"]
    detail = changed["detail"]
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["reason"] == "rehearsal"
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    metric = detail["configuration"]["metrics"][0]["metricStat"]
    assert metric["metric"] == {"namespace": "soc", "name": "quiet", "dimensions": {}}


def test_a_threshold_counts_over_its_timespan(sandbox: Sandbox) -> None:
    put_alarm(sandbox, "burst", Period=300, Threshold=5)
    cloudwatch = client(sandbox, "cloudwatch", MANAGEMENT)

    def count(value: float) -> str:
        cloudwatch.put_metric_data(Namespace="soc", MetricData=[{"MetricName": "burst", "Value": value}])
        return str(cloudwatch.describe_alarms(AlarmNames=["burst"])["MetricAlarms"][0]["StateValue"])

    assert count(3) == "OK"
    sandbox.settle(120)
    assert count(2) == "ALARM"
    sandbox.settle(600)
    assert count(4) == "OK"


def test_an_alarm_on_dead_letters_goes_off_by_itself(sandbox: Sandbox) -> None:
    make_queue(sandbox, "dead", MANAGEMENT)
    put_alarm(
        sandbox,
        "dead-letters",
        Namespace="AWS/SQS",
        MetricName="ApproximateNumberOfMessagesVisible",
        Dimensions=[{"Name": "QueueName", "Value": "dead"}],
        Statistic="Maximum",
    )
    sandbox.settle(120)
    sqs = client(sandbox, "sqs", MANAGEMENT)
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"], MessageBody="x")
    sandbox.settle(90)
    cloudwatch = client(sandbox, "cloudwatch", MANAGEMENT)
    assert cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"][0]["AlarmName"] == "dead-letters"


def test_published_metrics_can_be_read_again(watch: Watch) -> None:
    watch.sign_in_as_root()
    watch.sandbox.settle(watch.sandbox.trail.latency + 5)
    now = watch.sandbox.world.clock.now()
    statistics = watch.cloudwatch().get_metric_statistics(
        Namespace="soc",
        MetricName="root-use",
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in statistics["Datapoints"]] == [1.0]


def test_an_alarm_that_is_put_again_keeps_its_state(watch: Watch) -> None:
    watch.sign_in_as_root()
    watch.sandbox.settle(watch.sandbox.trail.latency + 5)
    put_alarm(watch.sandbox, "root-use", AlarmActions=[watch.topic])
    assert watch.state() == "ALARM"
    assert len(watch.heard()) == 1


def test_filters_that_cloudwatch_refuses_are_refused(sandbox: Sandbox) -> None:
    logs = client(sandbox, "logs", MANAGEMENT)
    logs.create_log_group(logGroupName="/x")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.put_metric_filter(
            logGroupName="/x",
            filterName="bad",
            filterPattern='{ $.a = "b"',
            metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        )


def test_a_default_value_and_a_value_of_the_event_are_published(sandbox: Sandbox) -> None:
    logs = client(sandbox, "logs", MANAGEMENT)
    logs.create_log_group(logGroupName="/app")
    logs.create_log_stream(logGroupName="/app", logStreamName="one")
    transformation = {"metricName": "size", "metricNamespace": "app", "metricValue": "$.bytes"}
    logs.put_metric_filter(
        logGroupName="/app",
        filterName="size",
        filterPattern="{ $.bytes > 0 }",
        metricTransformations=[{**transformation, "defaultValue": 0}],
    )
    now = int(sandbox.world.clock.now().timestamp() * 1000)
    for message in ('{"bytes": 42}', "noise"):
        logs.put_log_events(
            logGroupName="/app", logStreamName="one", logEvents=[{"timestamp": now, "message": message}]
        )
    listed = sandbox.world.store("cloudwatch", MANAGEMENT, HOME).metric_data
    assert [each.value for each in listed if each.namespace == "app"] == [42.0, 0.0]


NOW = datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)


def alarm(**more: Any) -> SimpleNamespace:
    """An alarm's settings, as moto keeps them."""
    settings = {
        "period": 60,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 2,
        "statistic": "Sum",
        "threshold": 2.0,
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "treat_missing_data": "notBreaching",
        "state_value": "OK",
        "unit": None,
    }
    return SimpleNamespace(**{**settings, **more})


def data(values: Sequence[float | None]) -> list[Datum]:
    """One value a minute, the last one in the current minute."""
    times = [NOW - timedelta(minutes=len(values) - 1 - number) for number in range(len(values))]
    return [
        Datum(time, value, 1, value, value)
        for time, value in zip(times, values, strict=True)
        if value is not None
    ]


@pytest.mark.parametrize(
    ("settings", "values", "state"),
    [
        ({}, (2, 0, 2), "ALARM"),
        ({}, (2, 0, 0), "OK"),
        ({}, (None, None, None), "OK"),
        ({"treat_missing_data": "breaching"}, (None, None, None), "ALARM"),
        ({"treat_missing_data": "missing"}, (None, None, None), "INSUFFICIENT_DATA"),
        ({"treat_missing_data": None}, (None, None, None), "INSUFFICIENT_DATA"),
        ({"treat_missing_data": "ignore", "state_value": "ALARM"}, (None, None, None), "ALARM"),
        ({"datapoints_to_alarm": None}, (2, 2, None), "OK"),
        ({"datapoints_to_alarm": None}, (2, 2, 2), "ALARM"),
        ({"comparison_operator": "LessThanThreshold"}, (1, 1, 5), "ALARM"),
        ({"period": 180, "evaluation_periods": 1, "datapoints_to_alarm": 1}, (1, 1, 0), "ALARM"),
        ({"period": 120, "evaluation_periods": 1, "datapoints_to_alarm": 1}, (5, 1, 0), "OK"),
        ({"statistic": "Maximum", "datapoints_to_alarm": 1}, (0, 2, 0), "ALARM"),
    ],
)
def test_states(settings: dict[str, Any], values: Sequence[float | None], state: str) -> None:
    given = alarm(**settings)
    assert evaluate(given, window_of(given, data(values), NOW), NOW).state == state
