"""The Condition block of a policy statement.

Source: IAM user guide, "Condition operators" and "Conditions with multiple context keys or values".
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

Context = Mapping[str, Any]
Test = Callable[[str, str], bool]

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


@cache
def wildcard(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """The expression for a text with ``*`` (anything) and ``?`` (one character)."""
    parts = re.split(r"([*?])", pattern)
    expression = "".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(value: str, pattern: str) -> bool:
    """True if the text fits the pattern, letter case respected."""
    return wildcard(pattern).fullmatch(value) is not None


def arn_like(value: str, pattern: str) -> bool:
    """True if the ARN fits; no wildcard reaches across one of the first five colons."""
    parts, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(like, parts, patterns))


def insert_variables(text: str, context: Context) -> str:
    """Policy variables such as ``${aws:username}`` replaced by their values; unknown ones stay, and fit nothing."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return name if name in ("*", "?", "$") else str(context.get(name.lower(), match[0]))

    return _VARIABLE.sub(value, text) if "${" in text else text


def holds(block: Mapping[str, Any], context: Context) -> bool:
    """True if every condition of the block holds. The context's keys are in lower case.

    Raises ValueError for an operator that IAM does not have.
    """
    return all(
        _one_holds(name, key, as_list(wanted), context)
        for name, tests in block.items()
        for key, wanted in tests.items()
    )


def as_list(value: Any) -> list[Any]:
    """A value that IAM lets stand alone or in a list, as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _one_holds(name: str, key: str, wanted: list[Any], context: Context) -> bool:
    quantifier, _, base = name.rpartition(":")
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    present = key.lower() in context and context[key.lower()] is not None
    if base == "Null":
        return present is not any(_is_true(item) for item in wanted)
    test, negated = _operator(base)
    if not present:
        return if_exists or negated or quantifier == "ForAllValues"
    values = [str(item) for item in as_list(context[key.lower()])]
    patterns = [insert_variables(_text(item), context) for item in wanted]
    return _compare(test, negated, quantifier, values, patterns)


def _compare(test: Test, negated: bool, quantifier: str, values: list[str], patterns: list[str]) -> bool:
    def fits(value: str) -> bool:
        return any(test(value, pattern) for pattern in patterns) is not negated

    if quantifier == "ForAllValues":
        return all(map(fits, values))
    if negated and quantifier != "ForAnyValue":
        return all(map(fits, values))
    return any(map(fits, values))


def _operator(base: str) -> tuple[Test, bool]:
    if base in _TESTS:
        return _TESTS[base], False
    positive = _NEGATIONS.get(base)
    if positive is None:
        raise ValueError(f"IAM has no condition operator {base!r}")
    return _TESTS[positive], True


def is_operator(name: str) -> bool:
    """True if IAM has a condition operator of this name, with its quantifier and ending."""
    quantifier, _, base = name.rpartition(":")
    base = base.removesuffix("IfExists")
    is_known = base == "Null" or base in _TESTS or base in _NEGATIONS
    return is_known and quantifier in ("", "ForAllValues", "ForAnyValue")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _same_ignoring_case(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


def _in_network(value: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _numbers(compare: Callable[[Any, Any], bool]) -> Test:
    def test(value: str, wanted: str) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return test


def _dates(compare: Callable[[Any, Any], bool]) -> Test:
    def test(value: str, wanted: str) -> bool:
        try:
            return compare(_moment(value), _moment(wanted))
        except ValueError:
            return False

    return test


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_TESTS: dict[str, Test] = {
    "StringEquals": operator.eq,
    "StringEqualsIgnoreCase": _same_ignoring_case,
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": _same_ignoring_case,
    "BinaryEquals": operator.eq,
    "IpAddress": _in_network,
    **{f"Numeric{name}": _numbers(compare) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": _dates(compare) for name, compare in _COMPARISONS.items()},
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
