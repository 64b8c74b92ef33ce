"""Metric math comes to what the CloudWatch user guide says, table by table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgmon.sandbox.signals.math_syntax import MathError
from orgmon.sandbox.signals.math_values import Many, Series
from orgmon.sandbox.signals.metric_math import Formulas

VALUES: dict[str, Series] = {
    "metric1": (30, 20, 0, 0),
    "metric2": (20, None, 20, None),
    "depth": (1, None, 4, 4),
}
MISSING = st.lists(st.one_of(st.none(), st.integers(-1000, 1000).map(float)), min_size=1, max_size=12)


def result(text: str, series: dict[str, Series] = VALUES, **more: str) -> Series | Many:
    """What a text comes to, with a value each minute; ``more`` are other expressions."""
    return Formulas({"e1": text, **more}, tuple(series)).result("e1", series, 60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metric1 < metric2", (0, 0, 1, 0)),
        ("metric1 >= 30", (1, 0, 0, 0)),
        ("metric1 > 15 AND metric2 > 15", (1, 0, 0, 0)),
        ("metric1 > 15 && metric2 > 15 || metric1 == 20", (1, 1, 0, 0)),
        ("metric1 + metric2", (50, 20, 20, 0)),
        ("metric2 * 2", (40, None, 40, None)),
        ("metric1 - 2 * 3 - 1", (23, 13, -7, -7)),
        ("(metric1 - 2) * -3", (-84, -54, 6, 6)),
        ("-metric2", (-20, None, -20, None)),
        ("metric1 / metric2", (1.5, None, 0, None)),
        ("100 / metric1", (100 / 30, 5, None, None)),
        ("metric1 ^ 2 ", (900, 400, 0, 0)),
        ("DIFF(depth)", (None, None, 3, 0)),
        ("RATE(depth)", (None, None, 3 / 120, 0)),
        ("FILL(metric2, 7)", (20, 7, 20, 7)),
        ("FILL(metric2, metric1)", (20, 20, 20, 0)),
        ("FILL(metric2, REPEAT)", (20, 20, 20, 20)),
        ("FILL(DIFF(depth), REPEAT)", (None, None, 3, 0)),
        ("DIFF(FILL(depth, 0))", (None, -1, 4, 0)),
        ("ABS(metric2 - metric1)", (10, 20, 20, 0)),
        ("metric1 - MIN(metric1) + MAX(metric1)", (60, 50, 30, 30)),
        ("metric1 / SUM(metric1)", (0.6, 0.4, 0, 0)),
        ("metric1 - AVG(metric2)", (20, 10, -10, -10)),
        ("SUM(METRICS())", (51, 20, 24, 4)),
        ('SUM(METRICS("metric"))', (50, 20, 20, 0)),
        ("MAX([metric1, metric2])", (30, 20, 20, 0)),
        ("MIN([metric1, metric2])", (20, 20, 0, 0)),
        ("AVG([metric1, metric2])", (25, 10, 10, 0)),
        ("SUM(-[metric1, metric2] / 10)", (-5, -2, -2, 0)),
        ("IF(metric1 < 25, 10, 2)", (2, 10, 10, 10)),
        ("IF(metric1 < 25, metric2)", (None, 0, 20, 0)),
        ("IF(1, metric2)", (20, 0, 20, 0)),
    ],
)
def test_an_expression_comes_to(text: str, expected: Series) -> None:
    assert result(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF(metric1, metric2, metric3)", (30, 0, 20, None, None)),
        ("IF(metric1, 5, metric3)", (5, 5, 20, None, None)),
        ("IF(metric1, metric2, 5)", (30, 0, 5, 5, None)),
    ],
)
def test_if_does_as_in_the_tables_of_the_guide(text: str, expected: Series) -> None:
    values: dict[str, Series] = {
        "metric1": (1, 1, 0, 0, None),
        "metric2": (30, None, 0, 0, 30),
        "metric3": (0, 0, 20, None, 20),
    }
    assert result(text, values) == expected


def test_an_array_stays_one_and_other_expressions_are_no_metrics() -> None:
    assert result("METRICS() * 2", {"a": (1.0,), "b": (None,)}, e2="a + 1") == Many(((2.0,), (None,)))
    assert result("e2 * 2", {"a": (1.0,)}, e2="a + e3", e3="DIFF(a)") == (2.0,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Invalid syntax"),
        ("metric1 +", "Invalid syntax"),
        ("metric1 metric2", "Invalid syntax"),
        ("SUM(metric1", "Invalid syntax"),
        ("metric1 % 2", "Invalid syntax"),
        ("DIFF()", "Invalid number of arguments"),
        ("DIFF(metric1, 2)", "Invalid number of arguments"),
        ("METRICS(1)", "Invalid number of arguments"),
        ('SUM(METRICS("absent"))', "An array must have a time series"),
        ("[metric1, 1]", "Unsupported operand"),
        ("[metric1] + [metric2]", "Unsupported operand"),
        ("DIFF(1)", "Unsupported operand"),
        ("metric1 + REPEAT", "Unsupported operand"),
        ("IF(1, 2, 3)", "Unsupported operand"),
        ("1 + 2", "must be a time series"),
        ("AVG(metric1)", "must be a time series"),
        ("other", "Undefined variable 'other'"),
        ("e1 + 1", "Circular reference to 'e1'"),
        ("diff(metric1)", "Function 'diff' not found"),
        ("SEARCH('x')", "The sandbox does not have the function SEARCH"),
        ("FILL(metric1, LINEAR)", "The sandbox does not have LINEAR for FILL"),
    ],
)
def test_what_cannot_be_worked_out_is_said_before_there_is_data(text: str, problem: str) -> None:
    with pytest.raises(MathError, match=problem):
        Formulas({"e1": text}, tuple(VALUES)).check("e1")


@pytest.mark.parametrize(
    ("text", "reach"),
    [("m", 0), ("m + 1", 0), ("DIFF(m) + RATE(m)", 1), ("DIFF(e2)", 2), ("FILL(DIFF(m), REPEAT)", 2)],
)
def test_what_looks_back_needs_more_periods(text: str, reach: int) -> None:
    assert Formulas({"e1": text, "e2": "DIFF(m)"}, ("m",)).reach("e1") == reach


@given(MISSING)
def test_the_differences_add_up_to_the_whole_way(values: list[float | None]) -> None:
    there = [value for value in values if value is not None]
    series: dict[str, Series] = {"m": tuple(values)}
    found, rates = result("DIFF(m)", series), result("RATE(m)", series)
    assert isinstance(found, tuple)
    assert isinstance(rates, tuple)
    assert sum(step for step in found if step is not None) == (there[-1] - there[0] if there else 0)
    assert sum(step is not None for step in found) == max(len(there) - 1, 0)
    assert [step is None for step in rates] == [step is None for step in found]


@given(MISSING)
def test_what_is_filled_has_no_gaps_and_keeps_its_values(values: list[float | None]) -> None:
    series: dict[str, Series] = {"m": tuple(values)}
    assert result("FILL(m, 5)", series) == tuple(5 if value is None else value for value in values)
    repeated = result("FILL(FILL(m, REPEAT), REPEAT)", series)
    assert repeated == result("FILL(m, REPEAT)", series)
