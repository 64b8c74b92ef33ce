"""Plans of plain stacks, one condition after the other. The laws: test_planner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orgmon.organization import Account, AccountState, Organization
from orgmon.plan.compare import differs, stack_change
from orgmon.plan.model import Action, Phase, Plan
from orgmon.plan.planner import Options, plan
from orgmon.rollout import Rollout, Wave
from orgmon.stackset import Artifact, OperationPreferences, PermissionModel, Stack, StackSet, State
from tests.states import MANAGEMENT, ROOT, STAGES, UNITS, template

BASE = Stack("base", MANAGEMENT, "us-east-1", template(0), (("Retention", "30"),), tags=(("orgmon", "base"),))
CODE = Artifact("artifacts", "code.zip")
ORGANIZATION = Organization(
    "o-abcdefghij",
    MANAGEMENT,
    UNITS,
    (Account(MANAGEMENT, "management", "m@example.com", AccountState.ACTIVE, ROOT),),
)
ROLLOUT = Rollout(STAGES, (Wave("all", frozenset({MANAGEMENT})),), OperationPreferences())


def planned(desired: State, observed: State, *, prune: bool = False) -> Plan:
    """The plan of plain stacks and artifacts."""
    return plan(desired, observed, ORGANIZATION, ROLLOUT, Options(prune=prune))


def calls(of: Plan) -> list[tuple[str, str]]:
    """The calls of a plan, and what each is about."""
    return [(step.call, step.target_name) for step in of.steps]


@pytest.mark.parametrize(
    ("observed", "action", "reason"),
    [
        (None, Action.CREATE, "missing"),
        (BASE, Action.NONE, ""),
        (replace(BASE, template=template(1)), Action.UPDATE, "template changed"),
        (
            replace(BASE, parameters=(("Retention", "90"),)),
            Action.UPDATE,
            "parameters changed (Retention)",
        ),
        (replace(BASE, tags=()), Action.UPDATE, "tags changed"),
        (replace(BASE, status="UPDATE_ROLLBACK_COMPLETE"), Action.NONE, ""),
        (
            replace(BASE, status="UPDATE_ROLLBACK_FAILED"),
            Action.BLOCKED,
            "UPDATE_ROLLBACK_FAILED: continue its rollback in CloudFormation",
        ),
        (
            replace(BASE, status="ROLLBACK_COMPLETE", reason="quota"),
            Action.UPDATE,
            "ROLLBACK_COMPLETE: quota",
        ),
    ],
)
def test_what_happens_to_a_stack_and_why(observed: Stack | None, action: Action, reason: str) -> None:
    change = stack_change(BASE, observed)
    assert (change.action, change.reason) == (action, reason)


def test_a_stack_that_is_not_wanted_is_deleted_only_with_prune() -> None:
    assert stack_change(None, BASE).action is Action.NONE
    assert stack_change(None, BASE, prune=True).action is Action.DELETE


def test_a_stack_whose_creation_failed_is_emptied_deleted_and_made_again() -> None:
    dead = replace(BASE, status="ROLLBACK_COMPLETE")
    wanted = State((BASE,), artifacts=frozenset({CODE}))
    found = planned(wanted, State((dead,), artifacts=frozenset({replace(CODE, key="old.zip")})))
    assert calls(found) == [
        ("DeleteObjects", "artifacts"),
        ("DeleteStack", "base"),
        ("CreateStack", "base"),
        ("PutObject", "artifacts"),
    ]


def test_artifacts_come_after_their_bucket_and_before_what_uses_them() -> None:
    trail = replace(BASE, name="hub")
    first = planned(State((BASE, trail), artifacts=frozenset({CODE})), State())
    assert calls(first) == [("CreateStack", "base"), ("PutObject", "artifacts"), ("CreateStack", "hub")]
    assert [stage.title for stage in first.stages] == ["", "artifacts", ""]
    there = State((BASE, trail), artifacts=frozenset({CODE}))
    assert calls(planned(there, replace(there, artifacts=frozenset()))) == [("PutObject", "artifacts")]
    assert planned(there, there).is_empty


def test_artifacts_wait_where_there_is_no_bucket_and_none_is_made() -> None:
    assert calls(planned(State(artifacts=frozenset({CODE})), State())) == []


def test_what_is_removed_goes_backwards_and_a_bucket_is_emptied_first() -> None:
    hub = replace(BASE, name="hub")
    gone = planned(State(), State((BASE, hub), artifacts=frozenset({CODE})), prune=True)
    assert calls(gone) == [("DeleteStack", "hub"), ("DeleteObjects", "artifacts"), ("DeleteStack", "base")]
    assert {stage.phase for stage in gone.stages} == {Phase.REMOVE}
    assert gone.steps[0].reason == "not wanted"


def test_every_action_has_a_symbol_of_one_character() -> None:
    assert len({action.symbol for action in Action}) == len(Action)
    assert {len(action.symbol) for action in Action} == {1}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"template": template(1)}, "template changed"),
        ({"parameters": (("Retention", "90"),)}, "parameters changed (Retention)"),
        ({"tags": (("orgmon", "other"),)}, "tags changed"),
        ({"description": "other"}, "description changed"),
    ],
)
def test_why_all_instances_of_a_stack_set_are_updated(change: dict[str, object], why: str) -> None:
    there = StackSet("detection", template(0), (("Retention", "30"),))
    wanted = replace(there, **change)  # type: ignore[arg-type] # one field each
    assert differs(wanted, there) == why
    assert differs(wanted, replace(there, permission_model=PermissionModel.SELF_MANAGED)) == why
