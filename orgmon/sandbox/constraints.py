"""What a service's model demands of the parameters of an operation, and how AWS words that something else came.

Sources: botocore's models (required members, ``min``, ``max``, ``pattern``, enumerations); the wording is that of
AWS's own answers, as quoted in public issues. Patterns that Python's expressions cannot read are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

_NUMBERS = ("integer", "long", "float", "double")
_PYTHON = {"string": str, "structure": dict, "map": dict, "list": list, "boolean": bool}
_NULL = "Member must not be null"


def violations(shape: Any, params: dict[str, Any]) -> list[str]:
    """One sentence for each demand that ``params`` do not meet; ``shape`` is botocore's shape of an input."""
    return [
        f"Value{value} at '{path}' failed to satisfy constraint: {text}"
        for value, path, text in _in(shape, params)
    ]


def mistyped(shape: Any, value: Any, path: str = "") -> str:
    """The path of the first member that has another type than its shape, or an empty string."""
    wanted = _PYTHON.get(shape.type_name)
    if shape.type_name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, (int, float))):
        return path
    if wanted is not None and not isinstance(value, wanted):
        return path
    return next(
        (
            found
            for member, item, place in _members(shape, value, path)
            if (found := mistyped(member, item, place))
        ),
        "",
    )


_Found = Iterator[tuple[str, str, str]]


def _members(shape: Any, value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield member, value[name], f"{path}.{_spelt(name)}" if path else _spelt(name)
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield shape.member, item, f"{path}.{number}.member"
    elif shape.type_name == "map":
        for key, item in value.items():
            yield shape.value, item, f"{path}.{key}.member"


def _in(shape: Any, value: Any, path: str = "") -> _Found:
    """Value, path and demand of everything that is wrong in a value."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield " null", f"{path}.{_spelt(name)}" if path else _spelt(name), _NULL
    else:
        for text in _broken(shape, value):
            yield _shown(shape, value), path, text
    yield from _in_members(shape, value, path)


def _in_members(shape: Any, value: Any, path: str) -> _Found:
    """Demands on simple members of a list or map are told of the whole."""
    if shape.type_name == "map":
        yield from _of_all(shape, value, path, shape.key, list(value), "Map keys must satisfy constraint")
    inner = {"list": "member", "map": "value"}.get(shape.type_name, "")
    part = getattr(shape, inner) if inner else None
    if part is not None and part.type_name not in ("structure", "list", "map"):
        items = list(value.values()) if inner == "value" else value
        kind = "Map value" if inner == "value" else "Member"
        yield from _of_all(shape, value, path, part, items, f"{kind} must satisfy constraint")
        return
    for member, item, place in _members(shape, value, path):
        yield from _in(member, item, place)


def _of_all(shape: Any, value: Any, path: str, part: Any, items: list[Any], text: str) -> _Found:
    if any(_broken(part, item) for item in items):
        yield _shown(shape, value), path, f"{text}: [{', '.join(each for each, _ in _demands(part))}]"


def _broken(shape: Any, value: Any) -> list[str]:
    return [text for text, holds in _demands(shape) if not holds(value)]


@cache
def _demands(shape: Any) -> tuple[tuple[str, Any], ...]:
    """What a shape demands of a value: the text, and whether it holds."""
    limits, found = shape.metadata, []
    what, size = ("value", _itself) if shape.type_name in _NUMBERS else ("length", len)
    if (most := limits.get("max")) is not None:
        found.append(
            (f"Member must have {what} less than or equal to {most}", lambda value: size(value) <= most)
        )
    if (least := limits.get("min")) is not None:
        found.append(
            (f"Member must have {what} greater than or equal to {least}", lambda value: size(value) >= least)
        )
    if (pattern := _compiled(limits.get("pattern"))) is not None:
        text = f"Member must satisfy regular expression pattern: {pattern.pattern}"
        found.append((text, lambda value: pattern.fullmatch(value) is not None))
    if choices := getattr(shape, "enum", None):
        text = f"Member must satisfy enum value set: [{', '.join(choices)}]"
        found.append((text, lambda value: value in choices))
    return tuple(found)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None


def _itself(value: Any) -> Any:
    return value


def _spelt(name: str) -> str:
    return name[0].lower() + name[1:]


def _shown(shape: Any, value: Any) -> str:
    """A value as it is quoted; what is secret is not."""
    return "" if shape.metadata.get("sensitive") else f" '{_written(value)}'"


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_written(item) for item in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
