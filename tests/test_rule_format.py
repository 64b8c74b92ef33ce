"""Rule files: what can stand in one, and what a broken one says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orgmon import eventpattern
from orgmon.alerting import Severity
from orgmon.detections import catalogue
from orgmon.detections.compile_rule import event_rules
from orgmon.detections.flows import settled
from orgmon.detections.meaning import matches
from orgmon.detections.model import Flow, Scope
from orgmon.detections.sigma.reader import read
from orgmon.detections.sigma.regex_globs import globs_of
from orgmon.errors import DetectionError
from tests.laws import examples
from tests.test_detections import envelope

RULE = """\
title: Buckets made public
logsource:
  product: aws
  service: cloudtrail
level: high
orgmon:
  scope: regional
  flow: both
  runbook:
    meaning: Look.
    steps: [one, two, three]
    close: Done.
detection:
  selection:
    eventSource: s3.amazonaws.com
    eventName: PutBucketAcl
  condition: selection
"""


def test_own_rules(tmp_path: Path) -> None:
    (tmp_path / "public-bucket.yml").write_text(RULE, encoding="utf-8")
    assert "public-bucket" in {detection.id for detection in catalogue.load(tmp_path)}
    (tmp_path / "root-use.yml").write_text(RULE, encoding="utf-8")
    with pytest.raises(DetectionError, match=r"root-use is already in rules/root-use\.yml"):
        catalogue.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("eventName: PutBucketAcl", "eventName: PutBucket?cl", r"r.yml:16: .*E-VALUE"),
        ("eventName: PutBucketAcl", "eventName|re|i: put.*", r"r.yml:16: .*flags.*E-CW-REGEX"),
        (
            "eventName: PutBucketAcl",
            "eventName|fieldref: eventSource",
            r"r.yml:16: .*FieldReference.*E-VALUE",
        ),
        ("eventName: PutBucketAcl", "requestParameters: x", r"r.yml:16: .*object.*E-FIELD-OBJECT"),
        ("eventName: PutBucketAcl", "eventName|gt: 5", "r.yml:16: .*ordered"),
        ("service: cloudtrail", "service: vpcflow", "r.yml:2: the log source aws/vpcflow"),
        ("level: high", "level: huge", "r.yml:5: not a Sigma rule"),
        ("scope: regional", "scope: mars", "r.yml:7: scope is 'mars'"),
        ("flow: both", "flow: none", "r.yml:8: flow is 'none'"),
        ("meaning: Look.", "meaning: ''", "r.yml:10: meaning is missing"),
        ("steps: [one, two, three]", "steps: [one]", "r.yml:11: steps is not a list of 3"),
        ("condition: selection", "condition: selektion", "r.yml:17: the condition cannot be read"),
        ("condition: selection", "condition: [", "r.yml:18: not YAML"),
        ("  flow: both", "  flow: both\n  examples: {hit: []}", "r.yml:1: examples has no hit"),
        ("  flow: both", "  flow: both\n  controls: {cis-aws: 4.3}", "r.yml:9: controls is not"),
        ("  flow: both", "  flow: both\n  drill: {}", "r.yml:9: drill says how or why not"),
        ("  flow: both", "  flow: both\n  drill: {how: x, not: y}", "r.yml:9: drill has no not"),
        ("  flow: both", "  flow: [both]", r"r.yml:8: flow is \['both'\]"),
        ("  flow: both", "  flow: both\n  colour: red", "r.yml:9: orgmon has no colour"),
    ],
)
def test_broken_files_say_where(old: str, new: str, message: str) -> None:
    assert old in RULE
    with pytest.raises(DetectionError, match=message):
        read(RULE.replace(old, new), "r", "r.yml")


def test_all_that_sigma_refuses_is_told_at_once_at_its_line() -> None:
    rule = RULE.replace("level: high", "level: huge") + "status: fine\ndate: never\n"
    with pytest.raises(DetectionError) as caught:
        read(rule, "r", "r.yml")
    assert sorted(problem.line for problem in caught.value.problems) == [5, 18, 19]


def test_the_line_of_a_field_is_the_one_in_the_detection() -> None:
    rule = "status: test\n" + RULE.replace("eventName: PutBucketAcl", "status: PutBucketAcl")
    [warning] = read(rule, "r", "r.yml").warnings
    assert (warning.line, "to have status" in warning.what) == (17, True)


def test_a_text_is_taken_where_sigma_has_a_list() -> None:
    rule = RULE + "falsepositives: Somebody tidies up.\nreferences: https://example.com\n"
    detection = read(rule, "r", "r.yml")
    assert detection.falsepositives == ("Somebody tidies up.",)
    assert detection.references == ("https://example.com",)


def test_a_count_of_the_old_form_is_told_how_to_count_now() -> None:
    rule = RULE.replace("condition: selection", "condition: selection | count() by userIdentity.arn > 20")
    with pytest.raises(DetectionError, match="condition cannot be read") as caught:
        read(rule, "r", "r.yml")
    assert "type event_count" in caught.value.remedy


CORRELATION = """\
---
title: Often
correlation:
  type: event_count
  rules: [public]
  timespan: 5m
  condition: {gte: 3}
