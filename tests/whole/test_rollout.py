"""Whole rollouts against the embedded AWS, with the trouble that AWS makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from orgmon.sandbox import actors
from tests.whole.embedded import Rehearsal, World, calls_of, embedded, rolled_out, switch_off
from tests.whole.links import MANAGEMENT, SECURITY

pytestmark = pytest.mark.xdist_group("rollout")

PAYMENTS = "904417263085"
WEB_SHOP = "138860294471"
SHARED = "226048917350"
READING = ("Describe", "List", "Get", "Head", "Lookup")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An organization that the tests share one after the other."""
    with embedded(tmp_path_factory.mktemp("shared")) as made:
        yield made


@pytest.fixture
def deployed(world: World, capsys: pytest.CaptureFixture[str]) -> Rehearsal:
    """A deployed organization. What the test before has changed is undone as a user would: by deploying again."""
    world.restore()
    return rolled_out(Rehearsal(world.sandbox, world.path, capsys), "--prune")


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
    assert data["coverage"]["covered"] == data["coverage"]["wanted"] > 20
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
    assert {(c["stack"], c["pair"]["account"]) for c in todo} >= {("orgmon-detection", PAYMENTS)}
    assert deployed.orgmon("deploy", "--yes")[0] == 0
    assert deployed.orgmon("plan")[0] == 0


def test_what_aws_refuses_for_a_moment_is_tried_once_more(deployed: Rehearsal) -> None:
    switch_off(deployed, "failed-sign-ins")
    deployed.sandbox.world.trouble.fail(
        account=SHARED, action="UPDATE", times=1, reason="Rate exceeded (Service: CloudWatchLogs)"
    )
    code, out, err = deployed.orgmon("deploy", "--yes")
    assert code == 0
    assert "Root cause" not in out
    assert "AWS was not ready" in err
    assert "what failed is tried once more" in err
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
        c["account"] for c in data["cells"] if c["stack"] == "orgmon-detection" and c["state"] == "OUTDATED"
    }
    assert PAYMENTS in behind


def test_somebody_elses_operation_is_waited_for(deployed: Rehearsal) -> None:
    switch_off(deployed, "failed-sign-ins")
    deployed.sandbox.world.trouble.foreign_operation("orgmon-detection", 8.0)
    code, _, err = deployed.orgmon("deploy", "--yes")
    assert code == 0
    assert "waiting for somebody else's operation" in err


def test_a_change_for_some_accounts_only_has_to_be_meant(deployed: Rehearsal) -> None:
    switch_off(deployed, "failed-sign-ins")
    code, _, err = deployed.orgmon("deploy", "--yes", "--account", PAYMENTS)
    assert code == 2
    assert "--leave-outdated" in err
    assert deployed.orgmon("deploy", "--yes", "--account", PAYMENTS, "--leave-outdated")[0] == 0
    _, data = deployed.data("status")
    states = {c["account"]: c["state"] for c in data["cells"] if c["stack"] == "orgmon-detection"}
    assert states[PAYMENTS] == "CURRENT"
    assert states[WEB_SHOP] == "OUTDATED"
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


def test_a_unit_that_was_renamed_is_told_and_loses_no_decoy(deployed: Rehearsal) -> None:
    organizations = deployed.sandbox.world.session(MANAGEMENT).client("organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]

    def unit(parent: str, name: str) -> str:
        below = organizations.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]
        return str(next(each["Id"] for each in below if each["Name"] == name))

    prod = unit(unit(root, "Workloads"), "Prod")
    organizations.update_organizational_unit(OrganizationalUnitId=prod, Name="Production")
    told = (
        f"decoys.placement.units: unit Workloads/Prod is not in AWS; Workloads/Production ({prod}) holds its"
    )
    for arguments in (("plan", "--prune"), ("deploy", "--yes", "--prune"), ("status",)):
        code, out, _ = deployed.orgmon(*arguments)
        assert code == 3, arguments
        assert told in out
        assert "Nothing is pruned" in out
    secrets = deployed.sandbox.world.client("secretsmanager", PAYMENTS, "us-east-1").list_secrets()
    assert len(secrets["SecretList"]) == 2
    organizations.update_organizational_unit(OrganizationalUnitId=prod, Name="Prod")
    assert deployed.orgmon("deploy", "--yes", "--prune")[0] == 0


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        (("--account", "904417263058"), f"did you mean '{PAYMENTS}'?"),
        (("--region", "us-esat-1"), "us-east-1"),
    ],
)
def test_who_selects_what_is_not_there_is_told(
    deployed: Rehearsal, option: tuple[str, str], hint: str
) -> None:
    for command in ("plan", "deploy"):
        code, _, err = deployed.orgmon(command, *option)
        assert code == 2
        assert hint in err


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
    rolled_out(deployed)
    assert deployed.orgmon("status")[0] == 0
    assert deployed.orgmon("plan")[0] == 0


def test_whoever_lost_his_subscription_is_told_and_subscribed_again(deployed: Rehearsal) -> None:
    sns = deployed.sandbox.world.client("sns", SECURITY, "us-east-1")
    told = sns.list_subscriptions_by_topic(TopicArn=f"arn:aws:sns:us-east-1:{SECURITY}:orgmon-critical")
    [mail] = [each for each in told["Subscriptions"] if each["Protocol"] == "email"]
    sns.unsubscribe(SubscriptionArn=mail["SubscriptionArn"])
    for command in ("plan", "status"):
        code, out, _ = deployed.orgmon(command)
        assert code == 3
        assert f"missing email {mail['Endpoint']} does not hear of critical alerts: run: orgmon deploy" in out
    code, out, _ = deployed.orgmon("deploy", "--yes")
    assert code == 0
    assert "Nothing to do" in out
    assert f"subscribed email {mail['Endpoint']} to critical alerts again" in out
    assert "pending" in out
    actors.confirm(deployed.sandbox)
    assert deployed.orgmon("plan")[0] == deployed.orgmon("status")[0] == 0


def test_no_decoy_is_named_in_what_is_printed(deployed: Rehearsal) -> None:
    decoys = deployed.config["decoys"]
    deployed.change(decoys={**decoys, "items": [{"phrase": "LedgerExportCredentials"}]})
    for command in (("plan", "--all"), ("status",), ("deploy", "--yes"), ("destroy",)):
        _, out, err = deployed.orgmon(*command)
        for phrase in ("LedgerExportCredentials", "PartnerGatewayKey"):
            assert phrase not in out + err
