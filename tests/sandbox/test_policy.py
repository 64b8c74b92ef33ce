"""Policy documents: who, what, where, and under which conditions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon.sandbox.calls import ANONYMOUS, Principal, role_session, root_of, service_principal
from orgmon.sandbox.conditions import arn_like, holds, like
from orgmon.sandbox.policy import Decision, Request, Verdict, evaluate

A, B = "111111111111", "222222222222"
ROLE = role_session(f"arn:aws:iam::{A}:role/orgmon/deployer", "me")
USER = Principal("user", A, f"arn:aws:iam::{A}:user/alice", "alice")
EVENTS = service_principal("events.amazonaws.com", A)

ALLOW, DENY, NONE = Decision.ALLOW, Decision.DENY, Decision.NONE


def allow(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **parts}


def decide(*statements: dict[str, Any], principal: Principal | None = None, **context: Any) -> Verdict:
    request = Request("s3:GetObject", "arn:aws:s3:::bucket/key", principal, context.pop("context", {}))
    return evaluate({"Statement": list(statements)}, request)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow(), ALLOW),
        (allow(Action="S3:getobject"), ALLOW),
        (allow(Action=["s3:Put*", "s3:Get*"]), ALLOW),
        (allow(Action="s3:GetObjec?"), ALLOW),
        (allow(Action="*"), ALLOW),
        (allow(Action="s3:GetObjectAcl"), NONE),
        (allow(Action="s3:GetObj"), NONE),
        (allow(Resource="arn:aws:s3:::bucket/*"), ALLOW),
        (allow(Resource="arn:aws:s3:::BUCKET/*"), NONE),
        (allow(Resource=["arn:aws:s3:::other/*", "arn:aws:s3:::buck?t/key"]), ALLOW),
        (allow(Resource="arn:aws:s3:::bucket"), NONE),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, ALLOW),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, NONE),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::bucket/*"}, NONE),
        ({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}, ALLOW),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, DENY),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], expected: Decision) -> None:
    assert decide(statement).decision is expected


@pytest.mark.parametrize(
    ("element", "principal", "expected"),
    [
        ("*", ROLE, Verdict(ALLOW)),
        ("*", ANONYMOUS, Verdict(ALLOW)),
        ({"AWS": "*"}, EVENTS, Verdict(ALLOW)),
        ({"AWS": A}, ROLE, Verdict(ALLOW, delegated=True)),
        ({"AWS": f"arn:aws:iam::{A}:root"}, USER, Verdict(ALLOW, delegated=True)),
        ({"AWS": f"arn:aws:iam::{A}:root"}, root_of(A), Verdict(ALLOW)),
        ({"AWS": f"arn:aws:iam::{B}:root"}, USER, Verdict(NONE)),
        ({"AWS": ROLE.role_arn}, ROLE, Verdict(ALLOW)),
        ({"AWS": ROLE.arn}, ROLE, Verdict(ALLOW)),
        ({"AWS": f"arn:aws:iam::{A}:role/deployer"}, ROLE, Verdict(NONE)),
        ({"AWS": [B, USER.arn]}, USER, Verdict(ALLOW)),
        ({"AWS": f"arn:aws:iam::{A}:user/*"}, USER, Verdict(NONE)),
        ({"Service": "events.amazonaws.com"}, EVENTS, Verdict(ALLOW)),
        ({"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}, EVENTS, Verdict(ALLOW)),
        ({"Service": "sns.amazonaws.com"}, EVENTS, Verdict(NONE)),
        ({"Service": "events.amazonaws.com"}, ROLE, Verdict(NONE)),
        ({"AWS": A}, EVENTS, Verdict(NONE)),
    ],
)
def test_principals(element: Any, principal: Principal, expected: Verdict) -> None:
    assert decide(allow(Principal=element), principal=principal) == expected


def test_a_statement_without_principal_is_for_nobody_in_a_resource_policy() -> None:
    assert decide(allow(), principal=USER).decision is NONE


def test_not_principal_with_deny_spares_the_named() -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": [USER.arn]}}
    assert decide(allow(Principal="*"), deny, principal=USER).decision is ALLOW
    assert decide(allow(Principal="*"), deny, principal=ROLE).decision is DENY


@pytest.mark.parametrize(
    ("block", "context", "expected"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {"aws:principalorgid": "o-1"}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {"aws:principalorgid": "o-2"}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, {}, False),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, {}, True),
        ({"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ({"StringEquals": {"k": "A"}}, {"k": "a"}, False),
        ({"StringEqualsIgnoreCase": {"k": "A"}}, {"k": "a"}, True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "b"}, False),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"k": "c"}, True),
        ({"StringNotEquals": {"k": "a"}}, {}, True),
        ({"StringLike": {"k": "arn:*/x?"}}, {"k": "arn:aws:y/x1"}, True),
        ({"StringNotLike": {"k": "a*"}}, {"k": "b"}, True),
        (
            {"ArnLike": {"k": "arn:aws:iam::*:role/stacksets-exec-*"}},
            {"k": "arn:aws:iam::1:role/stacksets-exec-9"},
            True,
        ),
        ({"ArnLike": {"k": "arn:aws:*:role/x"}}, {"k": "arn:aws:iam::1:role/x"}, False),
        ({"ArnEquals": {"k": "arn:aws:sns:*:1:t"}}, {"k": "arn:aws:sns:eu-west-1:1:t"}, True),
        ({"ArnNotLike": {"k": "arn:aws:iam::1:role/*"}}, {"k": "arn:aws:iam::2:role/x"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "true"}, False),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws:securetransport": "false"}, True),
        ({"Null": {"k": "true"}}, {}, True),
        ({"Null": {"k": "true"}}, {"k": "x"}, False),
        ({"Null": {"k": False}}, {"k": "x"}, True),
        ({"NumericLessThanEquals": {"k": "10"}}, {"k": 10}, True),
        ({"NumericGreaterThan": {"k": "10"}}, {"k": 10}, False),
        ({"NumericNotEquals": {"k": 1}}, {"k": "2"}, True),
        ({"NumericEquals": {"k": 1}}, {"k": "one"}, False),
        ({"DateLessThan": {"k": "2027-01-01T00:00:00Z"}}, {"k": "2026-01-01T00:00:00Z"}, True),
        ({"DateLessThan": {"k": "someday"}}, {"k": "2026-01-01T00:00:00Z"}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws:sourceip": "10.2.3.4"}, True),
        ({"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}, {"aws:sourceip": "10.2.3.4"}, False),
        (
            {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
            {"aws:sourceip": "cloudformation.amazonaws.com"},
            False,
        ),
        ({"ForAnyValue:StringEquals": {"k": ["a", "b"]}}, {"k": ["x", "b"]}, True),
        ({"ForAnyValue:StringEquals": {"k": ["a"]}}, {}, False),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {"k": ["a", "x"]}, False),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, {}, True),
        ({"ForAnyValue:StringLike": {"k": "o-1/r-1/ou-1/*"}}, {"k": ["o-1/r-1/ou-1/ou-2/"]}, True),
        ({"StringEquals": {"a": "1", "b": "2"}}, {"a": "1", "b": "3"}, False),
        ({"StringEquals": {"a": "1"}, "Bool": {"b": "true"}}, {"a": "1", "b": "true"}, True),
        (
            {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}},
            {"aws:sourceaccount": "1", "aws:principalaccount": "1"},
            True,
        ),
    ],
)
def test_conditions(block: dict[str, Any], context: dict[str, Any], expected: bool) -> None:
    assert holds(block, context) is expected


def test_an_unknown_operator_is_an_error_and_not_a_yes() -> None:
    with pytest.raises(ValueError, match="StringMatches"):
        holds({"StringMatches": {"k": "v"}}, {"k": "v"})


def test_variables_stand_for_values_in_resources() -> None:
    statement = allow(Resource="arn:aws:s3:::bucket/${aws:username}")
    assert decide(statement, context={"aws:username": "key"}).decision is ALLOW
    assert decide(statement).decision is NONE


def test_documents_may_be_text_bytes_or_nonsense() -> None:
    text = json.dumps({"Statement": allow()})
    request = Request("s3:GetObject", "x")
    assert evaluate(text, request).decision is ALLOW
    assert evaluate(text.encode(), request).decision is ALLOW
    assert evaluate("{", request).decision is NONE
    assert evaluate("[]", request).decision is NONE


STATEMENTS = st.lists(
    st.builds(
        lambda effect, action, condition: {
            "Effect": effect,
            "Action": action,
            "Resource": "*",
            **({"Condition": {"StringEquals": {"k": condition}}} if condition else {}),
        },
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["s3:GetObject", "s3:*", "s3:PutObject", "*"]),
        st.sampled_from(["", "yes", "no"]),
    )
)


@given(STATEMENTS, st.permutations(range(3)))
def test_the_order_of_statements_does_not_matter(statements: list[dict[str, Any]], order: list[int]) -> None:
    shuffled = [statement for rank in order for statement in statements[rank::3]]
    assert decide(*statements, context={"k": "yes"}) == decide(*shuffled, context={"k": "yes"})


@given(STATEMENTS)
def test_a_deny_cannot_be_allowed_away(statements: list[dict[str, Any]]) -> None:
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    assert decide(*statements, deny).decision is DENY


@given(st.text(alphabet="ab*?:/", max_size=8), st.text(alphabet="ab:/", max_size=8))
def test_a_star_is_the_widest_pattern(pattern: str, value: str) -> None:
    assert like(value, "*")
    assert like(value, value)
    assert like(value, f"{pattern}*") or not like(value, pattern)


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=3), min_size=6, max_size=6))
def test_arns_are_compared_part_by_part(parts: list[str]) -> None:
    arn = ":".join(parts)
    assert arn_like(arn, arn)
    assert not arn_like(arn, "*")
    assert arn_like(arn, ":".join("*" * 6))
