"""EventBridge: a member's event on its way to the hub, and every grant without which it does not arrive."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.signals.bus import is_hidden
from orgmon.sandbox.signals.losses import Undeliverable
from orgmon.sandbox.signals.transformer import Origin, render
from tests.sandbox.conftest import DEV, HOME, ORG, PROD, SECURITY
from tests.sandbox.services import (
    allow,
    bodies,
    client,
    document,
    key_use,
    log_messages,
    make_key,
    make_organization_trail,
    make_queue,
    make_role,
    messages,
    service,
)

AWAY = "eu-north-1"
HUB = f"arn:aws:events:{HOME}:{SECURITY}:event-bus/hub"
HUB_RULE = f"arn:aws:events:{HOME}:{SECURITY}:rule/hub/secrets"
MEMBER_RULE = f"arn:aws:events:{AWAY}:{PROD}:rule/forward"
READ_STATE = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
PATTERN = json.dumps({"source": ["aws.secretsmanager"], "detail": {"eventName": ["GetSecretValue"]}})


@dataclass(frozen=True)
class Hub:
    """A member that forwards secret reads from another Region to a hub, which puts them into a queue."""

    sandbox: Sandbox
    queue: str
    dead: str
    edge: str
    key: str

    def touch(self) -> None:
        """Read a secret in the member, and let everything happen that follows."""
        secrets = client(self.sandbox, "secretsmanager", PROD, AWAY)
        secrets.create_secret(Name="db", SecretString="x")
        secrets.get_secret_value(SecretId="db")
        self.sandbox.settle(10)

    def arrived(self) -> list[Any]:
        """What is in the hub's queue."""
        return bodies(self.sandbox, self.queue)

    def client(self, name: str, account: str = SECURITY, region: str = HOME) -> Any:
        """A client of the hub's account."""
        return client(self.sandbox, name, account, region)


@pytest.fixture
def hub(sandbox: Sandbox) -> Hub:
    """Everything in place and granted."""
    make_organization_trail(sandbox)
    key = make_key(sandbox, SECURITY, key_use("events"))
    queue, dead = (f"arn:aws:sqs:{HOME}:{SECURITY}:{name}" for name in ("alerts", "dead"))
    for name, arn in (("alerts", queue), ("dead", dead)):
        make_queue(sandbox, name, SECURITY, _queue_policy(arn, HUB_RULE), KmsMasterKeyId=key)
    edge = _make_edge(sandbox)
    _make_hub(sandbox, queue, dead)
    _make_member(sandbox, edge)
    return Hub(sandbox, queue, dead, edge, key)


def _queue_policy(queue: str, rule: str) -> str:
    condition = {"ArnEquals": {"aws:SourceArn": rule}}
    return document(allow("sqs:SendMessage", queue, Principal=service("events"), Condition=condition))


def _make_edge(sandbox: Sandbox) -> str:
    """The dead-letter queue of the member's Region, open to the whole organization."""
    arn = f"arn:aws:sqs:{AWAY}:{SECURITY}:edge"
    condition = {"StringEquals": {"aws:SourceOrgID": ORG}}
    policy = document(allow("sqs:SendMessage", arn, Principal=service("events"), Condition=condition))
    client(sandbox, "sqs", SECURITY, AWAY).create_queue(QueueName="edge", Attributes={"Policy": policy})
    return arn


def _make_hub(sandbox: Sandbox, queue: str, dead: str) -> None:
    events = client(sandbox, "events", SECURITY)
    events.create_event_bus(Name="hub")
    condition = {
        "StringEquals": {"aws:PrincipalOrgID": ORG},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/test/forward"},
    }
    grant = allow("events:PutEvents", HUB, Principal="*", Condition=condition)
    events.put_permission(EventBusName="hub", Policy=document({**grant, "Sid": "organization"}))
    events.put_rule(Name="secrets", EventBusName="hub", EventPattern=PATTERN, State=READ_STATE)
    template = '{"detection": "secret-read", "event": <aws.events.event.json>}'
    target = {
        "Id": "queue",
        "Arn": queue,
        "InputTransformer": {"InputTemplate": template},
        "DeadLetterConfig": {"Arn": dead},
    }
    events.put_targets(Rule="secrets", EventBusName="hub", Targets=[target])


