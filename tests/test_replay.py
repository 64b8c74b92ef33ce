"""Replay: the generated code means what the conditions mean, and everything is counted once, in bounded memory."""

from __future__ import annotations

import json
import pickle
import random
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orgmon.alerting import Severity
from orgmon.detections.catalogue import shipped
from orgmon.detections.condition import (
    Absent,
    All,
    Compares,
    Condition,
    Either,
    Finds,
    Flag,
    Glob,
    Matches,
    Not,
    Present,
    Within,
)
from orgmon.detections.model import Detection, Flow, Runbook, Scope, Threshold
from orgmon.detections.proof import with_samples
from orgmon.replay import matcher
from orgmon.replay.access import PlainAccess
from orgmon.replay.duplicates import Seen
from orgmon.replay.forecast import forecast
from orgmon.replay.grouping import Groups
from orgmon.replay.html import as_html
from orgmon.replay.matcher import Matcher, paths_of
from orgmon.replay.narrowing import settled
from orgmon.replay.paths import Layout
from orgmon.replay.report import ReplayReport, report
from orgmon.replay.scan import Rules, Scanner
from orgmon.replay.selection import replayable
from orgmon.replay.spreadsheet import as_csv
from orgmon.replay.tally import Frequent, Tally
from orgmon.replay.verify import Verifier
from orgmon.replay.visibility import Sight, sight
from orgmon.replay.windows import Windows
from tests.laws import examples

