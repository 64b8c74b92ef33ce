"""One meaning in three forms: the condition, the filter pattern and the event pattern never disagree."""

from __future__ import annotations

import contextlib
import json
import random
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orgmon import eventpattern, filterpattern
from orgmon.alerting import Severity
from orgmon.detections import catalogue
from orgmon.detections.codec import from_json, to_json
from orgmon.detections.compile_filter import (
    MEMBER_PREFIX,
    TRAIL_PREFIX,
    metric_filters,
)
from orgmon.detections.compile_rule import event_rules
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
    Placeholder,
    Present,
    Within,
)
from orgmon.detections.meaning import matches, resolve
from orgmon.detections.model import Detection, EventRule, MetricFilter, RuleState, Runbook, Scope, Threshold
from orgmon.detections.quotas import check_event_bus, check_log_group
from orgmon.detections.secrecy import filling
from orgmon.errors import DetectionError
from tests.laws import examples

WORDS = ["ab", "abc", "b", "ba", "cab", "a"]
TEXT_FIELDS = ["errorCode", "eventName", "userIdentity.invokedBy", "requestParameters.x"]


def detection(condition: Condition, **other: Any) -> Detection:
    return Detection(
        id="probe",
        title="A probe",
        description="",
        severity=Severity.LOW,
        condition=condition,
        scope=Scope.REGIONAL,
        runbook=Runbook("none"),
        **other,
    )


def envelope(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0",
        "source": "aws.iam",
        "detail-type": "AWS API Call via CloudTrail",
        "account": "111122223333",
        "region": "us-east-1",
        "detail": record,
    }


def metric_filter(probe: Detection) -> MetricFilter:
    """The only filter."""
    (only,) = metric_filters(probe)
    return only


@lru_cache(4)
def filters_of(probe: Detection, prefix: str) -> list[filterpattern.FilterPattern]:
    """The compiled filters, read back once for all records that they are tried with."""
    return [filterpattern.parse(compiled.pattern) for compiled in metric_filters(probe, prefix)]


@lru_cache(4)
def rules_of(probe: Detection) -> list[eventpattern.EventPattern]:
    """The compiled rules, read back once for all records that they are tried with."""
    return [eventpattern.parse(rule.pattern) for rule in event_rules(probe)]


def by_filters(probe: Detection, record: dict[str, Any], prefix: str) -> bool:
    message = json.dumps(record if prefix == TRAIL_PREFIX else envelope(record))
    return any(pattern.matches(message) for pattern in filters_of(replace(probe, examples=()), prefix))


def by_rules(probe: Detection, record: dict[str, Any]) -> bool:
    return any(rule.matches(envelope(record)) for rule in rules_of(replace(probe, examples=())))


ODD = ["a*b", 'a"b', "a\\b", "100%", "é", "a b", "$.x", "{", "(a)"]
"""What has a meaning of its own in one language or another."""
BLOCKS = ["10.0.0.0/9", "10.128.0.0/9", "2001:db8::/32", "192.0.2.64/26"]
ADDRESSES = [
    "10.1.2.3",
    "10.200.0.1",
    "192.0.2.65",
    "192.0.2.1",
    "2001:db8::1",
    "2001:db9::",
    "ec2.amazonaws.com",
]
EXPRESSIONS = ["^a.*b$", "[0-9]{2}", r"\d\d", "b$", "a|b", r"x\x2Ay", "a[^b]"]
AGENTS = [*ODD, "a*bc", "acb", "12", "a", "xb", "x*y", "xy", "", "ac"]