def _make_member(sandbox: Sandbox, edge: str) -> None:
    role = make_role(sandbox, "forward", PROD, "events", allow("events:PutEvents", HUB))
    events = client(sandbox, "events", PROD, AWAY)
    events.put_rule(Name="forward", EventPattern=PATTERN, State=READ_STATE)
    target = {"Id": "hub", "Arn": HUB, "RoleArn": role, "DeadLetterConfig": {"Arn": edge}}
    events.put_targets(Rule="forward", Targets=[target])


def test_a_secret_read_arrives_at_the_hub_with_everything_in_place(hub: Hub) -> None:
    hub.touch()
    [alert] = hub.arrived()
    event = alert["event"]
    assert alert["detection"] == "secret-read"
    assert (event["account"], event["region"], event["source"]) == (PROD, AWAY, "aws.secretsmanager")
    assert event["detail-type"] == "AWS API Call via CloudTrail"
    assert event["detail"]["eventName"] == "GetSecretValue"
    assert len(hub.sandbox.signals.lost) == 0


def test_without_a_trail_there_are_no_events(hub: Hub) -> None:
    hub.client("cloudtrail", "111111111111").delete_trail(Name="audit")
    hub.touch()
    assert hub.arrived() == []


def take_bus_policy(hub: Hub) -> None:
    """The hub opens its bus to nobody."""
    hub.client("events").remove_permission(EventBusName="hub", StatementId="organization")


def take_role_policy(hub: Hub) -> None:
    """The member's role may not put events any more."""
    hub.client("iam", PROD).delete_role_policy(RoleName="forward", PolicyName="may")


def take_role_trust(hub: Hub) -> None:
    """The member's role trusts another service."""
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service("lambda")})
    hub.client("iam", PROD).update_assume_role_policy(RoleName="forward", PolicyDocument=trust)


def take_role(hub: Hub) -> None:
    """The member's role is gone."""
    take_role_policy(hub)
    hub.client("iam", PROD).delete_role(RoleName="forward")


@pytest.mark.parametrize("take", [take_bus_policy, take_role_policy, take_role_trust, take_role])
def test_a_missing_grant_on_the_way_to_the_hub_leaves_a_dead_letter_at_the_edge(hub: Hub, take: Any) -> None:
    take(hub)
    hub.touch()
    assert hub.arrived() == []
    [letter] = messages(hub.sandbox, hub.edge)
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert told["ERROR_CODE"] == "NO_PERMISSIONS"
    assert (told["RULE_ARN"], told["TARGET_ARN"]) == (MEMBER_RULE, HUB)
    assert json.loads(letter["Body"])["detail"]["eventName"] == "GetSecretValue"


def metric(hub: Hub, account: str, region: str, name: str, **dimensions: str) -> float:
    """The sum of one of EventBridge's metrics in the last hour."""
    now = hub.sandbox.world.clock.now()
    answer = hub.client("cloudwatch", account, region).get_metric_statistics(
        Namespace="AWS/Events",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )
    return sum(float(point["Sum"]) for point in answer["Datapoints"])


def test_without_the_edge_queue_s_policy_the_event_is_lost_altogether(hub: Hub) -> None:
    take_bus_policy(hub)
    sqs = hub.client("sqs", SECURITY, AWAY)
    url = sqs.get_queue_url(QueueName="edge")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    hub.touch()
    assert messages(hub.sandbox, hub.edge) == []
    assert {loss.target for loss in hub.sandbox.signals.lost} == {HUB, hub.edge}
    counted = {
        "FailedInvocations": 1.0,
        "InvocationsSentToDlq": 0.0,
        "InvocationsFailedToBeSentToDlq": 1.0,
    }
    assert {name: metric(hub, PROD, AWAY, name, RuleName="forward") for name in counted} == counted


