"""The values of CloudWatch's math expressions, its operators and functions. Pure.

A series has a value, or None, for each period of one common range of time. Source: CloudWatch user guide, "Using math
expressions with CloudWatch metrics": between two series a value that only one of them lacks counts as 0 (also where an
average is taken), where both lack it there is none; what is divided by zero is dropped; DIFF and RATE look at the
preceding value, so that the first value of a series has neither. FILL is what gives values to periods without.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orgmon.sandbox.signals.math_syntax import MathError

Series = tuple[float | None, ...]


@dataclass(frozen=True)
class Many:
    """An array of series."""

    series: tuple[Series, ...]


Value = float | Series | Many | str | None
"""A scalar is a number, or None where there is nothing to make it of. A str is a keyword or a quoted text."""


def array(values: Sequence[Value]) -> Many:
    """Series and arrays of series in one array. Raises MathError for anything else, and for nothing."""
    if not values:
        raise MathError("An array must have a time series")
    series: list[Series] = []
    for value in values:
        if isinstance(value, Many):
            series.extend(value.series)
        else:
            series.append(_series(value))
    return Many(tuple(series))


def each(change: Callable[[float], float], value: Value) -> Value:
    """Every value changed by itself. Raises MathError for a text."""
    if isinstance(value, Many):
        return Many(tuple(_changed(change, each) for each in value.series))
    if isinstance(value, tuple):
        return _changed(change, value)
    number = _scalar(value)
    return None if number is None else change(number)


def _changed(change: Callable[[float], float], series: Series) -> Series:
    return tuple(None if value is None else change(value) for value in series)


Operation = Callable[[float, float], float | None]


def combined(operation: Operation, left: Value, right: Value) -> Value:
    """Two values, or each of the array on one side with the other side. Raises MathError for others."""
    if isinstance(left, Many) and isinstance(right, Many):
        raise _wrong()
    if isinstance(left, Many):
        return Many(tuple(_pairwise(operation, own, _plain(right)) for own in left.series))
    if isinstance(right, Many):
        return Many(tuple(_pairwise(operation, _plain(left), own) for own in right.series))
    if isinstance(left, tuple) or isinstance(right, tuple):
        return _pairwise(operation, _plain(left), _plain(right))
    one, other = _scalar(left), _scalar(right)
    return None if one is None or other is None else operation(one, other)


def _pairwise(operation: Operation, left: float | Series | None, right: float | Series | None) -> Series:
    if isinstance(left, tuple) and isinstance(right, tuple):
        pairs = zip(left, right, strict=True)
        return tuple(None if a is None and b is None else operation(a or 0.0, b or 0.0) for a, b in pairs)
    length = len(left) if isinstance(left, tuple) else len(right) if isinstance(right, tuple) else 0
    pairs = zip(_spread(left, length), _spread(right, length), strict=True)
    return tuple(None if a is None or b is None else operation(a, b) for a, b in pairs)


def _plain(value: Value) -> float | Series | None:
    return value if isinstance(value, tuple) else _scalar(value)


def _scalar(value: Value) -> float | None:
    if isinstance(value, tuple | Many | str):
        raise _wrong()
    return value


def _series(value: Value) -> Series:
    if not isinstance(value, tuple):
        raise _wrong()
    return value


def _wrong() -> MathError:
    return MathError("Unsupported operand type(s)")


def _spread(value: float | Series | None, length: int) -> Series:
    """A scalar is the same in every period."""
    return value if isinstance(value, tuple) else (value,) * length


def _divided(left: float, right: float) -> float | None:
    return left / right if right else None


def _raised(left: float, right: float) -> float | None:
    try:
        power = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return power if isinstance(power, float) else None


def _truth(test: Callable[[float, float], object]) -> Operation:
    return lambda left, right: float(bool(test(left, right)))


OPERATORS: dict[str, Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": _raised,
    "==": _truth(operator.eq),
    "!=": _truth(operator.ne),
    "<": _truth(operator.lt),
    "<=": _truth(operator.le),
    ">": _truth(operator.gt),
    ">=": _truth(operator.ge),
    "AND": _truth(lambda left, right: left and right),
    "OR": _truth(lambda left, right: left or right),
}


def _mapped(change: Callable[[Series, int], Series]) -> Function:
    """A function of one series, or of each of an array."""

    def function(arguments: Sequence[Value], period: int) -> Value:
        [value] = _counted(arguments, 1)
        if isinstance(value, Many):
            return Many(tuple(change(own, period) for own in value.series))
        return change(_series(value), period)

    return function


def _steps(series: Series, period: int) -> list[tuple[float, int] | None]:
    """How far each value is from the preceding one, and how many seconds after it; None for the first and for none."""
    steps: list[tuple[float, int] | None] = []
    last: tuple[float, int] | None = None
    for place, value in enumerate(series):
        steps.append(None if value is None or last is None else (value - last[0], (place - last[1]) * period))
        last = last if value is None else (value, place)
    return steps


def _diff(series: Series, period: int) -> Series:
    return tuple(None if step is None else step[0] for step in _steps(series, period))


def _rate(series: Series, period: int) -> Series:
    return tuple(None if step is None else step[0] / step[1] for step in _steps(series, period))


def _reduced(reduce: Callable[[Sequence[float], int], float]) -> Function:
    """A function that makes one number of a series, and one series of an array.

    ``reduce`` gets the values that are there and of how many they are.
    """

    def function(arguments: Sequence[Value], period: int) -> Value:
        [value] = _counted(arguments, 1)
        if isinstance(value, Many):
            return tuple(one(own) for own in zip(*value.series, strict=True))
        return one(_series(value))

    def one(values: Series) -> float | None:
        there = [value for value in values if value is not None]
        return reduce(there, len(values)) if there else None

    return function


def _fill(arguments: Sequence[Value], period: int) -> Value:
    value, filler = _counted(arguments, 2)
    if isinstance(value, Many):
        return Many(tuple(_filled(own, filler) for own in value.series))
    return _filled(_series(value), filler)


def _filled(series: Series, filler: Value) -> Series:
    if filler == "LINEAR":
        raise MathError("The sandbox does not have LINEAR for FILL")
    if filler == "REPEAT":
        return _repeated(series)
    others = _spread(_plain(filler), len(series))
    return tuple(other if own is None else own for own, other in zip(series, others, strict=True))


def _repeated(series: Series) -> Series:
    filled: list[float | None] = []
    for value in series:
        filled.append(filled[-1] if value is None and filled else value)
    return tuple(filled)


def _if(arguments: Sequence[Value], period: int) -> Value:
    """Of two values the first where the condition is not 0, else the second (nothing, where that is left out).

    A first value that is missing is 0, a second one is not there.
    """
    test, then, *other = map(_plain, _counted(arguments, 2, 3))
    length = max(len(value) for value in (test, then, *other, ()) if isinstance(value, tuple))
    if not length:
        raise _wrong()
    otherwise = other[0] if other else None
    choices = zip(*(_spread(value, length) for value in (test, then, otherwise)), strict=True)
    return tuple(None if own is None else (yes or 0.0) if own else no for own, yes, no in choices)


def _counted(arguments: Sequence[Value], *counts: int) -> Sequence[Value]:
    if len(arguments) not in counts:
        raise MathError("Invalid number of arguments")
    return arguments


Function = Callable[[Sequence[Value], int], Value]
FUNCTIONS: Mapping[str, Function] = {
    "ABS": _mapped(lambda series, _: _changed(abs, series)),
    "AVG": _reduced(lambda values, count: sum(values) / count),
    "DIFF": _mapped(_diff),
    "FILL": _fill,
    "IF": _if,
    "MAX": _reduced(lambda values, _: max(values)),
    "MIN": _reduced(lambda values, _: min(values)),
    "RATE": _mapped(_rate),
    "SUM": _reduced(lambda values, _: sum(values)),
}
"""What takes the arguments' values and the seconds of a period. They raise MathError for arguments that do not fit."""
# fmt: off
ELSEWHERE = frozenset((
    "ANOMALY_DETECTION_BAND", "CEIL", "DATAPOINT_COUNT", "DATE", "DAY", "DB_PERF_INSIGHTS", "DIFF_TIME",
    "EPOCH", "FIRST", "FLOOR", "HOUR", "INSIGHT_RULE_METRIC", "LAMBDA", "LAST", "LOG", "LOG10",
    "METRIC_COUNT", "MINUTE", "MONTH", "PERIOD", "REMOVE_EMPTY", "RUNNING_SUM", "SEARCH", "SERVICE_QUOTA",
    "SLICE", "SORT", "STDDEV", "TIME_SERIES", "YEAR",
))
# fmt: on
"""AWS's functions that are not here."""
