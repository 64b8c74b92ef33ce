"""Prints docs/conditions.md: every condition in the policies of our templates, why it is there, and AWS's page for it.

A condition without a reason here stops the page, and so does a reason without a condition. Run by `make docs`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.stacks.definition import Inputs
from orgmon.stacks.table import STACKS


@dataclass(frozen=True)
class Reason:
    """Why a condition is there, and the page of AWS's documentation that shows it."""

    text: str
    source: str


@dataclass(frozen=True)
class Found:
    """One test of one statement: ``StringEquals`` on a key. ``statement`` is the Sid, or the resource's own trust."""

    stack: str
    resource: str
    kind: str
    statement: str
    principals: tuple[str, ...]
    actions: tuple[str, ...]
    operator: str
    key: str
    value: str


_TRAIL_BUCKET = "CloudTrail user guide: create-s3-bucket-policy-for-cloudtrail"
_TRAIL_KEY = "CloudTrail user guide: create-kms-key-policy-for-cloudtrail"
_ALARMS = "CloudWatch user guide: US_SetupSNS; SNS developer guide: sns-access-policy-use-cases"
_RULES = "EventBridge user guide: eb-use-resource-based"
_IAM_KEYS = "IAM user guide: reference_policies_condition-keys"
_OUR_TRAIL = "Only the organization's own trail, not another account's that knows the name."
_PRESENT = "Sent where AWS sends it; without it the statement has to hold all the same."
_OF_THE_ACCOUNT = Reason(
    f"Rules of this account. AWS's own roles for targets have no condition. {_PRESENT}",
    "EventBridge user guide: cross-service-confused-deputy-prevention",
)

REASONS: Mapping[tuple[str, str], Reason] = {
    ("OrganizationReads", "aws:PrincipalOrgID"): Reason(
        "Members' roles read the templates of their own stacks; nobody outside of the organization does.",
        _IAM_KEYS,
    ),
    ("EncryptedTransportOnly", "aws:SecureTransport"): Reason(
        "Plain HTTP is refused.", "S3 user guide: security-best-practices"
    ),
    ("AdministrationRole", "aws:SourceAccount"): Reason(
        "Only stack sets of this account use the role.",
        "CloudFormation user guide: stacksets-prereqs-self-managed, set up global keys",
    ),
    ("ExecutionRole", "aws:PrincipalArn"): Reason(
        "Only the administration role. The account is the principal: a role that is named has to exist before.",
        "IAM user guide: reference_policies_elements_principal",
    ),
    ("TrailEncrypts", "aws:SourceArn"): Reason(_OUR_TRAIL, _TRAIL_KEY),
    ("TrailEncrypts", "kms:EncryptionContext:aws:cloudtrail:arn"): Reason(
        "Only for log files of this account's trails.", _TRAIL_KEY
    ),
    ("TrailDescribes", "aws:SourceArn"): Reason(
        "A statement of its own: DescribeKey has no encryption context.", _TRAIL_KEY
    ),
    ("TrailDecrypts", "aws:SourceArn"): Reason(
        f"Needed for a bucket with an S3 Bucket Key. AWS's guides show it with this key and without. {_PRESENT}",
        _TRAIL_KEY,
    ),
    ("TrailChecks", "aws:SourceArn"): Reason(_OUR_TRAIL, _TRAIL_BUCKET),
    ("TrailWrites", "aws:SourceArn"): Reason(_OUR_TRAIL, _TRAIL_BUCKET),
    ("TrailWrites", "s3:x-amz-acl"): Reason("The bucket's owner owns the log files.", _TRAIL_BUCKET),
    ("AlarmsPublish", "aws:SourceAccount"): Reason(
        "Alarms of the management and the security account, and of no other.", _ALARMS
    ),
    ("AlarmsPublish", "aws:SourceArn"): Reason("Alarms, and nothing else of CloudWatch.", _ALARMS),
    ("RulesSend", "aws:SourceAccount"): Reason(
        f"Sent for queues, not for topics. {_PRESENT}",
        "SQS developer guide: sqs-key-management; SNS developer guide: sns-key-management",
    ),
    ("BusPolicy", "aws:PrincipalOrgID"): Reason(
        "Roles of the organization only.", "EventBridge user guide: eb-event-bus-perms"
    ),
    ("BusPolicy", "aws:PrincipalArn"): Reason(
        "The forwarding roles only: the ARN of the role with its path, not of its session.", _IAM_KEYS
    ),
    ("RulesOfTheBus", "aws:SourceArn"): Reason("Rules of the hub's bus only.", _RULES),
    ("TheTopic", "aws:SourceArn"): Reason(
        "The audit topic only.", "SNS developer guide: sns-send-message-to-sqs-cross-account"
    ),
    ("RulesOfTheOrganization", "aws:SourceOrgID"): Reason(
        f"Not documented for dead letters, and what this queue refuses is lost for good. {_PRESENT}",
        _IAM_KEYS,
    ),
    ("RulesOfTheOrganization", "aws:SourceArn"): Reason(
        "Our rules in any account.", "EventBridge user guide: eb-rule-dlq"
    ),
    ("ForwardRole", "aws:SourceAccount"): _OF_THE_ACCOUNT,
    ("EdgeForwardRole", "aws:SourceAccount"): _OF_THE_ACCOUNT,
    ("RulesWrite", "aws:SourceAccount"): Reason(
        f"Rules of this account, with PutLogEvents only: CreateLogStream carries no key. {_PRESENT}",
        "API reference, CloudWatch Logs: PutResourcePolicy",
    ),
}


