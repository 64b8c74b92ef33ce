"""The laws of the planner, against a small model of what the steps do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orgmon.plan import saved
from orgmon.plan.model import Action, Plan
from orgmon.plan.planner import Options, plan
from orgmon.plan.step import CreateStackInstances, Step
from orgmon.stackset import (
    InstanceStatus,
    Pair,
    StackSet,
    State,
)
from tests.laws import examples
from tests.simulation import NOBODY, World
from tests.states import (
    MANAGEMENT,
    MEMBERS,
    REGIONS,
    STAGES,
    Case,
    cases,
)

pytestmark = pytest.mark.slow

PRUNE = Options(prune=True)
ACTING = (Action.CREATE, Action.UPDATE, Action.DELETE)
law = settings(max_examples=examples(40), deadline=None)


def planned(case: Case, state: State, options: Options = PRUNE) -> Plan:
    """The plan from a State to what the case wants."""
    return plan(case.desired, state, case.organization, case.rollout, options)


def performed(case: Case, state: State, steps: tuple[Step, ...], failing: frozenset[Pair] = NOBODY) -> World:
    """The world after steps."""
    world = World(state, case.organization)
    for step in steps:
        world = world.after(step, failing)
    return world


def acting(proposed: Plan) -> frozenset[tuple[str, Pair]]:
    """What a plan says that it changes."""
    return frozenset((change.stack, change.pair) for change in proposed.changes if change.action in ACTING)


def blocked(proposed: Plan) -> frozenset[tuple[str, Pair]]:
    """What a plan cannot reach."""
    return frozenset((change.stack, change.pair) for change in proposed.of(Action.BLOCKED))


def current(stack_set: StackSet) -> frozenset[Pair]:
    """The pairs in step with their stack set."""
    return frozenset(
        instance.pair for instance in stack_set.instances if instance.status is InstanceStatus.CURRENT
    )


def content(stack_set: StackSet) -> tuple[object, ...]:
    """What a stack set deploys."""
    return (stack_set.template, stack_set.parameters, sorted(stack_set.tags), stack_set.description)


def assert_reached(case: Case, state: State, out_of_reach: frozenset[tuple[str, Pair]]) -> None:
    """Everything wanted is there, and nothing else, except what is out of reach."""
    for stack in case.desired.stacks:
        present = state.stack(stack.name)
        assert present is not None
        if (stack.name, Pair(stack.account, stack.region)) not in out_of_reach:
            assert present.is_settled or present.status == "UPDATE_ROLLBACK_COMPLETE"
            assert (present.template, present.parameters, present.tags) == (
                stack.template,
                stack.parameters,
                stack.tags,
            )
    assert {stack.name for stack in state.stacks} == {stack.name for stack in case.desired.stacks}
    assert case.desired.artifacts <= state.artifacts
    for wanted in case.desired.stack_sets:
        out = {pair for name, pair in out_of_reach if name == wanted.name}
        there = state.stack_set(wanted.name)
        assert there is not None
        assert there.auto_deployment == wanted.auto_deployment
        assert set(wanted.by_pair) - out <= current(there)
        assert set(there.by_pair) <= set(wanted.by_pair) | out
        if set(wanted.by_pair) - out:
            assert content(there) == content(wanted)
    for there in state.stack_sets:
        if case.desired.stack_set(there.name) is None:
            assert there.instances
            assert not there.auto_deployment.enabled
            assert {(there.name, pair) for pair in there.by_pair} <= out_of_reach


@law
@given(cases())
def test_applying_the_plan_gives_what_is_wanted_except_what_is_blocked(case: Case) -> None:
    proposed = planned(case, case.observed)
    assert_reached(case, performed(case, case.observed, proposed.steps).state, blocked(proposed))


@law
@given(cases())
def test_a_second_plan_has_no_steps(case: Case) -> None:
    after = performed(case, case.observed, planned(case, case.observed).steps).state
    again = planned(case, after)
    assert again.steps == ()
    assert acting(again) == frozenset()
    assert again.templates == ()


@law
@given(cases(), st.booleans())
def test_no_operation_walks_a_pair_that_the_plan_does_not_list(case: Case, prune: bool) -> None:
    proposed = planned(case, case.observed, Options(prune=prune))
    world = World(case.observed, case.organization)
    for step in proposed.steps:
        walked = replace(world.after(step), walked=NOBODY), world.after(step).walked - world.walked
        assert {(step.target_name, pair) for pair in walked[1]} <= acting(proposed)
        world = walked[0]


@law
@given(cases())
def test_without_prune_nothing_is_deleted(case: Case) -> None:
    proposed = planned(case, case.observed, Options())
    after = performed(case, case.observed, proposed.steps).state
    assert proposed.of(Action.DELETE) == ()
    for before in case.observed.stack_sets:
        there = after.stack_set(before.name)
        assert there is not None
        assert set(before.by_pair) <= set(there.by_pair)
    assert {stack.name for stack in case.observed.stacks} <= {stack.name for stack in after.stacks}


@law
@given(cases())
def test_a_wave_touches_its_own_accounts_and_stages_keep_their_order(case: Case) -> None:
    proposed = planned(case, case.observed)
    accounts = {wave.name: wave.accounts for wave in case.rollout.waves}
    world = World(case.observed, case.organization)
    building = []
    for stage in proposed.stages:
        before = world
        for step in stage.steps:
            world = world.after(step)
        if stage.wave in accounts:
            assert {pair.account for pair in world.walked - before.walked} <= accounts[stage.wave]
            building.append((STAGES.index(stage.name), stage.name))
        world = replace(world, walked=NOBODY)
    assert building == sorted(building)


@law
@given(cases(), st.data())
def test_an_interrupted_run_is_finished_by_the_next(case: Case, data: st.DataObject) -> None:
    first = planned(case, case.observed)
    done = data.draw(st.integers(0, len(first.steps)))
    halfway = performed(case, case.observed, first.steps[:done]).state
    rest = planned(case, halfway)
    assert_reached(case, performed(case, halfway, rest.steps).state, blocked(rest))


@law
@given(cases(), st.data())
def test_what_failed_is_retried_and_nothing_else(case: Case, data: st.DataObject) -> None:
    pairs = [Pair(account, region) for account in MEMBERS for region in REGIONS]
    failing = data.draw(st.frozensets(st.sampled_from(pairs)))
    once = performed(case, case.observed, planned(case, case.observed, Options()).steps, failing).state
    again = planned(case, once, Options())
    assert {pair for _, pair in acting(again)} <= failing
    healed = performed(case, once, again.steps).state
    assert planned(case, healed, Options()).steps == ()


@law
@given(cases(), st.data())
def test_a_selection_is_never_left(case: Case, data: st.DataObject) -> None:
    accounts = data.draw(st.none() | st.frozensets(st.sampled_from((*MEMBERS, MANAGEMENT)), min_size=1))
    regions = data.draw(st.none() | st.frozensets(st.sampled_from(REGIONS), min_size=1))
    options = Options(prune=data.draw(st.booleans()), accounts=accounts, regions=regions)
    assume(accounts is not None or regions is not None)
    proposed = planned(case, case.observed, options)
    world = performed(case, case.observed, proposed.steps)
    assert all(options.covers(pair) for pair in world.walked)
    for stack in case.observed.stacks:
        if not options.covers(Pair(stack.account, stack.region)):
            assert world.state.stack(stack.name) == stack
    for before in case.observed.stack_sets:
        there = world.state.stack_set(before.name)
        assert there is not None or not before.instances or all(map(options.covers, before.by_pair))
        if there is not None:
            assert there.auto_deployment == before.auto_deployment


@law
@given(cases(), st.data())
def test_a_saved_plan_is_good_at_every_moment_of_its_own_execution(case: Case, data: st.DataObject) -> None:
    first = planned(case, case.observed)
    kept = saved.saved(first, case.organization.id, prune=True)
    done = data.draw(st.integers(0, len(first.steps)))
    halfway = performed(case, case.observed, first.steps[:done]).state
    assume(not _made_with_the_old_template(first, case))
    saved.check(kept, planned(case, halfway), case.organization.id)


def _made_with_the_old_template(proposed: Plan, case: Case) -> bool:
    """A wave of new accounts only, in a stack set whose content changes, makes them as the others are first."""
    return any(
        isinstance(step, CreateStackInstances)
        and (observed := case.observed.stack_set(step.target_name)) is not None
        and content(observed) != content(step.stack_set)
        for step in proposed.steps
    )


@law
@given(cases())
def test_destroy_leaves_only_what_cannot_be_reached(case: Case) -> None:
    nothing = replace(case, desired=State())
    proposed = planned(nothing, case.observed)
    after = performed(nothing, case.observed, proposed.steps).state
    assert_reached(nothing, after, blocked(proposed))
    assert after.stacks == ()
    assert after.artifacts == frozenset() or case.observed.stack(STAGES[0]) is None
    assert planned(nothing, after).steps == ()


@law
@given(cases())
def test_every_step_and_every_change_has_a_reason(case: Case) -> None:
    proposed = planned(case, case.observed)
    assert all(step.reason for step in proposed.steps)
    assert all(change.reason for change in proposed.changes if change.action is not Action.NONE)
