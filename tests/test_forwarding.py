"""What members forward: everything that a hub rule takes, each event once, and nothing that gives a detection away."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgmon import eventpattern
from orgmon.alerting import Severity
from orgmon.detections import catalogue
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.condition import All, Condition, Either, Flag, Glob, Matches, Not
from orgmon.detections.forwarding import MAX_RULES, forwarding
from orgmon.detections.model import Detection, EventRule, Flow, LogSource, RuleState, Runbook, Scope
from orgmon.detections.projection import is_read
from orgmon.detections.secrecy import filling
from orgmon.errors import DetectionError
from tests.laws import examples

DECOYS = ("LedgerExportCredentials-", "PartnerGatewayKey-")
DETECTIONS = catalogue.resolved(catalogue.load(), [filling("decoys", DECOYS)])
RECORDS = [
    dict(example.record)
    for detection in DETECTIONS
    if detection.log_source is LogSource.CLOUDTRAIL
    for example in detection.examples
]


def envelope(record: dict[str, Any]) -> dict[str, Any]:
    service = str(record["eventSource"]).partition(".")[0]
    return {"source": f"aws.{service}", "detail-type": "AWS API Call via CloudTrail", "detail": record}


@cache
def parsed(pattern: str) -> eventpattern.EventPattern:
    """A pattern that many events are tried with, read once."""
    return eventpattern.parse(json.loads(pattern))


def takers(rules: tuple[EventRule, ...], record: dict[str, Any]) -> list[str]:
    """The rules that get the event, with what their state hides from them left out."""
    hidden = is_read(record["eventName"])
    return [
        rule.name
        for rule in rules
        if parsed(json.dumps(rule.pattern)).matches(envelope(record))
        and not (hidden and rule.state is RuleState.ENABLED)
    ]


HUB = tuple(rule for detection in DETECTIONS for rule in event_rules(detection))
MEMBER = forwarding(DETECTIONS)

names = st.sampled_from(
    sorted({record["eventName"] for record in RECORDS} | {"DescribeTrails", "RunInstances"})
)
sources = st.sampled_from(sorted({record["eventSource"] for record in RECORDS}))
identities = st.sampled_from(["Root", "IAMUser", "AssumedRole", "AWSService", None])


@st.composite
def variations(draw: st.DrawFn) -> dict[str, Any]:
    record: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(RECORDS)))
    if draw(st.booleans()):
        record["eventName"] = draw(names)
    if draw(st.booleans()):
        record["eventSource"] = draw(sources)
    if draw(st.booleans()):
        record["userIdentity"] = {"type": draw(identities)}
    if draw(st.booleans()):
        record.pop("errorCode", None)
    return record


@pytest.mark.slow
@settings(max_examples=examples(150), deadline=None)
@given(variations())
def test_what_the_hub_wants_arrives_exactly_once(record: dict[str, Any]) -> None:
    forwarded = takers(MEMBER, record)
    assert len(forwarded) <= 1
    if takers(HUB, record):
        assert len(forwarded) == 1


@pytest.mark.slow
def test_every_example_of_a_hub_rule_arrives() -> None:
    wanted = [record for record in RECORDS if takers(HUB, record)]
    assert len(wanted) > 15
    assert all(len(takers(MEMBER, record)) == 1 for record in wanted)


def test_the_rules_give_nothing_away() -> None:
    text = json.dumps([rule.pattern for rule in MEMBER])
    assert len(MEMBER) <= MAX_RULES
    assert not any(decoy.strip("-") in text for decoy in DECOYS)
    for word in ("wildcard", "stacksets", "errorCode", "secretId", "invokedBy", "sessionContext"):
        assert word not in text
    for rule in MEMBER:
        assert len(json.dumps(rule.pattern)) <= eventpattern.MAX_LENGTH
        assert rule.detection == ""


def test_calls_of_which_there_are_very_many_are_not_forwarded() -> None:
    for source, name in (
        ("sts", "AssumeRole"),
        ("kms", "Decrypt"),
        ("kms", "GenerateDataKey"),
        ("ec2", "RunInstances"),
    ):
        assert takers(MEMBER, {"eventSource": f"{source}.amazonaws.com", "eventName": name}) == []


def test_only_narrow_rules_see_reads() -> None:
    with_reads = {
        rule.name: rule.pattern["detail"] for rule in MEMBER if rule.state is RuleState.ENABLED_WITH_READS
    }
    assert set(with_reads) == {"root", "reads"}
    assert with_reads["root"] == {"userIdentity": {"type": ["Root"]}}
    assert with_reads["reads"]["eventName"] == ["BatchGetSecretValue", "GetSecretValue"]


def test_the_rules_are_the_same_without_decoys() -> None:
    """Adding a decoy touches the hub and no member."""
    assert forwarding(catalogue.resolved(catalogue.load(), ())) == MEMBER
    assert forwarding(reversed(DETECTIONS)) == MEMBER


@pytest.mark.slow
def test_adding_or_dropping_a_detection_keeps_the_law() -> None:
    fewer = tuple(detection for detection in DETECTIONS if detection.id != "root-use")
    rules = forwarding(fewer)
    assert '"Root"' not in json.dumps([rule.pattern for rule in rules])
    hub = tuple(rule for detection in fewer for rule in event_rules(detection))
    for record in RECORDS:
        assert len(takers(rules, record)) <= 1
        assert not takers(hub, record) or takers(rules, record)


def probe(name: str, condition: Condition, **other: Any) -> Detection:
    return Detection(name, name, "", Severity.LOW, condition, Scope.REGIONAL, Runbook("none"), **other)


def is_one_of(path: str, *values: str) -> Condition:
    return Either(tuple(Matches(path, Glob((value,))) for value in values))


HOSTS = [f"{letter}.amazonaws.com" for letter in "abcdefghijk"]
NAMES = ["GetA", "ListB", "PutA", "PutB", "DeleteC"]


@st.composite
def detections(draw: st.DrawFn) -> tuple[Detection, ...]:
    drawn = []
    for number in range(draw(st.integers(1, 12))):
        parts: list[Condition] = []
        kind = draw(st.sampled_from(["named", "named", "named", "whole", "writes", "anywhere", "root"]))
        if kind in ("named", "whole", "writes"):
            hosts = draw(st.sampled_from([HOSTS[:4], HOSTS]))
            parts.append(
                is_one_of("eventSource", *draw(st.lists(st.sampled_from(hosts), min_size=1, max_size=3)))
            )
        if kind in ("named", "anywhere"):
            parts.append(
                is_one_of("eventName", *draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)))
            )
        if kind == "whole" and draw(st.booleans()):
            parts.append(Not(is_one_of("eventName", "GetA")))
        if kind == "writes":
            parts.append(Flag("readOnly", False))
        if kind == "root":
            parts.append(is_one_of("userIdentity.type", "Root"))
        drawn.append(probe(f"probe-{number}", All(tuple(parts))))
    return tuple(drawn)


@pytest.mark.slow
@settings(max_examples=examples(60), deadline=None)
@given(detections(), st.data())
def test_the_law_holds_for_any_detections(drawn: tuple[Detection, ...], data: st.DataObject) -> None:
    rules = forwarding(drawn)
    assert len(rules) <= MAX_RULES
    assert len({rule.name for rule in rules}) == len(rules)
    hub = tuple(rule for detection in drawn for rule in event_rules(detection))
    for _ in range(12):
        name = data.draw(st.sampled_from([*NAMES, "RunX", "DescribeY"]))
        record = {
            "eventSource": data.draw(st.sampled_from(HOSTS[:4])),
            "eventName": name,
            "readOnly": is_read(name),
            "userIdentity": {"type": data.draw(st.sampled_from(["Root", "IAMUser"]))},
        }
        forwarded = takers(rules, record)
        assert len(forwarded) <= 1
        assert not takers(hub, record) or forwarded


def test_a_source_forwarded_whole_keeps_the_names_that_another_source_gives_to_the_reads() -> None:
    reads = All((is_one_of("eventSource", HOSTS[0]), is_one_of("eventName", "GetA", "PutA")))
    writes = All((is_one_of("eventSource", HOSTS[1]), Flag("readOnly", False)))
    rules = forwarding((probe("reads", reads), probe("writes", writes)))
    for name in ("PutA", "PutB"):
        record = {"eventSource": HOSTS[1], "eventName": name, "readOnly": False}
        assert len(takers(rules, record)) == 1


def test_a_source_of_many_names_takes_several_rules_and_shares_none() -> None:
    names = [f"Change{'x' * 30}{number:03}" for number in range(100)]
    long = probe("long", All((is_one_of("eventSource", HOSTS[0]), is_one_of("eventName", *names))))
    short = probe(
        "short", All((is_one_of("eventSource", *HOSTS[1:5]), is_one_of("eventName", names[7], "PutA")))
    )
    rules = forwarding((long, short))
    assert len(rules) <= MAX_RULES
    for host in HOSTS[:5]:
        for name in names if host == HOSTS[0] else (names[7], "PutA"):
            assert len(takers(rules, {"eventSource": host, "eventName": name})) == 1
    too_long = probe(
        "long",
        All(
            (
                is_one_of("eventSource", HOSTS[0]),
                is_one_of("eventName", *(f"{name}{letter}" for name in names for letter in "abcdef")),
            )
        ),
    )
    with pytest.raises(DetectionError, match="forwarding rules, 8 are allowed"):
        forwarding((too_long,))


def test_a_detection_that_wants_everything_is_refused() -> None:
    denied = Matches("errorCode", Glob(("AccessDenied", "")))
    with pytest.raises(DetectionError, match="which events to forward"):
        forwarding((probe("denied", denied),))
    assert forwarding((probe("denied", denied, flows=frozenset({Flow.METRICS})),)) == ()