def found(inputs: Inputs) -> Iterator[Found]:
    """All conditions of all templates, in the order of the table of stacks."""
    for definition in STACKS:
        resources: dict[str, Any] = definition.build(inputs).to_dict()["Resources"]
        for title, resource in resources.items():
            for statement in statements(resource):
                yield from _tests(definition.name, title, str(resource["Type"]), statement)


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Every policy statement within a piece of a template."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for inner in value.values():
            yield from statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statements(inner)


def _tests(stack: str, resource: str, kind: str, statement: dict[str, Any]) -> Iterator[Found]:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    for operator, tests in statement.get("Condition", {}).items():
        for key, value in tests.items():
            yield Found(
                stack,
                resource,
                kind,
                statement.get("Sid") or resource,
                tuple(_listed(services)),
                tuple(_listed(statement["Action"])),
                operator,
                key,
                _shown(value),
            )


def _listed(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    if isinstance(value, dict):
        ((_, inner),) = value.items()
        return inner if isinstance(inner, str) else json.dumps(inner)
    return str(value)


def page(inputs: Inputs) -> str:
    """The page as Markdown. Raises ValueError where conditions and reasons do not fit together."""
    rows: dict[tuple[str, str, str, str, str], list[str]] = {}
    for each in found(inputs):
        row = (each.stack, each.statement, each.operator, each.key, each.value)
        rows.setdefault(row, []).append(each.resource)
    known = {(statement, key) for _, statement, _, key, _ in rows}
    if known != REASONS.keys():
        raise ValueError(f"reasons and conditions differ in {sorted(known ^ REASONS.keys())}")
    lines = [
        "# Conditions in the policies of our templates",
        "",
        "A condition on a key that AWS does not send never holds. So each one here has a reason and a page of AWS's.",
        "`...IfExists` also holds where the key is not sent. Made by `make docs`.",
    ]
    stack = ""
    for (name, statement, operator, key, value), resources in rows.items():
        if name != stack:
            stack = name
            lines += ["", f"## {name}", "", "| Statement | Condition | Why | Source |", "|---|---|---|---|"]
        reason = REASONS[statement, key]
        where = statement if statement in resources else f"{statement} of {', '.join(resources)}"
        lines.append(f"| {where} | `{operator}` `{key}`: `{value}` | {reason.text} | {reason.source} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from pathlib import Path

    from orgmon.config.load import load
    from orgmon.desired.inputs import inputs
    from orgmon.desired.rules import detections_of

    path = Path("accounts.yaml")
    config = load(path)
    print(page(inputs(config, detections_of(config, path))), end="")
