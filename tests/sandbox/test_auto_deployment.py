"""Auto-deployment: what follows when accounts join, move or leave."""

from __future__ import annotations

from typing import Any

import pytest

from orgmon.sandbox.stacksets.auto_deployment import AutoDeployer
from orgmon.sandbox.stacksets.engine import StackSetEngine
from orgmon.sandbox.stacksets.records import Operation, StackSetRecord

from .fleet import FLEET, MANAGEMENT, OTHER, R1, R2, TEMPLATE, Fleet, refused

ONE, TWO = FLEET[:2]
ON = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
RETAINING = {"Enabled": True, "RetainStacksOnAccountRemoval": True}


def places(fleet: Fleet, account: str, name: str = "set") -> dict[str, str]:
    """Region -> unit of an account's instances."""
    assert fleet.engine.wait(10)
    instances = fleet.instances(name, StackInstanceAccount=account)
    return {instance["Region"]: instance["OrganizationalUnitId"] for instance in instances}


def join(fleet: Fleet, path: str) -> str:
    """A new account, moved to a unit, as Control Tower or a person would do it."""
    member = fleet.world.organization.add_account("joiner", "joiner@example.com")
    fleet.world.organization.move(member.id, fleet.root, fleet.unit(path))
    return member.id


def actions(fleet: Fleet) -> list[str]:
    """The operations of the set, the newest first."""
    return [
        operation["Action"]
        for operation in fleet.client.list_stack_set_operations(StackSetName="set")["Summaries"]
    ]


