"""Reading template properties: CloudFormation takes numbers and truths as texts, documents as text or object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def is_true(value: Any) -> bool:
    """A truth that may be written as a text."""
    return str(value).lower() == "true"


def document(value: Any) -> str:
    """A JSON document as text, whether the template gives text or an object."""
    return value if isinstance(value, str) else json.dumps(value)


def parsed(value: Any) -> Any:
    """A JSON document as an object, whether text or object."""
    return json.loads(value) if isinstance(value, str) else value


def chosen(wanted: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The named properties that are set."""
    return {name: wanted[name] for name in names if name in wanted}


def differs(old: Mapping[str, Any], wanted: Mapping[str, Any], *names: str) -> bool:
    """Whether one of the named properties changed."""
    return any(old.get(name) != wanted.get(name) for name in names)


def lowered(value: Any) -> Any:
    """The same structure with the first letter of every key in lower case (services with camelCase members)."""
    if isinstance(value, Mapping):
        return {key[:1].lower() + key[1:]: lowered(inner) for key, inner in value.items()}
    return [lowered(inner) for inner in value] if isinstance(value, list) else value


def raised(value: Any) -> Any:
    """The same structure with the first letter of every key in upper case."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: raised(inner) for key, inner in value.items()}
    return [raised(inner) for inner in value] if isinstance(value, list) else value


def tag_map(tags: Any) -> dict[str, str]:
    """Tags as a dictionary, from either of the two forms that templates use."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag["Key"]): str(tag["Value"]) for tag in tags or []}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as the list of Key and Value that most services take."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_changes(old: Any, wanted: Any) -> tuple[dict[str, str], list[str]]:
    """What to set and which keys to remove, to get from the old tags to the wanted ones."""
    before = tag_map(old)
    after = tag_map(wanted)
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    return changed, [key for key in before if key not in after]


def numbers(wanted: Mapping[str, Any], names: Iterable[str]) -> dict[str, int]:
    """The named properties that are set, as whole numbers."""
    return {name: int(wanted[name]) for name in names if name in wanted}
