"""What a service control policy or resource control policy may say.

Sources: Organizations user guide, "SCP syntax" and "RCP syntax" (only Deny, only Principal ``*``, no NotAction, no
action ``*`` by itself), "Quotas and service limits", "List of AWS services that support RCPs"; since May 2026 SCPs
may have 10,240 characters, and ten may be attached to one target. The texts are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.conditions import as_list, is_operator

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
# Services whose resources RCPs protect.
PROTECTED = frozenset(
    {
        "aoss",
        "cognito-identity",
        "cognito-idp",
        "dynamodb",
        "ecr",
        "kms",
        "logs",
        "s3",
        "secretsmanager",
        "sqs",
        "sts",
    }
)
_MEMBERS = frozenset(
    {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)


@dataclass(frozen=True)
class Limits:
    """How many characters a policy of a type may have, how many one target and the organization."""

    size: int
    attached: int
    policies: int


LIMITS = {SCP: Limits(10_240, 10, 10_000), RCP: Limits(5_120, 5, 1_000)}


def check_content(kind: str, content: str) -> None:
    """Raises Refusal for a document that is too long, or is no policy of this type."""
    if len(content.encode()) > LIMITS[kind].size:
        text = "You have exceeded the maximum policy size."
        raise Refusal(
            "ConstraintViolationException", text, details={"Reason": "POLICY_CONTENT_LIMIT_EXCEEDED"}
        )
    document = _object(content)
    if document.get("Version") != "2012-10-17":
        raise _malformed('its Version must be "2012-10-17"')
    found = as_list(document.get("Statement", []))
    if not found or set(document) - {"Version", "Id", "Statement"}:
        raise _malformed("it must have a Version and a Statement")
    for statement in found:
        _check_statement(kind, statement)


def _object(content: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise _malformed("it must be one JSON object")
    return document


def _check_statement(kind: str, statement: Any) -> None:
    if not isinstance(statement, dict) or set(statement) - _MEMBERS:
        raise _malformed(f"a statement can have {', '.join(sorted(_MEMBERS))}")
    for one, other in (("Action", "NotAction"), ("Resource", "NotResource")):
        if (one in statement) is (other in statement):
            raise _malformed(f"a statement must have either {one} or {other}")
    for name, tests in (statement.get("Condition") or {}).items():
        if not is_operator(name) or not isinstance(tests, dict):
            raise _malformed(f"{name} is no condition operator")
    if kind == SCP:
        _check_service_control(statement)
    else:
        _check_resource_control(statement)


def _check_service_control(statement: Mapping[str, Any]) -> None:
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed("its Effect must be Allow or Deny")
    if "Principal" in statement:
        raise _malformed("a service control policy has no Principal")


def _check_resource_control(statement: Mapping[str, Any]) -> None:
    if statement.get("Effect") != "Deny":
        raise _malformed("the Effect of a resource control policy must be Deny")
    if statement.get("Principal") != "*":
        raise _malformed('the Principal of a resource control policy must be "*"')
    for action in as_list(statement.get("Action", [])):
        if str(action).partition(":")[0] not in PROTECTED:
            raise _malformed(f"resource control policies do not support the action {action}")
    if "NotAction" in statement:
        raise _malformed("a resource control policy has no NotAction")


def _malformed(why: str) -> Refusal:
    text = "The provided policy document does not meet the requirements of the specified policy type"
    return Refusal("MalformedPolicyDocumentException", f"{text}: {why}.")
