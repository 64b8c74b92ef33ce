"""Stack policies: which updates a stack allows to its resources.

Without a policy everything is allowed; with one, what no statement allows is refused, and a Deny always wins. A
policy that is an empty object is as good as none. Sources: user guide, "Prevent updates to stack resources"; answers
of SetStackPolicy that were recorded in public test suites.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from orgmon.sandbox.calls import Refusal

MAXIMUM_BYTES = 16_384
ACTIONS = ("Update:Modify", "Update:Replace", "Update:Delete")
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, pattern: value == pattern,
    "StringLike": fnmatchcase,
}


@dataclass(frozen=True)
class StackPolicy:
    """The statements of a policy; ``applies`` is False where there is none."""

    statements: tuple[dict[str, Any], ...] = ()
    applies: bool = False

    def problem(self, action: str, logical_id: str, type_name: str) -> str:
        """Why an action (one of ACTIONS) may not be done to a resource; empty when it may."""
        if not self.applies:
            return ""
        allowed = False
        for number, statement in enumerate(self.statements, 1):
            if not _fits(statement, action, logical_id, type_name):
                continue
            if statement["Effect"] == "Deny":
                actions, resources = _written(statement, "Action"), _written(statement, "Resource")
                return (
                    f"Action denied by stack policy: Statement [#{number}] does not allow [{actions}] "
                    f"for resource [{resources}];"
                )
            allowed = True
        return "" if allowed else "Action not allowed by stack policy"


def parse(text: str) -> StackPolicy:
    """Read a policy. Raises Refusal (ValidationError) for what is none, or is too long."""
    if not text:
        return StackPolicy()
    if len(text.encode()) > MAXIMUM_BYTES:
        raise Refusal(
            "ValidationError",
            "1 validation error detected: Value at 'stackPolicyBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAXIMUM_BYTES}",
        )
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise _invalid() from problem
    if not isinstance(body, dict):
        raise _invalid()
    statements = _listed(body.get("Statement", []))
    for statement in statements:
        _check(statement)
    return StackPolicy(tuple(statements), applies="Statement" in body)


def _check(statement: Any) -> None:
    if not isinstance(statement, dict):
        raise _invalid()
    actions = _listed(statement.get("Action", [])) + _listed(statement.get("NotAction", []))
    condition = statement.get("Condition", {})
    fits = (
        statement.get("Effect") in ("Allow", "Deny")
        and statement.get("Principal") == "*"
        and bool(actions)
        and all(isinstance(each, str) and _is_action(each) for each in actions)
        and all(isinstance(each, str) for each in _resources(statement))
        and isinstance(condition, dict)
        and all(operator in _OPERATORS and _is_on_type(keys) for operator, keys in condition.items())
    )
    if not fits:
        raise _invalid()


def _resources(statement: dict[str, Any]) -> list[Any]:
    return _listed(statement.get("Resource", [])) + _listed(statement.get("NotResource", []))


def _is_on_type(keys: Any) -> bool:
    if not isinstance(keys, dict) or set(keys) - {"ResourceType"}:
        return False
    return all(isinstance(each, str) for each in _listed(keys["ResourceType"])) if keys else True


def _is_action(pattern: str) -> bool:
    return any(fnmatchcase(action, pattern) for action in ACTIONS)


def _fits(statement: dict[str, Any], action: str, logical_id: str, type_name: str) -> bool:
    if not _named(statement, "Action", action) or not _named(
        statement, "Resource", f"LogicalResourceId/{logical_id}"
    ):
        return False
    return all(
        any(_OPERATORS[operator](type_name, pattern) for pattern in _listed(keys["ResourceType"]))
        for operator, keys in statement.get("Condition", {}).items()
        if keys
    )


def _named(statement: dict[str, Any], element: str, value: str) -> bool:
    """A statement without the element, and without its opposite, is about nothing."""
    if element in statement:
        return any(fnmatchcase(value, pattern) for pattern in _listed(statement[element]))
    opposite = f"Not{element}"
    return opposite in statement and not any(
        fnmatchcase(value, pattern) for pattern in _listed(statement[opposite])
    )


def _written(statement: dict[str, Any], element: str) -> str:
    return ", ".join(_listed(statement.get(element, statement.get(f"Not{element}", []))))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _invalid() -> Refusal:
    return Refusal("ValidationError", "Error validating stack policy: Invalid stack policy")
