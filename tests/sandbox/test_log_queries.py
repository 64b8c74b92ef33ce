"""Questions to log groups: filter patterns, and Insights as far as the sandbox speaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from orgmon.sandbox.queries.commands import natural
from tests.sandbox.conftest import PROD, SECURITY
from tests.sandbox.services import client

GROUP = "/questions"
RECORDS: list[dict[str, Any]] = [
    {"eventName": "CreateUser", "readOnly": False, "bytes": 5, "userIdentity": {"type": "Root"}},
    {"eventName": "ListUsers", "readOnly": True, "bytes": 20, "userIdentity": {"type": "IAMUser"}},
    {"eventName": "CreateUser", "readOnly": False, "bytes": 7, "errorCode": "AccessDenied"},
    {"eventName": "DeleteUser", "readOnly": False, "items": [{"name": "a"}, {"name": "b"}]},
]


@pytest.fixture(scope="module")
def asked(shared: Sandbox) -> Sandbox:
    """A group with four records, a minute apart, and a line that is no JSON."""
    logs = client(shared, "logs", PROD)
    logs.create_log_group(logGroupName=GROUP)
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    begin = moment(shared)
    for number, record in enumerate(RECORDS):
        event = {"timestamp": begin + number * 60_000, "message": json.dumps(record)}
        stream = "one" if number % 2 else "two"
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])
    text = {"timestamp": begin + 240_000, "message": "plain text with CreateUser"}
    logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=[text])
    return shared


def moment(sandbox: Sandbox) -> int:
    """The sandbox's time in milliseconds, on a full minute."""
    return int(sandbox.world.clock.now().timestamp()) // 60 * 60_000


def found(sandbox: Sandbox, pattern: str, **more: Any) -> list[str]:
    """The names in the records that a pattern takes, in their order."""
    answer = client(sandbox, "logs", PROD).filter_log_events(
        logGroupName=GROUP, filterPattern=pattern, **more
    )
    messages = [each["message"] for each in answer["events"]]
    return [json.loads(each)["eventName"] if each.startswith("{") else each for each in messages]


def test_a_pattern_that_matches_nothing_finds_nothing(asked: Sandbox) -> None:
    assert found(asked, '{ $.eventName = "Nothing" }') == []


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ('{ $.eventName = "CreateUser" }', ["CreateUser", "CreateUser"]),
        ("{ ($.bytes > 6) && ($.readOnly IS FALSE) }", ["CreateUser"]),
        ("{ $.userIdentity.type = Root }", ["CreateUser"]),
        ('{ $.items[1].name = "b" }', ["DeleteUser"]),
        ("AccessDenied", ["CreateUser"]),
        ("CreateUser -bytes", ["plain text with CreateUser"]),
        ("", ["CreateUser", "ListUsers", "CreateUser", "DeleteUser", "plain text with CreateUser"]),
    ],
)
def test_a_pattern_finds_what_it_says_in_the_order_of_time(
    asked: Sandbox, pattern: str, names: list[str]
) -> None:
    assert found(asked, pattern) == names


