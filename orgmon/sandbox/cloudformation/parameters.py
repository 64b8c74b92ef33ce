"""Parameters of a stack: given, defaulted, kept, checked.

Source: AWS CloudFormation user guide, "Parameters"; API reference, Parameter. Limits: 4,096 bytes a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from orgmon.sandbox.calls import Refusal

MASK = "****"
MAXIMUM_BYTES = 4096
LIST_TYPES = ("CommaDelimitedList", "List<")
STORED = "AWS::SSM::Parameter::Value<"


def settle(
    declared: Mapping[str, dict[str, Any]],
    given: Iterable[Mapping[str, Any]],
    previous: Mapping[str, str] | None,
) -> dict[str, str]:
    """The text of every declared parameter.

    ``given`` are the API's Parameter members (ParameterKey, ParameterValue, UsePreviousValue), ``previous`` the
    stack's values so far (None for a new stack). Raises Refusal (ValidationError) for missing, undeclared and
    unfitting values.
    """
    wanted = {str(entry["ParameterKey"]): entry for entry in given}
    unknown = sorted(set(wanted) - set(declared))
    if unknown:
        raise Refusal("ValidationError", f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: _value(name, body, wanted.get(name, {}), previous) for name, body in declared.items()}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise Refusal("ValidationError", f"Parameters: [{', '.join(missing)}] must have values")
    settled = {name: value for name, value in values.items() if value is not None}
    for name, value in settled.items():
        _check(name, value, declared[name])
    return settled


def masked(declared: Mapping[str, dict[str, Any]], values: Mapping[str, str]) -> dict[str, str]:
    """The values as they may be shown: NoEcho ones as asterisks."""
    return {name: MASK if is_secret(declared.get(name, {})) else value for name, value in values.items()}


def is_secret(body: Mapping[str, Any]) -> bool:
    """Whether a parameter is declared NoEcho."""
    return str(body.get("NoEcho", "")).lower() == "true"


def in_template(
    declared: Mapping[str, dict[str, Any]], values: Mapping[str, str]
) -> dict[str, str | list[str]]:
    """The values as Ref sees them: those of list types are split."""
    return {
        name: _parts(text) if str(declared[name].get("Type", "String")).startswith(LIST_TYPES) else text
        for name, text in values.items()
    }


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _value(
    name: str, body: Mapping[str, Any], entry: Mapping[str, Any], previous: Mapping[str, str] | None
) -> str | None:
    if entry.get("UsePreviousValue"):
        if previous is None or name not in previous:
            raise Refusal("ValidationError", f"Parameters: [{name}] must have values")
        return previous[name]
    if entry.get("ParameterValue") is not None:
        return str(entry["ParameterValue"])
    return _text(body["Default"]) if "Default" in body else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check(name: str, value: str, body: Mapping[str, Any]) -> None:
    """Raise Refusal where the value breaks the parameter's declaration."""
    if len(value.encode()) > MAXIMUM_BYTES:
        raise Refusal("ValidationError", f"Parameter '{name}' exceeds {MAXIMUM_BYTES} bytes")
    kind = str(body.get("Type", "String"))
    if kind.startswith(STORED):
        raise Refusal("ValidationError", f"Parameter '{name}': type {kind} is not implemented by the sandbox")
    entries = _parts(value) if kind.startswith(LIST_TYPES) else [value]
    for entry in entries:
        problem = _problem(name, entry, kind, body)
        if problem:
            described = body.get("ConstraintDescription")
            text = f"Parameter {name} failed to satisfy constraint: {described}" if described else problem
            raise Refusal("ValidationError", text)


def _problem(name: str, value: str, kind: str, body: Mapping[str, Any]) -> str:
    """Why a single value does not fit; empty when it does."""
    allowed = body.get("AllowedValues")
    if allowed is not None and value not in [_text(entry) for entry in allowed]:
        return f"Parameter '{name}' must be one of AllowedValues"
    pattern = body.get("AllowedPattern")
    if pattern is not None and re.fullmatch(str(pattern), value) is None:
        return f"Parameter '{name}' must match pattern {pattern}"
    if len(value) < int(body.get("MinLength", 0)):
        return f"Parameter '{name}' must contain at least {body['MinLength']} characters"
    if len(value) > int(body.get("MaxLength", MAXIMUM_BYTES)):
        return f"Parameter '{name}' must contain at most {body['MaxLength']} characters"
    return _number_problem(name, value, body) if kind in ("Number", "List<Number>") else ""


def _number_problem(name: str, value: str, body: Mapping[str, Any]) -> str:
    try:
        number = float(value)
    except ValueError:
        return f"Parameter '{name}' must be a number"
    if "MinValue" in body and number < float(body["MinValue"]):
        return f"Parameter '{name}' must be a number not less than {body['MinValue']}"
    if "MaxValue" in body and number > float(body["MaxValue"]):
        return f"Parameter '{name}' must be a number not greater than {body['MaxValue']}"
    return ""
