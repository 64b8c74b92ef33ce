"""What is wrong with a template in itself, whatever the values of its parameters: found at the door.

The words are CloudFormation's. Sources: user guide, "Template anatomy" and "Intrinsic function reference"; what
CreateChangeSet answers to such templates, as recorded in public test suites. How many arguments a function has to
have is checked here, so that whoever works it out may rely on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.references import References, references_of

MAXIMA = {"Resources": 500, "Parameters": 200, "Outputs": 200}
PSEUDO_PARAMETERS = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)
_PLAIN_TYPES = frozenset({"String", "Number", "List<Number>", "List<String>", "CommaDelimitedList"})
_LIMITS = ("MinLength", "MaxLength", "MinValue", "MaxValue")


def format_error(message: str) -> Refusal:
    """The refusal of a template that cannot be read."""
    return Refusal("ValidationError", f"Template format error: {message}")


def check_shape(body: dict[str, Any]) -> None:
    """Raise Refusal unless the sections are there, and are what they have to be.

    A null is nowhere allowed, not even in an event pattern that would mean it: such a pattern has to be a JSON text.
    Source: EventBridge user guide, "Matching null values and empty strings", on CloudFormation templates.
    """
    for path, value in _leaves(body, ""):
        if value is None:
            raise Refusal("ValidationError", f"[{path}] 'null' values are not allowed in templates")
    for name in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        if not isinstance(body.get(name, {}), dict):
            raise format_error(f"Any {name} member must be an object.")
    if not body.get("Resources"):
        raise format_error("At least one Resources member must be defined.")
    for name, most in MAXIMA.items():
        count = len(body.get(name, {}))
        if count > most:
            raise format_error(f"Number of {name.lower()}, {count}, is greater than maximum allowed, {most}")
    _check_parameters(body.get("Parameters", {}))
    _check_mappings(body.get("Mappings", {}))
    _check_outputs(body.get("Outputs", {}))


def check_conditions(body: dict[str, Any]) -> None:
    """Raise Refusal where a condition asks for what only a stack has, or for a condition that there is not."""
    conditions: dict[str, Any] = body.get("Conditions", {})
    known = set(body.get("Parameters", {})) | PSEUDO_PARAMETERS
    needs = {name: references_of(node) for name, node in conditions.items()}
    for name, node in conditions.items():
        if not isinstance(node, dict) or len(node) != 1:
            raise format_error("Conditions can only be boolean operations on parameters and other conditions")
        foreign = (needs[name].refs | needs[name].attributed) - known
        if foreign:
            text = f"Unresolved dependencies [{', '.join(sorted(foreign))}]. "
            raise format_error(f"{text}Cannot reference resources in the Conditions block of the template")
        _check_named(needs[name], conditions)
        missing = sorted(needs[name].named_conditions - set(conditions))
        if missing:
            text = f"Unresolved condition dependency {missing[0]} in the Conditions block of the template"
            raise format_error(text)
    while needs:
        settled = [name for name, found in needs.items() if not found.all_conditions & set(needs)]
        if not settled:
            raise format_error(f"Circular dependency between conditions: [{', '.join(sorted(needs))}]")
        for name in settled:
            del needs[name]


def check_references(body: dict[str, Any]) -> None:
    """Raise Refusal where Resources or Outputs refer to what the template does not have."""
    conditions = body.get("Conditions", {})
    resources: dict[str, dict[str, Any]] = body["Resources"]
    known = set(resources) | set(body.get("Parameters", {})) | PSEUDO_PARAMETERS
    for resource in resources.values():
        found = references_of(resource.get("Properties", {}))
        missing = (found.refs - known) | (found.attributed - set(resources))
        missing |= set(dependencies(resource)) - set(resources)
        _check_found("Resources", missing, resource, conditions)
        _check_named(found, conditions)
    for output in body.get("Outputs", {}).values():
        found = references_of(output)
        missing = (found.refs - known) | (found.attributed - set(resources))
        _check_found("Outputs", missing, output, conditions)
        _check_named(found, conditions)


def dependencies(resource: dict[str, Any]) -> list[str]:
    """The logical ids in DependsOn."""
    waits = resource.get("DependsOn", [])
    return [waits] if isinstance(waits, str) else waits


def unresolved(names: Set[str], block: str) -> Refusal:
    """The refusal of references to resources that there are not."""
    listed = ", ".join(sorted(names))
    return format_error(f"Unresolved resource dependencies [{listed}] in the {block} block of the template")


def _check_found(block: str, missing: Set[str], member: dict[str, Any], conditions: dict[str, Any]) -> None:
    if missing:
        raise unresolved(missing, block)
    condition = member.get("Condition", "")
    if condition and condition not in conditions:
        raise format_error(
            f"Unresolved condition dependency {condition} in the {block} block of the template"
        )


def _check_named(found: References, conditions: dict[str, Any]) -> None:
    missing = sorted(found.conditions - set(conditions))
    if missing:
        text = f"Template error: unresolved condition dependency {missing[0]} in Fn::If"
        raise Refusal("ValidationError", text)


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for name, inner in node.items():
            yield from _leaves(inner, f"{path}/{name}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _leaves(inner, f"{path}/{index}")
    else:
        yield path, node


def _check_parameters(parameters: dict[str, Any]) -> None:
    for name, body in parameters.items():
        if not (name.isascii() and name.isalnum()):
            raise format_error(f"Parameter name {name} is non alphanumeric.")
        if not isinstance(body, dict) or "Type" not in body:
            raise format_error(f"[/Parameters/{name}] Every Parameters object must contain a Type member.")
        kind = str(body["Type"])
        if kind not in _PLAIN_TYPES and not kind.startswith(("AWS::", "List<AWS::")):
            raise format_error(f"Unrecognized parameter type: {kind}")
        for limit in _LIMITS:
            if limit in body and not is_number(body[limit]):
                raise format_error(f"Every {limit} member must be a number.")
        if not _is_pattern(body.get("AllowedPattern", "")):
            raise format_error(f"Parameter '{name}': AllowedPattern is no regular expression.")
        if not isinstance(body.get("AllowedValues", []), list):
            raise format_error("Every AllowedValues member must be a list.")


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(str(value))
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def is_number(value: Any) -> bool:
    """Whether a value is a number, also as text."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _check_mappings(mappings: dict[str, Any]) -> None:
    for name, first in mappings.items():
        if not isinstance(first, dict):
            raise format_error(f"Every Mappings member {name} must be a map")
        for key, second in first.items():
            if not isinstance(second, dict):
                raise format_error(f"Every Mappings member {key} must be a map")
            for value in second.values():
                items = value if isinstance(value, list) else [value]
                if any(isinstance(item, (dict, list)) for item in items):
                    raise format_error("Every Mappings attribute must be a String or a List.")


def _check_outputs(outputs: dict[str, Any]) -> None:
    for name, output in outputs.items():
        if not isinstance(output, dict) or "Value" not in output:
            raise format_error("Every Outputs member must contain a Value object")
        if not isinstance(output.get("Condition", ""), str):
            raise format_error("Every Condition member must be a string.")
        export = output.get("Export", {"Name": ""})
        if not isinstance(export, dict) or "Name" not in export:
            raise format_error(
                f"Output {name} is malformed. The Name field of every Export member must be specified."
            )
