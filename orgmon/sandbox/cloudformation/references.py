"""What a piece of a template refers to: resources, their attributes, conditions, and the functions it calls."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


@dataclass
class References:
    """``refs`` are names given to Ref (or ``${Name}``), ``attributed`` the logical ids given to GetAtt."""

    refs: set[str] = field(default_factory=set)
    attributed: set[str] = field(default_factory=set)
    attributes: set[tuple[str, str]] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def references_of(node: Any) -> References:
    """Collect every reference below ``node``. Literals (``${!Name}``) do not count."""
    found = References()
    _walk(node, found)
    return found


def _walk(node: Any, found: References) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(item, found)
    elif isinstance(node, dict):
        if len(node) == 1:
            ((key, value),) = node.items()
            _function(key, value, found)
        for value in node.values():
            _walk(value, found)


def _function(key: str, value: Any, found: References) -> None:
    if key == "Ref" and isinstance(value, str):
        found.refs.add(value)
    elif key == "Fn::GetAtt":
        _attribute(value, found)
    elif key == "Fn::Sub":
        _substitution(value, found)
    elif key == "Fn::If" and isinstance(value, list) and value:
        found.conditions.add(str(value[0]))
    if key.startswith("Fn::"):
        found.functions.add(key)


def _attribute(value: Any, found: References) -> None:
    parts = value.split(".", 1) if isinstance(value, str) else value
    if isinstance(parts, list) and len(parts) == 2 and isinstance(parts[0], str):
        found.attributed.add(parts[0])
        if isinstance(parts[1], str):
            found.attributes.add((parts[0], parts[1]))


def _substitution(value: Any, found: References) -> None:
    text, local = (value, {}) if isinstance(value, str) else (value[0], value[1])
    for name in PLACEHOLDER.findall(text):
        wanted = name.strip()
        if wanted.startswith("!") or wanted in local:
            continue
        if "." in wanted and "::" not in wanted:
            _attribute(wanted, found)
        else:
            found.refs.add(wanted)
