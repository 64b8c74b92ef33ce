"""The outputs of a stack, worked out; and what an operation needs before its first resource."""

from __future__ import annotations

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.intrinsics import NO_VALUE, text_of
from orgmon.sandbox.cloudformation.references import calls_of, references_of, taken
from orgmon.sandbox.cloudformation.schema import is_known, schema_of
from orgmon.sandbox.cloudformation.scope import Scope
from orgmon.sandbox.cloudformation.stack import Output
from orgmon.sandbox.cloudformation.template import Template


def outputs_of(template: Template, scope: Scope) -> list[Output]:
    """The outputs whose condition holds, with their values and the names that they are exported by. Raises Refusal."""
    outputs = []
    for key, definition in template.outputs.items():
        resolved = scope.output(definition)
        if resolved is not NO_VALUE:
            export = text_of(resolved.get("Export", {}).get("Name", ""))
            described = str(resolved.get("Description", ""))
            outputs.append(Output(key, text_of(resolved.get("Value", "")), described, export))
    return outputs


def check_beforehand(template: Template, scope: Scope) -> None:
    """Raise Refusal where the template needs an attribute or an export that there is not.

    Such an operation fails before its first resource, and tells it by the stack's own event alone. Source: stack
    events of such stacks, recorded in a public test suite.
    """
    resolver = scope.resolver
    for key, output in template.outputs.items():
        if "Condition" not in output or resolver.condition(output["Condition"]):
            for logical_id, attribute in sorted(references_of(output).attributes):
                _check_attribute(key, template.resources[logical_id].type, attribute)
    for name, definition in template.resources.items():
        if resolver.wanted(name):
            for call in calls_of(taken(definition.properties, resolver.condition), "Fn::ImportValue"):
                resolver.resolve(call)


def _check_attribute(output: str, kind: str, attribute: str) -> None:
    if is_known(kind) and not schema_of(kind).has_attribute(attribute):
        text = f"Resource type {kind} does not support attribute {{{attribute}}}"
        raise Refusal("ValidationError", f"[Error] /Outputs/{output}/Value/Fn::GetAtt: {text}")
