"""What an operation will be like before it starts. The arithmetic itself: sandbox/test_operation_arithmetic."""

from __future__ import annotations

from orgmon.plan.forecast import SECONDS_PER_INSTANCE, forecast
from orgmon.plan.model import Plan, Stage
from orgmon.plan.step import (
    CreateStackInstances,
    CreateStackSet,
    ImportStacksToStackSet,
    Step,
    UpdateStackSet,
)
from orgmon.stackset import AutoDeployment, DeploymentTarget, OperationPreferences, StackInstance, StackSet
from tests.states import template

REGIONS = frozenset({"eu-north-1", "us-east-1"})
WIDE = OperationPreferences(
    failure_tolerance_percentage=10,
    max_concurrent_percentage=100,
    region_concurrency="PARALLEL",
    concurrency_mode="SOFT_FAILURE_TOLERANCE",
)
STRICT = OperationPreferences(failure_tolerance_percentage=10, max_concurrent_percentage=100)


def accounts(count: int) -> frozenset[str]:
    """That many account ids."""
    return frozenset(f"{number:012}" for number in range(count))


def stack_set(count: int = 3) -> StackSet:
    """A stack set with instances in that many accounts and both Regions."""
    pairs = ((account, region) for account in sorted(accounts(count)) for region in sorted(REGIONS))
    return StackSet("detection", template(0), instances=tuple(StackInstance(*pair) for pair in pairs))


def create(count: int, preferences: OperationPreferences) -> CreateStackInstances:
    """An operation over that many accounts."""
    return CreateStackInstances(
        "missing", stack_set(), preferences, DeploymentTarget(accounts(count), REGIONS)
    )


def planned(*steps: Step) -> Plan:
    """A plan of one stage."""
    return Plan(stages=(Stage("detection", "canary", steps),))


def test_regions_in_turn_take_as_many_times_as_long() -> None:
    (operation,) = forecast(planned(create(20, STRICT)))
    assert (operation.accounts, operation.regions, operation.instances) == (20, 2, 40)
    assert (operation.tolerance, operation.window, operation.clamped) == (2, 3, True)
    assert operation.seconds == 7 * 2 * SECONDS_PER_INSTANCE


def test_regions_at_once_share_what_cloudformation_works_on_at_once() -> None:
    (few,) = forecast(planned(create(20, WIDE)))
    assert (few.window, few.clamped, few.seconds) == (20, False, SECONDS_PER_INSTANCE)
    (many,) = forecast(planned(create(1000, WIDE)))
    assert many.window == 100
    assert many.seconds == 20 * SECONDS_PER_INSTANCE


def test_what_is_no_operation_is_not_in_the_forecast() -> None:
    assert forecast(planned(CreateStackSet("missing", stack_set(), AutoDeployment()))) == ()


def test_an_update_without_a_target_walks_the_whole_stack_set() -> None:
    (operation,) = forecast(planned(UpdateStackSet("auto-deployment on", stack_set(5), WIDE)))
    assert operation.instances == 10
    assert (operation.call, operation.stack_set, operation.wave) == ("UpdateStackSet", "detection", "canary")


def test_an_import_takes_one_pair_a_stack() -> None:
    step = ImportStacksToStackSet("retained", stack_set(), STRICT, ("arn:one", "arn:two"), "r-abcd")
    (operation,) = forecast(planned(step))
    assert operation.instances == 2


def test_a_stack_set_without_instances_takes_no_time() -> None:
    (operation,) = forecast(planned(UpdateStackSet("template changed", stack_set(0), WIDE)))
    assert (operation.instances, operation.seconds) == (0, 0)
