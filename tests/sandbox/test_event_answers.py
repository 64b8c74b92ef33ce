"""EventBridge answers and refuses as AWS does: replays, buses, sizes, pages, tested patterns."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import HOME, PROD, SECURITY
from tests.sandbox.services import client

BUS = f"arn:aws:events:{HOME}:{PROD}:event-bus/default"
ARCHIVE = f"arn:aws:events:{HOME}:{PROD}:archive/kept"
EVENT = {
    "id": "1",
    "detail-type": "x",
    "source": "shop",
    "account": PROD,
    "time": "2026-11-20T10:00:00Z",
    "region": HOME,
}


@pytest.fixture(scope="module")
def archived(shared: Sandbox) -> Sandbox:
    """An archive of the default bus that holds one event, and another bus."""
    events = client(shared, "events", PROD)
    events.create_archive(ArchiveName="kept", EventSourceArn=BUS)
    events.create_event_bus(Name="other", Description="spare")
    entry = {"Source": "shop", "DetailType": "order", "Detail": "{}"}
    events.put_events(Entries=[entry])
    return shared


def replay(sandbox: Sandbox, name: str, **more: Any) -> dict[str, Any]:
    """Start a replay of the last hour."""
    now = sandbox.world.clock.now()
    wanted: dict[str, Any] = {
        "ReplayName": name,
        "EventSourceArn": ARCHIVE,
        "EventStartTime": now - timedelta(hours=1),
        "EventEndTime": now + timedelta(hours=1),
        "Destination": {"Arn": BUS},
        **more,
    }
    answer: dict[str, Any] = client(sandbox, "events", PROD).start_replay(**wanted)
    return answer


def refused(call: Any, *args: Any, **params: Any) -> tuple[str, str]:
    """The code and text of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(*args, **params)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_a_replay_is_told_about(archived: Sandbox) -> None:
    events = client(archived, "events", PROD)
    started = replay(archived, "first", Description="again")
    assert (started["State"], started["ReplayArn"]) == (
        "STARTING",
        f"arn:aws:events:{HOME}:{PROD}:replay/first",
    )
    told = events.describe_replay(ReplayName="first")
    assert (told["State"], told["Description"], told["Destination"]) == ("COMPLETED", "again", {"Arn": BUS})
    assert {"EventLastReplayedTime", "ReplayStartTime", "ReplayEndTime"} <= told.keys()
    nothing = {"EventEndTime": archived.world.clock.now() - timedelta(minutes=30)}
    replay(archived, "empty", **nothing)
    assert "EventLastReplayedTime" not in events.describe_replay(ReplayName="empty")


def test_replays_are_listed_by_name_by_one_filter_and_in_pages(archived: Sandbox) -> None:
    events = client(archived, "events", PROD)
    for number in (2, 0, 1):
        replay(archived, f"listed-{number}")

    def named(**wanted: Any) -> list[str]:
        return [each["ReplayName"] for each in events.list_replays(**wanted)["Replays"]]

    assert named(NamePrefix="listed") == ["listed-0", "listed-1", "listed-2"]
    assert named(EventSourceArn=ARCHIVE) == named(State="COMPLETED") == named()
    assert named(State="RUNNING") == []
    first = events.list_replays(NamePrefix="listed", Limit=2)
    assert len(first["Replays"]) == 2
    assert named(NamePrefix="listed", Limit=2, NextToken=first["NextToken"]) == ["listed-2"]
    assert refused(events.list_replays, NamePrefix="a", State="RUNNING")[0] == "ValidationException"
    assert client(archived, "events", SECURITY).list_replays()["Replays"] == []


@pytest.mark.parametrize(
    ("more", "code", "text"),
    [
        (
            {"Destination": {"Arn": BUS.replace("default", "none")}},
            "ResourceNotFoundException",
            "Event bus none does not exist.",
        ),
        (
            {"Destination": {"Arn": BUS.replace("default", "other")}},
            "ValidationException",
            "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
        ),
        (
            {"EventSourceArn": ARCHIVE.replace("kept", "none")},
            "ValidationException",
            "Parameter EventSourceArn is not valid. Reason: Archive none does not exist.",
        ),
        (
            {"Destination": {"Arn": f"arn:aws:sqs:{HOME}:{PROD}:queue"}},
            "ValidationException",
            "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.",
        ),
    ],
)
def test_replays_that_are_refused(archived: Sandbox, more: dict[str, Any], code: str, text: str) -> None:
    assert refused(replay, archived, "bad", **more) == (code, text)


def test_a_replay_needs_time_and_a_name_of_its_own(archived: Sandbox) -> None:
    now = archived.world.clock.now()
    told = refused(replay, archived, "bad", EventStartTime=now, EventEndTime=now)
    reason = "EventStartTime must be before EventEndTime."
    assert told == ("ValidationException", f"Parameter EventEndTime is not valid. Reason: {reason}")
    replay(archived, "twice")
    told = refused(replay, archived, "twice")
    assert told == ("ResourceAlreadyExistsException", "Replay twice already exists.")


def test_a_replay_that_is_not_there_or_over(archived: Sandbox) -> None:
    events = client(archived, "events", PROD)
    told = refused(events.describe_replay, ReplayName="none")
    assert told == ("ResourceNotFoundException", "Replay none does not exist.")
    replay(archived, "over")
    assert refused(events.cancel_replay, ReplayName="over")[0] == "IllegalStatusException"