@pytest.mark.parametrize("pattern", ['{ $.a = "b"', "{ $.a }", "[a, b", "no(brackets"])
def test_a_pattern_that_cannot_be_read_is_refused(asked: Sandbox, pattern: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterException"):
        found(asked, pattern)


def test_streams_and_times_narrow_the_search(asked: Sandbox) -> None:
    assert found(asked, "{ $.bytes > 0 }", logStreamNames=["one"]) == ["ListUsers"]
    assert found(asked, "{ $.bytes > 0 }", logStreamNamePrefix="tw") == ["CreateUser", "CreateUser"]
    logs = client(asked, "logs", PROD)
    first = logs.filter_log_events(logGroupName=GROUP)["events"][0]["timestamp"]
    assert found(asked, "", startTime=first, endTime=first) == ["CreateUser"]
    assert len(found(asked, "", startTime=first + 1)) == 4


def test_what_is_found_comes_page_by_page(asked: Sandbox) -> None:
    logs = client(asked, "logs", PROD)
    first = logs.filter_log_events(logGroupName=GROUP, filterPattern="CreateUser", limit=2)
    second = logs.filter_log_events(
        logGroupName=GROUP, filterPattern="CreateUser", limit=2, nextToken=first["nextToken"]
    )
    assert [len(first["events"]), len(second["events"])] == [2, 1]
    assert "nextToken" not in second
    assert first["searchedLogStreams"] == []
    with pytest.raises(ClientError, match=r"InvalidParameterException.*The specified nextToken is invalid"):
        logs.filter_log_events(logGroupName=GROUP, nextToken="guessed")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"logGroupName": "/none"}, "ResourceNotFoundException"),
        ({"logGroupName": GROUP, "limit": 10_001}, "InvalidParameterException"),
        ({"logGroupName": GROUP, "logStreamNames": ["one"], "logStreamNamePrefix": "o"}, "InvalidParameter"),
        ({"logGroupName": GROUP, "logStreamNames": ["none"]}, "ResourceNotFoundException"),
        ({}, "InvalidParameterException"),
    ],
)
def test_searches_that_are_refused(asked: Sandbox, params: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        client(asked, "logs", PROD).filter_log_events(**params)


def rows(sandbox: Sandbox, query: str, **more: Any) -> list[dict[str, str]]:
    """What Insights answers, without the pointers of events."""
    logs = client(sandbox, "logs", PROD)
    now = moment(sandbox) // 1000
    period = {"startTime": now - 3600, "endTime": now + 3600}
    started = logs.start_query(logGroupName=GROUP, queryString=query, **period, **more)
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return [
        {each["field"]: each["value"] for each in row if each["field"] != "@ptr"} for row in answer["results"]
    ]


def test_stats_count_what_the_filter_left(asked: Sandbox) -> None:
    query = "filter ispresent(eventName) | stats count(*) by eventName | sort eventName"
    assert rows(asked, query) == [
        {"eventName": "CreateUser", "count(*)": "2"},
        {"eventName": "DeleteUser", "count(*)": "1"},
        {"eventName": "ListUsers", "count(*)": "1"},
    ]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("stats count(*)", [{"count(*)": "5"}]),
        ("stats count(bytes) as n, sum(bytes) as s", [{"n": "3", "s": "32"}]),
        ("stats avg(bytes), min(bytes), max(bytes) by readOnly | filter readOnly = 0",
         [{"readOnly": "0", "avg(bytes)": "6", "min(bytes)": "5", "max(bytes)": "7"}]),
        ("stats count_distinct(eventName) as names", [{"names": "3"}]),
        ("filter eventName = 'Nothing' | stats count(*) as n", [{"n": "0"}]),
        ("filter eventName = 'Nothing' | stats count(*) as n by eventName", []),
        ("filter readOnly = 1 | display eventName", [{"eventName": "ListUsers"}]),
        ("filter bytes >= 7 and bytes < 20.5 | display bytes | sort bytes", [{"bytes": "7"}, {"bytes": "20"}]),
        ("filter eventName in ['ListUsers', 'DeleteUser'] | display eventName | sort eventName desc",
         [{"eventName": "ListUsers"}, {"eventName": "DeleteUser"}]),
        ("filter eventName like /^(Delete|List)/ | stats count(*) as n", [{"n": "2"}]),
        ("filter @message like 'plain' | display @message", [{"@message": "plain text with CreateUser"}]),
        ("filter ispresent(errorCode) and errorCode != 'x' | display errorCode", [{"errorCode": "AccessDenied"}]),
        ("filter not ispresent(eventName) | stats count(*) as n", [{"n": "1"}]),
        ("filter items.1.name = 'b' | display items.0.name as first", [{"first": "a"}]),
        ("filter `userIdentity`.type = 'Root' | display eventName", [{"eventName": "CreateUser"}]),
        ("fields eventName | filter eventName = 'CreateUser' | dedup eventName", [{"eventName": "CreateUser"}]),
        ("filter (eventName = 'ListUsers' or bytes = 5) # both\n| display bytes | sort bytes desc | limit 1",
         [{"bytes": "20"}]),
    ],
)  # fmt: skip
def test_what_insights_answers(asked: Sandbox, query: str, answer: list[dict[str, str]]) -> None:
    assert rows(asked, query) == answer


