"""What a piece of a template refers to: resources, their attributes, conditions, and the functions it calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


@dataclass
class References:
    """``refs`` are names given to Ref (or ``${Name}``), ``attributed`` the logical ids given to GetAtt.

    ``conditions`` are named by Fn::If, ``named_conditions`` by ``Condition``, which is a function in Conditions only.
    """

    refs: set[str] = field(default_factory=set)
    attributed: set[str] = field(default_factory=set)
    attributes: set[tuple[str, str]] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)
    named_conditions: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)

    @property
    def all_conditions(self) -> set[str]:
        """The conditions that have to be known."""
        return self.conditions | self.named_conditions


def references_of(node: Any) -> References:
    """Collect every reference below ``node``. Literals (``${!Name}``) do not count."""
    references = References()
    _walk(node, references)
    return references


def taken(node: Any, holds: Callable[[str], bool]) -> Any:
    """``node`` with only that branch of each Fn::If that is taken; ``holds`` says whether a condition does."""
    if isinstance(node, list):
        return [taken(item, holds) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and "Fn::If" in node:
        condition, yes, no = node["Fn::If"]
        return taken(yes if holds(condition) else no, holds)
    return {key: taken(value, holds) for key, value in node.items()}


def calls_of(node: Any, function: str) -> Iterator[dict[str, Any]]:
    """Every call of a function below ``node``."""
    if isinstance(node, list):
        for item in node:
            yield from calls_of(item, function)
    elif isinstance(node, dict):
        if len(node) == 1 and function in node:
            yield node
        for value in node.values():
            yield from calls_of(value, function)


def is_substitution(value: Any) -> bool:
    """Whether Fn::Sub can take this: a text, or a list of a text and a map."""
    if isinstance(value, str):
        return True
    is_pair = isinstance(value, list) and len(value) == 2
    return is_pair and isinstance(value[0], str) and isinstance(value[1], dict)


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
    elif key == "Fn::Sub" and is_substitution(value):
        _substitution(value, references)
    elif key == "Fn::If" and isinstance(value, list) and value:
        references.conditions.add(str(value[0]))
    elif key == "Condition" and isinstance(value, str):
        references.named_conditions.add(value)
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
