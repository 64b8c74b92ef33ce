"""What an EventBridge target gets: the event, a part of it, a constant, or a text made from a template.

Sources: EventBridge user guide, "Input transformation": a variable whose path is absent is empty; text is put in
without escaping, but an object or array within a string loses its quotes; ``<aws.events.event.json>`` and
``<aws.events.event>`` stand for JSON values. Outputs and refusals of AWS are recorded in LocalStack's public tests
(tests/aws/services/events/test_events_inputs): the event without its detail spells ``detailType``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orgmon.sandbox.signals.losses import INVALID_JSON, Undeliverable

_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_TOKEN = re.compile(r'<([^<>\s"]+)>|\\.|"')
_ABSENT = object()
RESERVED = frozenset(
    {
        "aws.events.rule-arn",
        "aws.events.rule-name",
        "aws.events.event.ingestion-time",
        "aws.events.event",
        "aws.events.event.json",
    }
)
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """Which rule sends, and when the event came in."""

    rule_arn: str
    rule_name: str
    ingested: datetime


def render(target: Mapping[str, Any], event: Event, origin: Origin) -> str:
    """The text that a target gets. Raises Undeliverable (INVALID_JSON) if a JSON template does not give JSON."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        selected = select(event, str(target["InputPath"]))
        return json.dumps(None if selected is _ABSENT else selected)
    if target.get("InputTransformer"):
        return _transformed(target["InputTransformer"], event, origin)
    return json.dumps(event)


def unknown_placeholder(transformer: Mapping[str, Any]) -> str | None:
    """A placeholder of a template that stands for nothing; None if there is none."""
    known = RESERVED | (transformer.get("InputPathsMap") or {}).keys()
    names = (match[1] for match in _TOKEN.finditer(str(transformer["InputTemplate"])) if match[1])
    return next((name for name in names if name not in known), None)


def select(event: Event, path: str) -> Any:
    """The value at ``$.detail.x`` or ``$.resources[0]``; a marker that is no JSON value where there is none."""
    value: Any = event
    for name, index in _PART.findall(path.removeprefix("$")):
        if index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        elif name and isinstance(value, Mapping) and name in value:
            value = value[name]
        else:
            return _ABSENT
    return value


def _transformed(transformer: Mapping[str, Any], event: Event, origin: Origin) -> str:
    values = {name: select(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= _reserved(event, origin)
    template = str(transformer["InputTemplate"])
    text = _filled(template, values)
    if template.lstrip()[:1] in ("{", "["):
        try:
            json.loads(text)
        except ValueError as problem:
            raise Undeliverable(INVALID_JSON, f"The transformed input is no JSON: {problem}") from problem
    return text


def _reserved(event: Event, origin: Origin) -> dict[str, Any]:
    return {
        "aws.events.rule-arn": origin.rule_arn,
        "aws.events.rule-name": origin.rule_name,
        "aws.events.event.ingestion-time": f"{origin.ingested:%Y-%m-%dT%H:%M:%SZ}",
        "aws.events.event": {
            "detailType" if name == "detail-type" else name: value
            for name, value in event.items()
            if name != "detail"
        },
        "aws.events.event.json": event,
    }


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """The template with its variables: JSON where they stand alone, plain text inside a quoted string."""
    is_quoted = False

    def put(match: re.Match[str]) -> str:
        nonlocal is_quoted
        if match[0] == '"':
            is_quoted = not is_quoted
            return match[0]
        if match[1] is None or match[1] not in values:
            return match[0]
        value = values[match[1]]
        if is_quoted:
            return _within_string(value)
        return '""' if value is _ABSENT else json.dumps(value)

    return _TOKEN.sub(put, template)


def _within_string(value: Any) -> str:
    if value is _ABSENT:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list):
        return json.dumps(value, separators=(",", ":")).replace('\\"', '"').replace('"', "")
    return json.dumps(value)