def test_events_come_the_newest_first_with_time_and_message(asked: Sandbox) -> None:
    told = rows(asked, "filter ispresent(bytes)")
    assert [json.loads(each["@message"])["bytes"] for each in told] == [7, 20, 5]
    assert all(set(each) == {"@timestamp", "@message"} for each in told)
    assert told[0]["@timestamp"].endswith(":00.000")
    assert rows(asked, "filter ispresent(bytes)", limit=1) == told[:1]


def test_a_bin_is_a_step_of_time(asked: Sandbox) -> None:
    told = rows(asked, "stats count(*) as n by bin(1m) | sort bin(1m)")
    assert [each["n"] for each in told] == ["1"] * 5
    assert all(each["bin(1m)"].endswith(":00.000") for each in told)
    assert rows(asked, "stats count(*) as n by bin(1w) as week")[0]["n"] == "5"


def test_numbers_come_after_other_values_and_by_their_value() -> None:
    values = ["10", "9", "x10", "x9", "a"]
    assert sorted(values, key=natural) == ["a", "x9", "x10", "9", "10"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "parse @message 'x*' as y",
        "fields concat(a, b)",
        "stats pct(bytes, 95)",
        "stats count(*) by bin(1y)",
        "filter eventName ~ 'x'",
        "filter eventName = CreateUser",
        "filter eventName like /(/",
        "fields a | | limit 1",
        "limit many",
        "filter a = 'open",
        "SOURCE '/x' | fields a",
        "filter errorCode != 'AccessDenied'",
        "filter not (errorCode = 'AccessDenied')",
        "filter eventName > 5",
        "stats sum(eventName)",
    ],
)
def test_what_the_sandbox_does_not_know_is_refused_and_not_guessed(asked: Sandbox, query: str) -> None:
    with pytest.raises(ClientError, match="MalformedQueryException"):
        rows(asked, query)


def test_a_refusal_says_where(asked: Sandbox) -> None:
    with pytest.raises(ClientError) as caught:
        rows(asked, "fields a | wrong b")
    assert caught.value.response["queryCompileError"]["location"] == {
        "startCharOffset": 11,
        "endCharOffset": 16,
    }


def test_queries_are_listed_and_belong_to_their_account(asked: Sandbox) -> None:
    logs = client(asked, "logs", PROD)
    started = logs.start_query(logGroupName=GROUP, queryString="limit 1", startTime=1, endTime=2)["queryId"]
    told = logs.describe_queries(logGroupName=GROUP, status="Complete")["queries"][0]
    assert (told["queryId"], told["queryLanguage"]) == (started, "CWLI")
    assert told["queryString"] == f'SOURCE "{GROUP}" START=1000 END=2999 | limit 1'
    assert logs.describe_queries(status="Running")["queries"] == []
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.stop_query(queryId=started)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client(asked, "logs", SECURITY).get_query_results(queryId=started)


def test_a_query_needs_groups_that_are_there(asked: Sandbox) -> None:
    logs = client(asked, "logs", PROD)
    period = {"startTime": 1, "endTime": 2, "queryString": "limit 1"}
    with pytest.raises(ClientError, match=f"Log group '/none' does not exist for account ID '{PROD}'"):
        logs.start_query(logGroupNames=["/none"], **period)
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.start_query(**period)
