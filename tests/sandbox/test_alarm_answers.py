"""Alarms as AWS describes them, words their messages and forgets them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import DEV, HOME, LOGS, PROD, SECURITY
from tests.sandbox.services import (
    allow,
    bodies,
    client,
    log_messages,
    make_function,
    make_role,
    make_topic,
)

INBOX = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"


def put_alarm(cloudwatch: Any, name: str, **more: Any) -> None:
    """An alarm on the sum of a metric of the same name in one minute, which goes off above one."""
    wanted: dict[str, Any] = {
        "Namespace": "n",
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **more,
    }
    cloudwatch.put_metric_alarm(AlarmName=name, **wanted)


def described(cloudwatch: Any, name: str) -> dict[str, Any]:
    """What AWS tells of one alarm."""
    [told] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert isinstance(told, dict)
    return told


def count(cloudwatch: Any, name: str, value: float, **more: Any) -> None:
    """Publish a value."""
    cloudwatch.put_metric_data(Namespace="n", MetricData=[{"MetricName": name, "Value": value, **more}])


def test_a_fresh_alarm_has_no_reason_data_and_says_since_when(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", SECURITY)
    put_alarm(cloudwatch, "fresh")
    told = described(cloudwatch, "fresh")
    assert told["StateValue"] == "INSUFFICIENT_DATA"
    assert told["StateReason"] == "Unchecked: Initial alarm creation"
    assert told["StateTransitionedTimestamp"] == told["StateUpdatedTimestamp"]
    assert not {"StateReasonData", "DatapointsToAlarm", "Unit"} & told.keys()


def test_the_message_of_an_alarm_is_worded_as_by_aws(shared: Sandbox) -> None:
    cloudwatch, topic = client(shared, "cloudwatch", SECURITY), make_topic(shared, "worded", SECURITY)
    client(shared, "sns", SECURITY).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)
    put_alarm(cloudwatch, "worded", Unit="Count", AlarmActions=[topic])
    count(cloudwatch, "worded", 1, Unit="Count")
    count(cloudwatch, "worded", 1.5, Unit="Count")
    message = json.loads(bodies(shared, INBOX)[-1]["Message"])
    assert "DatapointsToAlarm" not in message["Trigger"]
    minute = shared.world.clock.now().replace(second=0, microsecond=0)
    reason = f"1 datapoint [2.5 ({minute:%d/%m/%y %H:%M:%S})] was greater than the threshold (1.0)."
    assert message["NewStateReason"] == f"Threshold Crossed: {reason}"
    told = described(cloudwatch, "worded")
    data = json.loads(told["StateReasonData"])
    stamp = f"{minute:%Y-%m-%dT%H:%M:%S}.000+0000"
    assert data.pop("queryDate").endswith("+0000")
    assert data == {
        "version": "1.0",
        "startDate": stamp,
        "unit": "Count",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [2.5],
        "threshold": 1.0,
        "evaluatedDatapoints": [{"timestamp": stamp, "sampleCount": 2.0, "value": 2.5}],
    }
    history = cloudwatch.describe_alarm_history(AlarmName="worded", HistoryItemType="StateUpdate")
    newest = json.loads(history["AlarmHistoryItems"][0]["HistoryData"])
    assert newest["newState"]["stateReasonData"]["recentDatapoints"] == [2.5]
    assert newest["oldState"]["stateReason"].startswith("Threshold Crossed: 1 datapoint [1.0 (")
    assert "was not greater than the threshold (1.0)." in newest["oldState"]["stateReason"]


def test_so_many_of_so_many_is_told_where_it_is_set(shared: Sandbox) -> None:
    cloudwatch, topic = client(shared, "cloudwatch", SECURITY), make_topic(shared, "some", SECURITY)
    client(shared, "sns", SECURITY).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)
    put_alarm(cloudwatch, "some", EvaluationPeriods=3, DatapointsToAlarm=1, AlarmActions=[topic])
    count(cloudwatch, "some", 5)
    message = json.loads(bodies(shared, INBOX)[-1]["Message"])
    assert message["Trigger"]["DatapointsToAlarm"] == 1
    assert "1 out of the last 3 datapoints [5.0 (" in message["NewStateReason"]
    assert "(minimum 1 datapoint for OK -> ALARM transition)" in message["NewStateReason"]


def test_only_a_change_of_the_state_is_a_transition(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", SECURITY)
    put_alarm(cloudwatch, "steady")
    state = {"AlarmName": "steady", "StateValue": "ALARM"}
    cloudwatch.set_alarm_state(StateReason="one", **state)
    first = described(cloudwatch, "steady")
    shared.settle(5)
    cloudwatch.set_alarm_state(StateReason="two", StateReasonData='{"a": 1}', **state)
    second = described(cloudwatch, "steady")
    assert second["StateTransitionedTimestamp"] == first["StateTransitionedTimestamp"]
    assert second["StateUpdatedTimestamp"] - first["StateUpdatedTimestamp"] >= timedelta(seconds=5)
    assert (second["StateReason"], second["StateReasonData"]) == ("two", '{"a": 1}')
    assert "StateReasonData" not in first


def test_an_alarm_with_a_unit_sees_no_other(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", SECURITY)
    put_alarm(cloudwatch, "choosy", Unit="Seconds")
    count(cloudwatch, "choosy", 100, Unit="Milliseconds")
    assert described(cloudwatch, "choosy")["StateValue"] != "ALARM"
    count(cloudwatch, "choosy", 100, Unit="Seconds")
    assert described(cloudwatch, "choosy")["StateValue"] == "ALARM"


def test_nothing_is_unknown_in_words(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", SECURITY)
    put_alarm(cloudwatch, "unsure", TreatMissingData="missing")
    count(cloudwatch, "unsure", 5)
    shared.settle(180)
    assert described(cloudwatch, "unsure")["StateReason"] == "Insufficient Data: 1 datapoint was unknown."


def test_alarms_come_by_name_and_fifty_a_page(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", PROD)
    names = [f"a{number:02}" for number in range(60)]
    for name in reversed(names):
        put_alarm(cloudwatch, name)
    first = cloudwatch.describe_alarms()
    assert [each["AlarmName"] for each in first["MetricAlarms"]] == names[:50]
    second = cloudwatch.describe_alarms(NextToken=first["NextToken"])
    assert [each["AlarmName"] for each in second["MetricAlarms"]] == names[50:]
    assert "NextToken" not in second
    assert len(cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]) == 60
    with pytest.raises(ClientError, match="InvalidNextToken"):
        cloudwatch.describe_alarms(NextToken="guessed")


def test_everything_that_is_asked_for_has_to_fit(shared: Sandbox) -> None:
    cloudwatch, topic = client(shared, "cloudwatch", DEV), make_topic(shared, "asked", DEV)
    put_alarm(cloudwatch, "a-quiet", AlarmActions=[topic])
    put_alarm(cloudwatch, "a-loud")
    put_alarm(cloudwatch, "b-loud")
    for name in ("a-loud", "b-loud"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="x")

    def named(**wanted: Any) -> list[str]:
        return [each["AlarmName"] for each in cloudwatch.describe_alarms(**wanted)["MetricAlarms"]]

    assert named(AlarmNamePrefix="a", StateValue="ALARM") == ["a-loud"]
    assert named(AlarmNames=["a-quiet", "b-loud"], StateValue="ALARM") == ["b-loud"]
    assert named(ActionPrefix=topic) == ["a-quiet"]
    assert named(AlarmTypes=["CompositeAlarm"]) == []


def test_alarms_on_a_metric_have_its_dimensions(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", LOGS)
    dimensions = [{"Name": "a", "Value": "1"}]
    put_alarm(cloudwatch, "plain", MetricName="shared")
    put_alarm(cloudwatch, "split", MetricName="shared", Dimensions=dimensions)

    def named(**wanted: Any) -> list[str]:
        told = cloudwatch.describe_alarms_for_metric(Namespace="n", MetricName="shared", **wanted)
        return [each["AlarmName"] for each in told["MetricAlarms"]]

    assert named() == ["plain"]
    assert named(Dimensions=dimensions) == ["split"]
    assert named(Dimensions=dimensions, Statistic="Average") == []


def test_the_tags_of_an_alarm_go_with_it(shared: Sandbox) -> None:
    cloudwatch = client(shared, "cloudwatch", SECURITY)
    arn = f"arn:aws:cloudwatch:{HOME}:{SECURITY}:alarm:tagged"
    put_alarm(cloudwatch, "tagged", Tags=[{"Key": "k", "Value": "v"}])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    cloudwatch.delete_alarms(AlarmNames=["tagged"])
    put_alarm(cloudwatch, "tagged")
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def actions(cloudwatch: Any, name: str) -> list[tuple[str, str]]:
    """Which actions an alarm took, and how they ended; the newest first."""
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    told = [json.loads(each["HistoryData"]) for each in history["AlarmHistoryItems"]]
    return [(each["notificationResource"], each["actionState"]) for each in told]


@pytest.fixture(scope="module")
def heard(shared: Sandbox) -> str:
    """A function of the production account that logs what it gets; returns its ARN."""
    logs = allow(["logs:CreateLogStream", "logs:PutLogEvents"], "*")
    role = make_role(shared, "hear", PROD, "lambda", logs)
    client(shared, "logs", PROD).create_log_group(logGroupName="/aws/lambda/hear")
    code = "import json\ndef handle(event, context):\n    print('heard', json.dumps(event))\n"
    return make_function(shared, "hear", PROD, role, code)


def test_an_alarm_invokes_a_function_that_lets_its_own_principal_in(shared: Sandbox, heard: str) -> None:
    cloudwatch = client(shared, "cloudwatch", PROD)
    put_alarm(cloudwatch, "invoking", AlarmActions=[heard])
    arn = described(cloudwatch, "invoking")["AlarmArn"]
    functions = client(shared, "lambda", PROD)
    grant = {"FunctionName": "hear", "Action": "lambda:InvokeFunction", "SourceArn": arn}

    def fire() -> tuple[str, str]:
        for state in ("OK", "ALARM"):
            cloudwatch.set_alarm_state(AlarmName="invoking", StateValue=state, StateReason="drill")
        shared.settle(1)
        return actions(cloudwatch, "invoking")[0]

    functions.add_permission(StatementId="wrong", Principal="cloudwatch.amazonaws.com", **grant)
    assert fire() == (heard, "Failed")
    assert log_messages(shared, PROD, "/aws/lambda/hear") == []
    functions.add_permission(StatementId="right", Principal="lambda.alarms.cloudwatch.amazonaws.com", **grant)
    assert fire() == (heard, "Succeeded")
    [line] = [each for each in log_messages(shared, PROD, "/aws/lambda/hear") if each.startswith("heard")]
    event = json.loads(line.removeprefix("heard "))
    assert (event["source"], event["alarmArn"]) == ("aws.cloudwatch", arn)
    assert (event["accountId"], event["region"]) == (PROD, HOME)
    data = event["alarmData"]
    assert (data["alarmName"], data["state"]["value"], data["previousState"]["value"]) == (
        "invoking",
        "ALARM",
        "OK",
    )
    assert data["state"]["reason"] == "drill"
    assert data["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "invoking"
    assert event["time"] == data["state"]["timestamp"]


@pytest.mark.parametrize(
    "action",
    [
        f"arn:aws:automate:{HOME}:ec2:stop",
        f"arn:aws:ssm:{HOME}:{PROD}:opsitem:1",
        f"arn:aws:lambda:{HOME}:{PROD}:function:none",
        f"arn:aws:sns:{HOME}:{PROD}:none",
    ],
)
def test_an_action_that_is_not_taken_is_told_as_failed(shared: Sandbox, action: str) -> None:
    cloudwatch = client(shared, "cloudwatch", PROD)
    name = action.split(":")[2]
    put_alarm(cloudwatch, name, AlarmActions=[action])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="drill")
    assert actions(cloudwatch, name) == [(action, "Failed")]
