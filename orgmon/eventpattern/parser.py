"""JSON to matchers, with every refusal that ``PutRule`` makes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from orgmon.errors import PatternError
from orgmon.eventpattern.matchers import (
    COMPARE,
    AnythingBut,
    Cidr,
    Exact,
    Exists,
    IgnoreCase,
    Matcher,
    Numeric,
    Prefix,
    Suffix,
    Wildcard,
    is_number,
)

MAX_COMBINATIONS = 1000
"""Branches after multiplying out every ``$or`` (EventBridge quota)."""

MAX_COMPLEXITY = 10
"""Wildcard complexity of one field. AWS took patterns of 7 and refused 11; the matcher's own example says 10."""

OR = "$or"
RESERVED = frozenset(
    [
        "exactly",
        "prefix",
        "suffix",
        "numeric",
        "exists",
        "cidr",
        "wildcard",
        "anything-but",
        "equals-ignore-case",
        "regex",
        "not-wildcard",
        "not-prefix",
        "not-suffix",
        "in-date-range",
    ]
)
"""Names that make ``$or`` an ordinary field when a branch uses them as a key."""

Rule = dict[str, tuple[Matcher, ...]]


def parse_rules(document: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Every combination of ``$or`` branches as one mapping from path to matchers.

    A field that comes again on the way to a leaf replaces the earlier one: that is what AWS's matcher does.
    """
    rules = _object(document, "", ({},))
    for rule in rules:
        for path, matchers in rule.items():
            _check_complexity(path, matchers)
    return rules


def _check_complexity(path: str, matchers: tuple[Matcher, ...]) -> None:
    if sum(matcher.complexity() for matcher in matchers) > MAX_COMPLEXITY:
        raise PatternError(
            f"the wildcards of {path} are too complex for EventBridge",
            "use prefix or suffix, or split the values over several rules",
        )


def _object(document: object, path: str, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    if not isinstance(document, Mapping) or not document:
        raise PatternError(f"{path or 'the pattern'} is an empty object", "name a field in it")
    for key, value in document.items():
        inner = f"{path}.{key}" if path else key
        if key == OR and _is_or(value):
            rules = _either(value, path, rules)
        elif isinstance(value, Mapping):
            rules = _object(value, inner, rules)
        else:
            matchers = _leaf(value, inner)
            rules = tuple({**rule, inner: matchers} for rule in rules)
    return rules


def _is_or(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(branch, Mapping) and not RESERVED & branch.keys() for branch in value
    )


def _either(branches: Sequence[Any], path: str, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    if len(branches) < 2:
        raise PatternError("$or needs two branches", "write the single branch without $or")
    combinations = tuple(rule for branch in branches for rule in _object(branch, path, rules))
    if len(combinations) > MAX_COMBINATIONS:
        raise PatternError(
            f"$or makes {len(combinations)} combinations, {MAX_COMBINATIONS} are allowed", "use fewer"
        )
    return combinations


def _leaf(value: object, path: str) -> tuple[Matcher, ...]:
    if not isinstance(value, list):
        raise PatternError(f"{path} must be an object or an array", "put the value in [...]")
    if not value:
        raise PatternError(f"{path} is an empty array", "name a value")
    return tuple(_matcher(element, path) for element in value)


def _matcher(element: object, path: str) -> Matcher:
    if element is None or isinstance(element, str | int | float):
        return Exact(element)
    if not isinstance(element, Mapping):
        raise PatternError(f"{path} holds an array in an array", "list the values")
    if len(element) != 1:
        raise PatternError(
            f"{path}: a match expression has exactly one operator", "write one object an operator"
        )
    ((name, argument),) = element.items()
    reader = READERS.get(name)
    if reader is None:
        raise PatternError(
            f"{path}: EventBridge has no operator {name!r}", f"use one of {', '.join(sorted(READERS))}"
        )
    return reader(argument, path)


def _string(argument: object, name: str, path: str) -> str:
    if not isinstance(argument, str):
        raise PatternError(f"{path}: {name} takes one string", "write one object a string")
    return argument


def _folding(argument: object) -> tuple[object, bool]:
    """The text of a prefix or suffix, and whether case is ignored."""
    if isinstance(argument, Mapping) and argument.keys() == {"equals-ignore-case"}:
        return argument["equals-ignore-case"], True
    return argument, False


def _prefix(argument: object, path: str) -> Matcher:
    text, ignore_case = _folding(argument)
    return Prefix(_string(text, "prefix", path), ignore_case)


def _suffix(argument: object, path: str) -> Matcher:
    text, ignore_case = _folding(argument)
    return Suffix(_string(text, "suffix", path), ignore_case)


def _ignore_case(argument: object, path: str) -> Matcher:
    return IgnoreCase(_string(argument, "equals-ignore-case", path))


def _wildcard(argument: object, path: str) -> Matcher:
    return Wildcard(_string(argument, "wildcard", path))


def _exists(argument: object, path: str) -> Matcher:
    if not isinstance(argument, bool):
        raise PatternError(f"{path}: exists takes true or false", "write a JSON boolean")
    return Exists(argument)


def _numeric(argument: object, path: str) -> Matcher:
    wrong = PatternError(
        f"{path}: numeric takes an operator and a number, or a lower and then an upper bound",
        'write for example {"numeric": [">", 0, "<=", 5]}',
    )
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise wrong
    bounds = tuple(zip(argument[::2], argument[1::2], strict=True))
    if not all(isinstance(sign, str) and sign in COMPARE and is_number(bound) for sign, bound in bounds):
        raise wrong
    if len(bounds) == 2:
        (low_sign, low), (high_sign, high) = bounds
        if low_sign not in (">", ">=") or high_sign not in ("<", "<=") or low >= high:
            raise wrong
    return Numeric(bounds)


def _cidr(argument: object, path: str) -> Matcher:
    block = _string(argument, "cidr", path)
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError as error:
        raise PatternError(
            f"{path}: {block!r} is not an address block", "write for example 10.0.0.0/8"
        ) from error
    if "/" not in block or network.prefixlen == network.max_prefixlen:
        raise PatternError(f"{path}: {block!r} is a single address", "write the address as an exact string")
    return Cidr(block)


def _anything_but(argument: object, path: str) -> Matcher:
    if isinstance(argument, Mapping):
        return _anything_but_shape(argument, path)
    single = not isinstance(argument, list)
    values = [argument] if single else argument
    assert isinstance(values, list)
    strings = all(isinstance(value, str) for value in values)
    numbers = all(is_number(value) for value in values)
    if not values or not (strings or numbers):
        raise PatternError(
            f"{path}: anything-but takes strings or numbers, not both", "negate a boolean by the other"
        )
    return AnythingBut(tuple(Exact(value) for value in values), single=single)


def _anything_but_shape(argument: Mapping[str, Any], path: str) -> Matcher:
    name = next(iter(argument), "")
    if len(argument) != 1 or name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        raise PatternError(
            f"{path}: anything-but cannot hold {name!r}", "use prefix, suffix or wildcard inside"
        )
    single = not isinstance(argument[name], list)
    values = [argument[name]] if single else argument[name]
    if not values:
        raise PatternError(f"{path}: anything-but has an empty list", "name a value")
    if name in ("prefix", "suffix"):
        _check_excluded(values, name, path)
    return AnythingBut(tuple(READERS[name](value, path) for value in values), plain=False, single=single)


def _check_excluded(values: Sequence[Any], name: str, path: str) -> None:
    """Inside anything-but a prefix or suffix is a string with something in it, and case always counts."""
    for value in values:
        if not _string(value, f"{name} inside anything-but", path):
            raise PatternError(
                f"{path}: {name} inside anything-but may not be empty",
                'write {"exists": false} for a field that has no value at all',
            )


READERS = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "exists": _exists,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
"""How the argument of each operator is read."""
