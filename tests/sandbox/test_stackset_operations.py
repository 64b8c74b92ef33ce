"""Operations on stack instances: statuses and their transitions, failures, the single slot, ways into a target."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from orgmon.sandbox.stacksets.stances import Stances

from .fleet import FLEET, HOME, MANAGEMENT, R2, R3, SEED, TEMPLATE, Fleet, refused

ONE, TWO, THREE = FLEET[:3]
CANCELLED = "Cancelled since failure tolerance has exceeded"
CURRENT = ("CURRENT", "SUCCEEDED", "")
TITLE = [{"ParameterKey": "Title", "ParameterValue": "new"}]


def resource_failure(reason: str) -> str:
    return f"ResourceLogicalId:Topic, ResourceType:AWS::SNS::Topic, ResourceStatusReason:{reason}."


# Transitions.


def test_a_good_creation(fleet: Fleet) -> None:
    fleet.create(Tags=[{"Key": "owner", "Value": "soc"}])
    operation = fleet.deploy(ONE)
    instance = fleet.instances()[0]
    assert fleet.state(ONE) == CURRENT
    assert (instance["LastOperationId"], instance["DriftStatus"]) == (operation, "NOT_CHECKED")
    stack = fleet.stacks(ONE)[0]
    assert stack["StackId"] == instance["StackId"]
    assert stack["StackName"].startswith("StackSet-set-")
    assert stack["Tags"] == [{"Key": "owner", "Value": "soc"}]
    described = fleet.operation(operation)
    assert (described["Action"], described["Status"]) == ("CREATE", "SUCCEEDED")
    assert described["DeploymentTargets"] == {**fleet.targets(ONE)}
    assert described["OperationPreferences"]["RegionOrder"] == []
    result = fleet.results(operation)[0]
    assert result["OrganizationalUnitId"] == fleet.ships
    assert result["AccountGateResult"]["Status"] == "SKIPPED"


def test_a_record_before_it_is_worked_on(fleet: Fleet) -> None:
    fleet.create()
    fleet.engine.pace = 0.3
    request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(ONE, TWO)}
    answer = fleet.client.create_stack_instances(**request)
    assert fleet.state(TWO) == ("OUTDATED", "PENDING", "User Initiated")
    assert "StackId" not in fleet.instances()[1]
    assert fleet.status(answer["OperationId"]) == "RUNNING"
    assert "EndTimestamp" not in fleet.operation(answer["OperationId"])
    fleet.finished(answer)
    assert fleet.state(TWO) == CURRENT


def test_a_resource_that_cannot_be_made_leaves_no_stack(fleet: Fleet) -> None:
    fleet.world.trouble.fail(account=ONE, logical_id="Topic", reason="too many topics")
    fleet.create()
    fleet.deploy(ONE, TWO)
    assert fleet.state(ONE) == ("OUTDATED", "FAILED", resource_failure("too many topics"))
    assert fleet.stacks(ONE) == []
    assert fleet.titles(ONE) == []
    fleet.world.trouble.lift()
    operation = fleet.deploy(ONE, TWO)
    assert fleet.state(ONE) == CURRENT
    assert fleet.counts(operation) == {"SUCCEEDED": 2}
    assert fleet.state(TWO) == CURRENT


def test_an_update_is_the_retry_of_a_failed_creation(fleet: Fleet) -> None:
    fleet.world.trouble.fail(account=ONE, times=1, reason="once")
    fleet.create()
    fleet.deploy(ONE)
    fleet.update(UsePreviousTemplate=True)
    assert fleet.state(ONE) == CURRENT
    assert len(fleet.stacks(ONE)) == 1


def test_creation_leaves_what_is_current_alone(fleet: Fleet) -> None:
    fleet.create()
    first = fleet.deploy(ONE)
    second = fleet.deploy(ONE, ParameterOverrides=TITLE)
    assert fleet.counts(second) == {"SUCCEEDED": 1}
    assert fleet.instances()[0]["LastOperationId"] == first
    assert fleet.titles(ONE) == ["default"]
    assert len(fleet.instances()) == 1


def test_an_update_reaches_every_instance(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE, TWO)
    operation = fleet.update(UsePreviousTemplate=True, Parameters=TITLE)
    assert fleet.titles(ONE) == fleet.titles(TWO) == ["new"]
    assert fleet.state(ONE) == CURRENT
    assert fleet.operation(operation)["Action"] == "UPDATE"


def test_an_update_without_changes(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    fleet.update(TemplateBody=TEMPLATE)
    assert fleet.state(ONE) == ("CURRENT", "SUCCEEDED", "No updates are to be performed.")


def test_a_targeted_update_outdates_all_the_others(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE, TWO)
    targeted = {"DeploymentTargets": fleet.targets(ONE), "Regions": [R2]}
    fleet.update(UsePreviousTemplate=True, Parameters=TITLE, **targeted)
    assert fleet.state(ONE) == CURRENT
    assert fleet.state(TWO) == ("OUTDATED", "PENDING", "User Initiated")
    assert fleet.titles(TWO) == ["default"]
    fleet.update(UsePreviousTemplate=True, **targeted)
    assert fleet.state(TWO)[:2] == ("OUTDATED", "PENDING")
    rest = {"DeploymentTargets": fleet.targets(TWO), "Regions": [R2]}
    fleet.update(UsePreviousTemplate=True, **rest)
    assert fleet.state(TWO) == CURRENT
    assert fleet.titles(TWO) == ["new"]


def test_a_failed_update_changes_the_set_and_rolls_the_stack_back(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE, TWO)
    fleet.world.trouble.fail(account=ONE, logical_id="Topic", action="UPDATE", reason="no")
    operation = fleet.update(UsePreviousTemplate=True, Parameters=TITLE)
    assert fleet.status(operation) == "FAILED"
    assert fleet.state(ONE) == ("OUTDATED", "FAILED", resource_failure("no"))
    assert fleet.state(TWO) == ("OUTDATED", "CANCELLED", CANCELLED)
    assert fleet.stacks(ONE)[0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert fleet.titles(ONE) == ["default"]
    shown = fleet.client.describe_stack_set(StackSetName="set")["StackSet"]["Parameters"]
    assert shown == TITLE


def test_a_failed_deletion_is_inoperable_and_has_one_way_out(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE, TWO)
    fleet.world.trouble.fail(account=ONE, logical_id="Topic", action="DELETE", reason="in use")
    fleet.remove(ONE, TWO)
    assert fleet.state(ONE) == ("INOPERABLE", "INOPERABLE", resource_failure("in use"))
    assert fleet.state(TWO) == ("CURRENT", "CANCELLED", CANCELLED)
    assert fleet.stacks(ONE)[0]["StackStatus"] == "DELETE_FAILED"
    operation = fleet.update(TemplateBody=TEMPLATE)
    assert [result["Account"] for result in fleet.results(operation)] == [TWO]
    assert fleet.state(ONE)[0] == "INOPERABLE"
    fleet.remove(ONE, RetainStacks=True)
    assert [instance["Account"] for instance in fleet.instances()] == [TWO]
    assert len(fleet.stacks(ONE)) == 1


def test_termination_protection_makes_the_deletion_fail(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    name = fleet.stacks(ONE)[0]["StackName"]
    fleet.client_of(ONE, R2).update_termination_protection(EnableTerminationProtection=True, StackName=name)
    fleet.remove(ONE)
    status, detailed, reason = fleet.state(ONE)
    assert (status, detailed) == ("INOPERABLE", "INOPERABLE")
    assert "TerminationProtection" in reason


def test_deleting_nothing_succeeds_at_once(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE)
    operation = fleet.remove(ONE, regions=(R3,))
    assert (fleet.status(operation), fleet.results(operation)) == ("SUCCEEDED", [])


@pytest.mark.parametrize(("recreates", "expected"), [(False, "FAILED"), (True, "SUCCEEDED")])
def test_a_stack_that_somebody_has_deleted(recreates: bool, expected: str) -> None:
    fleet = Fleet(stances=Stances(recreates_deleted_stacks=recreates))
    fleet.create()
    fleet.deploy(ONE)
    fleet.engine.stacks.delete(ONE, R2, fleet.stacks(ONE)[0]["StackId"])
    fleet.update(TemplateBody=TEMPLATE)
    assert fleet.state(ONE)[1] == expected
    fleet.remove(ONE)
    assert fleet.instances() == []
    fleet.close()


# Parameters.


def test_overrides(fleet: Fleet) -> None:
    fleet.create()
    fleet.deploy(ONE, ParameterOverrides=TITLE)
    fleet.deploy(TWO)
    fleet.update(UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Title", "ParameterValue": "set"}])
    assert (fleet.titles(ONE), fleet.titles(TWO)) == (["new"], ["set"])

    def override(*accounts: str, **members: Any) -> list[str]:
        request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(*accounts)}
        fleet.finished(fleet.client.update_stack_instances(**request, **members))
        shown = fleet.client.describe_stack_instance(
            StackSetName="set", StackInstanceAccount=accounts[0], StackInstanceRegion=R2
        )
        return [parameter["ParameterValue"] for parameter in shown["StackInstance"]["ParameterOverrides"]]

    assert override(ONE) == ["new"]
    assert override(ONE, ParameterOverrides=[{"ParameterKey": "Title", "UsePreviousValue": True}]) == ["new"]
    assert override(ONE, ParameterOverrides=[]) == []
    assert fleet.titles(ONE) == ["set"]
    unknown = [{"ParameterKey": "No", "ParameterValue": "x"}]
    request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(ONE)}
    refusal = refused(fleet.client, "update_stack_instances", **request, ParameterOverrides=unknown)
    assert "do not exist" in refusal[1]


def test_parameters_that_are_not_listed(fleet: Fleet) -> None:
    two = json.loads(TEMPLATE)
    two["Parameters"]["Secret"] = {"Type": "String", "NoEcho": True, "Default": "s"}
    fleet.create(TemplateBody=json.dumps(two), Parameters=TITLE)

    def shown() -> dict[str, str]:
        parameters = fleet.client.describe_stack_set(StackSetName="set")["StackSet"]["Parameters"]
        return {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in parameters}

    assert shown() == {"Title": "new", "Secret": "****"}
    fleet.update(UsePreviousTemplate=True)
    assert shown()["Title"] == "new"
    fleet.update(UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Secret", "UsePreviousValue": True}])
    assert shown()["Title"] == "default"


def test_tags_absent_empty_and_given(fleet: Fleet) -> None:
    fleet.create(Tags=[{"Key": "a", "Value": "1"}])
    fleet.deploy(ONE)
    fleet.update(UsePreviousTemplate=True)
    assert fleet.stacks(ONE)[0]["Tags"] == [{"Key": "a", "Value": "1"}]
    fleet.update(UsePreviousTemplate=True, Tags=[])
    assert fleet.stacks(ONE)[0]["Tags"] == []


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"UsePreviousTemplate": True, "TemplateBody": TEMPLATE},
        {"TemplateBody": TEMPLATE, "TemplateURL": "https://s3.amazonaws.com/b/k"},
    ],
)
def test_exactly_one_template(fleet: Fleet, members: dict[str, Any]) -> None:
    fleet.create()
    text = "Exactly one of TemplateBody or TemplateUrl must be specified"
    assert refused(fleet.client, "update_stack_set", StackSetName="set", **members)[1] == text


def test_a_large_template_by_its_url_and_version(fleet: Fleet) -> None:
    s3 = fleet.world.session(MANAGEMENT).client("s3", region_name=HOME)
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    large = json.dumps({**json.loads(TEMPLATE), "Metadata": {"x": "y" * 60_000}})
    version = s3.put_object(Bucket="artifacts", Key="t.json", Body=large)["VersionId"]
    s3.put_object(Bucket="artifacts", Key="t.json", Body="{}")
    url = f"https://artifacts.s3.{HOME}.amazonaws.com/t.json?versionId={version}"
    fleet.client.create_stack_set(StackSetName="set", TemplateURL=url, PermissionModel="SERVICE_MANAGED")
    fleet.deploy(ONE)
    assert fleet.state(ONE) == CURRENT


@pytest.mark.parametrize(
    "addition",
    [
        {"Resources": {"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "x"}}}},
        {"Transform": "AWS::Serverless-2016-10-31"},
    ],
)
def test_templates_that_service_managed_sets_cannot_deploy(fleet: Fleet, addition: dict[str, Any]) -> None:
    fleet.create(TemplateBody=json.dumps({**json.loads(TEMPLATE), **addition}))
    operation = fleet.deploy(ONE)
    assert fleet.status(operation) == "FAILED"
    assert "nested stacks" in fleet.operation(operation)["StatusReason"]
    assert fleet.stacks(ONE) == []


# The slot, the queue and the stop.


LONG = 3600.0
"""Seconds: nothing that ends by itself while a test looks at it, however busy the machine is."""


def test_one_operation_at_a_time(fleet: Fleet) -> None:
    set_id = fleet.create()
    fleet.world.trouble.foreign_operation("set", LONG)
    running = fleet.client.list_stack_set_operations(StackSetName="set")["Summaries"][0]
    assert running["Status"] == "RUNNING"
    request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(ONE)}
    arn = f"arn:aws:cloudformation:{HOME}:{MANAGEMENT}:stackset/{set_id}"
    text = f"Another Operation on StackSet {arn} is in progress: {running['OperationId']}"
    expected = ("OperationInProgressException", text, 409)
    assert refused(fleet.client, "create_stack_instances", **request) == expected
    assert refused(fleet.client, "update_stack_set", StackSetName="set", TemplateBody=TEMPLATE) == expected
    assert refused(fleet.client, "delete_stack_set", StackSetName="set") == expected
    fleet.client.stop_stack_set_operation(StackSetName="set", OperationId=running["OperationId"])
    assert fleet.engine.wait(30)
    assert fleet.status(running["OperationId"]) == "STOPPED"
    fleet.deploy(ONE)
    newest = fleet.client.list_stack_set_operations(StackSetName="set")["Summaries"]
    assert [operation["Action"] for operation in newest] == ["CREATE", "UPDATE"]


def test_managed_execution_queues(fleet: Fleet) -> None:
    fleet.create(ManagedExecution={"Active": True})
    fleet.engine.pace = 1.0
    request = {"StackSetName": "set", "Regions": [R2]}
    ids = [
        fleet.client.create_stack_instances(**request, DeploymentTargets=fleet.targets(account))[
            "OperationId"
        ]
        for account in (ONE, TWO, THREE)
    ]
    assert [fleet.status(operation) for operation in ids] == ["RUNNING", "QUEUED", "QUEUED"]
    fleet.client.stop_stack_set_operation(StackSetName="set", OperationId=ids[2])
    fleet.engine.pace = 0.0
    assert fleet.engine.wait(30)
    assert [fleet.status(operation) for operation in ids] == ["SUCCEEDED", "SUCCEEDED", "STOPPED"]
    assert {instance["Account"] for instance in fleet.instances()} == {ONE, TWO}


def test_managed_execution_is_switched_alone(fleet: Fleet) -> None:
    fleet.create()
    switch = {"StackSetName": "set", "ManagedExecution": {"Active": True}}
    text = "Cannot update ManagedExecution while updating StackSet Template or Parameters."
    expected = ("InvalidOperationException", text, 400)
    assert refused(fleet.client, "update_stack_set", **switch, TemplateBody=TEMPLATE) == expected
    fleet.finished(fleet.client.update_stack_set(**switch, UsePreviousTemplate=True))
    shown = fleet.client.describe_stack_set(StackSetName="set")["StackSet"]
    assert shown["ManagedExecution"] == {"Active": True}


def test_stop(fleet: Fleet) -> None:
    fleet.create()
    fleet.engine.pace = 0.2
    request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(ONE, TWO)}
    answer = fleet.client.create_stack_instances(**request)
    operation = answer["OperationId"]
    time.sleep(0.05)
    fleet.client.stop_stack_set_operation(StackSetName="set", OperationId=operation)
    assert fleet.status(operation) == "STOPPING"
    refusal = refused(fleet.client, "stop_stack_set_operation", StackSetName="set", OperationId=operation)
    assert refusal[0] == "InvalidOperationException"
    fleet.finished(answer)
    assert (fleet.status(operation), fleet.counts(operation)) == ("STOPPED", {"SUCCEEDED": 1, "CANCELLED": 1})
    assert fleet.state(ONE) == CURRENT
    assert fleet.state(TWO)[:2] == ("OUTDATED", "CANCELLED")


@pytest.mark.parametrize("refuses", [True, False])
def test_an_operation_id_is_used_once(refuses: bool) -> None:
    fleet = Fleet(SEED, Stances(refuses_used_operation_id=refuses))
    fleet.create()
    operation = fleet.deploy(ONE, OperationId="plan-1")
    assert operation == "plan-1"
    request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(TWO)}
    if refuses:
        refusal = refused(fleet.client, "create_stack_instances", **request, OperationId="plan-1")
        assert (refusal[0], refusal[2]) == ("OperationIdAlreadyExistsException", 409)
    else:
        assert fleet.client.create_stack_instances(**request, OperationId="plan-1")["OperationId"] == "plan-1"
    assert [instance["Account"] for instance in fleet.instances()] == [ONE]
    fleet.close()


def test_an_operation_that_is_not_there(fleet: Fleet) -> None:
    fleet.create()
    for operation in (
        "describe_stack_set_operation",
        "list_stack_set_operation_results",
        "stop_stack_set_operation",
    ):
        refusal = refused(fleet.client, operation, StackSetName="set", OperationId="nope")
        assert (refusal[0], refusal[2]) == ("OperationNotFoundException", 404)


def test_the_pace_is_a_control_and_closing_does_not_wait_for_it(fleet: Fleet) -> None:
    assert fleet.world.controls["pace"]({}, {"seconds": 30}) == {"seconds": 30.0}
    assert fleet.world.controls["pace"]({}, {}) == {"seconds": 30.0}
    fleet.create()
    request = {"StackSetName": "set", "Regions": [R2], "DeploymentTargets": fleet.targets(ONE, TWO)}
    operation = fleet.client.create_stack_instances(**request)["OperationId"]
    begun = time.monotonic()
    assert fleet.engine.close()
    assert time.monotonic() - begun < 5
    assert fleet.status(operation) == "STOPPED"
