"""Whole rollouts against the embedded AWS, with the trouble that AWS makes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orgmon.sandbox import actors
from tests.whole.embedded import Rehearsal, rehearsed

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
def deployed(fresh: Rehearsal) -> Rehearsal:
    """The same, deployed."""
    code, out, err = fresh.orgmon("deploy", "--yes")
    assert code == 0, out + err
    return fresh


def calls_of(rehearsal: Rehearsal) -> list[Any]:
    """Collects every call that the product makes from now on."""
    calls: list[Any] = []
    rehearsal.sandbox.world.after.append(lambda call: calls.append(call) if not call.invoked_by else None)
    return calls


def switch_off(rehearsal: Rehearsal, *detections: str) -> None:
    """Change what is deployed by switching detections off."""
    rehearsal.change(detections={"disabled": list(detections)})


def test_plan_lists_every_pair_and_only_reads(fresh: Rehearsal) -> None:
    calls = calls_of(fresh)
    code, data = fresh.data("plan")
    assert code == 3
    pairs = {(c["stack"], c["pair"]["account"], c["pair"]["region"]) for c in data["changes"]}
    assert ("orgmon-detection", PAYMENTS, "us-east-2") in pairs
    assert ("orgmon-detection-management", "310247698127", "us-east-1") in pairs
    assert {c["action"] for c in data["changes"]} == {"create"}
    assert {c["reason"] for c in data["changes"]} == {"missing"}
    made = {call.operation for call in calls if call.service not in ("sts", "logs", "events", "sns")}
    assert made
    assert all(name.startswith(READING) for name in made)


def test_deploy_covers_everything_and_a_second_one_does_nothing(deployed: Rehearsal) -> None:
    calls = calls_of(deployed)
    assert deployed.orgmon("plan")[0] == 0
    for_plan = Counter(call.operation for call in calls)
    calls.clear()
    code, out, _ = deployed.orgmon("deploy", "--yes")
    assert (code, "Nothing to do" in out) == (0, True)
    assert Counter(call.operation for call in calls) == for_plan
    assert not [call.operation for call in calls if not call.operation.startswith(READING)]
    code, data = deployed.data("status")
    assert code == 0
    assert data["coverage"]["covered"] == data["coverage"]["wanted"] > 30
    assert {cell["state"] for cell in data["cells"]} == {"CURRENT"}
    assert all(cell["digest"] for cell in data["cells"])


def test_status_counts_accounts_that_nobody_put_in_scope(deployed: Rehearsal) -> None:
    deployed.change(
        scope={"units": ["Security", "Infrastructure"]},
        rollout={"waves": [{"name": "all", "rest": True}]},
    )
    code, data = deployed.data("status")
    assert code == 3
    states = {cell["state"] for cell in data["cells"] if cell["account"] == PAYMENTS}
    assert states == {"EXTRA", "NOT IN SCOPE"}
    _, out, _ = deployed.orgmon("status", "--csv")
    assert out.splitlines()[0].startswith("account,account_name,unit,region,stack,state")


def test_without_a_terminal_deploy_names_the_flag(fresh: Rehearsal) -> None:
    calls = calls_of(fresh)
    code, _, err = fresh.orgmon("deploy")
    assert code == 2
    assert "--yes" in err
    assert all(call.operation.startswith((*READING, "AssumeRole")) for call in calls)


def test_a_failure_is_told_by_its_root_cause_and_healed_by_the_same_command(deployed: Rehearsal) -> None:
    switch_off(deployed, "failed-sign-ins")
    deployed.sandbox.world.trouble.fail(
        account=PAYMENTS, region="us-east-2", action="UPDATE", reason="the quota is exhausted"
    )
    code, out, _ = deployed.orgmon("deploy", "--yes")
    assert code == 1
    assert "Root cause 1 (1 failed)" in out
    assert "the quota is exhausted" in out
    assert f"{PAYMENTS} payments-prod" in out
    deployed.sandbox.world.trouble.lift()
    code, data = deployed.data("plan")
    todo = [c for c in data["changes"] if c["action"] not in ("no change",)]
    assert {(c["stack"], c["pair"]["account"]) for c in todo} >= {("orgmon-alarms", PAYMENTS)}
    assert deployed.orgmon("deploy", "--yes")[0] == 0
    assert deployed.orgmon("plan")[0] == 0


def test_a_failed_canary_stops_the_rest(deployed: Rehearsal) -> None:
    switch_off(deployed, "failed-sign-ins")
    deployed.sandbox.world.trouble.fail(account=SHARED, action="UPDATE", reason="canary sings no more")
    code, out, _ = deployed.orgmon("deploy", "--yes")
    assert code == 1
    assert "canary sings no more" in out
    assert "Later waves still run the stacks they had" in out
    deployed.sandbox.world.trouble.lift()
    _, data = deployed.data("status")
    behind = {
        c["account"] for c in data["cells"] if c["stack"] == "orgmon-alarms" and c["state"] == "OUTDATED"
    }
    assert PAYMENTS in behind


def test_a_saved_plan_is_executed_and_refused_when_the_world_has_moved(
    deployed: Rehearsal, tmp_path: Path
) -> None:
    switch_off(deployed, "failed-sign-ins")
    kept = tmp_path / "plan.json"
    assert deployed.orgmon("plan", "--out", str(kept))[0] == 3
    assert json.loads(kept.read_text())["changes"]
    actors.join(deployed.sandbox, "late-joiner", "Root/Sandboxes")
    code, _, err = deployed.orgmon("deploy", str(kept), "--yes")
    assert code == 1
    assert "the world has moved since the plan was made" in err
    assert deployed.orgmon("plan", "--out", str(kept))[0] == 3
    assert deployed.orgmon("deploy", str(kept), "--yes")[0] == 0
    assert deployed.orgmon("plan")[0] == 0
    # Everything in it is done: executing it again is fine and does nothing.
    assert deployed.orgmon("deploy", str(kept), "--yes")[0] == 0


def test_who_joins_is_covered_and_reported_as_unlisted(deployed: Rehearsal) -> None:
    account = actors.join(deployed.sandbox, "late-joiner", "Root/Workloads/Prod")
    assert deployed.orgmon("deploy", "--yes")[0] == 0
    code, data = deployed.data("status")
    assert code == 0
    assert data["unlisted"] == [account]
    assert {c["stack"] for c in data["cells"] if c["account"] == account} >= {
        "orgmon-access",
        "orgmon-detection",
        "orgmon-alarms",
        "application-settings",
    }


def test_a_suspended_account_is_blocked_and_said_so(deployed: Rehearsal) -> None:
    deployed.sandbox.world.trouble.suspend(WEB_SHOP)
    switch_off(deployed, "failed-sign-ins")
    code, out, _ = deployed.orgmon("plan", "--no-diff")
    assert code == 3
    assert [
        line for line in out.splitlines() if WEB_SHOP in line and "blocked" in line and "suspended" in line
    ]
    assert deployed.orgmon("deploy", "--yes")[0] == 3
    code, data = deployed.data("status")
    assert code == 0
    assert {c["state"] for c in data["cells"] if c["account"] == WEB_SHOP} == {"SUSPENDED"}


def test_somebody_elses_operation_is_waited_for(deployed: Rehearsal) -> None:
    switch_off(deployed, "failed-sign-ins")
    deployed.sandbox.world.trouble.foreign_operation("orgmon-alarms", 8.0)
    code, _, err = deployed.orgmon("deploy", "--yes")
    assert code == 0
    assert "waiting for somebody else's operation" in err


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


def test_a_change_for_some_accounts_only_has_to_be_meant(deployed: Rehearsal) -> None:
    switch_off(deployed, "failed-sign-ins")
    code, _, err = deployed.orgmon("deploy", "--yes", "--account", PAYMENTS)
    assert code == 2
    assert "--leave-outdated" in err
    assert deployed.orgmon("deploy", "--yes", "--account", PAYMENTS, "--leave-outdated")[0] == 0
    _, data = deployed.data("status")
    alarms = {c["account"]: c["state"] for c in data["cells"] if c["stack"] == "orgmon-alarms"}
    assert alarms[PAYMENTS] == "CURRENT"
    assert alarms[WEB_SHOP] == "OUTDATED"
    assert deployed.orgmon("deploy", "--yes")[0] == 0
    assert deployed.orgmon("status")[0] == 0


def test_extras_are_kept_until_pruned(deployed: Rehearsal) -> None:
    regions = deployed.config["regions"]
    regions["left_out"].append({"region": "us-east-2", "reason": "a test"})
    deployed.change(regions={**regions, "governed": ["us-east-1"]})
    _, out, _ = deployed.orgmon("plan", "--no-diff")
    assert "extra; deleted with --prune" in out
    assert deployed.orgmon("deploy", "--yes", "--prune")[0] == 0
    _, data = deployed.data("status")
    assert {c["region"] for c in data["cells"]} == {"us-east-1"}


def test_destroy_keeps_the_logs_and_the_next_deploy_adopts_them(deployed: Rehearsal) -> None:
    assert deployed.orgmon("destroy")[0] == 2
    code, out, _ = deployed.orgmon("destroy", "--confirm", "o-q1w2e3r4t5")
    assert code == 0, out
    world, engine = deployed.sandbox.world, deployed.sandbox.engine
    left = [
        stack.name
        for account in world.organization.accounts
        for region in ("us-east-1", "us-east-2")
        for stack in engine.register.stacks(account, region)
        if not stack.is_gone
    ]
    assert len(left) == 1
    assert left[0].startswith("StackSet-orgmon-logs-")
    buckets = world.client("s3", "059913402786", "us-east-1").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == ["orgmon-logs-059913402786-us-east-1"]
    assert deployed.orgmon("deploy", "--yes")[0] == 0
    assert deployed.orgmon("status")[0] == 0
    assert deployed.orgmon("plan")[0] == 0


def test_no_decoy_is_named_in_what_is_printed(deployed: Rehearsal) -> None:
    decoys = deployed.config["decoys"]
    deployed.change(decoys={**decoys, "items": [{"phrase": "LedgerExportCredentials"}]})
    for command in (("plan", "--all"), ("status",), ("deploy", "--yes"), ("destroy",)):
        _, out, err = deployed.orgmon(*command)
        for phrase in ("LedgerExportCredentials", "PartnerGatewayKey"):
            assert phrase not in out + err


def test_debug_tells_every_api_call(fresh: Rehearsal) -> None:
    fresh.capsys.readouterr()
    from orgmon.cli import run

    run(["--debug", "plan", "--config", str(fresh.path)], fresh.make_session)
    assert "api management us-east-1 organizations:DescribeOrganization 200" in fresh.capsys.readouterr().err
