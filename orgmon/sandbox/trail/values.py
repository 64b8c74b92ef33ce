"""Parameters and results as CloudTrail spells them: lower camel case, secrets hidden.

The shapes of botocore's models tell names of members from keys of maps, and which values are sensitive. What single
calls have besides, or not, is taken from recorded events (IAM leaves passwords out, S3 tells the host).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.models import operation_model
from orgmon.sandbox.trail import ec2_values

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
# What is left out altogether: bulky, or worth stealing. Names of members in AWS's spelling.
_LEFT_OUT = frozenset(
    {
        "Body",
        "ChecksumAlgorithm",
        "ContentMD5",
        "NewPassword",
        "OldPassword",
        "ParameterValue",
        "Password",
        "ResponseMetadata",
        "SecretAccessKey",
        "TemplateBody",
        "ZipFile",
    }
)
_VISIBLE_THOUGH_SENSITIVE = frozenset({"AccessKeyId", "SessionToken"})
_HIDDEN_THOUGH_PLAIN = frozenset({("ssm", "Value")})
# What records have though nobody asked for it.
_DEFAULTS: dict[str, dict[str, Any]] = {"UpdateFunctionCode": {"dryRun": False, "publish": False}}


def parameters(call: Call) -> dict[str, Any] | None:
    """``requestParameters`` of a call; None where there are none."""
    model = operation_model(call.service, call.operation)
    if call.service == "s3":
        return _of_bucket(call, model)
    members = _members(call.service, model.input_shape if model else None, call.params)
    members |= {
        name: value for name, value in _DEFAULTS.get(call.operation, {}).items() if name not in members
    }
    if call.service == "ec2":
        members = ec2_values.parameters(call.operation, members)
    return members or None


def results(call: Call) -> dict[str, Any] | None:
    """``responseElements`` of a call that changes something; None where there is nothing to tell."""
    model = operation_model(call.service, call.operation)
    shape = model.output_shape if model else None
    spell = ec2_values.answer_name if call.service == "ec2" else _spelled
    members = _members(call.service, shape, call.response or {}, spell)
    if call.service == "ec2":
        return ec2_values.results(call.operation, members, call.request_id)
    return members or None


def lowered(name: str) -> str:
    """The name with its first letter in lower case: ``TrailARN`` -> ``trailARN``."""
    return name[:1].lower() + name[1:]


Spell = Callable[[str, Any], str]


def _spelled(name: str, shape: Any) -> str:
    return lowered(name)


def _members(service: str, shape: Any, given: Mapping[str, Any], spell: Spell = _spelled) -> dict[str, Any]:
    known = shape.members if shape is not None else {}
    return {
        spell(name, known.get(name)): _value(service, name, known.get(name), value, spell)
        for name, value in given.items()
        if value is not None and name not in _LEFT_OUT
    }


def _value(service: str, name: str, shape: Any, value: Any, spell: Spell) -> Any:
    if _is_secret(service, name, shape):
        return HIDDEN
    kind = shape.type_name if shape is not None else ""
    if isinstance(value, Mapping):
        if kind == "map":
            return {str(key): _value(service, "", shape.value, each, spell) for key, each in value.items()}
        return _members(service, shape if kind == "structure" else None, value, spell)
    if isinstance(value, (list, tuple)):
        inner = shape.member if kind == "list" else None
        items = [_value(service, "", inner, each, spell) for each in value]
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


def _of_bucket(call: Call, model: Any) -> dict[str, Any] | None:
    """S3 names the bucket ``bucketName``, takes policies apart, and keeps the spelling of its XML documents.

    What the address has is told too: the host, and the part of the bucket that is meant (``"policy": ""``).
    """
    members: dict[str, Any] = {}
    for name, value in call.params.items():
        if name == "Bucket":
            members |= {"bucketName": value, "Host": f"{value}.s3.{call.region}.amazonaws.com"}
        elif name == "Policy":
            members["bucketPolicy"] = _parsed(value)
        elif isinstance(value, Mapping):
            members[name] = json.loads(json.dumps(value, default=str))
        elif name not in _LEFT_OUT and value is not None:
            members[lowered(name)] = _plain(value)
    _, _, part = model.http["requestUri"].partition("?") if model else ("", "", "")
    if part and "=" not in part and members:
        members[part] = ""
    return members or None


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return HIDDEN
