"""How an operation walks its pairs: the forecast and the embedded AWS compute it apart and meet in one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orgmon.plan import forecast
from orgmon.sandbox.stacksets import arithmetic
from orgmon.stackset import OperationPreferences

TABLE = Path(__file__).parent.parent / "cases" / "operation_arithmetic.json"
CASES: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["cases"]
SOFT = "SOFT_FAILURE_TOLERANCE"
each_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def told(case: dict[str, Any]) -> OperationPreferences:
    """The preferences as the plan has them."""
    given = case["preferences"]
    return OperationPreferences(
        failure_tolerance_count=given.get("FailureToleranceCount"),
        failure_tolerance_percentage=given.get("FailureTolerancePercentage"),
        max_concurrent_count=given.get("MaxConcurrentCount"),
        max_concurrent_percentage=given.get("MaxConcurrentPercentage"),
        region_concurrency=given.get("RegionConcurrencyType", "SEQUENTIAL"),
        concurrency_mode=given.get("ConcurrencyMode", "STRICT_FAILURE_TOLERANCE"),
    )


def asked(case: dict[str, Any]) -> arithmetic.Preferences:
    """The preferences as the embedded AWS has them."""
    given = case["preferences"]
    return arithmetic.Preferences(
        tolerance_count=given.get("FailureToleranceCount"),
        tolerance_percentage=given.get("FailureTolerancePercentage"),
        concurrent_count=given.get("MaxConcurrentCount"),
        concurrent_percentage=given.get("MaxConcurrentPercentage"),
        parallel=given.get("RegionConcurrencyType") == "PARALLEL",
        soft=given.get("ConcurrencyMode") == SOFT,
    )


@each_case
def test_the_forecast(case: dict[str, Any]) -> None:
    preferences, accounts = told(case), case["accounts"]
    assert forecast.tolerance(preferences, accounts) == case["tolerance"]
    assert forecast.wanted_concurrency(preferences, accounts) == case["concurrent"]
    assert forecast.window(preferences, accounts) == case["windows"][0]


@each_case
def test_the_windows_of_the_embedded_aws(case: dict[str, Any]) -> None:
    preferences, accounts = asked(case), case["accounts"]
    tolerance, concurrent = preferences.tolerance(accounts), preferences.concurrent(accounts)
    assert (tolerance, concurrent) == (case["tolerance"], case["concurrent"])
    windows = [
        min(accounts, arithmetic.window(tolerance, concurrent, failures, soft=preferences.soft))
        for failures in range(len(case["windows"]))
    ]
    assert windows == case["windows"]


@each_case
def test_a_whole_operation_of_the_embedded_aws(case: dict[str, Any]) -> None:
    regions = [f"region {number}" for number in range(case["regions"])]
    accounts = [str(number) for number in range(case["accounts"])]
    walk = arithmetic.Walk(dict.fromkeys(regions, accounts), asked(case))
    results = {region: [0, 0, 0] for region in regions}
    running: list[tuple[str, str]] = []
    while not walk.is_over:
        while pair := walk.start_next():
            running.append(pair)
        account, region = running.pop(0)
        succeeded = int(account) not in case["failing"][regions.index(region)]
        results[region][0 if succeeded else 1] += 1
        walk.completed((account, region), succeeded)
    for _, region in walk.take_cancelled():
        results[region][2] += 1
    assert list(results.values()) == case["results"]
    assert ("FAILED" if walk.has_failed else "SUCCEEDED") == case["operation"]
