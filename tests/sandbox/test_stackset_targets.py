"""Ways into a target: suspended accounts, closed Regions, roles and their rights; and imports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orgmon.sandbox.calls import Call

from .fleet import FLEET, MANAGEMENT, R1, R2, TEMPLATE, Fleet, refused

ONE, TWO, THREE = FLEET[:3]
CURRENT = ("CURRENT", "SUCCEEDED", "")
TITLE = [{"ParameterKey": "Title", "ParameterValue": "new"}]


def test_a_suspended_account_is_skipped_and_eats_no_tolerance(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    fleet.world.trouble.suspend(ONE)
    operation = fleet.deploy(ONE, TWO, regions=(R1, R2), OperationPreferences={})
    assert fleet.status(operation) == "SUCCEEDED"
    assert fleet.state(ONE, R1) == ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", "ACCOUNT_SUSPENDED")
    assert [result["StatusReason"] for result in fleet.results(operation) if "StatusReason" in result] == [
        "ACCOUNT_SUSPENDED"
    ]
    fleet.update(TemplateBody=TEMPLATE)
    assert fleet.state(ONE)[:2] == ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT")
    fleet.remove(ONE)
    assert fleet.state(ONE)[1] == "SKIPPED_SUSPENDED_ACCOUNT"
    fleet.remove(ONE, regions=(R1, R2), RetainStacks=True)
    assert {instance["Account"] for instance in fleet.instances()} == {TWO}


def test_a_region_that_the_target_has_not_enabled(fleet: Fleet) -> None:
    fleet.world.organization.settings.set_region(MANAGEMENT, "me-south-1", True)
    fleet.world.organization.settings.set_region(TWO, "me-south-1", True)
    fleet.create()
    fleet.deploy(ONE, TWO, regions=("me-south-1",))
    status, detailed, reason = fleet.state(ONE, "me-south-1")
    assert (status, detailed) == ("OUTDATED", "FAILED")
    assert reason.startswith(f"STS is not activated in this region for account:{ONE}.")
    assert fleet.state(TWO, "me-south-1") == CURRENT


def test_the_service_role_may_be_taken_away(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    role = fleet.client.describe_stack_set(StackSetName="set")["StackSet"]["ExecutionRoleName"]
    fleet.world.store("iam", ONE, "aws").roles.clear()
    fleet.deploy(ONE, regions=(R1,))
    reason = fleet.state(ONE, R1)[2]
    assert reason.startswith(f"Account {ONE} should have '{role}' role with trust relationship to Role 'aws-")


def test_a_policy_of_the_organization_stops_the_stack(fleet: Fleet) -> None:
    fleet.world.trouble.deny("cloudformation", "CreateStack", ONE)
    fleet.create()
    fleet.deploy(ONE)
    reason = fleet.state(ONE)[2]
    assert "assumed-role/stacksets-exec-" in reason
    assert "is not authorized to perform: cloudformation:CreateStack" in reason
    assert reason.endswith("with an explicit deny in a service control policy")
    assert "StackId" not in fleet.instances()[0]


def test_the_member_sees_who_made_its_stack(fleet: Fleet) -> None:
    seen: list[Call] = []
    fleet.world.after.append(seen.append)
    fleet.create()
    fleet.deploy(ONE)
    made = [call for call in seen if call.account == ONE and call.operation in ("CreateStack", "CreateTopic")]
    assert {call.operation for call in made} == {"CreateStack", "CreateTopic"}
    assert all(call.principal.name.startswith("stacksets-exec-") for call in made)
    assert {call.invoked_by for call in made} == {"cloudformation.amazonaws.com"}


MINIMUM = ("cloudformation:*", "s3:*")


class SelfManaged:
    """A self-managed set of a fleet, with the roles that it takes."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        fleet.create(PermissionModel="SELF_MANAGED")

    def administration_role(self, *services: str) -> None:
        """The administration role, trusting CloudFormation and other services; it may assume any execution role."""
        name = "AWSCloudFormationStackSetAdministrationRole"
        trusted = ["cloudformation.amazonaws.com", *services]
        self._role(MANAGEMENT, name, {"Service": trusted}, "sts:AssumeRole")

    def execution_role(self, account: str, *actions: str, trusted: str = MANAGEMENT, path: str = "/") -> None:
        """The execution role of a target."""
        name = "AWSCloudFormationStackSetExecutionRole"
        self._role(account, name, {"AWS": f"arn:aws:iam::{trusted}:root"}, *actions, path=path)

    def _role(
        self, account: str, name: str, principal: dict[str, Any], *actions: str, path: str = "/"
    ) -> None:
        iam = self.fleet.world.client("iam", account, "us-east-1")
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        version = {"Version": "2012-10-17"}
        document = json.dumps({**version, "Statement": [trust]})
        iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document)
        policy = json.dumps({**version, "Statement": [allow]})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)

    def deploy(self, *accounts: str, region: str = R2) -> str:
        """Create instances, and wait."""
        request = {"StackSetName": "set", "Accounts": list(accounts), "Regions": [region]}
        preferences = {"FailureToleranceCount": 9}
        return self.fleet.finished(
            self.fleet.client.create_stack_instances(**request, OperationPreferences=preferences)
        )


