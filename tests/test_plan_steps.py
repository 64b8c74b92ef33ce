"""Simple plans, in which the fewest operations can be counted by hand. The laws: test_planner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orgmon.organization import Account, AccountState, Organization
from orgmon.plan.model import Action, Plan
from orgmon.plan.planner import Options, plan
from orgmon.plan.step import (
    CreateStackInstances,
    CreateStackSet,
    DeleteStackInstances,
    ImportStacksToStackSet,
    UpdateStackSet,
)
from orgmon.rollout import Rollout, Wave
from orgmon.stackset import (
    AutoDeployment,
    DeploymentTarget,
    DetailedStatus,
    InstanceStatus,
    OperationPreferences,
    Pair,
    PermissionModel,
    StackInstance,
    StackSet,
    State,
)
from tests.simulation import World
from tests.states import (
    LEFT,
    MANAGEMENT,
    MEMBERS,
    REGIONS,
    ROOT,
    STAGES,
    UNIT,
    UNITS,
    template,
)

PRUNE = Options(prune=True)
TWO_WAVES = (
    Wave("canary", frozenset({MEMBERS[0]})),
    Wave("rest", frozenset({MANAGEMENT, LEFT, *MEMBERS[1:]})),
)
ONE_WAVE = (Wave("all", frozenset({MANAGEMENT, LEFT, *MEMBERS})),)
EVERYWHERE = tuple(Pair(account, region) for account in MEMBERS for region in REGIONS)
ORGANIZATION = Organization(
    "o-abcdefghij",
    MANAGEMENT,
    UNITS,
    (
        Account(MANAGEMENT, "management", "m@example.com", AccountState.ACTIVE, ROOT),
        *(Account(member, member, "a@example.com", AccountState.ACTIVE, UNIT) for member in MEMBERS),
    ),
)


def current(stack_set: StackSet) -> frozenset[Pair]:
    """The pairs in step with their stack set."""
    return frozenset(
        instance.pair for instance in stack_set.instances if instance.status is InstanceStatus.CURRENT
    )


def stack_set(pairs: tuple[Pair, ...] = EVERYWHERE, number: int = 0, *, auto: bool = False) -> StackSet:
    """A stack set that is deployed through the root."""
    return StackSet(
        "detection",
        template(number),
        auto_deployment=AutoDeployment(auto),
        units=(ROOT,),
        instances=tuple(StackInstance(*pair, stack_id="arn", unit_id=ROOT) for pair in pairs),
    )


def simple(
    desired: StackSet | None,
    observed: StackSet | None,
    waves: tuple[Wave, ...] = ONE_WAVE,
    options: Options = PRUNE,
) -> Plan:
    """The plan of one stack set."""
    rollout = Rollout(STAGES, waves, OperationPreferences())
    wanted = State(stack_sets=(desired,) if desired else ())
    present = State(stack_sets=(observed,) if observed else ())
    return plan(wanted, present, ORGANIZATION, rollout, options)


def without(*pairs: Pair) -> tuple[Pair, ...]:
    """Everywhere else."""
    return tuple(pair for pair in EVERYWHERE if pair not in pairs)


def calls(proposed: Plan) -> list[str]:
    """The API calls of a plan."""
    return [step.call for step in proposed.steps]


def changed(observed: StackSet, pair: Pair, change: Callable[[StackInstance], StackInstance]) -> StackSet:
    """A stack set with one instance in another condition."""
    return replace(
        observed,
        instances=tuple(
            change(instance) if instance.pair == pair else instance for instance in observed.instances
        ),
    )


def test_a_first_rollout_is_one_operation_a_wave() -> None:
    assert calls(simple(stack_set(), None)) == ["CreateStackSet", "CreateStackInstances"]
    two = simple(stack_set(), None, TWO_WAVES)
    assert calls(two) == ["CreateStackSet", "CreateStackInstances", "CreateStackInstances"]


def test_auto_deployment_is_switched_on_after_the_last_wave() -> None:
    proposed = simple(stack_set(auto=True), None, TWO_WAVES)
    first, last = proposed.steps[0], proposed.steps[-1]
    assert isinstance(first, CreateStackSet)
    assert not first.auto_deployment.enabled
    assert isinstance(last, UpdateStackSet)
    assert last.auto_deployment == AutoDeployment(True)


def test_auto_deployment_costs_no_operation_where_there_is_one_wave() -> None:
    assert calls(simple(stack_set(auto=True), None)) == ["CreateStackSet", "CreateStackInstances"]


def test_nothing_to_do_is_no_step() -> None:
    assert simple(stack_set(), stack_set()).steps == ()


def test_a_new_account_is_one_operation() -> None:
    new = [pair for pair in EVERYWHERE if pair.account == MEMBERS[0]]
    proposed = simple(stack_set(), stack_set(without(*new)), TWO_WAVES)
    assert calls(proposed) == ["CreateStackInstances"]
    assert _targets(proposed) == set(new)


def test_a_new_region_is_one_operation_a_wave() -> None:
    new = [pair for pair in EVERYWHERE if pair.region == REGIONS[1]]
    assert calls(simple(stack_set(), stack_set(without(*new)))) == ["CreateStackInstances"]
    proposed = simple(stack_set(), stack_set(without(*new)), TWO_WAVES)
    assert calls(proposed) == ["CreateStackInstances"] * 2


def test_a_changed_template_is_one_operation_a_wave_and_sent_once() -> None:
    proposed = simple(stack_set(number=1), stack_set(), TWO_WAVES)
    assert calls(proposed) == ["UpdateStackSet", "UpdateStackSet"]
    assert [step.sends_template for step in proposed.steps if isinstance(step, UpdateStackSet)] == [
        True,
        False,
    ]
    assert [change.stack for change in proposed.templates] == ["detection"]


def test_missing_pairs_that_are_no_rectangle_are_never_rounded_up() -> None:
    missing = (Pair(MEMBERS[0], REGIONS[0]), Pair(MEMBERS[1], REGIONS[1]))
    proposed = simple(stack_set(), stack_set(without(*missing)))
    assert calls(proposed) == ["CreateStackInstances"] * 2
    assert _targets(proposed) == set(missing)


def test_a_wave_of_new_accounts_does_not_send_a_changed_template_to_the_others() -> None:
    new = [pair for pair in EVERYWHERE if pair.account == MEMBERS[0]]
    proposed = simple(stack_set(number=1), stack_set(without(*new)), TWO_WAVES)
    canary = [step for stage in proposed.stages if stage.wave == "canary" for step in stage.steps]
    assert [step.call for step in canary] == ["CreateStackInstances", "UpdateStackSet"]
    update = canary[-1]
    assert isinstance(update, UpdateStackSet)
    assert update.sends_template
    assert update.target is not None
    assert update.target.pairs == set(new)


def test_removal_is_one_operation_whatever_units_the_instances_came_by() -> None:
    mixed = changed(stack_set(), EVERYWHERE[0], lambda instance: replace(instance, unit_id=UNIT))
    proposed = simple(None, mixed)
    assert calls(proposed) == ["DeleteStackInstances", "DeleteStackSet"]


def test_removal_switches_auto_deployment_off_first_even_where_something_stays() -> None:
    gone = StackInstance(LEFT, REGIONS[0], stack_id="arn", unit_id=ROOT)
    observed = stack_set(auto=True)
    proposed = simple(None, replace(observed, instances=(*observed.instances, gone)))
    assert calls(proposed) == ["UpdateStackSet", "DeleteStackInstances"]


def test_units_that_hold_other_accounts_as_well_are_narrowed_to_those_wanted() -> None:
    some = tuple(pair for pair in EVERYWHERE if pair.account != MEMBERS[3])
    target = _only_create(simple(stack_set(some, auto=True), None))
    assert not target.whole_units
    everyone = _only_create(simple(stack_set(auto=True), None))
    assert everyone.whole_units


def test_updates_name_the_units_that_the_instances_came_by() -> None:
    wanted = replace(stack_set(number=1), units=(UNIT,))
    proposed = simple(wanted, stack_set())
    update = proposed.steps[0]
    assert isinstance(update, UpdateStackSet)
    assert update.target is not None
    assert update.target.units == (ROOT,)


def test_another_permission_model_is_blocked_because_aws_cannot_change_it() -> None:
    wanted = replace(stack_set(), permission_model=PermissionModel.SELF_MANAGED, units=())
    proposed = simple(wanted, stack_set())
    assert proposed.steps == ()
    assert {change.action for change in proposed.changes} == {Action.BLOCKED}
    assert "SERVICE_MANAGED" in proposed.changes[0].reason


def test_the_logs_stay_when_their_stack_set_is_removed() -> None:
    proposed = simple(None, stack_set(), options=Options(prune=True, keeps=frozenset({"detection"})))
    deletes = [step for step in proposed.steps if isinstance(step, DeleteStackInstances)]
    assert [step.retain for step in deletes] == [True]


def test_a_retained_stack_is_adopted_and_brought_up_to_date() -> None:
    pair = Pair(MEMBERS[1], REGIONS[0])
    identity = f"arn:aws:cloudformation:{pair.region}:{pair.account}:stack/StackSet-detection-1/2"
    options = Options(retained=(("detection", (identity,)),))
    proposed = simple(stack_set((pair,)), None, options=options)
    assert calls(proposed) == ["CreateStackSet", "ImportStacksToStackSet", "UpdateStackSet"]
    world = World(State(), ORGANIZATION)
    for step in proposed.steps:
        world = world.after(step)
    there = world.state.stack_set("detection")
    assert there is not None
    assert current(there) == {pair}
    assert isinstance(proposed.steps[1], ImportStacksToStackSet)


def test_a_run_that_was_killed_before_the_import_adopts_all_the_same() -> None:
    pair = Pair(MEMBERS[1], REGIONS[0])
    identity = f"arn:aws:cloudformation:{pair.region}:{pair.account}:stack/StackSet-detection-1/2"
    options = Options(retained=(("detection", (identity,)),))
    proposed = simple(stack_set((pair,)), stack_set(()), options=options)
    assert calls(proposed) == ["ImportStacksToStackSet", "UpdateStackSet"]
    assert simple(stack_set((pair,)), stack_set((pair,)), options=options).steps == ()


def test_an_instance_says_why_it_is_retried() -> None:
    failed = changed(
        stack_set(),
        EVERYWHERE[0],
        lambda instance: replace(
            instance, status=InstanceStatus.OUTDATED, detailed_status=DetailedStatus.FAILED, reason="denied"
        ),
    )
    proposed = simple(stack_set(), failed)
    assert [change.reason for change in proposed.of(Action.UPDATE)] == ["OUTDATED, FAILED: denied"]
    assert calls(proposed) == ["UpdateStackSet"]


def _targets(proposed: Plan) -> set[Pair]:
    return {
        pair
        for step in proposed.steps
        if isinstance(step, CreateStackInstances)
        for pair in step.target.pairs
    }


def _only_create(proposed: Plan) -> DeploymentTarget:
    (create,) = [step for step in proposed.steps if isinstance(step, CreateStackInstances)]
    return create.target
