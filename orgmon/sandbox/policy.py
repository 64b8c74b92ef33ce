"""IAM policy documents: does a statement fit a request, and what does it say?

Pure functions. One evaluator for identity policies, resource policies, trust policies and boundaries.
Source: IAM user guide, "Policy evaluation logic" and "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from orgmon.sandbox.calls import Principal
from orgmon.sandbox.conditions import Context, as_list, holds, insert_variables, wildcard

Document = str | bytes | Mapping[str, Any]


class Decision(Enum):
    """What policies say about a request. NONE: no statement fits, so it is denied unless another policy allows."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    NONE = "NONE"


class Reach(Enum):
    """How a Principal element names somebody: not at all, as one of an account, or personally."""

    NOBODY = 0
    ACCOUNT = 1
    PERSON = 2


@dataclass(frozen=True)
class Request:
    """What is to be decided. ``principal`` None: the policy belongs to the principal. Context keys in lower case."""

    action: str
    resource: str
    principal: Principal | None = None
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """A decision. ``delegated``: it allows only the principal's whole account, which must itself allow him."""

    decision: Decision
    delegated: bool = False


def evaluate(document: Document, request: Request) -> Verdict:
    """What one policy document says. A document that is no JSON says nothing.

    Raises ValueError for a condition operator that IAM does not have.
    """
    reach = Reach.NOBODY
    for statement in statements(document):
        fitting = _fits(statement, request)
        if fitting is Reach.NOBODY:
            continue
        if statement.get("Effect") == "Deny":
            return Verdict(Decision.DENY)
        if reach is not Reach.PERSON:
            reach = fitting
    if reach is Reach.NOBODY:
        return Verdict(Decision.NONE)
    return Verdict(Decision.ALLOW, delegated=reach is Reach.ACCOUNT)


def combine(verdicts: Iterator[Verdict]) -> Decision:
    """The decision of several policies together: a Deny wins, then an Allow."""
    decisions = {verdict.decision for verdict in verdicts}
    for decision in (Decision.DENY, Decision.ALLOW):
        if decision in decisions:
            return decision
    return Decision.NONE


def statements(document: Document) -> tuple[Mapping[str, Any], ...]:
    """The statements of a document, given as JSON text or as a dictionary."""
    if isinstance(document, bytes):
        document = document.decode("utf-8", "replace")
    if isinstance(document, str):
        return _parsed(document)
    return tuple(as_list(document.get("Statement", [])))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> tuple[Mapping[str, Any], ...]:
    try:
        document = json.loads(text)
    except ValueError:
        return ()
    return tuple(as_list(document.get("Statement", []))) if isinstance(document, dict) else ()


def _fits(statement: Mapping[str, Any], request: Request) -> Reach:
    if not _action_fits(statement, request.action) or not _resource_fits(statement, request):
        return Reach.NOBODY
    reach = _principal_reach(statement, request.principal)
    if reach is Reach.NOBODY or not holds(statement.get("Condition") or {}, request.context):
        return Reach.NOBODY
    return reach


def _action_fits(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _any_action(statement["NotAction"], action)
    return _any_action(statement.get("Action", []), action)


def _any_action(patterns: Any, action: str) -> bool:
    return any(wildcard(pattern, ignore_case=True).fullmatch(action) for pattern in as_list(patterns))


def _resource_fits(statement: Mapping[str, Any], request: Request) -> bool:
    if "NotResource" in statement:
        return not _any_resource(statement["NotResource"], request)
    if "Resource" not in statement:
        return True
    return _any_resource(statement["Resource"], request)


def _any_resource(patterns: Any, request: Request) -> bool:
    return any(
        wildcard(insert_variables(pattern, request.context)).fullmatch(request.resource)
        for pattern in as_list(patterns)
    )


def _principal_reach(statement: Mapping[str, Any], principal: Principal | None) -> Reach:
    if principal is None:
        return Reach.PERSON
    if "NotPrincipal" in statement:
        named = _reach(statement["NotPrincipal"], principal)
        return Reach.PERSON if named is Reach.NOBODY else Reach.NOBODY
    return _reach(statement.get("Principal"), principal)


def _reach(element: Any, principal: Principal) -> Reach:
    if element == "*":
        return Reach.PERSON
    if not isinstance(element, Mapping):
        return Reach.NOBODY
    if principal.kind == "service":
        is_named = principal.service in as_list(element.get("Service", []))
        return Reach.PERSON if is_named or "*" in as_list(element.get("AWS", [])) else Reach.NOBODY
    reaches = [_reach_of_name(str(name), principal) for name in as_list(element.get("AWS", []))]
    return max(reaches, key=lambda reach: reach.value, default=Reach.NOBODY)


def _reach_of_name(name: str, principal: Principal) -> Reach:
    if name == "*" or name in _names_of(principal):
        return Reach.PERSON
    if not principal.account:
        return Reach.NOBODY
    account = name if re.fullmatch(r"\d{12}", name) else _account_of_root(name)
    if account != principal.account:
        return Reach.NOBODY
    return Reach.PERSON if principal.kind == "root" else Reach.ACCOUNT


def _names_of(principal: Principal) -> set[str]:
    return {name for name in (principal.arn, principal.role_arn) if name}


def _account_of_root(name: str) -> str:
    match = re.fullmatch(r"arn:[^:]+:iam::(\d{12}):root", name)
    return match[1] if match else ""