def test_self_managed_roles(fleet: Fleet) -> None:
    own = SelfManaged(fleet)
    everything = ("cloudformation:*", "s3:*", "sns:*")
    own.deploy(ONE)
    administration = "'AWSCloudFormationStackSetAdministrationRole'"
    execution = "'AWSCloudFormationStackSetExecutionRole'"
    assert fleet.state(ONE)[2] == (
        f"Account {MANAGEMENT} should have {administration} role with trust relationship to "
        "CloudFormation service."
    )
    assert "StackId" not in fleet.instances()[0]
    own.administration_role()
    own.execution_role(TWO, *everything, trusted=THREE)
    own.execution_role(THREE, *everything)
    own.execution_role(MANAGEMENT, *everything)
    own.deploy(ONE, TWO, THREE, MANAGEMENT)
    missing = f"role with trust relationship to Role {administration}."
    assert fleet.state(ONE)[2] == f"Account {ONE} should have {execution} {missing}"
    assert fleet.state(TWO)[2] == f"Account {TWO} should have {execution} {missing}"
    assert fleet.state(THREE) == fleet.state(MANAGEMENT) == CURRENT
    assert {instance["OrganizationalUnitId"] for instance in fleet.instances()} == {""}


def test_self_managed_rights_are_those_of_the_execution_role(fleet: Fleet) -> None:
    own = SelfManaged(fleet)
    own.administration_role()
    own.execution_role(ONE, *MINIMUM)
    own.deploy(ONE)
    assert "not authorized to perform: SNS:CreateTopic" in fleet.state(ONE)[2]
    assert fleet.state(ONE)[2].startswith("ResourceLogicalId:Topic")


@pytest.mark.parametrize(
    ("actions", "missing"),
    [
        (("sns:*",), "cloudformation:"),
        (("cloudformation:*", "sns:*"), "s3:"),
        (("s3:*", "sns:*"), "cloudformation:"),
    ],
)
def test_an_execution_role_needs_all_of_cloudformation_and_s3(
    fleet: Fleet, actions: tuple[str, ...], missing: str
) -> None:
    own = SelfManaged(fleet)
    own.administration_role()
    own.execution_role(ONE, *actions)
    own.deploy(ONE)
    assert f"not authorized to perform: {missing}" in fleet.state(ONE)[2]


def test_an_execution_role_with_a_path_is_not_found(fleet: Fleet) -> None:
    own = SelfManaged(fleet)
    own.administration_role()
    own.execution_role(ONE, "*", path="/team/")
    own.deploy(ONE)
    assert fleet.state(ONE)[2].startswith(
        f"Account {ONE} should have 'AWSCloudFormationStackSetExecutionRole'"
    )
    code, text, _ = refused(
        fleet.client,
        "update_stack_set",
        StackSetName="set",
        UsePreviousTemplate=True,
        ExecutionRoleName="team/AWSCloudFormationStackSetExecutionRole",
    )
    assert code == "ValidationError"
    assert "executionRoleName" in text


def test_an_opt_in_region_has_a_principal_of_its_own(fleet: Fleet) -> None:
    for account in (MANAGEMENT, ONE):
        fleet.world.organization.settings.set_region(account, "me-south-1", True)
    own = SelfManaged(fleet)
    own.administration_role()
    own.execution_role(ONE, "*")
    own.deploy(ONE, region="me-south-1")
    assert "trust relationship to CloudFormation service" in fleet.state(ONE, "me-south-1")[2]
    fleet.world.client("iam", MANAGEMENT, "us-east-1").delete_role_policy(
        RoleName="AWSCloudFormationStackSetAdministrationRole", PolicyName="p"
    )
    fleet.world.client("iam", MANAGEMENT, "us-east-1").delete_role(
        RoleName="AWSCloudFormationStackSetAdministrationRole"
    )
    own.administration_role("cloudformation.me-south-1.amazonaws.com")
    own.deploy(ONE, region="me-south-1")
    assert fleet.state(ONE, "me-south-1") == CURRENT


