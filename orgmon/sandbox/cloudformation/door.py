"""What is wrong with a template for the values it is asked for with: refused before there is a stack.

Conditions, mappings and policies have to work out, and nothing may refer to a resource that its condition leaves out
(unless it is in the branch of an Fn::If that is not taken). A mapping is looked into everywhere, also in such a branch.
Sources: user guide, "Conditions" and "Fn::FindInMap"; what CreateChangeSet answers, as recorded in public test suites;
aws-cloudformation-templates issue 271 (Fn::FindInMap within Fn::If).
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.cloudformation.faults import format_error, unresolved
from orgmon.sandbox.cloudformation.functions import template_error
from orgmon.sandbox.cloudformation.intrinsics import Resolver
from orgmon.sandbox.cloudformation.references import calls_of, references_of, taken
from orgmon.sandbox.cloudformation.template import Template


def check(template: Template, values: dict[str, Any]) -> None:
    """Raise Refusal where the template does not work out. ``values`` are parameters and pseudo parameters."""
    resolver = Resolver(template, values, _no_resource, _no_attribute, _no_import)
    for condition in template.conditions:
        resolver.condition(condition)
    if template.mappings:
        written = [*(each.properties for each in template.resources.values()), *template.outputs.values()]
        for call in calls_of(written, "Fn::FindInMap"):
            resolver.resolve(call)
    definitions = [resolver.definition(name) for name in template.resources if resolver.wanted(name)]
    wanted = {definition.logical_id for definition in definitions}
    for definition in definitions:
        _check_present(definition.properties, "Resources", template, resolver, wanted)
    for output in template.outputs.values():
        if "Condition" not in output or resolver.condition(output["Condition"]):
            _check_present(output, "Outputs", template, resolver, wanted)


def _check_present(node: Any, block: str, template: Template, resolver: Resolver, wanted: set[str]) -> None:
    found = references_of(taken(node, resolver.condition))
    absent = ((found.refs | found.attributed) & set(template.resources)) - wanted
    if absent:
        raise unresolved(absent, block)


def _no_resource(name: str) -> str:
    raise format_error(f"Unresolved dependencies [{name}]. Cannot reference resources here")


def _no_attribute(name: str, attribute: str) -> str:
    raise template_error(f"Fn::GetAtt of {name}.{attribute} cannot be used here")


def _no_import(name: str) -> str:
    raise template_error("Fn::ImportValue cannot be used here")
