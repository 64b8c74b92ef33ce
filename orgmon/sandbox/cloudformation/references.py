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
    references = References()
    _walk(node, references)
    return references


def _walk(node: Any, references: References) -> None:
    if isinstance(node, list):
        for item in node:
            _walk(item, references)
    elif isinstance(node, dict):
        if len(node) == 1:
            ((key, value),) = node.items()
            _function(key, value, references)
        for value in node.values():
            _walk(value, references)


def _function(key: str, value: Any, references: References) -> None:
    if key == "Ref" and isinstance(value, str):
        references.refs.add(value)
    elif key == "Fn::GetAtt":
        _attribute(value, references)
    elif key == "Fn::Sub":
        _substitution(value, references)
    elif key == "Fn::If" and isinstance(value, list) and value:
        references.conditions.add(str(value[0]))
    if key.startswith("Fn::"):
        references.functions.add(key)


def _attribute(value: Any, references: References) -> None:
    parts = value.split(".", 1) if isinstance(value, str) else value
    if isinstance(parts, list) and len(parts) == 2 and isinstance(parts[0], str):
        references.attributed.add(parts[0])
        if isinstance(parts[1], str):
            references.attributes.add((parts[0], parts[1]))


def _substitution(value: Any, references: References) -> None:
    text, local = (value, {}) if isinstance(value, str) else (value[0], value[1])
    for name in PLACEHOLDER.findall(text):
        wanted = name.strip()
        if wanted.startswith("!") or wanted in local:
            continue
        if "." in wanted and "::" not in wanted:
            _attribute(wanted, references)
        else:
            references.refs.add(wanted)
