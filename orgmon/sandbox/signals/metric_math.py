"""Metric math: what the expressions of a request, which may name each other, come to over its metrics. Pure.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics". What is said of an expression that
cannot be worked out is AWS's where public reports quote it ("Invalid syntax", "Function '...' not found").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orgmon.sandbox.signals.math_syntax import MathError, Node, parse
from orgmon.sandbox.signals.math_values import (
    ELSEWHERE,
    FUNCTIONS,
    OPERATORS,
    Many,
    Series,
    Value,
    array,
    combined,
    each,
)

_LOOKING_BACK = ("DIFF", "RATE")


@dataclass(frozen=True)
class Formulas:
    """The queries of one request: the texts of its expressions and the ids of its metrics, in their order."""

    expressions: Mapping[str, str]
    metrics: Sequence[str]

    def result(self, name: str, series: Mapping[str, Series], period: int) -> Series | Many:
        """What a metric or an expression comes to over the series of the metrics, with a value each ``period`` seconds.

        Raises MathError where it is not a time series or an array of them.
        """
        found = _referred(name, _Scope(self, series, period))
        if not isinstance(found, tuple | Many):
            raise MathError("The result of an expression must be a time series or an array of time series")
        return found

    def check(self, name: str) -> Series | Many:
        """The result over nothing, which shows what it is. Raises MathError for what can never be worked out."""
        return self.result(name, dict.fromkeys(self.metrics, (None, None)), 60)

    def reach(self, name: str) -> int:
        """Of how many periods more than are asked for an expression needs the values."""
        return 0 if name in self.metrics else self._reach(parse(self.expressions[name]))

    def uses(self, name: str) -> frozenset[str]:
        """The metrics that an expression is made of, directly or through others."""
        return frozenset((name,)) if name in self.metrics else self._uses(parse(self.expressions[name]))

    def _uses(self, node: Node) -> frozenset[str]:
        if node.kind == "id":
            return self.uses(node.value)
        if node.value == "METRICS":
            text = node.parts[0].value if node.parts else ""
            return frozenset(name for name in self.metrics if text in name)
        return frozenset().union(*map(self._uses, node.parts))

    def _reach(self, node: Node) -> int:
        if node.kind == "id":
            return self.reach(node.value)
        is_looking_back = node.value in _LOOKING_BACK or Node("word", "REPEAT") in node.parts
        return is_looking_back + max(map(self._reach, node.parts), default=0)


@dataclass(frozen=True)
class _Scope:
    formulas: Formulas
    series: Mapping[str, Series]
    period: int
    path: tuple[str, ...] = ()


def _referred(name: str, scope: _Scope) -> Value:
    if name in scope.series:
        return scope.series[name]
    if name not in scope.formulas.expressions:
        raise MathError(f"Undefined variable '{name}'")
    if name in scope.path:
        raise MathError(f"Circular reference to '{name}'")
    return _of(parse(scope.formulas.expressions[name]), replace(scope, path=(*scope.path, name)))


def _of(node: Node, scope: _Scope) -> Value:
    if node.kind == "number":
        return float(node.value)
    if node.kind == "id":
        return _referred(node.value, scope)
    if node.kind in ("word", "text"):
        return node.value
    values = [_of(part, scope) for part in node.parts]
    if node.kind == "list":
        return array(values)
    if node.kind == "minus":
        return each(lambda value: -value, values[0])
    if node.kind == "operator":
        return combined(OPERATORS[node.value], *values)
    return _called(node.value, values, scope)


def _called(name: str, arguments: Sequence[Value], scope: _Scope) -> Value:
    if name == "METRICS":
        return _metrics(arguments, scope)
    if name in FUNCTIONS:
        return FUNCTIONS[name](arguments, scope.period)
    if name in ELSEWHERE:
        raise MathError(f"The sandbox does not have the function {name}")
    raise MathError(f"Function '{name}' not found")


def _metrics(arguments: Sequence[Value], scope: _Scope) -> Many:
    """All metrics of the request, or those with a text in their ids; expressions are not among them."""
    text = "".join(argument for argument in arguments if isinstance(argument, str))
    if len(arguments) > 1 or len(arguments) != bool(text):
        raise MathError("Invalid number of arguments")
    return array([series for name, series in scope.series.items() if text in name])
