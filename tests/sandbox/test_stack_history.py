"""What a stack tells of itself and of what happened to it: events, times, operations.

The expected answers are AWS's: of DescribeStackEvents and DescribeStacks, as recorded in public test suites; user guide,
"View stack events by operation".
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from orgmon.sandbox.cloudformation.stack import StackRecord

from .conftest import HOME, PROD, Site
from .stacks import resource, template, topic

BAD = resource("AWS::SQS::Queue", QueueName="bad name!")
REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


def deploy(site: Site, name: str, body: str, **parameters: str) -> StackRecord:
    return site.engine.deploy(PROD, HOME, name, body, parameters, on_failure="ROLLBACK")


def events(site: Site, name: str, logical_id: str) -> list[tuple[str, str, str]]:
    """Status, reason and physical id (the last part of it) of what happened to a resource, the oldest first."""
    told = site.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [
        (
            each["ResourceStatus"],
            each.get("ResourceStatusReason", ""),
            each["PhysicalResourceId"].rsplit(":", 1)[-1],
        )
        for each in reversed(told)
        if each["LogicalResourceId"] == logical_id
    ]


def described(site: Site, name: str) -> dict[str, Any]:
    return dict(site.cloudformation.describe_stacks(StackName=name)["Stacks"][0])


def test_a_creation_is_told_twice_and_a_replacement_is_an_update(site: Site) -> None:
    deploy(site, "history", template(T=topic(TopicName="history-1")))
    deploy(site, "history", template(T=topic(TopicName="history-2")))
    assert events(site, "history", "T") == [
        ("CREATE_IN_PROGRESS", "", ""),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated", "history-1"),
        ("CREATE_COMPLETE", "", "history-1"),
        ("UPDATE_IN_PROGRESS", REPLACING, "history-1"),
        ("UPDATE_IN_PROGRESS", "Resource creation Initiated", "history-2"),
        ("UPDATE_COMPLETE", "", "history-2"),
        ("DELETE_IN_PROGRESS", "", "history-1"),
        ("DELETE_COMPLETE", "", "history-1"),
    ]
    (listed,) = site.cloudformation.describe_stack_resources(StackName="history")["StackResources"]
    assert listed["ResourceStatus"] == "UPDATE_COMPLETE"


def test_events_tell_the_properties_that_were_asked_for(site: Site) -> None:
    body = template(
        {"Pin": {"Type": "String", "NoEcho": True}},
        T=topic(TopicName="told", DisplayName={"Fn::Sub": "pin ${Pin}"}),
    )
    site.engine.deploy(PROD, HOME, "told", body, {"Pin": "1234"}, {"team": "soc"})
    site.engine.delete(PROD, HOME, "told")
    stack = site.engine.register.stacks(PROD, HOME)[0]
    told = site.cloudformation.describe_stack_events(StackName=stack.id)["StackEvents"]
    properties = {
        each["ResourceStatus"]: json.loads(each["ResourceProperties"])
        for each in told
        if "ResourceProperties" in each
    }
    asked = {"TopicName": "told", "DisplayName": "pin ****"}
    assert properties == {"CREATE_IN_PROGRESS": asked, "CREATE_COMPLETE": asked}


def test_a_resource_that_cannot_be_asked_for_says_why(site: Site) -> None:
    zone = {"Fn::Select": [7, {"Fn::GetAZs": ""}]}
    reason = "Template error: Fn::Select cannot select nonexistent value at index 7"
    stack = deploy(site, "impossible", template(T=topic(DisplayName=zone)))
    assert events(site, stack.id, "T") == [("CREATE_FAILED", reason, "")]
    deploy(site, "possible", template(T=topic(DisplayName="x")))
    stack = deploy(site, "possible", template(T=topic(DisplayName=zone)))
    assert [(status, why) for status, why, _ in events(site, "possible", "T")][-2:] == [
        ("UPDATE_FAILED", reason),
        ("UPDATE_COMPLETE", ""),
    ]
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"


def test_what_fails_before_the_first_resource_is_told_by_the_stack_alone(site: Site) -> None:
    outputs = {"O": {"Value": {"Fn::GetAtt": ["T", "Invalid"]}}}
    reason = "[Error] /Outputs/O/Value/Fn::GetAtt: Resource type AWS::SNS::Topic does not support attribute {Invalid}"
    made = deploy(site, "output", template(T=topic(), outputs=outputs))
    assert [(status, why) for status, why, _ in events(site, made.id, "output")] == [
        ("CREATE_IN_PROGRESS", "User Initiated"),
        ("ROLLBACK_IN_PROGRESS", f"{reason}. Rollback requested by user."),
        ("ROLLBACK_COMPLETE", ""),
    ]
    assert events(site, made.id, "T") == []
    deploy(site, "changed", template(T=topic()))
    deploy(site, "changed", template(T=topic(DisplayName="x"), outputs=outputs))
    told = [(status, why) for status, why, _ in events(site, "changed", "changed")]
    assert ("UPDATE_ROLLBACK_IN_PROGRESS", reason) in told
    assert len(events(site, "changed", "T")) == 3


def test_a_missing_export_is_told_by_the_stack_alone(site: Site) -> None:
    importing = topic(DisplayName={"Fn::ImportValue": "nobody-exports"})
    deploy(site, "imports", template(A=topic()))
    deploy(site, "imports", template(A=topic(DisplayName="x"), B=importing))
    reason = "No export named nobody-exports found"
    assert ("UPDATE_ROLLBACK_IN_PROGRESS", reason) in [
        each[:2] for each in events(site, "imports", "imports")
    ]
    assert events(site, "imports", "B") == []
    made = deploy(site, "importer", template(B=importing))
    assert made.failure == reason
    rollback = [
        why for status, why, _ in events(site, made.id, "importer") if status == "ROLLBACK_IN_PROGRESS"
    ]
    assert rollback == [f"{reason}. Rollback requested by user."]


def test_a_fixed_name_in_the_way_is_told(site: Site) -> None:
    def body(path: str) -> str:
        trust = {"Version": "2012-10-17", "Statement": []}
        return template(
            R=resource("AWS::IAM::Role", RoleName="in-the-way", Path=path, AssumeRolePolicyDocument=trust)
        )

    named = ["CAPABILITY_NAMED_IAM"]
    for path in ("/", "/other/"):
        site.engine.deploy(PROD, HOME, "in-the-way", body(path), capabilities=named, on_failure="ROLLBACK")
    failed = [why for status, why, _ in events(site, "in-the-way", "R") if status == "UPDATE_FAILED"]
    assert len(failed) == 1
    assert failed[0].startswith(
        "CloudFormation cannot update a stack when a custom-named resource requires replacing"
    )


def test_the_last_operations_and_their_events(site: Site) -> None:
    deploy(site, "operations", template(T=topic()))
    (made,) = described(site, "operations")["LastOperations"]
    assert made["OperationType"] == "CREATE_STACK"
    deploy(site, "operations", template(T=topic(), Bad=BAD | {"DependsOn": "T"}))
    operations = described(site, "operations")["LastOperations"]
    assert [each["OperationType"] for each in operations] == ["ROLLBACK", "UPDATE_STACK"]
    listed = site.cloudformation.list_stacks()["StackSummaries"]
    assert next(each for each in listed if each["StackName"] == "operations")["LastOperations"] == operations
    told = site.cloudformation.describe_stack_events(StackName="operations")["StackEvents"]
    of_operations = {each["OperationId"] for each in told}
    assert of_operations == {made["OperationId"], *(each["OperationId"] for each in operations)}


def test_times(site: Site) -> None:
    def times(name: str) -> set[str]:
        return {"LastUpdatedTime", "DeletionTime"} & set(described(site, name))

    made = site.cloudformation.create_change_set(
        StackName="timed", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=template(T=topic())
    )
    site.engine.background.wait()
    assert times("timed") == set()
    site.cloudformation.execute_change_set(StackName="timed", ChangeSetName="c")
    site.engine.background.wait()
    assert times("timed") == {"LastUpdatedTime"}
    site.engine.delete(PROD, HOME, "timed")
    assert times(made["StackId"]) == {"LastUpdatedTime", "DeletionTime"}
    assert times(deploy(site, "plain", template(T=topic())).id) == set()
    assert times(deploy(site, "failed", template(Bad=BAD)).id) == {"DeletionTime"}


def test_what_a_stack_has_none_of_is_left_out(site: Site) -> None:
    stack = deploy(site, "bare", template(T=topic()))
    bare = described(site, "bare")
    assert not {"Parameters", "Outputs", "Capabilities", "ChangeSetId"} & set(bare)
    assert (bare["RollbackConfiguration"], bare["NotificationARNs"], bare["Tags"]) == ({}, [], [])
    site.engine.delete(PROD, HOME, "bare")
    assert "EnableTerminationProtection" not in described(site, stack.id)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (["T", "DisplayName"], "title"),
        (["T", "TopicName"], "readable"),
        (["Q", "VisibilityTimeout"], "31"),
        (["Q", "DelaySeconds"], "0"),
        ("Q.RedrivePolicy.maxReceiveCount", "3"),
        (["P", "Value"], "v"),
    ],
)
def test_properties_that_can_be_read_are_attributes(site: Site, attribute: Any, value: str) -> None:
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}
    body = template(
        T=topic(TopicName="readable", DisplayName="title"),
        Dead=resource("AWS::SQS::Queue"),
        Q=resource("AWS::SQS::Queue", VisibilityTimeout=31, RedrivePolicy=dead),
        P=resource("AWS::SSM::Parameter", Type="String", Value="v"),
        R=topic(DisplayName={"Fn::GetAtt": attribute}),
        outputs={"O": {"Value": {"Fn::GetAtt": attribute}}},
    )
    stack = deploy(site, "readable", body)
    assert stack.status == "CREATE_COMPLETE", stack.failure
    assert stack.resources["R"].properties["DisplayName"] in (value, int(value) if value.isdigit() else value)
    assert stack.outputs[0].value == value
    site.engine.delete(PROD, HOME, "readable")