def test_what_fails_and_its_dead_letters_are_counted_by_rule_and_bus(hub: Hub) -> None:
    url = hub.client("sqs").get_queue_url(QueueName="alerts")["QueueUrl"]
    hub.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    hub.touch()
    counted = {
        "TriggeredRules": 1.0,
        "FailedInvocations": 1.0,
        "InvocationsSentToDlq": 1.0,
        "InvocationsFailedToBeSentToDlq": 0.0,
    }
    told = {
        name: metric(hub, SECURITY, HOME, name, RuleName="secrets", EventBusName="hub") for name in counted
    }
    assert told == counted
    # Metrics with the rule's name alone are those of the default bus.
    assert metric(hub, SECURITY, HOME, "FailedInvocations", RuleName="secrets") == 0
    assert metric(hub, PROD, AWAY, "FailedInvocations", RuleName="forward") == 0
    assert metric(hub, PROD, AWAY, "TriggeredRules", RuleName="forward") == 1


def test_without_the_queue_s_policy_the_alert_is_a_dead_letter_of_the_hub(hub: Hub) -> None:
    sqs = hub.client("sqs")
    url = sqs.get_queue_url(QueueName="alerts")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    hub.touch()
    assert hub.arrived() == []
    [letter] = messages(hub.sandbox, hub.dead)
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_a_missing_queue_is_told_as_no_resource(hub: Hub) -> None:
    sqs = hub.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="alerts")["QueueUrl"])
    hub.touch()
    [letter] = messages(hub.sandbox, hub.dead)
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_RESOURCE"


def test_without_the_key_s_grant_neither_queue_nor_dead_letters_get_anything(hub: Hub) -> None:
    policy = document(allow("kms:*", "*", Principal={"AWS": f"arn:aws:iam::{SECURITY}:root"}))
    hub.client("kms").put_key_policy(KeyId=hub.key, PolicyName="default", Policy=policy)
    hub.touch()
    assert hub.arrived() == []
    assert messages(hub.sandbox, hub.dead) == []
    assert {loss.code for loss in hub.sandbox.signals.lost} == {"NO_PERMISSIONS"}


def disable_member_rule(hub: Hub) -> None:
    """The member's rule is switched off."""
    hub.client("events", PROD, AWAY).disable_rule(Name="forward")


def narrow_member_rule(hub: Hub) -> None:
    """The member's rule does not ask for reads."""
    hub.client("events", PROD, AWAY).put_rule(Name="forward", EventPattern=PATTERN, State="ENABLED")


def narrow_hub_rule(hub: Hub) -> None:
    """The hub's rule does not ask for reads."""
    hub.client("events").put_rule(Name="secrets", EventBusName="hub", EventPattern=PATTERN, State="ENABLED")


@pytest.mark.parametrize("change", [disable_member_rule, narrow_member_rule, narrow_hub_rule])
def test_a_rule_s_state_is_respected_at_both_ends(hub: Hub, change: Any) -> None:
    change(hub)
    hub.touch()
    assert hub.arrived() == []
    assert messages(hub.sandbox, hub.edge) == []


def test_an_event_is_forwarded_once(hub: Hub) -> None:
    events = hub.client("events")
    events.create_event_bus(Name="second")
    second = f"arn:aws:events:{HOME}:{SECURITY}:event-bus/second"
    role = make_role(hub.sandbox, "relay", SECURITY, "events", allow("events:PutEvents", second))
    events.put_targets(
        Rule="secrets", EventBusName="hub", Targets=[{"Id": "on", "Arn": second, "RoleArn": role}]
    )
    hub.touch()
    assert len(hub.arrived()) == 1
    assert [loss.code for loss in hub.sandbox.signals.lost] == ["ONE_HOP"]