def test_buses_are_listed_with_their_times_and_descriptions(archived: Sandbox) -> None:
    events = client(archived, "events", PROD)
    listed = {each["Name"]: each for each in events.list_event_buses()["EventBuses"]}
    assert listed["other"]["Description"] == "spare"
    assert "Description" not in listed["default"]
    for each in listed.values():
        assert each["CreationTime"] <= each["LastModifiedTime"]
    made = events.create_event_bus(Name="new", Description="mine")
    assert made["Description"] == "mine"
    told = events.describe_event_bus(Name="new")
    assert abs(told["CreationTime"] - archived.world.clock.now()) < timedelta(seconds=2)


def test_targets_come_page_by_page(archived: Sandbox) -> None:
    events = client(archived, "events", PROD)
    events.put_rule(Name="many", EventPattern=json.dumps({"source": ["shop"]}))
    arn = f"arn:aws:sqs:{HOME}:{PROD}:queue"
    events.put_targets(Rule="many", Targets=[{"Id": f"t{number}", "Arn": arn} for number in range(5)])
    first = events.list_targets_by_rule(Rule="many", Limit=3)
    assert [each["Id"] for each in first["Targets"]] == ["t0", "t1", "t2"]
    second = events.list_targets_by_rule(Rule="many", Limit=3, NextToken=first["NextToken"])
    assert [each["Id"] for each in second["Targets"]] == ["t3", "t4"]
    assert "NextToken" not in second
    told = refused(
        events.put_targets, Rule="many", Targets=[{"Id": f"t{number}", "Arn": arn} for number in range(6)]
    )
    text = "The requested resource exceeds the maximum number allowed."
    assert told == ("LimitExceededException", text)


def test_all_entries_together_stay_below_a_megabyte(archived: Sandbox) -> None:
    events = client(archived, "events", PROD)
    entry = {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"text": "x" * 300_000})}
    assert events.put_events(Entries=[entry] * 3)["FailedEntryCount"] == 0
    told = refused(events.put_events, Entries=[entry] * 4)
    assert told == (
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
    )


@pytest.mark.parametrize("missing", ["Source", "DetailType", "Detail"])
def test_an_entry_lacks_something(archived: Sandbox, missing: str) -> None:
    entry = {"Source": "shop", "DetailType": "order", "Detail": "{}"}
    del entry[missing]
    [told] = client(archived, "events", PROD).put_events(Entries=[entry])["Entries"]
    reason = f"{missing} is a required argument."
    assert told == {
        "ErrorCode": "InvalidArgument",
        "ErrorMessage": f"Parameter {missing} is not valid. Reason: {reason}",
    }


@pytest.mark.parametrize("missing", EVENT)
def test_a_tested_event_is_a_whole_one(archived: Sandbox, missing: str) -> None:
    events = client(archived, "events", PROD)
    pattern = json.dumps({"source": [{"exists": False}, "shop"]})
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(EVENT))["Result"] is True
    event = {name: value for name, value in EVENT.items() if name != missing}
    told = refused(events.test_event_pattern, EventPattern=pattern, Event=json.dumps(event))
    assert told[0] == "ValidationException"
    assert missing in told[1]


@pytest.mark.parametrize("event", ["[]", '"x"', "{", "7"])
def test_a_tested_event_is_an_object(archived: Sandbox, event: str) -> None:
    events = client(archived, "events", PROD)
    told = refused(events.test_event_pattern, EventPattern='{"source": ["shop"]}', Event=event)
    assert told[0] == "ValidationException"


@pytest.mark.parametrize("operator", ["prefix", "suffix"])
@pytest.mark.parametrize("value", ["", {"equals-ignore-case": "a"}])
def test_patterns_that_aws_s_matcher_refuses(archived: Sandbox, operator: str, value: Any) -> None:
    pattern = json.dumps({"source": [{"anything-but": {operator: value}}]})
    told = refused(client(archived, "events", PROD).put_rule, Name="bad", EventPattern=pattern)
    assert told[0] == "InvalidEventPatternException"


def test_a_statement_that_is_not_there(archived: Sandbox) -> None:
    told = refused(client(archived, "events", PROD).remove_permission, StatementId="none")
    assert told == ("ResourceNotFoundException", "Statement with the provided id does not exist.")


def test_a_log_group_is_reached_by_its_policy_and_never_by_a_role(archived: Sandbox) -> None:
    events = client(archived, "events", PROD)
    events.put_rule(Name="to-logs", EventPattern='{"source": ["shop"]}')
    arn = f"arn:aws:logs:{HOME}:{PROD}:log-group:/seen"
    target = {"Id": "logs", "Arn": arn}
    told = refused(
        events.put_targets,
        Rule="to-logs",
        Targets=[{**target, "RoleArn": f"arn:aws:iam::{PROD}:role/any"}],
    )
    assert told == ("ValidationException", f"RoleArn is not supported for target {arn}.")
    assert events.put_targets(Rule="to-logs", Targets=[target])["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:states:{HOME}:{PROD}:stateMachine:work",
        f"arn:aws:codebuild:{HOME}:{PROD}:project/work",
        f"arn:aws:codepipeline:{HOME}:{PROD}:work",
        f"arn:aws:events:{HOME}:{PROD}:api-destination/tickets/1",
    ],
)
def test_targets_that_need_a_role(archived: Sandbox, arn: str) -> None:
    events = client(archived, "events", PROD)
    events.put_rule(Name="by-role", EventPattern='{"source": ["none"]}')
    told = refused(events.put_targets, Rule="by-role", Targets=[{"Id": "work", "Arn": arn}])
    assert told == ("ValidationException", f"RoleArn is required for target {arn}.")
