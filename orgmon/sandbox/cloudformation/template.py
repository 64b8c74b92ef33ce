"""Template text -> Template: JSON or YAML with the short forms, checked as CloudFormation checks at the door.

Sources of the rules and texts: AWS CloudFormation user guide, "Template anatomy" and "Intrinsic functions".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.references import references_of

SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Mappings",
        "Conditions",
        "Transform",
        "Resources",
        "Outputs",
        "Hooks",
    }
)
ATTRIBUTES = frozenset(
    {
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "Metadata",
        "CreationPolicy",
        "UpdatePolicy",
    }
)
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
MAXIMUM_RESOURCES = 500
MAXIMUM_PARAMETERS = 200
MAXIMUM_OUTPUTS = 200


@dataclass(frozen=True)
class Definition:
    """One resource as the template writes it; ``needs`` are the logical ids it must wait for."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    condition: str
    deletion_policy: str
    update_replace_policy: str
    metadata: Any
    needs: frozenset[str]


@dataclass(frozen=True)
class Template:
    """A parsed template. ``resources`` is in an order in which each one follows what it needs."""

    text: str
    description: str
    parameters: dict[str, dict[str, Any]]
    mappings: dict[str, Any]
    conditions: dict[str, Any]
    resources: dict[str, Definition]
    outputs: dict[str, dict[str, Any]]
    transforms: tuple[str, ...]
    metadata: Any

    @property
    def resource_types(self) -> tuple[str, ...]:
        """The types in use, each once, sorted."""
        return tuple(sorted({definition.type for definition in self.resources.values()}))


def format_error(message: str) -> Refusal:
    """The refusal of a template that cannot be read."""
    return Refusal("ValidationError", f"Template format error: {message}")


@lru_cache(maxsize=512)
def parse(text: str) -> Template:
    """Read a template's text (JSON or YAML). Each distinct text is parsed once.

    Raises Refusal (ValidationError) with CloudFormation's words when the template is not well formed.
    """
    body = _load(text)
    unknown = sorted(set(body) - SECTIONS)
    if unknown:
        raise format_error(f"Invalid template property or properties [{', '.join(unknown)}]")
    _check_sizes(body)
    parameters = _section(body, "Parameters")
    conditions = _section(body, "Conditions")
    definitions = {name: _definition(name, raw) for name, raw in _section(body, "Resources").items()}
    _check_references(definitions, parameters, conditions)
    outputs = _section(body, "Outputs")
    _check_outputs(outputs, definitions, parameters)
    return Template(
        text=text,
        description=str(body.get("Description", "")),
        parameters=parameters,
        mappings=_section(body, "Mappings"),
        conditions=conditions,
        resources={name: definitions[name] for name in _order(definitions)},
        outputs=outputs,
        transforms=_transforms(body.get("Transform")),
        metadata=body.get("Metadata"),
    )


def _load(text: str) -> dict[str, Any]:
    """The text as a dictionary: JSON when it looks like it, else YAML."""
    try:
        body = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506
    except (ValueError, yaml.YAMLError) as problem:
        kind = "JSON" if text.lstrip().startswith("{") else "YAML"
        where = str(problem).replace("\n", " ")
        raise format_error(f"{kind} not well-formed. ({where})") from problem
    if not isinstance(body, dict):
        raise format_error("unsupported structure.")
    return body


def _section(body: dict[str, Any], name: str) -> dict[str, Any]:
    section = body.get(name, {})
    if not isinstance(section, dict):
        raise format_error(f"[/{name}] 'null' values are not allowed in templates")
    return section


def _transforms(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    return tuple(entry if isinstance(entry, str) else str(entry.get("Name")) for entry in entries)


def _check_sizes(body: dict[str, Any]) -> None:
    if not body.get("Resources"):
        raise format_error("At least one Resources member must be defined.")
    limits = (
        ("Resources", MAXIMUM_RESOURCES),
        ("Parameters", MAXIMUM_PARAMETERS),
        ("Outputs", MAXIMUM_OUTPUTS),
    )
    for name, limit in limits:
        count = len(_section(body, name))
        if count > limit:
            raise format_error(f"Number of {name.lower()}, {count}, is greater than maximum allowed, {limit}")


def _definition(name: str, raw: Any) -> Definition:
    if not name.isalnum():
        raise format_error(f"Resource name {name} is non alphanumeric.")
    if not isinstance(raw, dict) or "Type" not in raw:
        raise format_error(f"[/Resources/{name}] Every Resources object must contain a Type member.")
    unknown = sorted(set(raw) - ATTRIBUTES)
    if unknown:
        raise format_error(f"Invalid template resource property '{unknown[0]}'")
    waits = raw.get("DependsOn", [])
    references = references_of(raw.get("Properties", {}))
    needs = frozenset([waits] if isinstance(waits, str) else waits) | references.refs | references.attributed
    return Definition(
        logical_id=name,
        type=raw["Type"],
        properties=raw.get("Properties", {}),
        condition=raw.get("Condition", ""),
        deletion_policy=raw.get("DeletionPolicy", "Delete"),
        update_replace_policy=raw.get("UpdateReplacePolicy", "Delete"),
        metadata=raw.get("Metadata"),
        needs=needs,
    )


def _check_references(
    definitions: dict[str, Definition], parameters: dict[str, Any], conditions: dict[str, Any]
) -> None:
    known = set(definitions) | set(parameters) | PSEUDO_PARAMETERS
    for definition in definitions.values():
        missing = sorted(definition.needs - known)
        if missing:
            raise format_error(
                f"Unresolved resource dependencies [{', '.join(missing)}] in the Resources block of the template"
            )
        if definition.condition and definition.condition not in conditions:
            raise format_error(
                f"Template format error: Unresolved condition dependency {definition.condition} "
                "in the Resources block of the template"
            )
        for condition in references_of(definition.properties).conditions:
            if condition not in conditions:
                raise Refusal(
                    "ValidationError",
                    f"Template error: unresolved condition dependency {condition} in Fn::If",
                )


def _check_outputs(
    outputs: dict[str, Any], definitions: dict[str, Definition], parameters: dict[str, Any]
) -> None:
    known = set(definitions) | set(parameters) | PSEUDO_PARAMETERS
    for name, output in outputs.items():
        if not isinstance(output, dict) or "Value" not in output:
            raise format_error(f"[/Outputs/{name}] Every Outputs member must contain a Value object")
        references = references_of(output)
        missing = sorted((references.refs | references.attributed) - known)
        if missing:
            raise format_error(
                f"Unresolved resource dependencies [{', '.join(missing)}] in the Outputs block of the template"
            )


def _order(definitions: dict[str, Definition]) -> list[str]:
    """Logical ids so that each follows what it needs; a circle is refused."""
    waiting = {name: definition.needs & set(definitions) for name, definition in definitions.items()}
    order: list[str] = []
    while waiting:
        ready = sorted(name for name, needs in waiting.items() if not needs & set(waiting))
        if not ready:
            circle = ", ".join(sorted(_in_circle(waiting)))
            raise Refusal("ValidationError", f"Circular dependency between resources: [{circle}]")
        for name in ready:
            del waiting[name]
        order.extend(ready)
    return order


def _in_circle(waiting: dict[str, frozenset[str]]) -> Iterator[str]:
    """Of what waits for ever, those that others wait for (the rest only hang on the circle)."""
    needed = frozenset().union(*waiting.values())
    return (name for name in waiting if name in needed)


class _Loader(yaml.CSafeLoader):
    """YAML as CloudFormation reads it: short-form functions, and dates stay text."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