globs = st.one_of(
    st.sampled_from(WORDS).map(lambda word: Glob((word,))),
    st.sampled_from(WORDS).map(lambda word: Glob((word, ""))),
    st.sampled_from(WORDS).map(lambda word: Glob(("", word))),
    st.sampled_from(WORDS).map(lambda word: Glob(("", word, ""))),
    st.just(Glob(("", ""))),
    st.just(Glob(("a", "c"))),
)
text_fields = st.sampled_from(TEXT_FIELDS)
tests: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Matches, text_fields, globs),
    st.builds(Matches, text_fields, st.sampled_from(WORDS).map(lambda word: Glob((word,)))),
    st.builds(Absent, st.one_of(text_fields, st.just("readOnly"))),
    st.builds(Present, text_fields),
    st.builds(Flag, st.just("readOnly"), st.booleans()),
    st.builds(Flag, st.just("requestParameters.x"), st.booleans(), st.just(True)),
    st.builds(
        Compares,
        st.just("requestParameters.n"),
        st.sampled_from(["<", "<=", ">", ">=", "="]),
        st.integers(0, 3),
    ),
    st.builds(Matches, st.just("resources.ARN"), globs),
    st.builds(Within, st.just("sourceIPAddress"), st.sampled_from(BLOCKS)),
    st.builds(Finds, st.just("userAgent"), st.sampled_from(EXPRESSIONS)),
    st.builds(Matches, st.just("userAgent"), st.builds(Glob, st.tuples(st.sampled_from(ODD)))),
    st.builds(Matches, st.just("userAgent"), st.builds(Glob, st.tuples(st.sampled_from(ODD), st.just("")))),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Either(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)

NOTHING = object()
words = st.one_of(st.sampled_from([NOTHING, None, "", *WORDS, "xcabx", "abba", "ac"]))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    record: dict[str, Any] = {"userIdentity": {}, "requestParameters": {}}
    places = {
        ("errorCode",): words,
        ("eventName",): words,
        ("readOnly",): st.sampled_from([NOTHING, None, True, False]),
        ("userIdentity", "invokedBy"): words,
        ("requestParameters", "x"): words | st.sampled_from([True, False, "true", "false"]),
        ("sourceIPAddress",): st.sampled_from([NOTHING, None, *ADDRESSES]),
        ("userAgent",): st.sampled_from([NOTHING, None, *AGENTS]),
        ("requestParameters", "n"): st.sampled_from([NOTHING, None, 0, 1, 2.5, 3]),
    }
    for path, values in places.items():
        value = draw(values)
        if value is not NOTHING:
            (record if len(path) == 1 else record[path[0]])[path[-1]] = value
    if draw(st.booleans()):
        record["resources"] = [{"ARN": arn} for arn in draw(st.lists(st.sampled_from(WORDS), max_size=2))]
    if draw(st.integers(0, 5)) == 0:
        record["requestParameters"] = None
    return record


@pytest.mark.slow
@settings(max_examples=examples(120), deadline=None)
@given(conditions, st.lists(records(), min_size=4, max_size=8))
def test_filter_patterns_say_what_the_condition_means(
    condition: Condition, trail: list[dict[str, Any]]
) -> None:
    probe = detection(condition)
    try:
        metric_filters(probe)
    except DetectionError:
        assume(False)
    for record in trail:
        wanted = matches(probe, record)
        assert by_filters(probe, record, TRAIL_PREFIX) == wanted
        assert by_filters(probe, record, MEMBER_PREFIX) == wanted


@pytest.mark.slow
@settings(max_examples=examples(120), deadline=None)
@given(conditions, st.lists(records(), min_size=4, max_size=8))
def test_event_patterns_say_what_the_condition_means(
    condition: Condition, trail: list[dict[str, Any]]
) -> None:
    probe = detection(condition)
    try:
        rules = event_rules(probe)
    except DetectionError:
        assume(False)
    wider = any(rule.recheck for rule in rules)
    for record in trail:
        taken, wanted = by_rules(probe, record), matches(probe, record)
        assert taken == wanted or (wider and taken)


