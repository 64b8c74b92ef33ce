"""Rollouts of an organization that nobody else uses: the first one, and what cannot be undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from orgmon.sandbox import actors
from tests.whole.embedded import Rehearsal, calls_of, rehearsed, rolled_out, switch_off

PAYMENTS = "904417263085"
WEB_SHOP = "138860294471"
SHARED = "226048917350"
READING = ("Describe", "List", "Get", "Head", "Lookup")


@pytest.fixture
def fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Rehearsal]:
    """A small organization with nothing deployed."""
    with rehearsed(tmp_path, capsys) as rehearsal:
        yield rehearsal


@pytest.fixture
def own(fresh: Rehearsal) -> Rehearsal:
    """A deployed organization of the test's own, for what cannot be undone."""
    return rolled_out(fresh)


def test_plan_lists_every_pair_and_only_reads(fresh: Rehearsal) -> None:
    calls = calls_of(fresh)
    code, data = fresh.data("plan")
    assert code == 3
    pairs = {(c["stack"], c["pair"]["account"], c["pair"]["region"]) for c in data["changes"]}
    assert ("orgmon-detection", PAYMENTS, "us-east-2") in pairs
    assert ("orgmon-detection-management", "310247698127", "us-east-1") in pairs
    assert {c["action"] for c in data["changes"]} == {"create"}
    assert {c["reason"] for c in data["changes"]} == {"missing"}
    assert data["cost"]["now"]["usd"] == 0
    assert data["cost"]["then"]["usd"] == data["cost"]["change_usd"] > 10
    made = {call.operation for call in calls if call.service not in ("sts", "logs", "events", "sns")}
    assert made
    assert all(name.startswith(READING) for name in made)


def test_without_a_terminal_deploy_names_the_flag(fresh: Rehearsal) -> None:
    calls = calls_of(fresh)
    code, _, err = fresh.orgmon("deploy")
    assert code == 2
    assert "--yes" in err
    assert all(call.operation.startswith((*READING, "AssumeRole")) for call in calls)


def test_a_saved_plan_is_executed_and_refused_when_the_world_has_moved(
    own: Rehearsal, tmp_path: Path
) -> None:
    switch_off(own, "failed-sign-ins")
    kept = tmp_path / "plan.json"
    assert own.orgmon("plan", "--out", str(kept))[0] == 3
    assert json.loads(kept.read_text())["changes"]
    actors.join(own.sandbox, "late-joiner", "Root/Sandboxes")
    code, _, err = own.orgmon("deploy", str(kept), "--yes")
    assert code == 1
    assert "the world has moved since the plan was made" in err
    assert own.orgmon("plan", "--out", str(kept))[0] == 3
    assert own.orgmon("deploy", str(kept), "--yes")[0] == 0
    assert own.orgmon("plan")[0] == 0
    # Everything in it is done: executing it again is fine and does nothing.
    assert own.orgmon("deploy", str(kept), "--yes")[0] == 0


def test_who_joins_is_covered_and_reported_as_unlisted(own: Rehearsal) -> None:
    account = actors.join(own.sandbox, "late-joiner", "Root/Workloads/Prod")
    assert own.orgmon("deploy", "--yes")[0] == 0
    code, data = own.data("status")
    assert code == 0
    assert data["unlisted"] == [account]
    assert {c["stack"] for c in data["cells"] if c["account"] == account} >= {
        "orgmon-access",
        "orgmon-detection",
        "application-settings",
    }


def test_a_suspended_account_is_blocked_and_said_so(own: Rehearsal) -> None:
    own.sandbox.world.trouble.suspend(WEB_SHOP)
    switch_off(own, "failed-sign-ins")
    code, out, _ = own.orgmon("plan", "--no-diff")
    assert code == 3
    assert [
        line for line in out.splitlines() if WEB_SHOP in line and "blocked" in line and "suspended" in line
    ]
    assert own.orgmon("deploy", "--yes")[0] == 3
    code, data = own.data("status")
    assert code == 0
    assert {c["state"] for c in data["cells"] if c["account"] == WEB_SHOP} == {"SUSPENDED"}


def test_throttling_is_waited_out(fresh: Rehearsal) -> None:
    throttled = calls_of(fresh)
    fresh.sandbox.world.trouble.throttle("organizations", "ListAccountsForParent", every_nth=3)
    assert fresh.orgmon("plan")[0] == 3
    assert [call for call in throttled if call.operation == "ListAccountsForParent" and call.error]


def test_a_denied_call_is_an_error_with_the_call_and_no_traceback(fresh: Rehearsal) -> None:
    fresh.sandbox.world.trouble.deny("cloudformation", "ListStackSets")
    code, _, err = fresh.orgmon("plan")
    assert code == 1
    assert "cloudformation:ListStackSets failed" in err
    assert "Traceback" not in err


def test_debug_tells_every_api_call(fresh: Rehearsal) -> None:
    fresh.capsys.readouterr()
    from orgmon.cli import run

    run(["--debug", "plan", "--config", str(fresh.path)], fresh.make_session)
    assert "api management us-east-1 organizations:DescribeOrganization 200" in fresh.capsys.readouterr().err
