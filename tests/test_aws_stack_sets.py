"""Calls on stack sets: what is sent, what is made of the answers, and how their errors are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orgmon.aws.stack_sets import StackSets, running_operation
from orgmon.errors import AwsError
from orgmon.stackset import (
    AutoDeployment,
    CallAs,
    DeploymentTarget,
    DetailedStatus,
    InstanceStatus,
    Operation,
    OperationPreferences,
    OperationResult,
    OperationStatus,
    Pair,
    PermissionModel,
    ResultStatus,
    StackInstance,
    StackSet,
    TemplateBody,
)
from tests.fake_client import Answer, FakeClient, FakeSessions, refused

MANAGED, SELF = PermissionModel.SERVICE_MANAGED, PermissionModel.SELF_MANAGED
TEXT = '{"Resources":{}}'
NAME = "orgmon-access"
WANTED = StackSet(
    NAME,
    TemplateBody(TEXT),
    parameters=(("Bus", "hub"),),
    capabilities=("CAPABILITY_NAMED_IAM",),
    tags=(("orgmon", "access"),),
    description="roles",
)
OWN_ROLES = replace(
    WANTED,
    permission_model=SELF,
    administration_role_arn="arn:aws:iam::100000000000:role/admin",
    execution_role_name="execute",
)
TOLD: dict[str, Any] = {
    "StackSetName": NAME,
    "TemplateBody": TEXT,
    "PermissionModel": "SERVICE_MANAGED",
    "Parameters": [{"ParameterKey": "Bus", "ParameterValue": "hub"}],
    "Capabilities": ["CAPABILITY_NAMED_IAM"],
    "Tags": [{"Key": "orgmon", "Value": "access"}],
    "Description": "roles",
    "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
    "OrganizationalUnitIds": ["r-abcd"],
}
PREFERENCES = OperationPreferences(failure_tolerance_count=1, max_concurrent_percentage=50)
TARGET = DeploymentTarget(frozenset({"200000000000"}), frozenset({"us-east-1"}), ("r-abcd",))
WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
GONE = refused("StackSetNotFoundException")


def told_of(**answers: Answer | list[Answer]) -> tuple[StackSets, FakeClient]:
    """Stack sets on a client with these answers."""
    client = FakeClient("cloudformation", **answers)
    return StackSets(FakeSessions(client)), client


# -- reading


def test_names_are_those_of_the_permission_model() -> None:
    pages: list[Answer] = [
        {"Summaries": [{"StackSetName": "one", "PermissionModel": "SERVICE_MANAGED"}]},
        {"Summaries": [{"StackSetName": "two", "PermissionModel": "SELF_MANAGED"}, {"StackSetName": "old"}]},
    ]
    stack_sets, client = told_of(list_stack_sets=pages)
    assert stack_sets.names(MANAGED) == ("one",)
    assert stack_sets.names(SELF) == ("two", "old")
    assert client.arguments("list_stack_sets")[0] == {"Status": "ACTIVE", "CallAs": "SELF"}


def test_a_stack_set_is_read_with_its_instances_and_its_newest_operation() -> None:
    pages: list[Answer] = [
        {"Summaries": [{"Account": "200000000000", "Region": "us-east-1", "Status": "CURRENT", "StackId": "arn",
                        "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"}, "LastOperationId": "op-2",
                        "OrganizationalUnitId": "r-abcd"}]},
        {"Summaries": [{"Account": "200000000001", "Region": "us-east-1", "Status": "OUTDATED", "StatusReason": "no"}]},
    ]  # fmt: skip
    operations = {
        "Summaries": [
            {"OperationId": "op-1", "Status": "FAILED", "CreationTimestamp": WHEN.replace(hour=1)},
            {"OperationId": "op-2", "Status": "RUNNING", "CreationTimestamp": WHEN, "Action": "UPDATE"},
        ]
    }
    stack_sets, _ = told_of(
        describe_stack_set={"StackSet": TOLD},
        list_stack_instances=pages,
        list_stack_set_operations=operations,
    )
    stack_set = stack_sets.read(NAME, MANAGED)
    assert stack_set == replace(
        WANTED,
        auto_deployment=AutoDeployment(True),
        units=("r-abcd",),
        instances=(
            StackInstance(
                "200000000000", "us-east-1", stack_id="arn", unit_id="r-abcd", last_operation_id="op-2"
            ),
            StackInstance(
                "200000000001", "us-east-1", InstanceStatus.OUTDATED, DetailedStatus.PENDING, reason="no"
            ),
        ),
    )
    assert stack_set is not None
    assert stack_set.operation == Operation("op-2", "UPDATE", OperationStatus.RUNNING, WHEN.isoformat())


@pytest.mark.parametrize(
    "method", ["describe_stack_set", "list_stack_instances", "list_stack_set_operations"]
)
def test_a_stack_set_that_is_not_there_or_vanishes_is_none(method: str) -> None:
    answers: dict[str, Any] = {
        "describe_stack_set": {"StackSet": TOLD},
        "list_stack_instances": {"Summaries": []},
        "list_stack_set_operations": {"Summaries": []},
    }
    stack_sets, _ = told_of(**answers | {method: GONE})
    assert stack_sets.read(NAME, MANAGED) is None


def test_a_stack_set_without_operations_has_none() -> None:
    stack_sets, _ = told_of(
        describe_stack_set={"StackSet": {"StackSetName": NAME, "TemplateBody": TEXT}},
        list_stack_instances={"Summaries": []},
        list_stack_set_operations={"Summaries": []},
    )
    stack_set = stack_sets.read(NAME, SELF)
    assert stack_set == StackSet(NAME, TemplateBody(TEXT), permission_model=SELF)
    assert stack_set is not None
    assert stack_set.operation is None


def test_an_operation_says_how_many_instances_failed() -> None:
    told = {
        "OperationId": "op", "Action": "CREATE", "Status": "FAILED", "StatusReason": "too many",
        "CreationTimestamp": WHEN, "EndTimestamp": WHEN, "StatusDetails": {"FailedStackInstancesCount": 7},
    }  # fmt: skip
    stack_sets, client = told_of(describe_stack_set_operation={"StackSetOperation": told})
    expected = Operation(
        "op", "CREATE", OperationStatus.FAILED, WHEN.isoformat(), WHEN.isoformat(), "too many", 7
    )
    assert stack_sets.operation(NAME, MANAGED, "op") == expected
    assert client.calls == [
        ("describe_stack_set_operation", {"StackSetName": NAME, "OperationId": "op", "CallAs": "SELF"})
    ]


def test_results_are_read_from_all_pages() -> None:
    pages: list[Answer] = [
        {"Summaries": [{"Account": "200000000000", "Region": region, "Status": "SUCCEEDED"}]}
        for region in ("us-east-1", "us-west-2")
    ]
    stack_sets, client = told_of(list_stack_set_operation_results=pages)
    assert stack_sets.results(NAME, MANAGED, "op") == tuple(
        OperationResult(Pair("200000000000", region), ResultStatus.SUCCEEDED)
        for region in ("us-east-1", "us-west-2")
    )
    assert "Filters" not in client.arguments("list_stack_set_operation_results")[0]


def test_results_of_one_status_are_left_to_aws_to_choose() -> None:
    failed = {"Account": "200000000000", "Region": "us-east-1", "Status": "FAILED", "StatusReason": "no"}
    stack_sets, client = told_of(list_stack_set_operation_results={"Summaries": [failed]})
    assert stack_sets.results(NAME, MANAGED, "op", ResultStatus.FAILED) == (
        OperationResult(Pair("200000000000", "us-east-1"), ResultStatus.FAILED, "no"),
    )
    (asked,) = client.arguments("list_stack_set_operation_results")
    assert asked["Filters"] == [{"Name": "OPERATION_RESULT_STATUS", "Values": "FAILED"}]


# -- creating and deleting


def test_a_service_managed_stack_set_is_created_with_its_auto_deployment() -> None:
    stack_sets, client = told_of(create_stack_set={})
    stack_sets.create(WANTED, AutoDeployment(True, True), {"TemplateBody": TEXT})
    assert client.arguments("create_stack_set") == [
        {
            "StackSetName": NAME,
            "PermissionModel": "SERVICE_MANAGED",
            "TemplateBody": TEXT,
            "Description": "roles",
            "Parameters": [{"ParameterKey": "Bus", "ParameterValue": "hub"}],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": "orgmon", "Value": "access"}],
            "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": True},
            "CallAs": "SELF",
        }
    ]


def test_a_self_managed_stack_set_is_created_with_its_roles() -> None:
    stack_sets, client = told_of(create_stack_set={})
    stack_sets.create(OWN_ROLES, AutoDeployment(), {"TemplateURL": "https://x"})
    (sent,) = client.arguments("create_stack_set")
    assert (sent["AdministrationRoleARN"], sent["ExecutionRoleName"]) == (
        OWN_ROLES.administration_role_arn,
        "execute",
    )
    assert not {"AutoDeployment", "CallAs", "TemplateBody"} & set(sent)


TAKEN = refused("NameAlreadyExistsException", "StackSet already exists")


def test_a_stack_set_of_the_same_content_that_is_there_already_is_fine() -> None:
    shuffled = TOLD | {"TemplateBody": '{ "Resources": {} }'}
    stack_sets, _ = told_of(create_stack_set=TAKEN, describe_stack_set={"StackSet": shuffled})
    stack_sets.create(WANTED, AutoDeployment(), {"TemplateBody": TEXT})


@pytest.mark.parametrize(
    "other",
    [
        {"TemplateBody": '{"Resources":{"Other":{}}}'},
        {"Parameters": []},
        {"Tags": []},
        {"PermissionModel": "SELF_MANAGED"},
        {"Description": "something else"},
    ],
)
def test_another_stack_set_of_that_name_is_not(other: dict[str, Any]) -> None:
    stack_sets, _ = told_of(create_stack_set=TAKEN, describe_stack_set={"StackSet": TOLD | other})
    with pytest.raises(AwsError, match="CreateStackSet of orgmon-access failed"):
        stack_sets.create(WANTED, AutoDeployment(), {"TemplateBody": TEXT})


@pytest.mark.parametrize("answers", [(TAKEN, GONE), (refused("LimitExceededException"), {"StackSet": TOLD})])
def test_other_refusals_stay_refusals(answers: tuple[Answer, Answer]) -> None:
    stack_sets, _ = told_of(create_stack_set=answers[0], describe_stack_set=answers[1])
    with pytest.raises(AwsError):
        stack_sets.create(WANTED, AutoDeployment(), {"TemplateBody": TEXT})


@pytest.mark.parametrize("answer", [{}, GONE])
def test_a_stack_set_is_deleted_and_that_it_is_gone_is_fine(answer: Answer) -> None:
    stack_sets, client = told_of(delete_stack_set=answer)
    stack_sets.delete(WANTED)
    assert client.calls == [("delete_stack_set", {"StackSetName": NAME, "CallAs": "SELF"})]


# -- operations

STARTED = {
    "StackSetName": NAME,
    "OperationId": "op",
    "OperationPreferences": {
        "FailureToleranceCount": 1,
        "MaxConcurrentPercentage": 50,
        "RegionConcurrencyType": "SEQUENTIAL",
        "ConcurrencyMode": "STRICT_FAILURE_TOLERANCE",
    },
    "CallAs": "SELF",
}
TARGETS = {
    "DeploymentTargets": {
        "OrganizationalUnitIds": ["r-abcd"],
        "Accounts": ["200000000000"],
        "AccountFilterType": "INTERSECTION",
    },
    "Regions": ["us-east-1"],
}


def sent(method: str, start: Callable[[StackSets], None]) -> dict[str, Any]:
    """What a call is made with that starts an operation."""
    stack_sets, client = told_of(**{method: {"OperationId": "op"}})
    start(stack_sets)
    (arguments,) = client.arguments(method)
    return arguments


def test_instances_are_created_in_a_part_of_a_unit() -> None:
    arguments = sent(
        "create_stack_instances", lambda sets: sets.create_instances(WANTED, "op", PREFERENCES, TARGET)
    )
    assert arguments == STARTED | TARGETS


def test_whole_units_are_named_without_their_accounts() -> None:
    whole = replace(TARGET, whole_units=True)
    arguments = sent(
        "create_stack_instances", lambda sets: sets.create_instances(WANTED, "op", PREFERENCES, whole)
    )
    assert arguments["DeploymentTargets"] == {"OrganizationalUnitIds": ["r-abcd"]}


@pytest.mark.parametrize("retain", [True, False])
def test_instances_are_deleted_in_accounts_and_their_stacks_are_kept_where_wanted(retain: bool) -> None:
    target = replace(TARGET, units=())
    arguments = sent(
        "delete_stack_instances",
        lambda sets: sets.delete_instances(OWN_ROLES, "op", PREFERENCES, target, retain=retain),
    )
    assert arguments == STARTED | {
        "Accounts": ["200000000000"],
        "Regions": ["us-east-1"],
        "RetainStacks": retain,
    }


@pytest.mark.parametrize(("unit", "units"), [("r-abcd", {"OrganizationalUnitIds": ["r-abcd"]}), ("", {})])
def test_stacks_are_imported(unit: str, units: dict[str, Any]) -> None:
    arguments = sent(
        "import_stacks_to_stack_set",
        lambda sets: sets.import_stacks(WANTED, "op", PREFERENCES, ("arn:1",), unit),
    )
    assert arguments == STARTED | {"StackIds": ["arn:1"]} | units


def test_an_update_with_a_template_sends_everything() -> None:
    arguments = sent(
        "update_stack_set",
        lambda sets: sets.update(
            WANTED, "op", PREFERENCES, TARGET, {"TemplateBody": TEXT}, AutoDeployment(True)
        ),
    )
    assert arguments == STARTED | TARGETS | {
        "TemplateBody": TEXT,
        "Description": "roles",
        "Parameters": [{"ParameterKey": "Bus", "ParameterValue": "hub"}],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": "orgmon", "Value": "access"}],
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
    }


def test_an_update_without_a_template_sends_no_parameters_and_switches_off_alone() -> None:
    arguments = sent(
        "update_stack_set", lambda sets: sets.update(WANTED, "op", PREFERENCES, None, None, AutoDeployment())
    )
    assert arguments == STARTED | {
        "UsePreviousTemplate": True,
        "Description": "roles",
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "AutoDeployment": {"Enabled": False},
    }


def test_values_are_sent_after_all_where_aws_did_not_keep_them() -> None:
    missing = refused("ValidationError", "Parameters: [Bus] must have values")
    stack_sets, client = told_of(update_stack_set=[missing, {"OperationId": "op"}])
    stack_sets.update(WANTED, "op", PREFERENCES, None, None, None)
    without, with_values = client.arguments("update_stack_set")
    assert "Parameters" not in without
    assert with_values == without | {
        "Parameters": [{"ParameterKey": "Bus", "ParameterValue": "hub"}],
        "Tags": [{"Key": "orgmon", "Value": "access"}],
    }


@pytest.mark.parametrize("template", [None, {"TemplateBody": TEXT}])
def test_other_refusals_of_an_update_are_not_tried_again(template: dict[str, str] | None) -> None:
    wrong = refused("ValidationError", "no" if template is None else "Parameters: [Bus] must have values")
    stack_sets, client = told_of(update_stack_set=wrong)
    with pytest.raises(AwsError):
        stack_sets.update(WANTED, "op", PREFERENCES, None, template, None)
    assert len(client.arguments("update_stack_set")) == 1


def test_an_update_of_a_self_managed_stack_set_names_its_roles() -> None:
    arguments = sent(
        "update_stack_set", lambda sets: sets.update(OWN_ROLES, "op", PREFERENCES, None, None, None)
    )
    assert arguments["ExecutionRoleName"] == "execute"
    assert "AutoDeployment" not in arguments


# -- errors

BUSY = refused("OperationInProgressException", "Another Operation on StackSet x is in progress: 12ab-cd")


def test_an_error_names_stack_set_account_and_region() -> None:
    stack_sets, _ = told_of(create_stack_instances=BUSY)
    with pytest.raises(AwsError) as caught:
        stack_sets.create_instances(WANTED, "op", PREFERENCES, TARGET)
    assert str(caught.value).startswith(
        "cloudformation:CreateStackInstances of orgmon-access failed (account 100000000000 in eu-central-1): "
    )
    assert running_operation(caught.value) == "12ab-cd"


def test_as_a_delegated_administrator_it_says_so() -> None:
    client = FakeClient("cloudformation", describe_stack_set=refused("AccessDenied"))
    stack_sets = StackSets(FakeSessions(client, CallAs.DELEGATED_ADMIN))
    with pytest.raises(AwsError, match=r"of orgmon-access as DELEGATED_ADMIN failed \(eu-central-1\)"):
        stack_sets.read(NAME, MANAGED)
    assert client.arguments("describe_stack_set")[0]["CallAs"] == "DELEGATED_ADMIN"


def test_a_message_that_names_no_operation_gives_none() -> None:
    assert running_operation(AwsError("call", "OperationInProgressException", "busy")) == ""
