"""How intrinsic functions have to be written: their arguments, as far as the template alone says it.

The words are CloudFormation's. Source: user guide, "Intrinsic function reference"; what CreateChangeSet answers to
ill-formed functions, as recorded in public test suites. Fn::FindInMap takes three arguments, each a text, Ref or
Fn::FindInMap: more is possible only with the transform AWS::LanguageExtensions, which the sandbox does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.references import is_substitution

SUPPORTED = (
    "Fn::Base64",
    "Fn::GetAtt",
    "Fn::GetAZs",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::Select",
    "Ref",
    "Fn::Equals",
    "Fn::If",
    "Fn::Not",
    "Condition",
    "Fn::And",
    "Fn::Or",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
    "Fn::RefAll",
    "Fn::Sub",
    "Fn::Cidr",
)
"""The functions that CloudFormation names where it meets another one."""
MISSING_HERE = frozenset({"Fn::Cidr", "Fn::Transform"})
SELECT = "Fn::Select requires a list argument with two elements: an integer index and a list"
JOIN = (
    "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a "
    "function that returns a list of strings (such as Fn::GetAZs) to be joined."
)
MAP = "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
_SUB = (
    "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, "
    "and an optional second argument to specify a mapping of values to replace in the string"
)
_ATTRIBUTE = (
    "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"
)
_SPLIT = (
    "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a "
    "function that returns a string to be split."
)
_MANY = "every {} object requires a list of at least 2 and at most 10 boolean parameters."


def template_error(message: str) -> Refusal:
    """The refusal of a template whose functions cannot be worked out."""
    return Refusal("ValidationError", f"Template error: {message}")


def check_functions(node: Any, mappings: dict[str, Any]) -> None:
    """Raise Refusal for the first function below ``node`` that is not written as it has to be."""
    if isinstance(node, list):
        for item in node:
            check_functions(item, mappings)
    elif isinstance(node, dict):
        if len(node) == 1:
            ((key, value),) = node.items()
            _check(str(key), value, mappings)
        for value in node.values():
            check_functions(value, mappings)


def _check(key: str, value: Any, mappings: dict[str, Any]) -> None:
    if key == "Ref" and not isinstance(value, str):
        raise template_error("every Ref object must have a single String value.")
    if not key.startswith("Fn::"):
        return
    if key in MISSING_HERE:
        raise Refusal("ValidationError", f"{key} is not implemented by the sandbox")
    if key not in _CHECKS:
        raise template_error(
            f"Encountered unsupported function: {key} Supported functions are: [{', '.join(SUPPORTED)}]"
        )
    problem = _CHECKS[key](value)
    if problem:
        raise template_error(problem)
    if key == "Fn::FindInMap" and isinstance(value[0], str) and value[0] not in mappings:
        raise template_error(
            f"Mapping named '{value[0]}' is not present in the 'Mappings' section of template."
        )


def _listed(value: Any, least: int, most: int) -> bool:
    return isinstance(value, list) and least <= len(value) <= most


def _select(value: Any) -> str:
    """A literal index has to be one of a literal list."""
    if not _listed(value, 2, 2) or isinstance(value[0], list) or not isinstance(value[1], (list, dict)):
        return SELECT
    if isinstance(value[0], dict):
        return ""
    index = index_of(value[0])
    is_there = index is not None and (isinstance(value[1], dict) or 0 <= index < len(value[1]))
    return "" if is_there else SELECT


def index_of(value: Any) -> int | None:
    """The whole number that a value is, None for any other value."""
    try:
        return int(str(value))
    except ValueError:
        return None


def _sub(value: Any) -> str:
    return "" if is_substitution(value) else _SUB


def _attribute(value: Any) -> str:
    parts = value.split(".", 1) if isinstance(value, str) else value
    fits = _listed(parts, 2, 2) and isinstance(parts[0], str) and all(part not in ("", []) for part in parts)
    return "" if fits else _ATTRIBUTE


def _map(value: Any) -> str:
    def fits(part: Any) -> bool:
        if isinstance(part, dict):
            return len(part) == 1 and set(part) <= {"Ref", "Fn::FindInMap"}
        return not isinstance(part, list)

    return "" if _listed(value, 3, 3) and all(map(fits, value)) else MAP


def _if(value: Any) -> str:
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        return "Fn::If requires a list argument with the first element being a condition"
    return "" if len(value) == 3 else "Fn::If requires a list argument with three elements"


def _text(name: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        return f"every {name} object must have a String-typed value." if isinstance(value, list) else ""

    return check


def _counted(least: int, most: int, problem: str) -> Callable[[Any], str]:
    return lambda value: "" if _listed(value, least, most) else problem


_CHECKS: dict[str, Callable[[Any], str]] = {
    "Fn::And": _counted(2, 10, _MANY.format("Fn::And")),
    "Fn::Base64": _text("Fn::Base64"),
    "Fn::Equals": _counted(2, 2, "Fn::Equals requires a list argument with two elements"),
    "Fn::FindInMap": _map,
    "Fn::GetAZs": _text("Fn::GetAZs"),
    "Fn::GetAtt": _attribute,
    "Fn::If": _if,
    "Fn::ImportValue": _text("Fn::ImportValue"),
    "Fn::Join": _counted(2, 2, JOIN),
    "Fn::Not": _counted(1, 1, "Fn::Not requires a list argument with one element"),
    "Fn::Or": _counted(2, 10, _MANY.format("Fn::Or")),
    "Fn::Select": _select,
    "Fn::Split": _counted(2, 2, _SPLIT),
    "Fn::Sub": _sub,
}
