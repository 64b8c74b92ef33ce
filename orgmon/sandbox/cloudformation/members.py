"""What CloudFormation checks in the members of a request before it looks at what they mean.

Sources: botocore's service model (required members, lengths, patterns, enums); API reference, "Common errors". SDKs
check required members alone, and other clients nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from orgmon.sandbox.calls import Call, Handler, Refusal
from orgmon.sandbox.models import operation_model


def checking(operation: str, handler: Handler, *, required_only: bool = False) -> Handler:
    """The handler behind a check of its calls' members; with ``required_only`` only of those that have to be there."""

    def checked(call: Call) -> dict[str, Any]:
        model = operation_model("cloudformation", operation)
        shape = model.input_shape if model else None
        problems = list(_problems(shape, call.params, "", required_only)) if shape else []
        if problems:
            count = f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected"
            raise Refusal("ValidationError", f"{count}: {'; '.join(problems)}")
        return handler(call)

    return checked


def _problems(shape: Any, value: Any, path: str, required_only: bool) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            if value.get(name) is None:
                yield _unfit(None, _below(path, name), "not be null")
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _problems(member, value[name], _below(path, name), required_only)
    elif shape.type_name == "list" and isinstance(value, list):
        yield from () if required_only else _length(shape, value, path)
        for number, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{path}.{number}.member", required_only)
    elif shape.type_name == "string" and not required_only:
        yield from _text_problems(shape, str(value), path)


def _text_problems(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _length(shape, value, path)
    if shape.enum and value not in shape.enum:
        yield _unfit(value, path, f"satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        yield _unfit(value, path, f"satisfy regular expression pattern: {pattern}")


def _length(shape: Any, value: str | list[Any], path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least:
        yield _unfit(value, path, f"have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _unfit(value, path, f"have length less than or equal to {most}")


def _below(path: str, name: str) -> str:
    inner = name[0].lower() + name[1:]
    return f"{path}.{inner}" if path else inner


def _unfit(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: Member must {constraint}"
