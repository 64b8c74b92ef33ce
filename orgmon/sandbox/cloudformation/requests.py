"""What is asked of a stack, checked as AWS checks it at the door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orgmon.sandbox.calls import Principal, Refusal
from orgmon.sandbox.cloudformation import door
from orgmon.sandbox.cloudformation.capabilities import require
from orgmon.sandbox.cloudformation.parameters import in_template, settle
from orgmon.sandbox.cloudformation.stack import Request
from orgmon.sandbox.cloudformation.template import Template


def request_of(
    template: Template,
    given: Iterable[Mapping[str, Any]],
    tags: Mapping[str, str],
    capabilities: tuple[str, ...],
    principal: Principal | None,
    *,
    pseudo: Mapping[str, Any],
    previous: Mapping[str, str] | None = None,
    on_failure: str = "ROLLBACK",
    **further: Any,
) -> Request:
    """A checked request: parameters settled, capabilities sufficient, tags allowed, all of it worked out.

    ``pseudo`` are the pseudo parameters of the stack. Raises Refusal.
    """
    if any(key.lower().startswith("aws:") for key in tags):
        raise Refusal("ValidationError", "aws: prefixed tag key names are not allowed for external use.")
    require(template, capabilities)
    values = settle(template.parameters, given, previous)
    door.check(template, {**pseudo, **in_template(template.parameters, values)})
    return Request(
        template=template,
        parameters=values,
        tags=dict(tags),
        capabilities=capabilities,
        principal=principal,
        on_failure=on_failure,
        **further,
    )
