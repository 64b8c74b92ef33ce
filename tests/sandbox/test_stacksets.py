"""Stack sets: the calls on them, who sees them, how they refuse, whom they reach."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orgmon.sandbox.policies.switches import Switch
from orgmon.sandbox.seed import STACKSETS_PRINCIPAL

from .fleet import DELEGATED, FLEET, HOME, MANAGEMENT, OTHER, R1, R2, ROLE, TEMPLATE, Fleet, refused

SERVICE = {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": False}}
DELEGATE = {"CallAs": "DELEGATED_ADMIN"}


def names(client: Any, **members: Any) -> list[str]:
    return [stack_set["StackSetName"] for stack_set in client.list_stack_sets(**members)["Summaries"]]


def test_a_service_managed_set_as_it_is_described(fleet: Fleet) -> None:
    set_id = fleet.create(Description="all of it", Tags=[{"Key": "owner", "Value": "soc"}])
    described = fleet.client.describe_stack_set(StackSetName="set")["StackSet"]
    assert described["StackSetId"] == set_id
    assert set_id.startswith("set:")
    assert described["StackSetARN"] == f"arn:aws:cloudformation:{HOME}:{MANAGEMENT}:stackset/{set_id}"
    assert described["AdministrationRoleARN"].endswith("AWSServiceRoleForCloudFormationStackSetsOrgAdmin")
    assert described["ExecutionRoleName"].startswith("stacksets-exec-")
    assert described["Parameters"] == [{"ParameterKey": "Title", "ParameterValue": "default"}]
    assert described["AutoDeployment"] == {"Enabled": False}
    assert (described["TemplateBody"], described["Status"]) == (TEMPLATE, "ACTIVE")
    assert fleet.client.describe_stack_set(StackSetName=set_id)["StackSet"]["StackSetName"] == "set"


def test_creation_is_idempotent_by_its_token(fleet: Fleet) -> None:
    create = fleet.client.create_stack_set
    request = {"StackSetName": "set", "TemplateBody": TEMPLATE, "ClientRequestToken": "t1"}
    assert create(**request)["StackSetId"] == create(**request)["StackSetId"]
    assert refused(fleet.client, "create_stack_set", StackSetName="set", TemplateBody=TEMPLATE) == (
        "NameAlreadyExistsException",
        "StackSet already exists",
        409,
    )
    fleet.update(UsePreviousTemplate=True, Description="other")
    assert refused(fleet.client, "create_stack_set", **request)[0] == "CreatedButModifiedException"


@pytest.mark.parametrize(
    ("members", "code", "text"),
    [
        ({"StackSetName": "1set"}, "ValidationError", "regular expression"),
        ({"StackSetName": "a" * 129}, "ValidationError", "regular expression"),
        ({"PermissionModel": "BOGUS"}, "ValidationError", "enum value set"),
        ({"TemplateURL": "https://s3.amazonaws.com/b/k"}, "ValidationError", "Exactly one of TemplateBody"),
        ({"TemplateBody": "{}"}, "ValidationError", "At least one Resources member"),
        ({"TemplateBody": json.dumps({"Resources": {}, "x": "y" * 51_200})}, "ValidationError", "51200"),
        ({"TemplateBody": ROLE}, "InsufficientCapabilitiesException", "CAPABILITY_IAM"),
        (
            {"AutoDeployment": {"Enabled": False, "RetainStacksOnAccountRemoval": False}},
            "ValidationError",
            "RetainStacks",
        ),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "ValidationError", "aws:"),
        ({"Tags": [{"Key": str(n), "Value": "y"} for n in range(51)]}, "ValidationError", "50"),
        ({"ExecutionRoleName": "mine"}, "ValidationError", "SELF_MANAGED"),
        ({"Parameters": [{"ParameterKey": "No", "ParameterValue": "x"}]}, "ValidationError", "do not exist"),
        ({"CallAs": "SOMEBODY"}, "ValidationError", "enum value set"),
        ({"CallAs": "DELEGATED_ADMIN"}, "ValidationError", "Account used is not a delegated administrator"),
    ],
)
def test_what_is_refused_on_creation(fleet: Fleet, members: dict[str, Any], code: str, text: str) -> None:
    request = {"StackSetName": "set", "TemplateBody": TEMPLATE, **SERVICE, **members}
    refusal = refused(fleet.client, "create_stack_set", **request)
    assert refusal[0] == code
    assert text in refusal[1]
    assert names(fleet.client) == []


def test_deletion(fleet: Fleet) -> None:
    set_id = fleet.create()
    fleet.deploy(FLEET[0])
    assert refused(fleet.client, "delete_stack_set", StackSetName="set") == (
        "StackSetNotEmptyException",
        "StackSet is not empty",
        409,
    )
    fleet.remove(FLEET[0])
    assert fleet.stacks(FLEET[0]) == []
    fleet.client.delete_stack_set(StackSetName="set")
    fleet.client.delete_stack_set(StackSetName="set")
    assert refused(fleet.client, "describe_stack_set", StackSetName="set")[0] == "StackSetNotFoundException"
    assert fleet.client.describe_stack_set(StackSetName=set_id)["StackSet"]["Status"] == "DELETED"
    fleet.create()
    assert names(fleet.client) == ["set", "set"]
    assert names(fleet.client, Status="ACTIVE") == ["set"]


def test_a_set_that_is_not_there(fleet: Fleet) -> None:
    for operation, members in (
        ("describe_stack_set", {}),
        ("list_stack_instances", {}),
        ("list_stack_set_operations", {}),
        ("update_stack_set", {"UsePreviousTemplate": True}),
        ("delete_stack_instances", {"Regions": [R1], "RetainStacks": False}),
    ):
        refusal = refused(fleet.client, operation, StackSetName="nope", **members)
        assert refusal == ("StackSetNotFoundException", "StackSet nope not found", 404)


def test_a_stack_set_belongs_to_one_region(fleet: Fleet) -> None:
    fleet.create()
    assert names(fleet.client_of(MANAGEMENT, "us-east-1")) == []


def test_pages_and_their_size(fleet: Fleet) -> None:
    for name in ("a", "b", "c"):
        fleet.create(name)
    first = fleet.client.list_stack_sets(MaxResults=2)
    assert [stack_set["StackSetName"] for stack_set in first["Summaries"]] == ["a", "b"]
    second = fleet.client.list_stack_sets(MaxResults=2, NextToken=first["NextToken"])
    assert [stack_set["StackSetName"] for stack_set in second["Summaries"]] == ["c"]
    assert "NextToken" not in second
    assert refused(fleet.client, "list_stack_sets", MaxResults=101)[0] == "ValidationError"
    assert refused(fleet.client, "list_stack_sets", NextToken="rubbish")[0] == "ValidationError"


def test_who_sees_what(fleet: Fleet) -> None:
    delegated, other = fleet.client_of(DELEGATED), fleet.client_of(OTHER)
    fleet.create("by-management")
    fleet.create("self-of-management", PermissionModel="SELF_MANAGED")
    delegated.create_stack_set(StackSetName="by-delegate", TemplateBody=TEMPLATE, **SERVICE, **DELEGATE)
    delegated.create_stack_set(StackSetName="self-of-delegate", TemplateBody=TEMPLATE)
    other.create_stack_set(StackSetName="self-of-other", TemplateBody=TEMPLATE)
    assert names(fleet.client) == ["by-delegate", "by-management", "self-of-management"]
    assert names(delegated, **DELEGATE) == ["by-delegate", "by-management"]
    assert names(delegated) == ["self-of-delegate"]
    assert names(other) == ["self-of-other"]
    arn = delegated.describe_stack_set(StackSetName="by-delegate", **DELEGATE)["StackSet"]["StackSetARN"]
    assert f":{MANAGEMENT}:" in arn
    assert refused(delegated, "describe_stack_set", StackSetName="by-delegate")[2] == 404
    for name in ("self-of-management", "self-of-delegate"):
        assert refused(delegated, "describe_stack_set", StackSetName=name, **DELEGATE)[2] == 404


def test_who_may_operate_service_managed_sets(fleet: Fleet) -> None:
    request = {"StackSetName": "set", "TemplateBody": TEMPLATE, **SERVICE}
    for account in (OTHER, DELEGATED):
        text = refused(fleet.client_of(account), "create_stack_set", **request)[1]
        assert text.startswith("You must be the management account or delegated admin account")
    text = refused(fleet.client_of(OTHER), "create_stack_set", **request, **DELEGATE)[1]
    assert text == "Account used is not a delegated administrator"


def test_a_delegate_must_be_allowed_to_list_the_administrators(fleet: Fleet) -> None:
    iam = fleet.world.client("iam", DELEGATED, "us-east-1")
    trust = {"Effect": "Allow", "Principal": {"AWS": DELEGATED}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName="ops", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    client = fleet.world.session(DELEGATED, role_name="ops").client("cloudformation", region_name=HOME)
    outcomes = []
    for actions in (["cloudformation:*"], ["cloudformation:*", "organizations:ListDelegatedAdministrators"]):
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
        }
        iam.put_role_policy(RoleName="ops", PolicyName="p", PolicyDocument=json.dumps(policy))
        try:
            outcomes.append(names(client, **DELEGATE))
        except client.exceptions.ClientError as error:
            outcomes.append(error.response["Error"]["Message"])
    assert outcomes == ["Account used is not a delegated administrator", []]


def test_a_faulty_template_makes_no_stack_set(fleet: Fleet) -> None:
    lookup = {"Fn::FindInMap": ["N", "A", "B"]}
    body = json.dumps(
        {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": lookup}}}}
    )
    assert refused(fleet.client, "create_stack_set", StackSetName="set", TemplateBody=body)[:2] == (
        "ValidationError",
        "Template error: Mapping named 'N' is not present in the 'Mappings' section of template.",
    )


def test_organizations_access_is_a_switch_of_its_own(fleet: Fleet) -> None:
    request = {"StackSetName": "set", "TemplateBody": TEMPLATE, **SERVICE}
    assert fleet.client.describe_organizations_access()["Status"] == "ENABLED"
    assert refused(fleet.client, "deactivate_organizations_access")[0] == "InvalidOperationException"
    organizations = fleet.world.client("organizations", MANAGEMENT, "us-east-1")
    organizations.deregister_delegated_administrator(
        AccountId=DELEGATED, ServicePrincipal=STACKSETS_PRINCIPAL
    )
    fleet.create("old")
    fleet.client.deactivate_organizations_access()
    text = "You must enable organizations access to operate a service managed stack set"
    assert refused(fleet.client, "create_stack_set", **request)[1] == text
    assert refused(fleet.client, "update_stack_set", StackSetName="old", UsePreviousTemplate=True)[1] == text
    organizations.enable_aws_service_access(ServicePrincipal=STACKSETS_PRINCIPAL)
    assert refused(fleet.client, "create_stack_set", **request)[1] == text
    assert refused(fleet.client_of(OTHER), "activate_organizations_access")[0] == "InvalidOperationException"
    fleet.client.activate_organizations_access()
    fleet.client.activate_organizations_access()
    fleet.client.create_stack_set(**request)


# Targets.


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"Accounts": [FLEET[0]]}, "can only have OrganizationalUnit as target"),
        ({"DeploymentTargets": {"Accounts": [FLEET[0]]}}, "OrganizationalUnitIds are required"),
        ({"DeploymentTargets": {"OrganizationalUnitIds": ["ou-x"]}}, "regular expression pattern: ^(ou-"),
        ({"DeploymentTargets": {"OrganizationalUnitIds": ["ou-none-12345678"]}}, "not found"),
        ({"DeploymentTargets": {"OrganizationalUnitIds": [f"ou-abcd-{n:08}" for n in range(51)]}}, "50"),
        ({"units": True, "Accounts": [FLEET[0]]}, "AccountFilterType"),
        ({"units": True, "Accounts": [FLEET[0]], "AccountFilterType": "UNION"}, "UNION"),
        ({"units": True, "Accounts": [FLEET[0]], "AccountFilterType": "NONE"}, "NONE"),
        ({"units": True, "AccountFilterType": "INTERSECTION"}, "INTERSECTION"),
        ({"units": True, "AccountFilterType": "BOGUS"}, "enum value set"),
        ({"units": True, "Regions": ["xx-nowhere-1"]}, "not supported or not enabled"),
        ({"units": True, "Regions": ["me-south-1"]}, "not supported or not enabled"),
        ({"units": True, "OperationPreferences": {"RegionConcurrencyType": "BOGUS"}}, "enum value set"),
        ({"units": True, "OperationPreferences": {"FailureTolerancePercentage": 500}}, "100"),
        (
            {"units": True, "OperationPreferences": {"MaxConcurrentCount": 1, "MaxConcurrentPercentage": 1}},
            "not both",
        ),
        ({"units": True, "OperationPreferences": {"RegionOrder": [R2]}}, "RegionOrder"),
        ({"units": True, "OperationId": "-x"}, "operationId"),
    ],
)
def test_what_is_refused_as_a_target(fleet: Fleet, members: dict[str, Any], text: str) -> None:
    fleet.create()
    request = {"Regions": [R1], **members}
    if request.pop("units", False):
        request["DeploymentTargets"] = {"OrganizationalUnitIds": [fleet.ships]}
        for member in ("Accounts", "AccountFilterType"):
            if member in request:
                request["DeploymentTargets"][member] = request.pop(member)
    code, message, _ = refused(fleet.client, "create_stack_instances", StackSetName="set", **request)
    assert (code, text in message) == ("ValidationError", True), message
    assert fleet.client.list_stack_set_operations(StackSetName="set")["Summaries"] == []


def reached(fleet: Fleet, **targets: Any) -> set[str]:
    answer = fleet.client.create_stack_instances(
        StackSetName="set",
        DeploymentTargets=targets,
        Regions=[R2],
        OperationPreferences={"MaxConcurrentCount": 20, "FailureToleranceCount": 20},
    )
    return {result["Account"] for result in fleet.results(fleet.finished(answer))}


def test_a_root_reaches_every_depth_but_not_the_management_account(fleet: Fleet) -> None:
    fleet.create()
    assert reached(fleet, OrganizationalUnitIds=[fleet.root]) == {*FLEET, DELEGATED, OTHER}
    assert {instance["OrganizationalUnitId"] for instance in fleet.instances()} == {fleet.root}


@pytest.mark.parametrize(
    ("kind", "expected"), [("INTERSECTION", set(FLEET[:2])), ("DIFFERENCE", set(FLEET[2:]))]
)
def test_account_filters(fleet: Fleet, kind: str, expected: set[str]) -> None:
    fleet.create()
    accounts = [*FLEET[:2], OTHER, MANAGEMENT]
    targets = {"OrganizationalUnitIds": [fleet.unit("Fleet")], "Accounts": accounts}
    assert reached(fleet, **targets, AccountFilterType=kind) == expected


def test_an_empty_unit_becomes_a_target(fleet: Fleet) -> None:
    fleet.create()
    empty = fleet.unit("Fleet/Empty")
    operation = fleet.deploy(unit=empty)
    assert (fleet.status(operation), fleet.results(operation)) == ("SUCCEEDED", [])
    targets = fleet.client.list_stack_set_auto_deployment_targets(StackSetName="set")
    assert targets["Summaries"] == [{"OrganizationalUnitId": empty, "Regions": [R2]}]
    assert targets["NextToken"] == ""
    assert fleet.client.describe_stack_set(StackSetName="set")["StackSet"]["OrganizationalUnitIds"] == [empty]
    fleet.remove(unit=empty)
    assert fleet.client.list_stack_set_auto_deployment_targets(StackSetName="set")["Summaries"] == []


def test_units_that_were_never_targets(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(FLEET[0])
    joining = fleet.unit("Joining")
    request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(unit=joining)}
    text = f"Organizational unit {joining} not found in StackSet"
    for operation, more in (
        ("delete_stack_instances", {"RetainStacks": False}),
        ("update_stack_instances", {}),
        ("update_stack_set", {"UsePreviousTemplate": True}),
    ):
        assert refused(fleet.client, operation, **request, **more) == ("ValidationError", text, 400)
    accounts = {"StackSetName": "set", "Regions": [R2], "RetainStacks": False}
    for targets in ({"Accounts": [FLEET[0]]}, {"DeploymentTargets": {"Accounts": [FLEET[0]]}}):
        refusal = refused(fleet.client, "delete_stack_instances", **accounts, **targets)
        assert "can only have OrganizationalUnit as target" in refusal[1]


def test_instances_stay_reachable_by_their_unit_when_their_account_has_moved(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(FLEET[0], FLEET[1])
    fleet.world.organization.move(FLEET[0], fleet.ships, fleet.unit("Joining"))
    fleet.remove()
    assert fleet.instances() == []


def test_filters_of_instances(fleet: Fleet) -> None:
    fleet.world.trouble.fail(account=FLEET[1], reason="no")
    fleet.create()
    operation = fleet.deploy(*FLEET[:3], regions=(R1, R2))

    def filtered(*pairs: tuple[str, str]) -> int:
        return len(fleet.instances(Filters=[{"Name": name, "Values": value} for name, value in pairs]))

    assert filtered(("DETAILED_STATUS", "FAILED")) == 2
    assert filtered(("DETAILED_STATUS", "SUCCEEDED"), ("LAST_OPERATION_ID", operation)) == 4
    assert filtered(("DETAILED_STATUS", "SUCCEEDED"), ("LAST_OPERATION_ID", "other")) == 0
    assert len(fleet.instances(StackInstanceRegion=R1)) == 3
    assert len(fleet.instances(StackInstanceAccount=FLEET[0])) == 2
    assert (
        refused(fleet.client, "list_stack_instances", StackSetName="set", Filters=[{"Name": "X"}])[2] == 400
    )
    failed = fleet.results(operation, Filters=[{"Name": "OPERATION_RESULT_STATUS", "Values": "FAILED"}])
    assert {result["Account"] for result in failed} == {FLEET[1]}


def test_lists_may_lag_once(fleet: Fleet) -> None:
    fleet.engine.stale_lists = True
    fleet.create()
    assert [names(fleet.client) for _ in range(3)] == [[], ["set"], ["set"]]


def test_what_an_update_leaves_out_is_kept_or_not_as_the_switches_say(fleet: Fleet) -> None:
    fleet.create(Description="mine", Parameters=[{"ParameterKey": "Title", "ParameterValue": "given"}])

    def updated() -> tuple[str, str]:
        fleet.finished(fleet.client.update_stack_set(StackSetName="set", UsePreviousTemplate=True))
        told = fleet.client.describe_stack_set(StackSetName="set")["StackSet"]
        return told.get("Description", ""), told["Parameters"][0]["ParameterValue"]

    assert updated() == ("mine", "given")
    fleet.world.switches.turn(Switch.DESCRIPTION_KEPT, False)
    fleet.world.switches.turn(Switch.PARAMETERS_KEPT, False)
    assert updated() == ("", "default")
