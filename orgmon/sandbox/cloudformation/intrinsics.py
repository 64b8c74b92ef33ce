"""Intrinsic functions: a piece of a template -> its value in one stack.

Sources: AWS CloudFormation user guide, "Intrinsic function reference" and "Pseudo parameters"; "Intrinsic function
references in DeletionPolicy and UpdateReplacePolicy attributes" (they work without a transform as well: recorded
public tests); template reference, "DeletionPolicy attribute", "UpdateReplacePolicy attribute".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from orgmon.sandbox.cloudformation.faults import format_error
from orgmon.sandbox.cloudformation.functions import JOIN, MAP, SELECT, index_of, template_error
from orgmon.sandbox.cloudformation.references import PLACEHOLDER
from orgmon.sandbox.cloudformation.template import Definition, Template

NO_VALUE = object()
KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""What a change set shows for a value that exists only after the change (AWS's own text)."""

POLICIES = {
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
SNAPSHOT_TYPES = frozenset(
    {
        "AWS::DocDB::DBCluster",
        "AWS::EC2::Volume",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::Neptune::DBCluster",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
    }
)

Reference = Callable[[str], str]
Attribute = Callable[[str, str], Any]
Import = Callable[[str], str]


class Resolver:
    """Works out values for one stack.

    ``values`` are parameters and pseudo parameters; ``reference`` and ``attribute`` answer for resources
    (Ref, GetAtt) and ``imported`` for exports of other stacks. They raise Refusal for what is not there.
    ``conditions`` are those that are known already.
    """

    def __init__(
        self,
        template: Template,
        values: dict[str, Any],
        reference: Reference,
        attribute: Attribute,
        imported: Import,
        conditions: Mapping[str, bool] | None = None,
    ) -> None:
        self._template = template
        self._values = values
        self._reference = reference
        self._attribute = attribute
        self._imported = imported
        self._conditions: dict[str, bool] = dict(conditions or {})
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

    def definition(self, logical_id: str) -> Definition:
        """The resource with its policies worked out. Raises Refusal where one is none that there is."""
        written = self._template.resources[logical_id]
        deletion = self._policy(written, "DeletionPolicy", written.deletion_policy)
        replacement = self._policy(written, "UpdateReplacePolicy", written.update_replace_policy)
        return replace(written, deletion_policy=deletion, update_replace_policy=replacement)

    def _policy(self, written: Definition, attribute: str, node: Any) -> str:
        policy = self.resolve(node)
        if policy in (NO_VALUE, ""):
            return ""
        if not isinstance(policy, str):
            raise format_error(f"Every {attribute} member must be a string.")
        if policy not in POLICIES[attribute]:
            raise format_error(f"Unrecognized {attribute} {policy} for resource {written.logical_id}")
        if policy == "Snapshot" and written.type not in SNAPSHOT_TYPES:
            kind = "deletion" if attribute == "DeletionPolicy" else "update replace"
            raise template_error(f"resource type {written.type} does not support {kind} policy Snapshot")
        return policy

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
        if items == KNOWN_AFTER_APPLY:
            return KNOWN_AFTER_APPLY
        if not isinstance(items, list):
            raise template_error(JOIN)
        return str(value[0]).join(text_of(item) for item in items)

    def _select(self, value: Any) -> Any:
        index = index_of(self.resolve(value[0]))
        items = self.resolve(value[1])
        if items == KNOWN_AFTER_APPLY or items == [KNOWN_AFTER_APPLY]:
            return KNOWN_AFTER_APPLY
        if index is None or not isinstance(items, list):
            raise template_error(SELECT)
        if not 0 <= index < len(items):
            raise template_error(f"Fn::Select cannot select nonexistent value at index {index}")
        return items[index]

    def _split(self, value: Any) -> list[str]:
        text = str(self.resolve(value[1]))
        return [KNOWN_AFTER_APPLY] if KNOWN_AFTER_APPLY in text else text.split(str(value[0]))

    def _if(self, value: Any) -> Any:
        return self.resolve(value[1] if self.condition(value[0]) else value[2])

    def _equals(self, value: Any) -> bool:
        left, right = self.resolve(value)
        return text_of(left) == text_of(right)

    def _find_in_map(self, value: Any) -> Any:
        name, first, second = (self.resolve(part) for part in value)
        if any(isinstance(part, (list, dict)) for part in (name, first, second)):
            raise template_error(MAP)
        entries = self._template.mappings.get(text_of(name))
        if entries is None:
            raise template_error(
                f"Mapping named '{name}' is not present in the 'Mappings' section of template."
            )
        found = entries.get(text_of(first), {})
        if text_of(second) not in found:
            raise template_error(f"Unable to get mapping for {name}::{first}::{second}")
        return found[text_of(second)]

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