@pytest.mark.slow
@settings(max_examples=examples(120), deadline=None)
@given(st.sampled_from(WORDS), conditions, st.lists(records(), min_size=4, max_size=8))
def test_wider_rules_take_all_that_the_condition_takes(
    name: str, condition: Condition, trail: list[dict[str, Any]]
) -> None:
    probe = detection(All((Matches("eventName", Glob((name,))), condition)))
    try:
        rules = event_rules(probe)
    except DetectionError:
        assume(False)
    for record in trail:
        taken, wanted = by_rules(probe, record), matches(probe, record)
        assert taken == wanted or (rules[0].recheck and taken)


@given(conditions)
def test_a_condition_travels_as_json(condition: Condition) -> None:
    assert from_json(json.loads(json.dumps(to_json(condition)))) == condition


@pytest.mark.slow
@settings(max_examples=examples(120), deadline=None)
@given(conditions)
def test_printed_patterns_are_read_back(condition: Condition) -> None:
    probe = detection(condition)
    with contextlib.suppress(DetectionError):
        for compiled in (*metric_filters(probe), *metric_filters(probe, MEMBER_PREFIX)):
            assert str(filterpattern.parse(compiled.pattern)) == compiled.pattern
            assert filterpattern.parse(str(filterpattern.parse(compiled.pattern))) == filterpattern.parse(
                compiled.pattern
            )
    with contextlib.suppress(DetectionError):
        for rule in event_rules(probe):
            parsed = eventpattern.parse(rule.pattern)
            assert eventpattern.parse(str(parsed)) == parsed
            assert parsed.to_dict() == rule.pattern


def test_most_conditions_are_expressible() -> None:
    """The laws above would hold for a compiler that refuses everything."""
    dice = random.Random(7)
    refused = 0
    for _ in range(300):
        leaves = [
            Matches(dice.choice(TEXT_FIELDS), Glob((dice.choice(WORDS), "")[: dice.randint(1, 2)]))
            for _ in "abc"
        ]
        condition = All((Either((leaves[0], leaves[1])), Not(leaves[2])))
        try:
            metric_filters(detection(condition))
            event_rules(detection(condition))
        except DetectionError as error:
            refused += "can never hold" not in error.what
    assert refused < 60


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Matches("errorCode", Glob(("",))), "errorCode: cannot express the empty string"),
        (Matches("errorCode", Glob(("é", "é"))), "letters outside ASCII .E-CW-INFIX."),
        (Finds("userAgent", "(a)+"), "userAgent: .*is not allowed .*E-CW-REGEX"),
        (
            All(tuple(Finds("userAgent", f"{letter}+") for letter in "abc")),
            "2 regular expressions .*E-CW-REGEX-BUDGET",
        ),
        (Within("sourceIPAddress", "10.0.0.0/9"), "sourceIPAddress: cannot express the block 10.0.0.0/9"),
        (
            Not(Matches("resources.ARN", Glob(("a",)))),
            "resources.ARN: cannot express a negation over an array",
        ),
        (Not(Flag("requestParameters.x", True, True)), "negation of flag"),
        (Placeholder("errorMessage", ("",), "decoys", ("",)), "placeholder %decoys%"),
        (All(()), "a condition without a test"),
    ],
)
def test_filters_refuse_what_they_cannot_say(condition: Condition, words: str) -> None:
    with pytest.raises(DetectionError, match=f"probe: .*{words}") as caught:
        metric_filter(detection(condition))
    assert caught.value.remedy.startswith("use ")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            All((Matches("errorCode", Glob(("", "a", ""))), Matches("errorCode", Glob(("", "b", ""))))),
            "errorCode",
        ),
        (
            All((Matches("errorCode", Glob(("a", ""))), Not(Matches("errorCode", Glob(("", "b")))))),
            "a.* but not .*b",
        ),
        (All((Not(Absent("errorCode")), Not(Matches("errorCode", Glob(("a",)))))), "errorCode"),
        (
            All((Matches("resources.ARN", Glob(("a",))), Matches("resources.type", Glob(("b",))))),
            "below one array",
        ),
        (Not(Within("sourceIPAddress", "10.0.0.0/9")), "negation of within"),
        (All((Matches("errorCode", Glob(("a",))), Matches("errorCode", Glob(("b",))))), "can never hold"),
        (All(()), "always holds"),
        (Matches("errorCode", Glob(("", *":::::", ""))), "too complex"),
        (Matches("eventName", Glob(("x" * 2100,))), "over 2048 characters"),
    ],
)
def test_rules_refuse_what_they_cannot_say(condition: Condition, words: str) -> None:
    with pytest.raises(DetectionError, match=words):
        event_rules(detection(condition))