def test_self_managed_targets(fleet: Fleet) -> None:
    own = SelfManaged(fleet)
    own.administration_role()
    own.execution_role(ONE, "*")
    own.deploy(ONE)
    units = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets()}
    text = "StackSets with SELF_MANAGED permission model can only have accounts as target"
    assert refused(fleet.client, "create_stack_instances", **units)[1] == text
    hole = {"StackSetName": "set", "Accounts": [ONE], "Regions": [R1, R2]}
    for operation, more in (("update_stack_instances", {}), ("update_stack_set", {"TemplateBody": TEMPLATE})):
        refusal = refused(fleet.client, operation, **hole, **more)
        assert (refusal[0], refusal[2]) == ("StackInstanceNotFoundException", 404)
    assert fleet.state(ONE) == CURRENT
    fleet.finished(fleet.client.delete_stack_instances(**hole, RetainStacks=False))
    assert fleet.instances() == []
    assert (
        refused(
            fleet.client,
            "describe_stack_instance",
            StackSetName="set",
            StackInstanceAccount=ONE,
            StackInstanceRegion=R2,
        )[0]
        == "StackInstanceNotFoundException"
    )


# Import.


def retained(fleet: Fleet) -> str:
    """The id of a stack that a deleted instance has left behind."""
    fleet.create()
    fleet.deploy(ONE)
    fleet.remove(ONE, RetainStacks=True)
    assert fleet.instances() == []
    return str(fleet.stacks(ONE)[0]["StackId"])


def adopt(fleet: Fleet, *stack_ids: str) -> str:
    request = {"StackSetName": "set", "StackIds": list(stack_ids), "OrganizationalUnitIds": [fleet.ships]}
    return fleet.finished(fleet.client.import_stacks_to_stack_set(**request))


def test_import_of_a_retained_stack(fleet: Fleet) -> None:
    stack_id = retained(fleet)
    assert fleet.status(adopt(fleet, stack_id)) == "SUCCEEDED"
    assert fleet.state(ONE) == CURRENT
    assert fleet.instances()[0]["StackId"] == stack_id
    fleet.update(UsePreviousTemplate=True, Parameters=TITLE)
    assert fleet.titles(ONE) == ["new"]
    fleet.remove()
    assert fleet.stacks(ONE) == []


def test_import_of_a_stack_that_is_different(fleet: Fleet) -> None:
    stack_id = retained(fleet)
    fleet.update(UsePreviousTemplate=True, Parameters=TITLE)
    adopt(fleet, stack_id)
    assert fleet.state(ONE)[:2] == ("OUTDATED", "SUCCEEDED")
    fleet.update(UsePreviousTemplate=True)
    assert (fleet.state(ONE), fleet.titles(ONE)) == (CURRENT, ["new"])


def test_imports_that_are_refused(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    owned = fleet.instances()[0]["StackId"]
    unknown = owned.replace(ONE, TWO)

    def refusal(stack_id: str) -> str:
        request = {"StackSetName": "set", "StackIds": [stack_id], "OrganizationalUnitIds": [fleet.ships]}
        return refused(fleet.client, "import_stacks_to_stack_set", **request)[0]

    assert refusal(owned) == "InvalidOperationException"
    assert refusal(unknown) == "StackNotFoundException"
    assert refusal("set") == "ValidationError"


def test_an_import_that_fails(fleet: Fleet) -> None:
    body = json.dumps({**json.loads(TEMPLATE), "Parameters": {"Title": {"Type": "String", "NoEcho": True}}})
    fleet.engine.stacks.deploy(ONE, R2, "mine", body, {"Title": "x"})
    fleet.create()
    operation = adopt(fleet, fleet.stacks(ONE)[0]["StackId"])
    assert fleet.status(operation) == "FAILED"
    assert fleet.state(ONE) == (
        "INOPERABLE",
        "FAILED_IMPORT",
        "Stacks with NoEcho parameters can not be imported",
    )