"""
NAMED = RULE.replace("logsource:", "name: public\nlogsource:")


def test_thresholds() -> None:
    threshold = read(NAMED + CORRELATION.replace("gte: 3", "gt: 3"), "r", "r.yml").threshold
    assert threshold is not None
    assert (threshold.count, threshold.seconds) == (4, 300)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gte: 3", "lt: 3", "comparison lt"),
        ("5m", "90s", "timespan of 90 s"),
        ("5m", "2d", "timespan of 172800 s"),
        ("timespan", "group-by: [userIdentity.arn]\n  timespan", "E-CORR-GROUP"),
        ("type: event_count", "type: temporal", "temporal"),
    ],
)
def test_thresholds_that_an_alarm_cannot_keep(old: str, new: str, message: str) -> None:
    with pytest.raises(DetectionError, match=message):
        read(NAMED + CORRELATION.replace(old, new), "r", "r.yml")


def test_values_are_read_by_the_type_of_their_field() -> None:
    text = RULE.replace(
        "eventName: PutBucketAcl",
        "recipientAccountId: 111122223333\n    readOnly: 'false'\n    requestParameters.public: 'true'\n"
        "    requestParameters.port: 22\n    additionalEventData.MFAUsed: 'NO'\n    sourceIPAddress|cidr: 10.16.0.0/14",
    )
    detection = read(text, "r", "r.yml")
    record: dict[str, Any] = {
        "eventSource": "s3.amazonaws.com",
        "recipientAccountId": "111122223333",
        "readOnly": False,
        "requestParameters": {"public": True, "port": 22},
        "additionalEventData": {"MFAUsed": "No"},
        "sourceIPAddress": "10.19.255.1",
    }
    assert matches(detection, record)
    assert matches(detection, {**record, "requestParameters": {"public": "true", "port": "22"}})
    assert not matches(detection, {**record, "sourceIPAddress": "10.20.0.1"})
    (rule,) = event_rules(detection)
    assert eventpattern.parse(rule.pattern).matches(envelope({**record, "eventName": "x"}))


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    broken = RULE.replace("scope: regional", "scope: mars").replace(
        "eventName: PutBucketAcl", "eventName|gt: 5"
    )
    with pytest.raises(DetectionError) as caught:
        read(broken, "r", "r.yml")
    assert [(problem.line, "mars" in problem.what) for problem in caught.value.problems] == [
        (16, False),
        (7, True),
    ]


def test_what_is_doubtful_is_told_and_used() -> None:
    text = RULE.replace(
        "eventName: PutBucketAcl", "eventNam: x\n    eventName: putbucketacl\n    errorCod: y"
    )
    detection = read(text, "r", "r.yml")
    assert [(problem.line, problem.what.split("[")[-1]) for problem in detection.warnings] == [
        (17, "W-TYPE-COERCED]"),
        (16, "W-FIELD-UNKNOWN]"),
        (18, "W-FIELD-UNKNOWN]"),
    ]
    assert "did you mean eventName?" in detection.warnings[1].remedy
    assert matches(
        detection,
        {"eventSource": "s3.amazonaws.com", "eventName": "PutBucketAcl", "eventNam": "x", "errorCod": "y"},
    )


def test_spelling_is_bridged_to_cloudtrails() -> None:
    def warnings(value: str, modifier: str = "") -> list[str]:
        detection = read(
            RULE.replace("eventName: PutBucketAcl", f"eventName{modifier}: {value}"), "r", "r.yml"
        )
        return [problem.what.split("[")[-1] for problem in detection.warnings]

    assert warnings("PutBucketAcl") == []
    assert warnings("PUTBUCKETACL") == ["W-TYPE-COERCED]"]
    assert warnings("PutBucketAkl") == ["W-CASE-UNKNOWN]"]
    assert warnings("PutBucketAkl", "|cased") == []


def test_rules_of_others_need_nothing_of_ours() -> None:
    text = RULE[: RULE.index("orgmon:")] + RULE[RULE.index("detection:") :]
    detection = read(text, "r", "r.yml")
    assert (detection.scope, detection.flows) == (Scope.REGIONAL, frozenset(Flow))
    signing_in = read(text.replace("s3.", "signin.").replace("PutBucketAcl", "ConsoleLogin"), "r", "r.yml")
    assert signing_in.scope is Scope.SIGN_IN
    assert read(text.replace("s3.", "iam."), "r", "r.yml").scope is Scope.GLOBAL


def test_flow_follows_from_what_can_be_compiled() -> None:
    text = RULE[: RULE.index("orgmon:")] + RULE[RULE.index("detection:") :]
    regex = text.replace("eventName: PutBucketAcl", "requestParameters.name|re: '[0-9]{12}'")
    detection = read(regex, "r", "r.yml")
    assert detection.flows_are_open
    assert settled(detection).flows == frozenset(Flow)
    assert [rule.recheck for rule in event_rules(detection)] == [True]
    block = text.replace("eventName: PutBucketAcl", "sourceIPAddress|cidr: 2001:db8::/32")
    assert settled(read(block, "r", "r.yml")).flows == frozenset({Flow.EVENTS})
    unpinned = regex.replace("eventSource: s3.amazonaws.com", "recipientAccountId: '111122223333'")
    assert settled(read(unpinned, "r", "r.yml")).flows == frozenset({Flow.METRICS})
    neither = unpinned.replace("recipientAccountId: '111122223333'", "sourceIPAddress|cidr: 2001:db8::/32")
    with pytest.raises(DetectionError) as caught:
        settled(read(neither, "r", "r.yml"))
    assert [
        "E-CW-CIDR" in caught.value.problems[0].what,
        "E-CW-REGEX" in caught.value.problems[1].what,
    ] == [True, True]


@pytest.mark.parametrize(
    ("pattern", "shapes"),
    [
        ("abc", ["*abc*"]),
        ("^abc$", ["abc"]),
        ("^(Get|List).*s$", ["Get*s", "List*s"]),
        ("^a[bc]?d", ["ad*", "abd*", "acd*"]),
        (".*:assumed-role/aws:.*", ["*:assumed-role/aws:*"]),
        ("^a|b$", ["a*", "*b"]),
        (r"^a(?P<x>\-|[]\-])?$", ["a", "a-", "a]"]),
        ("^(a|b|c)(a|b|c)(a|b)$", None),
        ("a.c", None),
        (r"\bab", None),
        ("(?i)ab", None),
        ("a{,1}b", None),
        ("x^a", None),
        (r"a\.b", ["*a.b*"]),
        ("[0-9]{12}", None),
        ("a+", None),
        ("(", None),
    ],
)
def test_regular_expressions_become_shapes(pattern: str, shapes: list[str] | None) -> None:
    globs = globs_of(pattern)
    assert (None if globs is None else [str(glob) for glob in globs]) == shapes


PARTS = [
    "a",
    "b",
    ".*",
    ".",
    "^",
    "$",
    "(",
    ")",
    "|",
    "?",
    "*",
    "[ab]",
    "[^a]",
    "[a-b]",
    "(?:",
    r"\.",
    r"\d",
    "{2}",
]


@pytest.mark.slow
@settings(max_examples=examples(80), deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=7).map("".join), st.lists(st.text("ab.1", max_size=5)))
def test_shapes_take_what_the_expression_is_found_in(pattern: str, strings: list[str]) -> None:
    shapes = globs_of(pattern)
    assume(shapes is not None)
    assert shapes is not None
    for text in strings:
        is_found = re.search(pattern, text, re.DOTALL) is not None
        assert any(shape.fits(text) for shape in shapes) is is_found


def test_what_a_modifier_expands_a_value_to_are_alternatives() -> None:
    rule = RULE.replace("eventName: PutBucketAcl", "requestParameters.command|contains|windash: ' -e '")
    detection = read(rule, "r", "r.yml")
    for dash, taken in (("-", True), ("/", True), ("+", False)):
        record = {"eventSource": "s3.amazonaws.com", "requestParameters": {"command": f"sh {dash}e x"}}
        assert detection.condition.holds(record) is taken


def test_users_change_level_scope_and_threshold(tmp_path: Path) -> None:
    (tmp_path / "often.yml").write_text(NAMED + CORRELATION, encoding="utf-8")
    change = catalogue.Change(Severity.LOW, Scope.GLOBAL, 9, 600)
    loaded = catalogue.load(tmp_path, changes={"often": change})
    [often] = [detection for detection in loaded if detection.id == "often"]
    assert often.threshold is not None
    assert (often.severity, often.scope) == (Severity.LOW, Scope.GLOBAL)
    assert (often.threshold.count, often.threshold.seconds) == (9, 600)
    with pytest.raises(DetectionError, match="no threshold to change"):
        catalogue.load(changes={"root-use": catalogue.Change(count=3)})
    with pytest.raises(DetectionError, match="no detection rot-use to change"):
        catalogue.load(changes={"rot-use": catalogue.Change(count=3)})


def test_a_broken_file_that_is_switched_off_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text("title: x", encoding="utf-8")
    with pytest.raises(DetectionError, match="not a Sigma rule"):
        catalogue.load(tmp_path)
    assert catalogue.load(tmp_path, off={"broken"})


def test_a_date_that_there_is_not_is_a_mistake_at_its_file() -> None:
    with pytest.raises(DetectionError, match=r"r\.yml:1: not YAML: holds a value that means nothing"):
        read(RULE + "date: 2026-13-01\n", "r", "r.yml")
