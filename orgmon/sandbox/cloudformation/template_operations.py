"""CloudFormation's API for templates: what a stack has, what is in one, whether it is one."""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.cloudformation import shapes
from orgmon.sandbox.cloudformation.change_sets import ChangeSetOperations
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.stack import StackRecord
from orgmon.sandbox.cloudformation.template import Template
from orgmon.sandbox.cloudformation.templates import template_of

Members = dict[str, Any]


class TemplateOperations:
    """Handlers of the gateway: a Call comes in, output members go out."""

    def __init__(self, engine: Engine, change_sets: ChangeSetOperations) -> None:
        self._engine = engine
        self._change_sets = change_sets

    def get_template(self, call: Call) -> Members:
        """GetTemplate: the text as it was given, of a stack or of a change set."""
        if call.params.get("ChangeSetName"):
            template = self._change_sets.named(call)[1].request.template
        else:
            template = self._stack(call).request.template
        return {"TemplateBody": template.text, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, call: Call) -> Members:
        """GetTemplateSummary: of a template, or of a stack's."""
        template = self._named_template(call)
        return shapes.set_only(
            {
                "Parameters": shapes.declared_parameters(template),
                "Description": template.description,
                **shapes.capability_members(template),
                "ResourceTypes": list(template.resource_types),
                "ResourceIdentifierSummaries": shapes.identifier_shapes(template),
                "Version": "2010-09-09",
                "DeclaredTransforms": list(template.transforms) or None,
            }
        )

    def validate_template(self, call: Call) -> Members:
        """ValidateTemplate: refuses what is not well formed."""
        template = template_of(self._engine.world, call)
        kept = ("ParameterKey", "DefaultValue", "NoEcho", "Description")
        declared = [
            {name: each[name] for name in kept if name in each}
            for each in shapes.declared_parameters(template)
        ]
        members = {"Parameters": declared, "Description": template.description}
        return shapes.set_only({**members, **shapes.capability_members(template)})

    def _stack(self, call: Call) -> StackRecord:
        return self._engine.register.get(call.account, call.region, str(call.params.get("StackName") or ""))

    def _named_template(self, call: Call) -> Template:
        if call.params.get("StackName"):
            return self._stack(call).request.template
        return template_of(self._engine.world, call)
