"""What is not wanted any more: instances, then their stack sets, then plain stacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from orgmon.plan.model import Action, Change, Phase, Stage
from orgmon.plan.rectangles import rectangles
from orgmon.plan.step import (
    DeleteObjects,
    DeleteStack,
    DeleteStackInstances,
    DeleteStackSet,
    Step,
    UpdateStackSet,
)
from orgmon.rollout import Rollout
from orgmon.stackset import (
    AutoDeployment,
    DeploymentTarget,
    OperationPreferences,
    Pair,
    PermissionModel,
    StackSet,
    State,
)


def stages(
    desired: State,
    observed: State,
    rollout: Rollout,
    changes: tuple[Change, ...],
    keeps: frozenset[str],
    *,
    whole: bool,
) -> Iterator[Stage]:
    """The stages that remove what ``changes`` say is deleted. ``keeps`` names stack sets whose stacks stay.

    ``whole`` says that stack sets that are not wanted go as a whole, not only a selection of their pairs.
    """
    deletes: dict[str, set[Pair]] = defaultdict(set)
    for change in changes:
        if change.action is Action.DELETE:
            deletes[change.stack].add(change.pair)
    for stack_set in observed.stack_sets:
        gone = whole and desired.stack_set(stack_set.name) is None
        retain = stack_set.name in keeps
        steps = tuple(
            _steps(stack_set, deletes[stack_set.name], rollout.preferences, gone=gone, retain=retain)
        )
        if steps:
            yield Stage(rollout.stage_of(stack_set.name), "", steps, Phase.REMOVE)
    for stack in observed.stacks:
        if desired.stack(stack.name) is None and deletes[stack.name]:
            buckets = artifact_buckets(stack.name, observed, rollout)
            empty = tuple(DeleteObjects("its stack is deleted", bucket, stack.region) for bucket in buckets)
            steps = (*empty, DeleteStack("not wanted", stack))
            yield Stage(rollout.stage_of(stack.name), "", steps, Phase.REMOVE)


def artifact_buckets(stack: str, observed: State, rollout: Rollout) -> tuple[str, ...]:
    """The buckets in a stack that hold something; only the first stage's stack has any."""
    if stack != rollout.stages[0]:
        return ()
    return tuple(sorted({artifact.bucket for artifact in observed.artifacts}))


def _steps(
    observed: StackSet, pairs: set[Pair], preferences: OperationPreferences, *, gone: bool, retain: bool
) -> Iterator[Step]:
    if gone and observed.auto_deployment.enabled:
        # Otherwise an account that joins meanwhile gets a new instance.
        off = AutoDeployment(enabled=False)
        yield UpdateStackSet("removal: auto-deployment off", observed, preferences, auto_deployment=off)
    for accounts, regions in rectangles(pairs):
        where = DeploymentTarget(accounts, regions, _units(observed, accounts, regions))
        reason = "not wanted; the stacks stay" if retain else "not wanted"
        yield DeleteStackInstances(reason, observed, preferences, where, retain=retain)
    if gone and pairs == set(observed.by_pair):
        yield DeleteStackSet("not wanted", observed)


def _units(observed: StackSet, accounts: frozenset[str], regions: frozenset[str]) -> tuple[str, ...]:
    """The units that the instances of a rectangle were deployed through: deletes have to name them."""
    if observed.permission_model is PermissionModel.SELF_MANAGED:
        return ()
    pairs = (Pair(account, region) for account in accounts for region in regions)
    units = {observed.by_pair[pair].unit_id for pair in pairs} - {""}
    return tuple(sorted(units)) or observed.units