@pytest.mark.parametrize(
    ("glob", "pattern"),
    [
        (Glob(("a*b",)), r"$.userAgent = %^a\x2ab$%"),
        (Glob(("ab", "bc")), r"$.userAgent = %^ab.*bc$%"),
        (Glob(("", "a", "b", "")), r"$.userAgent = %^.*a.*b.*$%"),
        (Glob(("a b", "c d", "")), r"$.userAgent = %^a\x20b.*c\x20d.*$%"),
    ],
)
def test_a_star_inside_is_a_regular_expression(glob: Glob, pattern: str) -> None:
    assert metric_filter(detection(Matches("userAgent", glob))).pattern == f"{{ {pattern} }}"


@pytest.mark.parametrize(
    ("extra", "pattern"),
    [
        (Not(Within("sourceIPAddress", "10.0.0.0/9")), {}),
        (Finds("userAgent", "a+"), {}),
        (
            All((Matches("errorCode", Glob(("", "a", ""))), Matches("errorCode", Glob(("", "b", ""))))),
            {"errorCode": [{"wildcard": "*a*"}]},
        ),
        (
            All((Matches("resources.ARN", Glob(("a",))), Matches("resources.type", Glob(("b",))))),
            {"resources": {"ARN": ["a"]}},
        ),
        (Not(Matches("resources.ARN", Glob(("a",)))), {}),
    ],
)
def test_what_a_rule_cannot_say_is_left_to_whoever_looks_again(
    extra: Condition, pattern: dict[str, Any]
) -> None:
    (rule,) = event_rules(detection(All((Matches("eventName", Glob(("StopLogging",))), extra))))
    assert rule.recheck
    assert rule.pattern["detail"] == {"eventName": ["StopLogging"], **pattern}


@pytest.mark.parametrize(("operator", "opposite"), [("<", [">=", 2]), ("=", ["<", 2]), (">=", ["<", 2])])
def test_a_comparison_is_negated_by_the_other_numbers_and_all_that_is_no_number(
    operator: str, opposite: list[Any]
) -> None:
    (rule,) = event_rules(detection(Not(Compares("requestParameters.n", operator, 2))))
    assert not rule.recheck
    leaf = rule.pattern["detail"]["requestParameters"]["n"]
    assert {"numeric": opposite} in leaf
    assert all(other in leaf for other in ({"prefix": ""}, True, False, None, {"exists": False}))
    with pytest.raises(DetectionError, match="negation of compares"):
        metric_filters(detection(Not(Compares("requestParameters.n", operator, 2))))


def test_a_wider_rule_never_says_which_decoys_there_are() -> None:
    twice = tuple(
        Placeholder("requestParameters.secretId", ("", ""), "decoys", ("", tail, "")) for tail in "ab"
    )
    filled = resolve(
        detection(All((Matches("eventName", Glob(("x",))), *twice))), [filling("decoys", ("D",))]
    )
    assert filled is not None
    with pytest.raises(DetectionError, match="E-EB-SAMEFIELD"):
        event_rules(filled)


