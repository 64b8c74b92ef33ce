"""Policy documents with awacs: short words for the statements that our stacks are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from awacs.aws import Action, Allow, Condition, Deny, PolicyDocument, Principal, Statement
from troposphere import Sub, encode_to_dict

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
    conditions: Iterable[Any] = (),
    effect: str = Allow,
) -> Statement:
    """One statement of a policy; with a principal it is for a resource policy."""
    parts: dict[str, Any] = {"Sid": sid, "Effect": effect, "Action": allowed, "Resource": list(resources)}
    if principal is not None:
        parts["Principal"] = principal
    if conditions := list(conditions):
        parts["Condition"] = Condition(conditions)
    return Statement(**parts)


def deny(sid: str, forbidden: list[Action], resources: Iterable[Any], conditions: Iterable[Any]) -> Statement:
    """A statement that forbids something to everybody under conditions."""
    return statement(sid, forbidden, resources, EVERYBODY, conditions, effect=Deny)


def document(*statements: Statement) -> PolicyDocument:
    """A policy document of these statements."""
    return PolicyDocument(Version="2012-10-17", Statement=list(statements))


def trust(principal: Principal, *conditions: Any) -> PolicyDocument:
    """The trust policy of a role."""
    parts: dict[str, Any] = {"Effect": Allow, "Action": [Action("sts", "AssumeRole")], "Principal": principal}
    if conditions:
        parts["Condition"] = Condition(list(conditions))
    return PolicyDocument(Version="2012-10-17", Statement=[Statement(**parts)])


def as_text(policy: PolicyDocument) -> object:
    """A policy for the properties that want JSON text: intrinsic functions are kept by ``Fn::Sub``.

    ``Ref`` and ``GetAtt`` inside become ``${...}``; literal dollar signs do not occur in policies of ours.
    """
    return Sub(json.dumps(_inline(encode_to_dict(policy)), separators=(",", ":"), sort_keys=True))


def _inline(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return f"${{{value['Ref']}}}"
        if set(value) == {"Fn::GetAtt"}:
            return "${" + ".".join(value["Fn::GetAtt"]) + "}"
        if set(value) == {"Fn::Sub"}:
            return value["Fn::Sub"]
        return {key: _inline(item) for key, item in value.items()}
    return [_inline(item) for item in value] if isinstance(value, list) else value
