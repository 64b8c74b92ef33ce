"""Parameters that the model of a service does not allow are refused in the words of the service, before moto is asked.

Sources: botocore's models; the codes are those under which the services' own answers are quoted in LocalStack's public
tests (tests/aws/services) and public issues.
"""

from __future__ import annotations

from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.constraints import mistyped, violations
from orgmon.sandbox.models import operation_model
from orgmon.sandbox.world import World

_CODES = {
    "cloudwatch": "ValidationError",
    "events": "ValidationException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
    "sns": "ValidationError",
}


def install(world: World) -> None:
    """Look at every call of the services named above. To be done first."""
    world.before.append(_check)


def _check(call: Call) -> None:
    if call.internal or call.service not in (*_CODES, "sqs"):
        return
    model = operation_model(call.service, call.operation)
    shape = model.input_shape if model is not None else None
    if shape is None:
        return
    if wrong := mistyped(shape, call.params):
        raise Refusal("SerializationException", f"The value of {wrong} has a type that it cannot have.")
    if call.service == "sqs":
        _check_queue(shape, call)
        return
    found = violations(shape, call.params)
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        raise Refusal(_CODES[call.service], f"{count}: {'; '.join(found)}")


def _check_queue(shape: Any, call: Call) -> None:
    """SQS has words of its own for what is missing; its model demands nothing else."""
    for name in shape.required_members:
        if call.params.get(name) is None:
            raise Refusal("MissingParameter", f"The request must contain the parameter {name}.")
    for entry in call.params.get("Entries") or []:
        for name in shape.members["Entries"].member.required_members:
            if entry.get(name) is None:
                raise Refusal("MissingParameter", f"The request must contain the parameter {name}.")