def test_one_field_is_reduced_to_one_list() -> None:
    prefix_and_suffix = All((Matches("errorCode", Glob(("ab", ""))), Matches("errorCode", Glob(("", "bc")))))
    (rule,) = event_rules(detection(prefix_and_suffix))
    assert rule.pattern["detail"] == {"errorCode": ["abc", {"wildcard": "ab*bc"}]}
    but_not = All((Matches("eventName", Glob(("a", ""))), Not(Matches("eventName", Glob(("b",))))))
    (rule,) = event_rules(detection(but_not))
    assert rule.pattern["detail"] == {"eventName": [{"prefix": "a"}]}
    neither = Not(Either((Matches("errorCode", Glob(("a", ""))), Matches("errorCode", Glob(("", "b"))))))
    (rule,) = event_rules(detection(neither))
    assert {"exists": False} in rule.pattern["detail"]["errorCode"]
    assert {"anything-but": {"wildcard": ["*b", "a*"]}} in rule.pattern["detail"]["errorCode"]


def test_blocks_of_addresses() -> None:
    probe = detection(Within("sourceIPAddress", "10.0.0.0/9"))
    assert by_rules(probe, {"sourceIPAddress": "10.1.2.3"})
    assert not by_rules(probe, {"sourceIPAddress": "10.200.2.3"})
    assert not by_rules(probe, {"sourceIPAddress": "ec2.amazonaws.com"})


def test_alternatives_over_different_fields_are_one_rule() -> None:
    either = Either((Matches("errorCode", Glob(("a",))), Matches("errorMessage", Glob(("b",)))))
    (rule,) = event_rules(detection(All((Matches("eventName", Glob(("c",))), either))))
    assert rule.pattern["detail"] == {
        "eventName": ["c"],
        "$or": [{"errorCode": ["a"]}, {"errorMessage": ["b"]}],
    }


def test_wildcards_are_split_over_rules() -> None:
    names = tuple(f"Decoy{letter}" for letter in "ABCDE")
    unfilled = detection(Placeholder("requestParameters.secretId", ("", ":secret:"), "decoys", ("", "")))
    filled = resolve(unfilled, [filling("decoys", names)])
    assert filled is not None
    rules = event_rules(filled)
    assert [rule.name for rule in rules] == ["probe-1", "probe-2", "probe-3"]
    for name in names:
        assert by_rules(filled, {"requestParameters": {"secretId": f"arn:aws:x:secret:{name}-1"}})
    assert not by_rules(filled, {"requestParameters": {"secretId": "arn:aws:x:secret:Other"}})


def test_a_star_in_a_value_beside_a_star_of_the_rule_is_one_star() -> None:
    filled = resolve(
        detection(Placeholder("errorCode", ("",), "deployers", ("", ""))), [filling("deployers", ("a*",))]
    )
    assert filled is not None
    assert filled.condition == Matches("errorCode", Glob(("a", "")))
    assert event_rules(filled)[0].pattern["detail"] == {"errorCode": [{"prefix": "a"}]}


def test_many_decoys_fit_the_wildcard_quota() -> None:
    decoys = tuple(f"LedgerExportCredentials{letter}-" for letter in "ABCDEFGHIJKLMNOPQRST")
    unfilled = next(shipped for shipped in catalogue.load() if shipped.id == "decoy-touched")
    filled = resolve(unfilled, [filling("decoys", decoys)])
    assert filled is not None
    rules = event_rules(filled)
    assert len(rules) <= 30  # rules with wildcards on one bus
    for decoy in decoys:
        for parameters in (
            {"secretId": f"{decoy}x"},
            {"secretId": f"arn:aws:secretsmanager:x:1:secret:{decoy}x"},
        ):
            record = {"eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue"}
            assert by_rules(filled, {**record, "requestParameters": parameters})
            assert by_filters(filled, {**record, "requestParameters": parameters}, TRAIL_PREFIX)


def test_a_long_pattern_is_split_by_names_or_refused() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    either = Either(tuple(Matches("eventName", Glob((letter * 40,))) for letter in letters))
    probe = detection(either)
    assert len(metric_filters(probe)) > 1
    assert all(len(compiled.pattern) <= 1024 for compiled in metric_filters(probe))
    assert by_filters(probe, {"eventName": "z" * 40}, TRAIL_PREFIX)
    with pytest.raises(DetectionError, match="1024"):
        metric_filters(detection(either, threshold=Threshold(3, 300)))