def test_every_bus_gives_the_event_an_id_of_its_own(sandbox: Sandbox) -> None:
    arn = f"arn:aws:sqs:{HOME}:{PROD}:seen"
    queue = make_queue(
        sandbox, "seen", PROD, document(allow("sqs:SendMessage", arn, Principal=service("events")))
    )
    second = f"arn:aws:events:{HOME}:{PROD}:event-bus/second"
    role = make_role(sandbox, "relay", PROD, "events", allow("events:PutEvents", second))
    events = client(sandbox, "events", PROD)
    events.create_event_bus(Name="second")
    for bus in ("default", "second"):
        events.put_rule(Name="seen", EventBusName=bus, EventPattern=json.dumps({"source": ["shop"]}))
        events.put_targets(Rule="seen", EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue}])
    events.put_targets(Rule="seen", Targets=[{"Id": "on", "Arn": second, "RoleArn": role}])
    given = put_order(sandbox)["Entries"][0]["EventId"]
    first, forwarded = bodies(sandbox, queue)
    assert first.pop("id") == given
    assert forwarded.pop("id") != given
    assert first == forwarded


def test_a_bus_target_without_a_role_is_refused(hub: Hub) -> None:
    hub.client("events", PROD, AWAY).put_targets(Rule="forward", Targets=[{"Id": "hub", "Arn": HUB}])
    hub.touch()
    assert hub.arrived() == []
    assert [loss.code for loss in hub.sandbox.signals.lost] == ["NO_PERMISSIONS"]


GROUP = "/aws/events/local"


def make_log_rule(sandbox: Sandbox) -> None:
    """A rule that writes orders to a log group."""
    client(sandbox, "logs", PROD).create_log_group(logGroupName=GROUP)
    events = client(sandbox, "events", PROD)
    events.put_rule(Name="orders", EventPattern=json.dumps({"source": ["shop"]}))
    arn = f"arn:aws:logs:{HOME}:{PROD}:log-group:{GROUP}"
    events.put_targets(Rule="orders", Targets=[{"Id": "log", "Arn": arn}])


def put_order(sandbox: Sandbox, account: str = PROD, **more: Any) -> dict[str, Any]:
    """Put an event of our own."""
    entry = {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"number": 7}), **more}
    answer: dict[str, Any] = client(sandbox, "events", account).put_events(Entries=[entry])
    return answer


def test_a_log_group_gets_events_if_a_log_resource_policy_lets_it(sandbox: Sandbox) -> None:
    make_log_rule(sandbox)
    put_order(sandbox)
    assert log_messages(sandbox, PROD, GROUP) == []
    assert [loss.code for loss in sandbox.signals.lost] == ["NO_PERMISSIONS"]
    grant = allow(
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        f"arn:aws:logs:{HOME}:{PROD}:log-group:{GROUP}:*",
        Principal=service("events", "delivery.logs"),
    )
    client(sandbox, "logs", PROD).put_resource_policy(policyName="events", policyDocument=document(grant))
    put_order(sandbox)
    [message] = [json.loads(each) for each in log_messages(sandbox, PROD, GROUP)]
    assert message["detail"] == {"number": 7}
    assert message["account"] == PROD


def test_nobody_speaks_as_aws(sandbox: Sandbox) -> None:
    answer = put_order(sandbox, Source="aws.ec2")
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_another_account_s_bus_takes_events_by_its_policy_only(sandbox: Sandbox) -> None:
    bus = f"arn:aws:events:{HOME}:{SECURITY}:event-bus/default"
    with pytest.raises(ClientError, match="no resource-based policy allows"):
        put_order(sandbox, EventBusName=bus)
    events = client(sandbox, "events", SECURITY)
    events.put_permission(Action="events:PutEvents", Principal=PROD, StatementId="prod")
    assert put_order(sandbox, EventBusName=bus)["FailedEntryCount"] == 0
    with pytest.raises(ClientError, match="no resource-based policy allows"):
        put_order(sandbox, DEV, EventBusName=bus)