def test_an_account_that_joins_is_covered(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(ONE, regions=(R1, R2))
    account = join(fleet, "Fleet/Ships")
    assert places(fleet, account) == {R1: fleet.ships, R2: fleet.ships}
    assert fleet.state(account) == ("CURRENT", "SUCCEEDED", "")
    assert len(fleet.stacks(account)) == 1
    assert actions(fleet) == ["CREATE", "CREATE"]
    newest = fleet.client.list_stack_set_operations(StackSetName="set")["Summaries"][0]
    assert newest["OperationPreferences"] == {"RegionOrder": []}


def test_a_new_account_below_a_targeted_root_needs_no_move(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(unit=fleet.root)
    member = fleet.world.organization.add_account("joiner", "joiner@example.com")
    assert places(fleet, member.id) == {R2: fleet.root}
    fleet.world.organization.move(member.id, fleet.root, fleet.unit("Joining"))
    assert places(fleet, member.id) == {R2: fleet.root}
    assert actions(fleet) == ["CREATE", "CREATE"]


def test_it_uses_no_overrides_and_ignores_the_account_filter(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(ONE, ParameterOverrides=[{"ParameterKey": "Title", "ParameterValue": "pilot"}])
    account = join(fleet, "Fleet/Ships")
    assert places(fleet, account) == {R2: fleet.ships}
    assert (fleet.titles(ONE), fleet.titles(account)) == (["pilot"], ["default"])


def test_off_means_off(fleet: Fleet) -> None:
    fleet.create(AutoDeployment={"Enabled": False})
    fleet.deploy(ONE)
    assert places(fleet, join(fleet, "Fleet/Ships")) == {}


def test_switching_it_on_does_not_cover_those_who_joined_earlier(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    early = join(fleet, "Fleet/Ships")
    fleet.update(UsePreviousTemplate=True, AutoDeployment=ON)
    assert places(fleet, early) == {}
    assert fleet.client.describe_stack_set(StackSetName="set")["StackSet"]["AutoDeployment"] == ON
    fleet.deploy(regions=(R2,))
    assert places(fleet, early) == {R2: fleet.ships}


def test_switching_it_on_names_no_targets(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    request = {"StackSetName": "set", "UsePreviousTemplate": True, "AutoDeployment": ON}
    targets = {"DeploymentTargets": fleet.targets(ONE), "Regions": [R2]}
    assert refused(fleet.client, "update_stack_set", **request, **targets)[0] == "ValidationError"


@pytest.mark.parametrize(("auto", "left"), [(ON, 0), (RETAINING, 1)])
def test_an_account_that_moves_out_of_the_targets(fleet: Fleet, auto: dict[str, Any], left: int) -> None:
    fleet.create(AutoDeployment=auto)
    fleet.deploy(ONE, TWO)
    fleet.world.organization.move(ONE, fleet.ships, fleet.unit("Joining"))
    assert places(fleet, ONE) == {}
    assert len(fleet.stacks(ONE)) == left
    assert places(fleet, TWO) == {R2: fleet.ships}
    assert actions(fleet)[0] == "DELETE"


def test_an_account_that_leaves_the_organization(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(ONE, TWO)
    fleet.world.organization.remove(ONE)
    assert places(fleet, ONE) == {}
    assert fleet.stacks(ONE) == []


def test_a_move_between_two_targets_of_a_set_deletes_and_creates(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    joining = fleet.unit("Joining")
    fleet.deploy()
    fleet.deploy(unit=joining, regions=(R1,))
    before = fleet.stacks(ONE)
    fleet.world.organization.move(ONE, fleet.ships, joining)
    assert places(fleet, ONE) == {R1: joining}
    assert (fleet.stacks(ONE), len(before)) == ([], 1)
    assert actions(fleet)[:2] == ["CREATE", "DELETE"]


def test_a_move_between_two_sets(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.create("second", AutoDeployment=ON)
    joining = fleet.unit("Joining")
    fleet.deploy(ONE)
    targets = {"DeploymentTargets": fleet.targets(unit=joining), "Regions": [R2]}
    fleet.finished(fleet.client.create_stack_instances(StackSetName="second", **targets))
    fleet.world.organization.move(ONE, fleet.ships, joining)
    assert (places(fleet, ONE), places(fleet, ONE, "second")) == ({}, {R2: joining})


def test_it_waits_for_its_turn_and_then_takes_the_slot(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(ONE)
    fleet.world.trouble.foreign_operation("set", 3600.0)
    foreign = fleet.client.list_stack_set_operations(StackSetName="set")["Summaries"][0]["OperationId"]
    account = join(fleet, "Fleet/Ships")
    newest = fleet.client.list_stack_set_operations(StackSetName="set")["Summaries"][0]
    assert newest["Status"] == "QUEUED"
    fleet.engine.pace = 1.0
    fleet.client.stop_stack_set_operation(StackSetName="set", OperationId=foreign)
    request = {"StackSetName": "set", "TemplateBody": TEMPLATE}
    assert refused(fleet.client, "update_stack_set", **request)[0] == "OperationInProgressException"
    assert places(fleet, account) == {R2: fleet.ships}


def test_it_tolerates_no_failure(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(ONE, regions=(R1, R2))
    fleet.world.trouble.fail(region=R1, reason="no")
    account = join(fleet, "Fleet/Ships")
    assert fleet.engine.wait(10)
    assert fleet.state(account, R1)[:2] == ("OUTDATED", "FAILED")
    assert fleet.state(account, R2)[:2] == ("OUTDATED", "CANCELLED")


def test_self_managed_sets_have_none(fleet: Fleet) -> None:
    request = {"StackSetName": "set", "TemplateBody": TEMPLATE, "AutoDeployment": ON}
    assert refused(fleet.client, "create_stack_set", **request)[0] == "ValidationError"


def test_nothing_follows_when_organizations_access_is_off(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(unit=fleet.unit("Joining"))
    fleet.world.organization.settings.delegations.clear()
    fleet.client.deactivate_organizations_access()
    fleet.world.organization.move(OTHER, fleet.unit("Security"), fleet.unit("Joining"))
    assert places(fleet, OTHER) == {}


def test_the_targets_of_auto_deployment_in_pages(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(ONE, regions=(R1, R2))
    fleet.deploy(unit=fleet.unit("Joining"))
    targets = []
    token: dict[str, str] = {}
    while True:
        answer = fleet.client.list_stack_set_auto_deployment_targets(
            StackSetName="set", MaxResults=1, **token
        )
        targets += answer["Summaries"]
        if not answer["NextToken"]:
            break
        token = {"NextToken": answer["NextToken"]}
    assert {target["OrganizationalUnitId"]: target["Regions"] for target in targets} == {
        fleet.ships: [R1, R2],
        fleet.unit("Joining"): [R2],
    }


def test_the_management_account_is_never_reached(fleet: Fleet) -> None:
    fleet.create(AutoDeployment=ON)
    fleet.deploy(unit=fleet.unit("Joining"))
    fleet.world.organization.move(MANAGEMENT, fleet.root, fleet.unit("Joining"))
    assert places(fleet, MANAGEMENT) == {}


def newest(fleet: Fleet, name: str) -> dict[str, Any]:
    """The newest operation of a set."""
    operations = fleet.client.list_stack_set_operations(StackSetName=name)["Summaries"]
    told: dict[str, Any] = operations[0]
    return told


def follow(fleet: Fleet, name: str, *needed: str) -> str:
    """A set that follows accounts into the unit Joining, after others (by their ARNs); returns its ARN."""
    depends = {"DependsOn": list(needed)} if needed else {}
    fleet.create(name, AutoDeployment={**ON, **depends})
    targets = {"DeploymentTargets": fleet.targets(unit=fleet.unit("Joining")), "Regions": [R2]}
    fleet.finished(fleet.client.create_stack_instances(StackSetName=name, **targets))
    return str(fleet.client.describe_stack_set(StackSetName=name)["StackSet"]["StackSetARN"])


def test_a_set_begins_when_those_that_it_depends_on_have_succeeded(fleet: Fleet) -> None:
    roles = follow(fleet, "roles")
    follow(fleet, "rules", roles)
    fleet.world.trouble.foreign_operation("roles", 3600.0)
    foreign = newest(fleet, "roles")["OperationId"]
    fleet.world.organization.move(ONE, fleet.ships, fleet.unit("Joining"))
    assert newest(fleet, "rules")["Status"] == "QUEUED"
    fleet.client.stop_stack_set_operation(StackSetName="roles", OperationId=foreign)
    joining = fleet.unit("Joining")
    assert places(fleet, ONE, "roles") == places(fleet, ONE, "rules") == {R2: joining}
    assert newest(fleet, "rules")["Status"] == "SUCCEEDED"


@pytest.mark.parametrize("end", ["fails", "is stopped"])
def test_a_set_does_not_begin_without_what_it_depends_on(fleet: Fleet, end: str) -> None:
    roles = follow(fleet, "roles")
    rules = follow(fleet, "rules", roles)
    follow(fleet, "alarms", rules)
    fleet.world.trouble.fail(account=ONE, stack_name="StackSet-roles-*", reason="no")
    fleet.world.trouble.foreign_operation("roles", 3600.0)
    foreign = newest(fleet, "roles")["OperationId"]
    fleet.world.organization.move(ONE, fleet.ships, fleet.unit("Joining"))
    if end == "is stopped":
        queued = newest(fleet, "roles")["OperationId"]
        fleet.client.stop_stack_set_operation(StackSetName="roles", OperationId=queued)
    fleet.client.stop_stack_set_operation(StackSetName="roles", OperationId=foreign)
    assert places(fleet, ONE, "rules") == places(fleet, ONE, "alarms") == {}
    assert [newest(fleet, name)["Status"] for name in ("rules", "alarms")] == ["FAILED", "FAILED"]


class Recording(StackSetEngine):
    """An engine that begins nothing, but notes in which order it should."""

    def __init__(self, real: StackSetEngine) -> None:
        super().__init__(real.world, real.stacks)
        self.register = real.register
        self.begun: list[str] = []

    def submit(self, stack_set: StackSetRecord, operation: Operation, *, may_wait: bool = False) -> str:
        self.begun.append(stack_set.name)
        return operation.id


def test_shuffled_sets_begin_in_another_order_each_time_but_after_what_they_need(fleet: Fleet) -> None:
    names = [f"set-{number}" for number in range(5)]
    # The first needs the last: the order in which sets are made must not be what helps.
    fleet.create(names[-1], AutoDeployment=ON)
    last = fleet.client.describe_stack_set(StackSetName=names[-1])["StackSet"]["StackSetARN"]
    fleet.create(names[0], AutoDeployment={**ON, "DependsOn": [last]})
    for name in names[1:-1]:
        fleet.create(name, AutoDeployment=ON)
    for stack_set in fleet.engine.register.active():
        stack_set.aim_at(fleet.unit("Joining"), (R2,))

    def orders() -> list[tuple[str, ...]]:
        told = []
        for _ in range(8):
            engine = Recording(fleet.engine)
            AutoDeployer(engine)("MOVED", ONE, fleet.ships, fleet.unit("Joining"))
            told.append(tuple(engine.begun))
        return told

    assert set(orders()) == {(names[-1], names[0], *names[1:-1])}
    fleet.world.trouble.shuffle(7)
    shuffled = orders()
    assert len(set(shuffled)) > 4
    assert all(sorted(each) == names for each in shuffled)
    assert all(each.index(names[-1]) < each.index(names[0]) for each in shuffled)
    fleet.world.trouble.lift()
    fleet.world.trouble.shuffle(7)
    assert orders() == shuffled
