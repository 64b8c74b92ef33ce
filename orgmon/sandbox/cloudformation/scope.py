"""What a template's functions see in one stack: parameters, pseudo parameters, resources, exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation import parameters
from orgmon.sandbox.cloudformation.intrinsics import KNOWN_AFTER_APPLY, NO_VALUE, Resolver, template_error
from orgmon.sandbox.cloudformation.stack import Request, ResourceRecord, StackRecord

Exports = Mapping[str, str]
_PARTITIONS = {"cn-": ("aws-cn", "amazonaws.com.cn"), "us-gov-": ("aws-us-gov", "amazonaws.com")}


def partition_of(region: str) -> tuple[str, str]:
    """The partition of a Region and the suffix of its URLs."""
    for prefix, partition in _PARTITIONS.items():
        if region.startswith(prefix):
            return partition
    return ("aws", "amazonaws.com")


def pseudo_parameters(stack: StackRecord, request: Request) -> dict[str, Any]:
    """The values of the AWS:: parameters in a stack."""
    partition, suffix = partition_of(stack.region)
    return {
        "AWS::AccountId": stack.account,
        "AWS::NotificationARNs": list(request.notifications),
        "AWS::Partition": partition,
        "AWS::Region": stack.region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": suffix,
    }


class Scope:
    """The view of one operation on a stack.

    ``records`` are the resources as they are by now. With ``planning``, resources that do not exist yet (or that
    ``unsettled`` names) give KNOWN_AFTER_APPLY instead of a refusal.
    """

    def __init__(
        self,
        stack: StackRecord,
        request: Request,
        exports: Exports,
        *,
        planning: bool = False,
    ) -> None:
        self.records: dict[str, ResourceRecord] = dict(stack.resources)
        self.unsettled: set[str] = set()
        self.imports: set[str] = set()
        self._planning = planning
        self._exports = exports
        declared = request.template.parameters
        values = pseudo_parameters(stack, request)
        values.update(parameters.in_template(declared, request.parameters))
        self.resolver = Resolver(request.template, values, self._reference, self._attribute, self._imported)

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
            raise Refusal(
                "ValidationError",
                f"Template format error: Unresolved resource dependencies [{logical_id}] "
                "in the Resources block of the template",
            )
        return self.records[logical_id]

    def _reference(self, logical_id: str) -> str:
        record = self._record(logical_id)
        return record.physical_id if record else KNOWN_AFTER_APPLY

    def _attribute(self, logical_id: str, name: str) -> Any:
        record = self._record(logical_id)
        if record is None:
            return KNOWN_AFTER_APPLY
        if name not in record.attributes:
            raise template_error(
                f"resource {logical_id} does not support attribute type {name} in Fn::GetAtt"
            )
        return record.attributes[name]

    def _imported(self, name: str) -> str:
        if name not in self._exports:
            raise Refusal("ValidationError", f"No export named {name} found. Rollback requested by user.")
        self.imports.add(name)
        return self._exports[name]