def test_long_alternatives_that_exclude_each_other_become_rules() -> None:
    groups = Either(
        tuple(
            All((Matches("eventName", Glob((f"{letter}" * 900,))), Matches("errorCode", Glob((letter,)))))
            for letter in "abc"
        )
    )
    assert len(event_rules(detection(groups))) == 2
    overlapping = Either(
        tuple(
            All((Matches("errorCode", Glob((f"{letter}" * 900, ""))), Matches(field, Glob((letter,)))))
            for letter, field in (("a", "userAgent"), ("aa", "eventName"), ("aaa", "awsRegion"))
        )
    )
    with pytest.raises(DetectionError, match="fire together"):
        event_rules(detection(overlapping))


def test_a_log_group_takes_so_many_filters() -> None:
    plain = tuple(MetricFilter(f"f{number}", "{ $.a = 1 }", "probe") for number in range(100))
    check_log_group(plain)
    with pytest.raises(DetectionError, match=r"101 metric filters .*E-CW-GROUP-FULL"):
        check_log_group((*plain, MetricFilter("more", "{ $.a = 1 }", "probe")))
    with_regex = tuple(MetricFilter(f"f{number}", "{ $.a = %b% }", f"d{number}") for number in range(6))
    check_log_group(with_regex[:5])
    with pytest.raises(DetectionError, match=r"d0, d1, d2, d3, d4, d5 .*E-CW-REGEX-BUDGET"):
        check_log_group(with_regex)


def test_an_event_bus_takes_so_many_rules_and_fewer_with_wildcards() -> None:
    plain = EventRule("r", {"source": ["aws.ec2"]}, RuleState.ENABLED, "probe")
    check_event_bus([plain] * 297, "eu-west-1")
    with pytest.raises(DetectionError, match=r"298 rules .*E-EB-BUS-FULL"):
        check_event_bus([plain] * 298, "eu-west-1")
    check_event_bus([plain] * 97, "eu-south-1")
    with pytest.raises(DetectionError, match=r"98 rules .* in eu-south-1, and EventBridge leaves 97"):
        check_event_bus([plain] * 98, "eu-south-1")
    scarce = replace(plain, pattern={"detail": {"a": [{"wildcard": "a*b"}]}})
    check_event_bus([plain, *[scarce] * 30], "eu-west-1")
    with pytest.raises(DetectionError, match=r"31 rules .*probe \(31\).*E-EB-BUS-FULL"):
        check_event_bus(
            [*[scarce] * 30, replace(plain, pattern={"a": [{"anything-but": {"wildcard": "a*b"}}]})],
            "eu-west-1",
        )


def test_thresholds_have_no_rule() -> None:
    assert event_rules(detection(Matches("eventName", Glob(("a",))), threshold=Threshold(3, 300))) == ()


@pytest.mark.parametrize(
    ("condition", "state"),
    [
        (Matches("eventName", Glob(("GetSecretValue",))), RuleState.ENABLED_WITH_READS),
        (Matches("eventName", Glob(("GetSessionToken",))), RuleState.ENABLED),
        (Matches("eventName", Glob(("Put", ""))), RuleState.ENABLED),
        (Matches("eventName", Glob(("G", ""))), RuleState.ENABLED_WITH_READS),
        (Matches("eventName", Glob(("", "Policy"))), RuleState.ENABLED_WITH_READS),
        (Matches("errorCode", Glob(("x",))), RuleState.ENABLED_WITH_READS),
        (All((Matches("errorCode", Glob(("x",))), Flag("readOnly", False))), RuleState.ENABLED),
        (Not(Matches("eventName", Glob(("x",)))), RuleState.ENABLED_WITH_READS),
    ],
)
def test_reads_decide_the_state(condition: Condition, state: RuleState) -> None:
    (rule,) = event_rules(detection(condition))
    assert rule.state is state
