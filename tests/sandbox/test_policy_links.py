"""Which condition keys a service passes on: call by call, and both ways where the sources leave it open."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from orgmon.sandbox.policies.links import ACCOUNT, ARN, LINKS, ORGANIZATION, OWNER, Link, LinkKeys, Source
from orgmon.sandbox.policies.switches import QUESTIONS, Switch, Switches

RULE = Source("arn:aws:events:eu-west-1:111111111111:rule/r", "111111111111")


class Members:
    """An organization of one account."""

    def organization_of(self, account: str) -> str | None:
        """Of everybody else nothing is known."""
        return "o-abcdefghij" if account == RULE.account else None


def keys(flipped: Iterable[Switch] = ()) -> LinkKeys:
    """The links of an AWS in which some open questions stand otherwise."""
    return LinkKeys(Switches(flipped), Members())


@pytest.mark.parametrize(
    ("service", "action", "kind", "sent"),
    [
        ("events", "logs:CreateLogStream", "log-group", set()),
        ("events", "logs:PutLogEvents", "log-group", {ARN}),
        ("events", "kms:Decrypt", "topic", set()),
        ("events", "kms:Decrypt", "queue", {ARN, ACCOUNT, ORGANIZATION}),
        ("events", "sns:Publish", "topic", set()),
        ("events", "lambda:InvokeFunction", "function", {ARN}),
        ("events", "sqs:SendMessage", "queue", {ARN, ACCOUNT, ORGANIZATION}),
        ("cloudwatch", "sns:Publish", "topic", {ARN, ACCOUNT, OWNER, ORGANIZATION}),
        ("cloudtrail", "sts:AssumeRole", "role", set()),
        ("lambda", "sts:AssumeRole", "role", set()),
        ("sns", "sqs:SendMessage", "queue", {ARN}),
    ],
)
def test_each_call_carries_what_its_integration_sends(
    service: str, action: str, kind: str, sent: set[str]
) -> None:
    assert keys().of(service, action, kind, RULE).keys() == sent


def test_a_call_that_nobody_looked_up_carries_nothing_and_is_noted() -> None:
    links = keys()
    assert links.of("events", "firehose:PutRecord", "stream", RULE) == {}
    assert links.undecided == {("events", "firehose:PutRecord", "stream")}


def test_the_organization_is_told_where_the_account_is_and_only_of_members() -> None:
    call = ("events", "sqs:SendMessage", "queue")
    assert keys().of(*call, RULE)[ORGANIZATION] == "o-abcdefghij"
    assert ORGANIZATION not in keys().of(*call, Source(RULE.arn, "222222222222"))
    assert ORGANIZATION not in keys([Switch.SOURCE_ORGANIZATION]).of(*call, RULE)


@pytest.mark.parametrize(
    "link",
    [link for link in LINKS.values() if link.open],
    ids=lambda link: f"{link.service} {link.action} {link.kind}",
)
def test_an_open_question_changes_its_own_link_both_ways(link: Link) -> None:
    assert link.open is not None
    switch, more = link.open
    call = (link.service, link.action, link.kind)
    by_default, flipped = keys().of(*call, RULE), keys([switch]).of(*call, RULE)
    with_more, without = (by_default, flipped) if QUESTIONS[switch].default else (flipped, by_default)
    assert with_more.keys() - {ORGANIZATION} == more
    assert without == {}


def test_a_switch_is_turned_while_the_sandbox_runs() -> None:
    switches = Switches()
    for on in (False, True):
        switches.turn(Switch.RULE_ROLE_SOURCE, on)
        assert switches.is_on(Switch.RULE_ROLE_SOURCE) is on


def test_a_name_that_is_no_switch_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="no switch nonsense; there are rule-role-source, "):
        Switches().control({}, {"name": "nonsense", "on": True})
