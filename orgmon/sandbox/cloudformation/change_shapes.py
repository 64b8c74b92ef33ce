"""The changes of a change set as DescribeChangeSet shows them, with or without the values of properties.

Sources: API reference, ResourceChange, ResourceChangeDetail, ResourceTargetDefinition; answers that were recorded in
public test suites. Values are told of whole properties: AWS also names the path within one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from orgmon.sandbox.cloudformation.shapes import set_only
from orgmon.sandbox.cloudformation.stack import Change, Detail


def changes_told(changes: Sequence[Change], *, with_values: bool) -> list[Change]:
    """The changes that are told: with values, only those that are known to change something."""
    return [change for change in changes if not (with_values and change.is_open)]


def change_shape(change: Change, *, with_values: bool) -> dict[str, Any]:
    """One change of a change set."""
    told = [each for each in change.details if not (each.without_values if with_values else each.with_values)]
    body = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "PhysicalResourceId": change.physical_id,
        "ResourceType": change.type,
        "Replacement": change.replacement,
        "PolicyAction": change.policy_action,
        "Scope": list(change.scope),
        "Details": [_detail_shape(detail, with_values=with_values) for detail in told],
    }
    if with_values:
        body |= {"BeforeContext": _context(change.before), "AfterContext": _context(change.after)}
    return {"Type": "Resource", "ResourceChange": set_only(body)}


def _context(properties: dict[str, Any] | None) -> str:
    return "" if properties is None else json.dumps({"Properties": properties})


def _detail_shape(detail: Detail, *, with_values: bool) -> dict[str, Any]:
    target: dict[str, Any] = {
        "Attribute": detail.attribute,
        "Name": detail.name,
        "RequiresRecreation": detail.recreation or "Never",
    }
    if with_values:
        target |= {
            "Path": f"/{detail.attribute}/{detail.name}" if detail.name else f"/{detail.attribute}",
            "BeforeValue": _text(detail.before),
            "AfterValue": _text(detail.after),
            "AttributeChangeType": _kind(detail),
        }
    members = {
        "Target": set_only(target),
        "Evaluation": "Static" if detail.is_static else "Dynamic",
        "ChangeSource": detail.source,
        "CausingEntity": detail.cause,
    }
    return set_only(members)


def _kind(detail: Detail) -> str:
    if detail.before is None:
        return "Add"
    return "Remove" if detail.after is None else "Modify"


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