# A failure of generated code is short as it is; to shrink it would take minutes.
QUICKLY = settings(
    max_examples=examples(80), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
PATHS = (
    "eventName",
    "eventSource",
    "errorCode",
    "readOnly",
    "userIdentity.type",
    "userIdentity.invokedBy",
    "userIdentity.unheard.of",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "sourceIPAddress",
    "resources.ARN",
    "resources.type",
    "requestParameters.secretId",
    "requestParameters.secretIdList",
    "requestParameters.tags.key",
    "responseElements",
    "severity",
    "foo-bar.class",
)
TEXTS = ("", "a", "ab", "ListUsers", "CreateUser", "DeleteUser", "Root", "true", "10.1.2.3", "a*b\n")
texts = st.sampled_from(TEXTS)
globs = st.lists(st.sampled_from(("", "a", "b", "List", "User", "10.")), min_size=1, max_size=4).map(
    lambda pieces: Glob(tuple(pieces))
)
paths = st.sampled_from(PATHS)
plain_tests = st.one_of(
    st.builds(Matches, paths, st.one_of(globs, texts.map(lambda text: Glob((text,))))),
    st.builds(Finds, paths, st.sampled_from(("^a", "User$", r"\d+"))),
    st.builds(Flag, paths, st.booleans(), st.booleans()),
    st.builds(
        Compares, paths, st.sampled_from(("=", "<", "<=", ">", ">=")), st.sampled_from((0, 1, 2.5, -3))
    ),
    st.builds(Within, paths, st.sampled_from(("10.0.0.0/8", "2001:db8::/32"))),
    st.builds(Absent, paths),
    st.builds(Present, paths),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    plain_tests,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Either(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=8,
)
scalars = st.one_of(texts, st.none(), st.booleans(), st.sampled_from((0, 1, 2.5, -3)))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(("key", "ARN", "of", "class")), inner, max_size=2),
    ),
    max_leaves=5,
)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A record in which most fields have the type that CloudTrail gives them, and some anything."""
    record: dict[str, Any] = {"eventID": draw(texts), "eventTime": "2026-11-27T10:00:00Z"}
    for path in draw(st.lists(paths, max_size=9, unique=True)):
        *above, name = path.split(".")
        place: Any = record
        for level in above:
            place = place.setdefault(level, {})
            if not isinstance(place, dict):
                break
        else:
            place[name] = draw(st.one_of(texts, texts, scalars, values))
    if draw(st.booleans()):
        record["resources"] = [
            {"ARN": arn} for arn in draw(st.lists(st.one_of(texts, st.none()), max_size=3))
        ]
    if draw(st.integers(0, 9)) == 0:
        record[draw(st.sampled_from(("userIdentity", "requestParameters", "resources")))] = draw(values)
    return record | {"eventName": draw(st.one_of(texts, texts, values))}


def detection(name: str, condition: Condition, **more: Any) -> Detection:
    """A detection of a condition."""
    given: dict[str, Any] = {"severity": Severity.HIGH, "scope": Scope.REGIONAL, "runbook": Runbook("")}
    return Detection(id=name, title=name, description="", condition=condition, **given | more)


def rules_of(*wanted: Condition, **more: Any) -> Rules:
    """Rules of bare conditions."""
    return Rules(tuple(detection(f"d{place}", condition) for place, condition in enumerate(wanted)), **more)


def scanned(scanner: Scanner, events: Sequence[dict[str, Any]]) -> list[tuple[int, ...]]:
    """The places that hold for each record, by its id."""
    data = json.dumps({"Records": [record | {"eventID": str(n)} for n, record in enumerate(events)]}).encode()
    hits = {int(hit.event_id): tuple(sorted(hit.places)) for hit in scanner.document(data).hits}
    return [hits.get(place, ()) for place in range(len(events))]


@pytest.mark.slow
@QUICKLY
@given(st.lists(conditions, min_size=1, max_size=5), st.lists(records(), min_size=1, max_size=6))
@pytest.mark.parametrize("fast", [True, False])
def test_generated_code_means_what_the_conditions_mean(
    fast: bool, asked: list[Condition], events: list[dict[str, Any]]
) -> None:
    expected = [
        tuple(place for place, condition in enumerate(asked) if condition.holds(record | {"eventID": "0"}))
        for record in events
    ]
    assert scanned(Scanner(rules_of(*asked), fast=fast), events) == expected


@pytest.mark.slow
@QUICKLY
@given(st.lists(conditions, min_size=1, max_size=5), st.lists(records(), min_size=1, max_size=6))
def test_both_ways_of_reading_find_the_same(asked: list[Condition], events: list[dict[str, Any]]) -> None:
    rules = rules_of(*asked)
    document = json.dumps({"Records": events}).encode()
    fast, plain = (Scanner(rules, fast=is_fast).document(document) for is_fast in (True, False))
    assert sorted(fast.hits, key=str) == sorted(plain.hits, key=str)
    assert replace(fast, hits=[]) == replace(plain, hits=[])


def test_a_scanner_that_was_sent_finds_the_same() -> None:
    scanner = Scanner(
        rules_of(ANY, Matches("userIdentity.type", Glob(("Root",))), until="2026-11-27T00:02:00Z")
    )
    sent = pickle.loads(pickle.dumps(scanner))
    data = json.dumps({"Records": [record(1), record(2), record(1, userIdentity={"type": "Root"})]}).encode()
    assert sent.document(data) == scanner.document(data)
    assert sent.document(data).hits


def test_an_odd_type_is_counted_by_path_and_is_no_error() -> None:
    secret_id = Matches("requestParameters.secretId", Glob(("a",)))
    error_code = Matches("errorCode", Glob(("a",)))
    records = [
        {"eventName": "x", "requestParameters": {"secretId": ["a", "b"]}},
        {"eventName": "x", "errorCode": 7},
        {"eventName": "x", "errorCode": "a"},
    ]
    for fast in (True, False):
        findings = Scanner(rules_of(secret_id, error_code), fast=fast).document(
            json.dumps({"Records": records}).encode()
        )
        assert findings.events == 3
        assert dict(findings.violations) == {"requestParameters.secretId": 1, "errorCode": 1}
        assert sorted(hit.places for hit in findings.hits) == [(0,), (1,)]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("asked", ["document", "lines"])
@pytest.mark.parametrize(
    "odd",
    [
        {"userAgent": "cut in the middle: \ud83d"},
        {"requestParameters": {"userName": "\udc00"}},
        {"eventID": "\ud800"},
        {"requestParameters": {"size": float("nan")}},
        {"errorCode": ["a"]},
    ],
)
def test_a_record_that_a_strict_parser_refuses_hides_no_other(
    odd: dict[str, Any], asked: str, fast: bool
) -> None:
    both = [record(1), record(2, **odd)]
    whole = json.dumps({"Records": both}).encode()
    lines = b"\n".join(json.dumps(entry).encode() for entry in both)
    scanner = Scanner(rules_of(ANY), fast=fast)
    findings = scanner.document(whole) if asked == "document" else scanner.lines(lines)
    assert (findings.events, len(findings.hits)) == (2, 2)
    for hit in findings.hits:
        hit.event_id.encode()


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("verify", [True, False])
def test_a_record_without_a_name_is_none_to_stumble_over(verify: bool, fast: bool) -> None:
    nameless = {"eventID": "n", "eventTime": "2026-11-27T00:00:00Z"}
    scanner = Scanner(rules_of(ANY, verify=verify), fast=fast)
    findings = scanner.document(
        json.dumps({"Records": [nameless, record(1, errorCode=1), record(2)]}).encode()
    )
    assert (findings.events, len(findings.hits), findings.disagreements) == (3, 2, [])


def test_a_function_is_made_for_the_names_that_a_condition_cannot_do_without_and_for_no_others() -> None:
    create, prefix = Matches("eventName", Glob(("CreateUser",))), Matches("eventName", Glob(("List", "")))
    root = Matches("userIdentity.type", Glob(("Root",)))
    scanner = Scanner(rules_of(create, prefix, All((root, Absent("errorCode")))))
    made = scanner._matcher.functions
    first = dict(made)
    wanted: list[dict[str, Any]] = [
        {"eventName": "CreateUser"},
        {"eventName": "ListUsers"},
        {"eventName": "GetUser"},
        {"eventName": "GetUser", "userIdentity": {"type": "Root"}},
        {"eventName": "CreateUser", "userIdentity": {"type": "Root"}},
        {"eventName": "CreateUser", "userIdentity": {"type": "Root"}, "errorCode": "AccessDenied"},
    ]
    assert scanned(scanner, wanted) == [(0,), (1,), (), (2,), (0, 2), (0,)]
    assert made.keys() == first.keys() == {"CreateUser"}
    assert made != first  # what made the function has left its place to it


def test_what_is_written_is_as_the_module_shows() -> None:
    wanted = All((Matches("eventName", Glob(("StopLogging",))), Absent("userIdentity.invokedBy")))
    made = Matcher([wanted], Layout(paths_of([wanted])), PlainAccess())
    text, _ = made.written([(0, settled(wanted, "StopLogging"))])
    assert textwrap.indent(text, "    ") in (matcher.__doc__ or "")


def test_the_shipped_examples_are_found_as_they_say() -> None:
    ready, others = replayable(map(with_samples, shipped()), ())
    assert len(ready) > 5 * len(others)
    for rule in ready:
        scanner = Scanner(Rules((rule,)))
        for example in rule.examples:
            assert scanned(scanner, [dict(example.record)]) == [(0,) if example.matches else ()], rule.id


def test_event_rules_do_not_see_read_only_management_calls() -> None:
    assert sight("ListUsers", "AwsApiCall", "Management") is Sight.RULES_WITH_READS
    assert sight("GetObject", "AwsApiCall", "Data") is Sight.EVERY_RULE
    assert sight("GetSessionToken", "AwsApiCall", None) is Sight.EVERY_RULE
    assert sight("CreateUser", "AwsCloudTrailSomethingElse", None) is Sight.NOBODY
    condition = All((Matches("eventName", Glob(("List", ""))), Not(Matches("errorCode", Glob(("x",))))))
    result = tallied(Rules((detection("reads", condition),)), [record(1, eventName="ListUsers")])
    assert (result.detections[0].event_hits, result.detections[0].undelivered) == (1, 0)
    writes = Matches("userIdentity.type", Glob(("Root",)))
    blind = replace(detection("root", All((writes, Matches("readOnly", Glob(("no",)))))), condition=writes)
    assert blind.needs_reads


def record(number: int, **more: Any) -> dict[str, Any]:
    """A record of its own, a minute after the one before."""
    hour, minute = divmod(number, 60)
    return {
        "eventID": f"event-{number}",
        "eventName": "CreateUser",
        "eventTime": f"2026-11-27T{hour % 24:02}:{minute:02}:00Z",
        "recipientAccountId": "111111111111",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/ana"},
    } | more


def tallied(rules: Rules, *parts: Sequence[dict[str, Any]]) -> ReplayReport:
    """The report of parts of an input."""
    tally, scanner = Tally(rules), Scanner(rules)
    for part in parts:
        tally.add(scanner.document(json.dumps({"Records": part}).encode()))
    return report(tally, source="here", files=len(parts), bytes_read=0)


ANY = Matches("eventName", Glob(("CreateUser",)))


def test_an_event_that_comes_twice_is_counted_once() -> None:
    summary = tallied(rules_of(ANY), [record(1), record(2)], [record(2), record(3)])
    assert (summary.events, summary.duplicates) == (4, 1)
    assert summary.detections[0].hits == 3


def test_what_came_long_ago_is_forgotten_and_no_event_is_lost() -> None:
    seen = Seen(remembered=32)
    assert all(seen.is_new(f"{number}") for number in range(64))
    assert not any(seen.is_new(f"{number}") for number in range(64))
    assert sum(seen.is_new(f"more-{number}") for number in range(1000)) == 1000
    assert seen.duplicates == 64
    assert seen.is_new("0")


def test_hits_of_one_actor_within_an_hour_are_one_alert() -> None:
    hits = [record(minute) for minute in (0, 59, 60, 61, 119, 120)]
    other = record(10, eventID="other", userIdentity={"type": "Root"})
    summary = tallied(rules_of(ANY), [*reversed(hits), other])
    assert summary.detections[0].alerts == 4  # at 0, 60 and 120, and root's
    assert summary.detections[0].actors[0].hits == 6


def test_a_threshold_alerts_each_time_it_is_reached_anew() -> None:
    windows = Windows(count=3, minutes=5)
    for minute in (14, 0, 12, 2, 4, 10, 5):
        windows.add((), minute)
    # 0, 2, 4 reach three; 5 keeps it; 10, 12, 14 reach it again.
    assert windows.finish().total() == 2
    assert windows.alerts_at(4) == 0


def slow_windows(minutes: list[int], count: int, length: int) -> int:
    """Alerts by asking every minute."""
    in_alarm, alerts = False, 0
    for now in range(max(minutes) + length + 1):
        holds = sum(now - length < minute <= now for minute in minutes) >= count
        alerts += holds and not in_alarm
        in_alarm = holds
    return alerts


@given(
    st.lists(st.integers(0, 120), min_size=1, max_size=60),
    st.integers(1, 6),
    st.integers(1, 20),
    st.integers(),
)
def test_windows_do_what_an_alarm_does_that_looks_every_minute(
    minutes: list[int], count: int, length: int, seed: int
) -> None:
    shuffled = random.Random(seed).sample(minutes, len(minutes))
    windows = Windows(count=count, minutes=length)
    for minute in shuffled:
        windows.add("key", minute)
    assert windows.finish().total() == slow_windows(minutes, count, length)
    # In order, what is settled early changes nothing.
    small = Windows(count=count, minutes=length, limit=8)
    groups, large = Groups(limit=8), Groups()
    for minute in sorted(minutes):
        small.add("key", minute)
        groups.add(("account", "actor"), minute)
        large.add(("account", "actor"), minute)
    assert small.finish().total() == slow_windows(minutes, count, length)
    assert groups.finish() == large.finish()
    assert small.late == groups.late == 0


def test_a_timeline_does_not_grow_with_its_input() -> None:
    groups = Groups(limit=100)
    for minute in range(10_000):
        groups.add(("account", f"actor-{minute % 7}"), minute)
    assert sum(map(len, groups._minutes.values())) <= 100
    assert groups.finish().total() == pytest.approx(7 * 10_000 / 63, rel=0.02)


def test_a_threshold_counts_groups_apart() -> None:
    limit = Threshold(2, 300, ("userIdentity.arn",))
    rules = Rules((detection("burst", ANY, threshold=limit),))
    same = [record(1), record(2)]
    apart = [record(1), record(2, userIdentity={"type": "Root", "arn": "root"})]
    assert tallied(rules, same).detections[0].alerts == 1
    assert tallied(rules, apart).detections[0].alerts == 0


def test_a_threshold_of_each_account_is_booked_to_the_account() -> None:
    limit = Threshold(2, 300, ("awsRegion", "recipientAccountId"))
    hits = [
        record(minute, eventID=f"{account}/{minute}", recipientAccountId=account)
        for account, minutes in (("1", (1, 2)), ("2", (1, 2)), ("3", (1,)))
        for minute in minutes
    ]
    [burst] = tallied(Rules((detection("burst", ANY, threshold=limit),)), hits).detections
    assert {(day.account, day.hits, day.alerts) for day in burst.days} == {
        ("1", 2, 1),
        ("2", 2, 1),
        ("3", 1, 0),
    }


def test_a_loud_detection_gets_a_proposal() -> None:
    loud = detection("loud", ANY)
    assert "except ana" in forecast(loud, 100, 1, 2, (("ana", 90),), 100, None).proposal
    windows = Windows(count=2, minutes=1)
    for minute in range(0, 400, 2):
        windows.add((), minute, 3)
    burst = replace(loud, threshold=Threshold(2, 60))
    assert "from 2 to 4" in forecast(burst, 200, 1, 2, (), 600, windows).proposal
    assert forecast(loud, 2, 30, 2, (("ana", 2),), 2, None).proposal == ""


def test_the_most_frequent_are_known_in_bounded_memory() -> None:
    frequent = Frequent(capacity=10)
    for number in range(1000):
        frequent.add("ana" if number % 2 else f"other-{number}")
    assert frequent.top(1)[0][0] == "ana"
    assert frequent.top(1)[0][1] == 500


def test_times_leave_out_what_is_outside() -> None:
    rules = replace(rules_of(ANY), since="2026-11-27T00:02:00Z", until="2026-11-27T00:04:00Z")
    summary = tallied(rules, [record(number) for number in range(6)])
    assert (summary.events, summary.left_out, summary.detections[0].hits) == (2, 4, 2)
    assert (summary.first, summary.last) == ("2026-11-27T00:02:00Z", "2026-11-27T00:03:00Z")


@pytest.mark.slow
def test_verify_agrees_on_the_shipped_examples_and_finds_a_wrong_artefact() -> None:
    ready = replayable(map(with_samples, shipped()), ())[0]
    examples = [
        {"eventType": "AwsApiCall", "eventID": f"{n}-{m}", **example.record}
        for n, rule in enumerate(ready)
        for m, example in enumerate(rule.examples)
    ]
    rules = Rules(tuple(ready), verify=True)
    assert tallied(rules, examples).disagreements == 0
    scanner, tally = Scanner(rules), Tally(rules)
    # The artefacts of another rule: what the bytes in AWS would be after somebody changed them by hand.
    wrong = [replace(ready[0], condition=Matches("eventName", Glob(("Nothing",)))), *ready[1:]]
    scanner._verifier = Verifier(wrong)
    tally.add(scanner.document(json.dumps({"Records": examples}).encode()))
    result = report(tally, source="", files=1, bytes_read=0)
    assert result.disagreements > 0
    assert result.detections[0].examples[0] in {record["eventID"] for record in examples}
    assert all(other.disagreements == 0 for other in result.detections[1:])


def test_pages_and_sheets_escape_what_records_say() -> None:
    evil = {"type": "IAMUser", "arn": "<script>alert(1)</script>"}
    formula = {"type": "IAMUser", "arn": "=cmd|' /C calc'!A0"}
    page = as_html(tallied(rules_of(ANY), [record(1, userIdentity=evil)]))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    sheet = as_csv(tallied(rules_of(ANY), [record(1, userIdentity=formula)]))
    assert ",'=cmd" in sheet


def test_flows_that_carry_nothing_are_told_as_such() -> None:
    only = detection("metrics", ANY, flows=frozenset({Flow.METRICS}))
    counted = tallied(Rules((only,)), [record(1)]).detections[0]
    assert (counted.metric_hits, counted.event_hits) == (1, None)
