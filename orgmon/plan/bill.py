"""What of a template is charged for, in one account and Region: the resources whose condition holds there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.stackset import Parameters, TemplateBody

Members = Mapping[str, Any]


@dataclass(frozen=True)
class Bill:
    """How many there are of each. ``busy_metrics`` have data in every hour, because their filter has a default.

    ``forwards`` is 1 where rules send events to another account's bus and keep them in a log group, ``records`` where
    a trail fills one.
    """

    alarms: int = 0
    metrics: int = 0
    busy_metrics: int = 0
    keys: int = 0
    secrets: int = 0
    forwards: int = 0
    records: int = 0


def bill(template: TemplateBody, parameters: Parameters, region: str) -> Bill:
    """What a stack of that template is charged for in a Region."""
    content: Members = template.content
    there = list(_there(content, {**dict(parameters), "AWS::Region": region}))
    kinds = [resource["Type"] for resource in there]
    metrics = _metrics(there)
    targets = json.dumps([_of(one).get("Targets") for one in there if one["Type"] == "AWS::Events::Rule"])
    return Bill(
        alarms=kinds.count("AWS::CloudWatch::Alarm"),
        metrics=list(metrics.values()).count(False),
        busy_metrics=list(metrics.values()).count(True),
        keys=kinds.count("AWS::KMS::Key"),
        secrets=kinds.count("AWS::SecretsManager::Secret"),
        forwards=int(":event-bus/" in targets and ":log-group:" in targets),
        records=sum("CloudWatchLogsLogGroupArn" in _of(one) for one in there),
    )


def _of(resource: Members) -> Members:
    properties = resource.get("Properties")
    return properties if isinstance(properties, dict) else {}


def _metrics(resources: list[Members]) -> dict[tuple[str, str], bool]:
    """The metrics of filters, several of which may fill one, and whether one always has data."""
    found: dict[tuple[str, str], bool] = {}
    for resource in resources:
        if resource["Type"] == "AWS::Logs::MetricFilter":
            for made in _of(resource).get("MetricTransformations", []):
                name = str(made.get("MetricNamespace")), str(made.get("MetricName"))
                found[name] = found.get(name, False) or "DefaultValue" in made
    return found


def _there(content: Members, values: Mapping[str, str]) -> Iterator[Members]:
    resources = content.get("Resources")
    for resource in resources.values() if isinstance(resources, dict) else ():
        if _holds(content, resource.get("Condition"), values):
            yield resource


def _holds(content: Members, condition: str | None, values: Mapping[str, str]) -> bool:
    """Does a condition hold? One that is not understood counts as holding: better too much than too little."""
    declared = content.get("Conditions", {}).get(condition) if condition else None
    if not isinstance(declared, dict) or "Fn::Equals" not in declared:
        return True
    first, second = (_value(content, side, values) for side in declared["Fn::Equals"])
    return first is None or second is None or first == second


def _value(content: Members, side: Any, values: Mapping[str, str]) -> str | None:
    """What one side of a comparison is; None where that is not known."""
    if isinstance(side, str):
        return side
    if not isinstance(side, dict):
        return None
    if "Ref" in side:
        return values.get(side["Ref"])
    if "Fn::FindInMap" in side:
        name, *keys = (_value(content, part, values) for part in side["Fn::FindInMap"])
        found: Any = content.get("Mappings", {}).get(name, {})
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, str) else None
    return None
