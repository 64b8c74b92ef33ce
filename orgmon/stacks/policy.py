"""Policy documents with awacs: short words for the statements that our stacks are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from awacs.aws import Action, Allow, Condition, ConditionElement, Deny, PolicyDocument, Principal, Statement
from troposphere import Sub

ACCOUNT_ROOT = Principal("AWS", [Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")])
EVERYBODY = Principal("*")


def service(*names: str) -> Principal:
    """The principal of one or more AWS services, e.g. ``events`` for events.amazonaws.com."""
    return Principal("Service", [f"{name}.amazonaws.com" for name in names])


def account_root(account: Any) -> Principal:
    """Everybody in an account whom the account's own policies allow."""
    return Principal("AWS", [Sub(f"arn:${{AWS::Partition}}:iam::{account}:root")])


def actions(service_prefix: str, *names: str) -> list[Action]:
    """Actions of one service; names may end with ``*``."""
    return [Action(service_prefix, name) for name in names]


def statement(
    sid: str,
    allowed: list[Action],
    resources: Iterable[Any],
    principal: Principal | None = None,
    conditions: Iterable[ConditionElement] = (),
    effect: str = Allow,
) -> Statement:
    """One statement of a policy; with a principal it is for a resource policy."""
    parts: dict[str, Any] = {"Sid": sid, "Effect": effect, "Action": allowed, "Resource": list(resources)}
    if principal is not None:
        parts["Principal"] = principal
    if merged := _merged(conditions):
        parts["Condition"] = Condition(merged)
    return Statement(**parts)


def _merged(conditions: Iterable[ConditionElement]) -> list[ConditionElement]:
    """One element an operator: awacs keeps only the last of several with the same."""
    by_operator: dict[type[ConditionElement], dict[str, Any]] = {}
    for condition in conditions:
        by_operator.setdefault(type(condition), {}).update(condition.get_dict())
    return [operator(tests) for operator, tests in by_operator.items()]


def deny(
    sid: str, forbidden: list[Action], resources: Iterable[Any], conditions: Iterable[ConditionElement]
) -> Statement:
    """A statement that forbids something to everybody under conditions."""
    return statement(sid, forbidden, resources, EVERYBODY, conditions, effect=Deny)


def document(*statements: Statement) -> PolicyDocument:
    """A policy document of these statements."""
    return PolicyDocument(Version="2012-10-17", Statement=list(statements))


def trust(principal: Principal, *conditions: ConditionElement) -> PolicyDocument:
    """The trust policy of a role."""
    parts: dict[str, Any] = {"Effect": Allow, "Action": [Action("sts", "AssumeRole")], "Principal": principal}
    if merged := _merged(conditions):
        parts["Condition"] = Condition(merged)
    return PolicyDocument(Version="2012-10-17", Statement=[Statement(**parts)])
