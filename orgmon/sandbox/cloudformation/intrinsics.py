"""Intrinsic functions: a piece of a template -> its value in one stack.

Source: AWS CloudFormation user guide, "Intrinsic function reference" and "Pseudo parameters".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.references import PLACEHOLDER
from orgmon.sandbox.cloudformation.template import Template

NO_VALUE = object()
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What a change set shows for a value that exists only after the change (AWS's own text)."""

Reference = Callable[[str], str]
Attribute = Callable[[str, str], Any]
Import = Callable[[str], str]


def template_error(message: str) -> Refusal:
    """The refusal of a template whose functions cannot be worked out."""
    return Refusal("ValidationError", f"Template error: {message}")


class Resolver:
    """Works out values for one stack.

    ``values`` are parameters and pseudo parameters; ``reference`` and ``attribute`` answer for resources
    (Ref, GetAtt) and ``imported`` for exports of other stacks. They raise Refusal for what is not there.
    """

    def __init__(
        self,
        template: Template,
        values: dict[str, Any],
        reference: Reference,
        attribute: Attribute,
        imported: Import,
    ) -> None:
        self._template = template
        self._values = values
        self._reference = reference
        self._attribute = attribute
        self._imported = imported
        self._conditions: dict[str, bool] = {}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::ImportValue": lambda value: self._imported(str(self.resolve(value))),
            "Fn::Base64": lambda value: base64.b64encode(str(self.resolve(value)).encode()).decode(),
            "Fn::GetAZs": self._zones,
            "Fn::Equals": self._equals,
            "Fn::And": lambda value: all(self.resolve(item) for item in value),
            "Fn::Or": lambda value: any(self.resolve(item) for item in value),
            "Fn::Not": lambda value: not self.resolve(value[0]),
        }

    def condition(self, name: str) -> bool:
        """The value of a named condition, worked out once."""
        if name not in self._conditions:
            if name not in self._template.conditions:
                raise template_error(f"unresolved condition dependency {name}")
            self._conditions[name] = bool(self.resolve(self._template.conditions[name]))
        return self._conditions[name]

    def wanted(self, logical_id: str) -> bool:
        """Whether the resource's condition (if it has one) holds."""
        condition = self._template.resources[logical_id].condition
        return not condition or self.condition(condition)

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The resolved properties of a resource."""
        resolved: dict[str, Any] = self.resolve(self._template.resources[logical_id].properties)
        return resolved

    def resolve(self, node: Any) -> Any:
        """The value of a node; NO_VALUE where the template asks for AWS::NoValue."""
        if isinstance(node, list):
            return [value for value in map(self.resolve, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((key, value),) = node.items()
            if key in self._functions and not (key == "Condition" and not isinstance(value, str)):
                return self._functions[key](value)
            if key.startswith("Fn::"):
                raise template_error(f"unsupported function {key}")
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self._values[name] if name in self._values else self._reference(name)

    def _get_att(self, value: Any) -> Any:
        parts = value.split(".", 1) if isinstance(value, str) else value
        return self._attribute(str(parts[0]), str(self.resolve(parts[1])))

    def _sub(self, value: Any) -> str:
        text, given = (value, {}) if isinstance(value, str) else (value[0], value[1])
        local = {name: self.resolve(inner) for name, inner in given.items()}

        def replaced(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in local:
                return text_of(local[name])
            if "." in name and "::" not in name:
                return text_of(self._get_att(name))
            return text_of(self._ref(name))

        return PLACEHOLDER.sub(replaced, text)

    def _join(self, value: Any) -> str:
        items = self.resolve(value[1])
        if not isinstance(items, list):
            raise template_error("every Fn::Join object requires two parameters")
        return str(value[0]).join(text_of(item) for item in items)

    def _select(self, value: Any) -> Any:
        index = int(self.resolve(value[0]))
        items = self.resolve(value[1])
        if not 0 <= index < len(items):
            raise template_error(f"Fn::Select cannot select nonexistent value at index {index}")
        return items[index]

    def _split(self, value: Any) -> list[str]:
        return str(self.resolve(value[1])).split(str(value[0]))

    def _if(self, value: Any) -> Any:
        if len(value) != 3:
            raise template_error("Fn::If requires a list of three")
        return self.resolve(value[1] if self.condition(value[0]) else value[2])

    def _equals(self, value: Any) -> bool:
        left, right = self.resolve(value)
        return text_of(left) == text_of(right)

    def _find_in_map(self, value: Any) -> Any:
        name, first, second = (str(self.resolve(part)) for part in value[:3])
        entries = self._template.mappings.get(name, {}).get(first, {})
        if second in entries:
            return self.resolve(entries[second])
        if len(value) > 3 and "DefaultValue" in value[3]:
            return self.resolve(value[3]["DefaultValue"])
        raise template_error(f"Unable to get mapping for {name}::{first}::{second}")

    def _zones(self, value: Any) -> list[str]:
        region = str(self.resolve(value)) or str(self._values["AWS::Region"])
        return [f"{region}{letter}" for letter in "abc"]


def text_of(value: Any) -> str:
    """A value as CloudFormation puts it into a string: true and false in small letters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(text_of(item) for item in value)
    return str(value)
