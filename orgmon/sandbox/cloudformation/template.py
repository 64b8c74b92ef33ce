"""Template text -> Template: JSON or YAML with the short forms, checked as CloudFormation checks at the door.

Sources of the rules and texts: AWS CloudFormation user guide, "Template anatomy" and "Intrinsic functions".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation import faults
from orgmon.sandbox.cloudformation.faults import format_error
from orgmon.sandbox.cloudformation.functions import check_functions
from orgmon.sandbox.cloudformation.reading import load
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
_FUNCTIONAL = ("Properties", "DeletionPolicy", "UpdateReplacePolicy")
"""The attributes of a resource in which functions are worked out."""


@dataclass(frozen=True)
class Definition:
    """One resource as the template writes it; ``needs`` are the logical ids it must wait for.

    The policies are as written, so that they may be functions, and empty where the template has none:
    ``Resolver.definition`` works them out.
    """

    logical_id: str
    type: str
    properties: dict[str, Any]
    condition: str
    deletion_policy: Any
    update_replace_policy: Any
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


@lru_cache(maxsize=512)
def parse(text: str) -> Template:
    """Read a template's text (JSON or YAML). Each distinct text is parsed once.

    Raises Refusal (ValidationError) with CloudFormation's words when the template is not well formed.
    """
    try:
        return _parsed(text, load(text))
    except RecursionError as problem:
        raise format_error("the template is nested too deeply.") from problem


def _parsed(text: str, body: dict[str, Any]) -> Template:
    unknown = sorted(set(map(str, body)) - SECTIONS)
    if unknown:
        raise format_error(f"Invalid template property or properties [{', '.join(unknown)}]")
    faults.check_shape(body)
    for name, raw in body["Resources"].items():
        _check_resource(name, raw)
    if not body.get("Transform"):  # a macro may have functions of its own
        _check_functions(body)
    faults.check_conditions(body)
    faults.check_references(body)
    definitions = {name: _definition(name, raw) for name, raw in body["Resources"].items()}
    return Template(
        text=text,
        description=str(body.get("Description", "")),
        parameters=body.get("Parameters", {}),
        mappings=body.get("Mappings", {}),
        conditions=body.get("Conditions", {}),
        resources={name: definitions[name] for name in _order(definitions)},
        outputs=body.get("Outputs", {}),
        transforms=_transforms(body.get("Transform")),
        metadata=body.get("Metadata"),
    )


def _transforms(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    return tuple(str(entry.get("Name")) if isinstance(entry, dict) else str(entry) for entry in entries)


def _check_resource(name: str, raw: Any) -> None:
    """Raise Refusal unless a resource has a fitting name and the attributes that it must and may have."""
    if not (name.isascii() and name.isalnum()):
        raise format_error(f"Resource name {name} is non alphanumeric.")
    if not isinstance(raw, dict):
        raise format_error("Any Resources member must be an object.")
    if not isinstance(raw.get("Type"), str):
        raise format_error(f"[/Resources/{name}] Every Resources object must contain a Type member.")
    unknown = sorted(set(map(str, raw)) - ATTRIBUTES)
    if unknown:
        raise Refusal("ValidationError", f"Invalid template resource property '{unknown[0]}'")
    if not isinstance(raw.get("Properties", {}), dict):
        raise format_error(f"[/Resources/{name}/Properties] Every Properties member must be an object.")
    waits = faults.dependencies(raw)
    if not isinstance(waits, list) or not all(isinstance(each, str) for each in waits):
        raise format_error("DependsOn must be a string or list of strings.")
    if not isinstance(raw.get("Condition", ""), str):
        raise format_error("Every Condition member must be a string.")


def _check_functions(body: dict[str, Any]) -> None:
    mappings = body.get("Mappings", {})
    check_functions(list(body.get("Conditions", {}).values()), mappings)
    for raw in body["Resources"].values():
        check_functions([raw[name] for name in _FUNCTIONAL if name in raw], mappings)
    check_functions(list(body.get("Outputs", {}).values()), mappings)


def _definition(name: str, raw: dict[str, Any]) -> Definition:
    references = references_of(raw.get("Properties", {}))
    return Definition(
        logical_id=name,
        type=raw["Type"],
        properties=raw.get("Properties", {}),
        condition=raw.get("Condition", ""),
        deletion_policy=raw.get("DeletionPolicy", ""),
        update_replace_policy=raw.get("UpdateReplacePolicy", ""),
        metadata=raw.get("Metadata"),
        needs=frozenset(faults.dependencies(raw)) | references.refs | references.attributed,
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
