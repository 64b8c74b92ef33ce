"""What a template's functions see in one stack: parameters, pseudo parameters, resources, exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation import parameters
from orgmon.sandbox.cloudformation.faults import unresolved
from orgmon.sandbox.cloudformation.functions import template_error
from orgmon.sandbox.cloudformation.intrinsics import KNOWN_AFTER_APPLY, NO_VALUE, Resolver
from orgmon.sandbox.cloudformation.schema import is_known, schema_of
from orgmon.sandbox.cloudformation.stack import Request, ResourceRecord, StackRecord

Exports = Mapping[str, str]
Live = Callable[[ResourceRecord], dict[str, Any] | None]
_PARTITIONS = {"cn-": ("aws-cn", "amazonaws.com.cn"), "us-gov-": ("aws-us-gov", "amazonaws.com")}


def partition_of(region: str) -> tuple[str, str]:
    """The partition of a Region and the suffix of its URLs."""
    for prefix, partition in _PARTITIONS.items():
        if region.startswith(prefix):
            return partition
    return ("aws", "amazonaws.com")


def pseudo_parameters(
    account: str, region: str, stack_name: str, stack_id: str = "", notifications: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The values of the AWS:: parameters in a stack; one that is only asked for has no id yet."""
    partition, suffix = partition_of(region)
    to_be = f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack_name}/"
    return {
        "AWS::AccountId": account,
        "AWS::NotificationARNs": list(notifications),
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackId": stack_id or to_be,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": suffix,
    }


class Scope:
    """The view of one operation on a stack.

    ``records`` are the resources as they are by now, ``live`` reads the properties of one. With ``planning``, resources
    that do not exist yet (or that ``unsettled`` names) give KNOWN_AFTER_APPLY instead of a refusal.
    """

    def __init__(
        self,
        stack: StackRecord,
        request: Request,
        exports: Exports,
        live: Live,
        *,
        planning: bool = False,
    ) -> None:
        self.records: dict[str, ResourceRecord] = dict(stack.resources)
        self.unsettled: set[str] = set()
        self.imports: set[str] = set()
        self._planning = planning
        self._exports = exports
        self._live = live
        self._request = request
        self._pseudo = pseudo_parameters(
            stack.account, stack.region, stack.name, stack.id, request.notifications
        )
        self.resolver = self._resolver(request.parameters)
        self._showing: Resolver | None = None

    def _resolver(self, values: Mapping[str, str], conditions: Mapping[str, bool] | None = None) -> Resolver:
        template = self._request.template
        known = {**self._pseudo, **parameters.in_template(template.parameters, values)}
        return Resolver(template, known, self._reference, self._attribute, self._imported, conditions)

    def shown(self, logical_id: str) -> dict[str, Any]:
        """The properties of a resource as anybody may see them: NoEcho parameters are masked."""
        declared = self._request.template.parameters
        if not any(map(parameters.is_secret, declared.values())):
            return self.resolver.properties(logical_id)
        if self._showing is None:
            conditions = {name: self.resolver.condition(name) for name in self._request.template.conditions}
            masked = parameters.masked(declared, self._request.parameters)
            self._showing = self._resolver(masked, conditions)
        try:
            return self._showing.properties(logical_id)
        except Refusal:  # a mask is no index and no key of a mapping
            return {}

    def output(self, definition: dict[str, Any]) -> Any:
        """The resolved output, or NO_VALUE when its condition does not hold."""
        condition = definition.get("Condition")
        if isinstance(condition, str) and not self.resolver.condition(condition):
            return NO_VALUE
        return self.resolver.resolve({key: each for key, each in definition.items() if key != "Condition"})

    def _record(self, logical_id: str) -> ResourceRecord | None:
        if self._planning and (logical_id in self.unsettled or logical_id not in self.records):
            return None
        if logical_id not in self.records:
            raise unresolved({logical_id}, "Resources")
        return self.records[logical_id]

    def _reference(self, logical_id: str) -> str:
        record = self._record(logical_id)
        return record.physical_id if record else KNOWN_AFTER_APPLY

    def _attribute(self, logical_id: str, name: str) -> Any:
        record = self._record(logical_id)
        if record is None:
            return KNOWN_AFTER_APPLY
        if name in record.attributes:
            return record.attributes[name]
        if is_known(record.type) and schema_of(record.type).has_attribute(name):
            for properties in (record.properties, self._live(record) or {}):
                value = value_at(properties, name)
                if value is not None:
                    return value
        raise template_error(f"resource {logical_id} does not support attribute type {name} in Fn::GetAtt")

    def _imported(self, name: str) -> str:
        if name not in self._exports:
            raise Refusal("ValidationError", f"No export named {name} found")
        self.imports.add(name)
        return self._exports[name]


def value_at(properties: dict[str, Any], name: str) -> Any:
    """The property that an attribute names, with a dot for each level; None where there is none."""
    value: Any = properties
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
