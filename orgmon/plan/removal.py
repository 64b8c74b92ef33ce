"""What is not wanted any more: instances, then their stack sets, then plain stacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from orgmon.desired import Rollout
from orgmon.plan.model import (
    Action,
    Change,
    DeleteObjects,
    DeleteStack,
    DeleteStackInstances,
    DeleteStackSet,
    Stage,
    Step,
    UpdateStackSet,
)
from orgmon.plan.rectangles import rectangles
from orgmon.stackset import (
    AutoDeployment,
    DeploymentTarget,
    OperationPreferences,
    Pair,
    PermissionModel,
    StackSet,
    State,
)

# The name of the wave that removes; it comes after all others.
WAVE = "removal"


def stages(
    desired: State,
    observed: State,
    rollout: Rollout,
    changes: tuple[Change, ...],
    keeps: frozenset[str],
) -> Iterator[Stage]:
    """The stages that remove what ``changes`` say is deleted. ``keeps`` names stack sets whose stacks stay."""
    deletes: dict[str, set[Pair]] = defaultdict(set)
    for change in changes:
        if change.action is Action.DELETE:
            deletes[change.stack].add(change.pair)
    for stack_set in observed.stack_sets:
        wanted = desired.stack_set(stack_set.name)
        steps = tuple(_steps(stack_set, wanted, deletes[stack_set.name], rollout, keeps))
        if steps:
            yield Stage(rollout.stage_of(stack_set.name), WAVE, steps)
    for stack in observed.stacks:
        if desired.stack(stack.name) is None:
            buckets = {artifact.bucket for artifact in observed.artifacts}
            empty = tuple(DeleteObjects("its stack is deleted", bucket, stack.region) for bucket in buckets)
            is_base = stack.name == rollout.stages[0]
            todo: tuple[Step, ...] = (DeleteStack("not wanted", stack),)
            yield Stage(rollout.stage_of(stack.name), WAVE, (*(empty if is_base else ()), *todo))


def _steps(
    observed: StackSet,
    desired: StackSet | None,
    pairs: set[Pair],
    rollout: Rollout,
    keeps: frozenset[str],
) -> Iterator[Step]:
    preferences = rollout.preferences
    gone = desired is None and pairs == set(observed.by_pair)
    if gone and observed.auto_deployment.enabled and pairs:
        # Otherwise an account that joins meanwhile gets a new instance.
        off = AutoDeployment(enabled=False)
        yield UpdateStackSet("removal: auto-deployment off", observed, preferences, auto_deployment=off)
    retain = observed.name in keeps
    for unit, inside in _by_unit(observed, pairs).items():
        yield from _deletes(observed, unit, inside, preferences, retain=retain)
    if gone:
        yield DeleteStackSet("not wanted", observed)


def _by_unit(observed: StackSet, pairs: set[Pair]) -> dict[str, set[Pair]]:
    """Pairs by the unit that their instances were deployed through: deletes have to name it."""
    found: dict[str, set[Pair]] = defaultdict(set)
    for pair in sorted(pairs):
        service_managed = observed.permission_model is PermissionModel.SERVICE_MANAGED
        found[observed.by_pair[pair].unit_id if service_managed else ""].add(pair)
    return found


def _deletes(
    observed: StackSet, unit: str, pairs: set[Pair], preferences: OperationPreferences, *, retain: bool
) -> Iterator[Step]:
    for accounts, regions in rectangles(pairs):
        where = DeploymentTarget(accounts, regions, (unit,) if unit else ())
        reason = "not wanted; the stacks stay" if retain else "not wanted"
        yield DeleteStackInstances(reason, observed, where, preferences, retain=retain)
