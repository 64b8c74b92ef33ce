"""The tags that a stack gives to its resources."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.cloudformation.schema import Schema, is_known, schema_of
from orgmon.sandbox.cloudformation.stack import Request, StackRecord
from orgmon.sandbox.providers import provider_of
from orgmon.sandbox.providers.properties import tag_list, tag_map

SYSTEM_TAGGED = frozenset({"AWS::SecretsManager::Secret"})


def with_stack_tags(
    stack: StackRecord, request: Request, type_name: str, logical_id: str, properties: dict[str, Any]
) -> dict[str, Any]:
    """The properties with the tags that are asked for the stack (the resource's own win), and CloudFormation's own."""
    if not is_known(type_name):
        return properties
    schema = schema_of(type_name)
    tags = dict(request.tags)
    if type_name in SYSTEM_TAGGED:
        tags |= system_tags(stack, logical_id)
    provider = provider_of(type_name)
    if not tags or provider is None or schema.tag_property not in provider.supports:
        return properties
    merged = tags | tag_map(properties.get(schema.tag_property))
    return {**properties, schema.tag_property: _in_form(merged, schema)}


def system_tags(stack: StackRecord, logical_id: str) -> dict[str, str]:
    """The tags that CloudFormation itself puts on a resource."""
    return {
        "aws:cloudformation:stack-name": stack.name,
        "aws:cloudformation:stack-id": stack.id,
        "aws:cloudformation:logical-id": logical_id,
    }


def _in_form(tags: dict[str, str], schema: Schema) -> Any:
    return tags if schema.tags_are_a_map else tag_list(tags)