def test_patterns_are_read_as_aws_reads_them(sandbox: Sandbox) -> None:
    events = client(sandbox, "events", PROD)
    event = {
        "id": "1",
        "detail-type": "x",
        "source": "aws.ec2",
        "account": PROD,
        "time": "2026-11-20T10:00:00Z",
        "region": HOME,
        "resources": [],
        "detail": {"items": [{"port": 22}, {"port": 80}]},
    }
    for port, result in ((22, True), (23, False)):
        pattern = json.dumps({"detail": {"items": {"port": [port]}}})
        answer = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
        assert answer["Result"] is result
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        events.put_rule(Name="bad", EventPattern=json.dumps({"source": "aws.ec2"}))


def test_a_bus_takes_so_many_rules_and_fewer_with_wildcards(sandbox: Sandbox) -> None:
    events = client(sandbox, "events", PROD)
    for number in range(30):
        scarce = json.dumps({"detail": {"name": [{"wildcard": f"a*{number}b"}]}})
        events.put_rule(Name=f"scarce-{number}", EventPattern=scarce)
    events.put_rule(Name="scarce-0", EventPattern=scarce)
    with pytest.raises(ClientError, match=r"LimitExceededException.*wildcards"):
        events.put_rule(Name="scarce-30", EventPattern=scarce)
    plain = json.dumps({"source": ["shop"]})
    for number in range(270):
        events.put_rule(Name=f"plain-{number}", EventPattern=plain)
    with pytest.raises(ClientError, match="LimitExceededException"):
        events.put_rule(Name="plain-270", EventPattern=plain)


def test_two_regions_take_fewer_rules_schedules_included(shared: Sandbox) -> None:
    region = "eu-south-1"
    client(shared, "account", PROD).enable_region(RegionName=region)
    events = client(shared, "events", PROD, region)
    for number in range(99):
        events.put_rule(Name=f"plain-{number}", EventPattern='{"source": ["shop"]}')
    hourly = {"ScheduleExpression": "rate(1 hour)"}
    events.put_rule(Name="hourly", **hourly)
    with pytest.raises(ClientError, match=r"LimitExceededException.*exceeds the maximum number allowed"):
        events.put_rule(Name="too-many", **hourly)
    events.put_rule(Name="hourly", State="DISABLED", **hourly)


def test_a_replay_sends_what_the_archive_has_to_the_rules_again(sandbox: Sandbox) -> None:
    make_log_rule(sandbox)
    grant = allow("logs:*", "*", Principal=service("events"))
    client(sandbox, "logs", PROD).put_resource_policy(policyName="events", policyDocument=document(grant))
    bus = f"arn:aws:events:{HOME}:{PROD}:event-bus/default"
    events = client(sandbox, "events", PROD)
    archive = events.create_archive(ArchiveName="all", EventSourceArn=bus)["ArchiveArn"]
    put_order(sandbox)
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 1
    now = sandbox.world.clock.now()
    events.start_replay(
        ReplayName="again",
        EventSourceArn=archive,
        EventStartTime=now - timedelta(hours=1),
        EventEndTime=now + timedelta(hours=1),
        Destination={"Arn": bus},
    )
    first, second = (json.loads(each) for each in log_messages(sandbox, PROD, GROUP))
    assert "replay-name" not in first
    assert second["replay-name"] == "again"
    assert events.describe_archive(ArchiveName="all")["EventCount"] == 1


