"""Parameters and results as CloudTrail spells them: lower camel case, secrets hidden.

The shapes of botocore's models tell names of members from keys of maps, and which values are sensitive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orgmon.sandbox.models import operation_model

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
# What is left out altogether: bulky, or worth stealing. Names of members in AWS's spelling.
_LEFT_OUT = frozenset(
    {"SecretAccessKey", "TemplateBody", "ParameterValue", "ZipFile", "Body", "ResponseMetadata"}
)
_VISIBLE_THOUGH_SENSITIVE = frozenset({"AccessKeyId", "SessionToken"})
_HIDDEN_THOUGH_PLAIN = frozenset({("ssm", "Value"), ("iam", "Password")})


def parameters(service: str, operation: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """``requestParameters`` of a call; None where there are none."""
    model = operation_model(service, operation)
    shape = model.input_shape if model else None
    if service == "s3":
        return _of_bucket(given, shape)
    return _members(service, shape, given) or None


def results(service: str, operation: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """``responseElements`` of a call that changes something; None where there is nothing to tell."""
    model = operation_model(service, operation)
    shape = model.output_shape if model else None
    return _members(service, shape, given) or None


def lowered(name: str) -> str:
    """The name with its first letter in lower case: ``TrailARN`` -> ``trailARN``."""
    return name[:1].lower() + name[1:]


def _members(service: str, shape: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    known = shape.members if shape is not None else {}
    return {
        lowered(name): _value(service, name, known.get(name), value)
        for name, value in given.items()
        if value is not None and name not in _LEFT_OUT
    }


def _value(service: str, name: str, shape: Any, value: Any) -> Any:
    if _is_secret(service, name, shape):
        return HIDDEN
    kind = shape.type_name if shape is not None else ""
    if isinstance(value, Mapping):
        if kind == "map":
            return {str(key): _value(service, "", shape.value, each) for key, each in value.items()}
        return _members(service, shape if kind == "structure" else None, value)
    if isinstance(value, (list, tuple)):
        inner = shape.member if kind == "list" else None
        items = [_value(service, "", inner, each) for each in value]
        return {"items": items} if service == "ec2" else items
    return _plain(value)


def _is_secret(service: str, name: str, shape: Any) -> bool:
    if name in _VISIBLE_THOUGH_SENSITIVE:
        return False
    if (service, name) in _HIDDEN_THOUGH_PLAIN:
        return True
    return shape is not None and bool(shape.metadata.get("sensitive"))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%b} {value.day}, {value:%Y}, {value.hour % 12 or 12}:{value:%M:%S %p}"
    if isinstance(value, (bytes, bytearray)):
        return HIDDEN
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def _of_bucket(given: Mapping[str, Any], shape: Any) -> dict[str, Any] | None:
    """S3 names the bucket ``bucketName``, takes policies apart, and keeps the spelling of its XML documents."""
    members: dict[str, Any] = {}
    for name, value in given.items():
        if name == "Bucket":
            members["bucketName"] = value
        elif name == "Policy":
            members["bucketPolicy"] = _parsed(value)
        elif isinstance(value, Mapping):
            members[name] = json.loads(json.dumps(value, default=str))
        elif name not in _LEFT_OUT and value is not None:
            members[lowered(name)] = _plain(value)
    return members or None


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return HIDDEN
