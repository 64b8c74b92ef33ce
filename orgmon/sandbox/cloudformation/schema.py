"""What AWS says about a resource type, from the provider schemas that cfn-lint brings along (offline).

The schemas are CloudFormation's registry schemas: properties, what cannot change without replacement, what
``Ref`` may read. They are the same for every Region here; us-east-1 has every type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from orgmon.sandbox.cloudformation.faults import is_number

_REGION = "us-east-1"


@dataclass(frozen=True)
class Schema:
    """One resource type. ``create_only`` are paths; a change of one means a new resource.

    ``attributes`` are keyed by what Fn::GetAtt may ask for, ``identifiers`` the properties that name one which
    AWS can read.
    """

    type: str
    properties: frozenset[str]
    create_only: tuple[tuple[str, ...], ...]
    tag_property: str
    tags_are_a_map: bool
    body: dict[str, Any]
    attributes: Mapping[str, str]
    identifiers: tuple[str, ...]

    def has_attribute(self, name: str) -> bool:
        """Whether Fn::GetAtt may ask for it; a dot leads into a property.

        What the schemas call read-only; for some types (topics, queues) every property: cfn-lint knows which.
        """
        return self.attributes.get(name) is not None

    def replaced_by(self, old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
        """The create-only properties that differ between two sets of properties; empty: update in place."""
        return tuple(path[0] for path in self.create_only if _value_at(old, path) != _value_at(new, path))

    def problems(self, properties: dict[str, Any]) -> tuple[str, ...]:
        """What is wrong with resolved properties, in the words of CloudFormation's model validation."""
        problems: list[str] = []
        _validate(properties, self.body, self.body, "#", problems)
        return tuple(problems)


def is_known(type_name: str) -> bool:
    """Whether AWS has a resource type of that name."""
    return type_name in _known_types()


@cache
def schema_of(type_name: str) -> Schema:
    """The schema of a type that AWS knows (see ``is_known``)."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    known = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, type_name)
    body: dict[str, Any] = known.schema
    properties = body.get("properties", {})
    tag_property = str(body.get("tagging", {}).get("tagProperty", "/properties/Tags")).rsplit("/", 1)[-1]
    if tag_property not in properties:
        tag_property = ""
    tags = _follow(properties.get(tag_property, {}), body)
    return Schema(
        type=type_name,
        properties=frozenset(properties),
        create_only=tuple(tuple(path.split("/")[2:]) for path in body.get("createOnlyProperties", [])),
        tag_property=tag_property,
        tags_are_a_map=_kind(tags) == "object",
        body=body,
        attributes=known.get_atts,
        identifiers=_identifiers(body) if "read" in body.get("handlers", {}) else (),
    )


def _identifiers(body: dict[str, Any]) -> tuple[str, ...]:
    return tuple(path.rsplit("/", 1)[-1] for path in body.get("primaryIdentifier", []))


@cache
def _known_types() -> frozenset[str]:
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    return frozenset(PROVIDER_SCHEMA_MANAGER.get_resource_types(_REGION))


def _value_at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _follow(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The node that a $ref points to within its own schema."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = root
        for step in str(node["$ref"]).lstrip("#/").split("/"):
            target = target.get(step, {})
        node = target
    return node


def _kind(node: dict[str, Any]) -> str:
    kind = node.get("type", "")
    return kind if isinstance(kind, str) else ""


def _validate(value: Any, node: dict[str, Any], root: dict[str, Any], path: str, problems: list[str]) -> None:
    node = _follow(node, root)
    kind = _kind(node)
    if kind == "object" or "properties" in node:
        _validate_object(value, node, root, path, problems)
    elif kind == "array":
        _validate_array(value, node, root, path, problems)
    else:
        _validate_scalar(value, node, path, problems)


def _validate_object(
    value: Any, node: dict[str, Any], root: dict[str, Any], path: str, problems: list[str]
) -> None:
    if not isinstance(value, dict):
        if not isinstance(value, str):  # a JSON text may stand for a document
            problems.append(f"{path}: expected type: JSONObject, found: {_java(value)}")
        return
    properties = node.get("properties", {})
    for name in node.get("required", []):
        if name not in value:
            problems.append(f"{path}: required key [{name}] not found")
    for name, inner in value.items():
        if name in properties:
            _validate(inner, properties[name], root, f"{path}/{name}", problems)
        elif properties and node.get("additionalProperties") is False and "patternProperties" not in node:
            problems.append(f"{path}: extraneous key [{name}] is not permitted")


def _validate_array(
    value: Any, node: dict[str, Any], root: dict[str, Any], path: str, problems: list[str]
) -> None:
    if not isinstance(value, list):
        problems.append(f"{path}: expected type: JSONArray, found: {_java(value)}")
        return
    for index, inner in enumerate(value):
        _validate(inner, node.get("items", {}), root, f"{path}/{index}", problems)


def _validate_scalar(value: Any, node: dict[str, Any], path: str, problems: list[str]) -> None:
    kind = _kind(node)
    if kind in ("string", "integer", "number", "boolean") and isinstance(value, (dict, list)):
        problems.append(f"{path}: expected type: {kind.capitalize()}, found: {_java(value)}")
        return
    allowed = node.get("enum")
    if allowed and str(value) not in {str(entry) for entry in allowed}:
        problems.append(f"{path}: {value} is not a valid enum value")
    whole = is_number(value) and float(value).is_integer()
    if (kind == "integer" and not whole) or (kind == "number" and not is_number(value)):
        wanted = "Integer" if kind == "integer" else "Number"
        problems.append(f"{path}: expected type: {wanted}, found: {_java(value)}")


def _java(value: Any) -> str:
    """The type name that CloudFormation (a Java service) would print."""
    names = {dict: "JSONObject", list: "JSONArray", bool: "Boolean", int: "Integer", float: "BigDecimal"}
    return names.get(type(value), "String")