ORIGIN = Origin("arn:aws:events:x:1:rule/r", "r", datetime(2026, 11, 20, 10, tzinfo=UTC))
EVENT = {
    "source": "shop",
    "detail-type": "t",
    "detail": {
        "who": 'Eve "the" cat',
        "count": 3,
        "list": [1, 2],
        "object": {"name": "x", "tags": ["a"]},
    },
    "resources": ["a"],
}


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({}, json.dumps(EVENT)),
        ({"Input": '{"fixed": 1}'}, '{"fixed": 1}'),
        ({"InputPath": "$.detail.count"}, "3"),
        ({"InputPath": "$.resources[0]"}, '"a"'),
    ],
)
def test_inputs(target: dict[str, Any], text: str) -> None:
    assert render(target, EVENT, ORIGIN) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{"n": <n>, "all": <l>}', '{"n": 3, "all": [1, 2]}'),
        ('{"n": "no <n>"}', '{"n": "no 3"}'),
        ('{"who": <w>}', '{"who": "Eve \\"the\\" cat"}'),
        ('"<n> by <aws.events.rule-name>"', '"3 by r"'),
        ('"at <aws.events.event.ingestion-time>"', '"at 2026-11-20T10:00:00Z"'),
        ('"gone: <missing>."', '"gone: ."'),
        ('{"gone": <missing>}', '{"gone": ""}'),
        ('{"all": "of <l> and <o>"}', '{"all": "of [1,2] and {name:x,tags:[a]}"}'),
        ('"<o>"', '"{name:x,tags:[a]}"'),
        ("<o>", '{"name": "x", "tags": ["a"]}'),
        (
            '{"event": <aws.events.event>}',
            '{"event": {"source": "shop", "detailType": "t", "resources": ["a"]}}',
        ),
    ],
)
def test_templates(template: str, text: str) -> None:
    paths = {"n": "$.detail.count", "l": "$.detail.list", "w": "$.detail.who", "missing": "$.detail.x"}
    paths["o"] = "$.detail.object"
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    assert render(target, EVENT, ORIGIN) == text


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"InputTransformer": {"InputTemplate": '"<nothing>"'}}, "contains invalid placeholder nothing."),
        ({"InputTransformer": {"InputTemplate": '"<aws.events.x>"'}}, "invalid placeholder aws.events.x."),
        (
            {"Input": "{", "InputPath": "$"},
            "Only one of Input, InputPath, or InputTransformer must be provided",
        ),
        ({"Input": "{"}, "JSON syntax error in input for target one"),
    ],
)
def test_inputs_that_are_refused(sandbox: Sandbox, target: dict[str, Any], text: str) -> None:
    events = client(sandbox, "events", PROD)
    events.put_rule(Name="orders", EventPattern=json.dumps({"source": ["shop"]}))
    arn = f"arn:aws:sqs:{HOME}:{PROD}:orders"
    with pytest.raises(ClientError, match=rf"ValidationException.*{text}"):
        events.put_targets(Rule="orders", Targets=[{"Id": "one", "Arn": arn, **target}])


def test_text_of_an_attacker_breaks_a_json_template_that_quotes_it() -> None:
    target = {"InputTransformer": {"InputPathsMap": {"w": "$.detail.who"}, "InputTemplate": '{"who": "<w>"}'}}
    with pytest.raises(Undeliverable, match="INVALID_JSON"):
        render(target, EVENT, ORIGIN)


@pytest.mark.parametrize(
    ("source", "name", "hidden"),
    [
        ("secretsmanager.amazonaws.com", "GetSecretValue", True),
        ("secretsmanager.amazonaws.com", "BatchGetSecretValue", False),
        ("sts.amazonaws.com", "GetFederationToken", False),
        ("kms.amazonaws.com", "Decrypt", False),
        ("ec2.amazonaws.com", "DescribeInstances", True),
    ],
)
def test_what_plain_rules_do_not_see_goes_by_the_name(source: str, name: str, hidden: bool) -> None:
    detail = {"eventSource": source, "eventName": name}
    assert is_hidden({"detail-type": "AWS API Call via CloudTrail", "detail": detail}) is hidden
