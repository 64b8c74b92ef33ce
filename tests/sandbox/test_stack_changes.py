"""Stacks that fail, change and go: rollback, replacement, retention, order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.world import World

from .conftest import HOME, PROD
from .stacks import (
    TRUST,
    deploy,
    display_name,
    groups,
    refused,
    resource,
    template,
    topic,
    topics,
    wait,
)


def test_a_failing_creation_rolls_back(world: World, engine: Engine) -> None:
    queue = resource("AWS::SQS::Queue", QueueName="bad name!", attributes={"DependsOn": "Topic"})
    stack = deploy(engine, template(Topic=topic(), Queue=queue))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert topics(world) == []
    assert stack.failure.startswith(
        "ResourceLogicalId:Queue, ResourceType:AWS::SQS::Queue, ResourceStatusReason:"
    )
    assert "HandlerErrorCode: " in stack.failure
    rollback = next(event for event in stack.events if event.status == "ROLLBACK_IN_PROGRESS")
    assert "The following resource(s) failed to create: [Queue]" in rollback.reason
    with pytest.raises(Refusal, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        deploy(engine, template(Topic=topic()))


@pytest.mark.parametrize(
    ("on_failure", "status"), [("DELETE", "DELETE_COMPLETE"), ("DO_NOTHING", "CREATE_FAILED")]
)
def test_what_becomes_of_a_failed_creation(
    world: World, engine: Engine, on_failure: str, status: str
) -> None:
    queue = resource("AWS::SQS::Queue", QueueName="bad name!", attributes={"DependsOn": "Topic"})
    body = template(Topic=topic(TopicName="t"), Queue=queue)
    stack = engine.deploy(PROD, HOME, "app", body, on_failure=on_failure)
    assert stack.status == status
    assert topics(world) == (["t"] if on_failure == "DO_NOTHING" else [])
    assert (engine.register.find(PROD, HOME, "app") is None) == (on_failure == "DELETE")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (
            resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
            "AWS::EC2::VPC is not implemented by the sandbox",
        ),
        (topic(DeliveryStatusLogging=[]), "[DeliveryStatusLogging] of AWS::SNS::Topic are not implemented"),
        (topic(Nonsense="1"), "#: extraneous key [Nonsense] is not permitted"),
        (resource("AWS::Logs::MetricFilter", FilterPattern="x"), "#: required key [LogGroupName] not found"),
        (resource("AWS::Events::Rule", State="ON"), "#/State: ON is not a valid enum value"),
        (topic(Tags="a"), "#/Tags: expected type: JSONArray, found: String"),
        (
            resource("AWS::SQS::Queue", VisibilityTimeout="soon"),
            "#/VisibilityTimeout: expected type: Integer",
        ),
        (
            resource("AWS::SQS::Queue", VisibilityTimeout=True),
            "#/VisibilityTimeout: expected type: Integer, found: Boolean",
        ),
        (
            resource("AWS::SQS::Queue", VisibilityTimeout=3.5),
            "#/VisibilityTimeout: expected type: Integer, found: BigDecimal",
        ),
    ],
)
def test_what_cannot_be_made_fails_the_stack(engine: Engine, bad: dict[str, Any], reason: str) -> None:
    stack = deploy(engine, template(Bad=bad))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert reason in stack.failure


def test_an_existing_name_fails_the_stack_and_says_whose_it_is(world: World, engine: Engine) -> None:
    world.client("sns", PROD, HOME).create_topic(Name="soc")
    stack = deploy(engine, template(Topic=topic(TopicName="soc")))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "soc already exists." in stack.failure
    assert topics(world) == ["soc"]
    owner = engine.deploy(PROD, HOME, "owner", template(Topic=topic(TopicName="mine")))
    other = engine.deploy(PROD, HOME, "other", template(Topic=topic(TopicName="mine")))
    assert f"already exists in stack {owner.id}" in other.failure


def test_half_made_resources_are_removed(world: World, engine: Engine) -> None:
    group = resource("AWS::Logs::LogGroup", LogGroupName="/half", RetentionInDays=13)
    stack = deploy(engine, template(Group=group))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert groups(world) == []


def test_rehearsed_trouble_fails_each_kind_of_action(world: World, engine: Engine) -> None:
    world.trouble.fail(account=PROD, logical_id="Two", action="CREATE", reason="no luck", times=1)
    body = template(One=topic(), Two=topic(attributes={"DependsOn": "One"}))
    stack = engine.deploy(PROD, HOME, "app", body)
    assert (
        stack.failure == "ResourceLogicalId:Two, ResourceType:AWS::SNS::Topic, ResourceStatusReason:no luck."
    )
    stack = engine.deploy(PROD, HOME, "app", body)
    assert stack.status == "CREATE_COMPLETE"

    world.trouble.fail(account=PROD, logical_id="Two", action="UPDATE", reason="locked")
    changed = template(
        One=topic(DisplayName="x"), Two=topic(DisplayName="x", attributes={"DependsOn": "One"})
    )
    stack = engine.deploy(PROD, HOME, "app", changed)
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert display_name(world, stack.resources["One"].physical_id) == ""

    world.trouble.fail(account=PROD, logical_id="Two", action="DELETE", reason="in use", times=1)
    deleted = engine.delete(PROD, HOME, "app")
    assert deleted is not None
    assert (deleted.status, list(deleted.resources)) == ("DELETE_FAILED", ["One", "Two"])
    again = engine.delete(PROD, HOME, "app")
    assert again is not None
    assert again.status == "DELETE_COMPLETE"
    assert topics(world) == []


def test_a_denied_caller_fails_the_resource(world: World, engine: Engine) -> None:
    iam = world.client("iam", PROD, HOME)
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
    allowed = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="deployer", PolicyName="p", PolicyDocument=policy)
    principal = world.role_session(PROD, "deployer", "s")
    queue = resource("AWS::SQS::Queue")
    stack = engine.deploy(PROD, HOME, "app", template(Queue=queue), principal=principal)
    assert stack.status == "CREATE_COMPLETE"
    stack = engine.deploy(PROD, HOME, "app", template(Queue=queue, Topic=topic()), principal=principal)
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert (
        "is not authorized to perform: SNS:CreateTopic" in stack.failure or "sns:CreateTopic" in stack.failure
    )
    assert "HandlerErrorCode: AccessDenied" in stack.failure


def test_an_update_without_changes_is_refused(engine: Engine, cloudformation: Any) -> None:
    parameters = {"P": {"Type": "String", "Default": "a"}}
    body = template(parameters, Topic=topic(DisplayName={"Fn::Sub": "x-${P}"}))
    deploy(engine, body)
    assert refused(cloudformation, "update_stack", StackName="app", UsePreviousTemplate=True) == (
        "ValidationError",
        "No updates are to be performed.",
    )
    with pytest.raises(Refusal, match="No updates are to be performed"):
        deploy(engine, body, P="a")


def test_parameters_reach_through_sub_and_conditions(world: World, engine: Engine) -> None:
    parameters = {"On": {"Type": "String", "Default": "no"}}
    body = template(
        parameters,
        conditions={"IsOn": {"Fn::Equals": [{"Ref": "On"}, "yes"]}},
        Topic=topic(TopicName="main", DisplayName={"Fn::Sub": "on-${On}"}),
        Extra=topic(TopicName="extra", attributes={"Condition": "IsOn"}),
    )
    stack = deploy(engine, body)
    assert topics(world) == ["main"]
    deploy(engine, body, On="yes")
    assert topics(world) == ["extra", "main"]
    assert display_name(world, stack.resources["Topic"].physical_id) == "on-yes"
    deploy(engine, body, On="no")
    assert topics(world) == ["main"]


def test_a_replacement_takes_its_dependents_along(world: World, engine: Engine) -> None:
    def body(name: str) -> str:
        alarm = resource(
            "AWS::CloudWatch::Alarm",
            AlarmName="alarm",
            MetricName="m",
            Namespace="n",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[{"Ref": "Topic"}],
        )
        return template(Topic=topic(TopicName=name), Alarm=alarm)

    deploy(engine, body("one"))
    stack = deploy(engine, body("two"))
    assert stack.status == "UPDATE_COMPLETE"
    assert topics(world) == ["two"]
    alarms = world.client("cloudwatch", PROD, HOME).describe_alarms()["MetricAlarms"]
    assert alarms[0]["AlarmActions"] == [stack.resources["Topic"].physical_id]


def test_a_fixed_name_stands_in_the_way_of_a_replacement(engine: Engine) -> None:
    def body(path: str) -> str:
        return template(
            Role=resource("AWS::IAM::Role", RoleName="fixed", Path=path, AssumeRolePolicyDocument=TRUST)
        )

    deploy(engine, body("/"))
    stack = deploy(engine, body("/orgmon/"))
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert (
        "cannot update a stack when a custom-named resource requires replacing. Rename fixed" in stack.failure
    )


def test_a_failing_update_goes_back_to_what_was(world: World, engine: Engine) -> None:
    def body(days: int, name: str, *, broken: bool) -> str:
        resources = {
            "Group": resource("AWS::Logs::LogGroup", LogGroupName="/x", RetentionInDays=days),
            "Topic": topic(TopicName=name),
            "Gone": topic(TopicName="gone"),
        }
        if broken:
            del resources["Gone"]
            resources["New"] = topic(TopicName="new")
            waits = {"DependsOn": ["Group", "Topic", "New"]}
            resources["Bad"] = resource("AWS::SQS::Queue", QueueName="bad name!", attributes=waits)
        return template(**resources)

    deploy(engine, body(30, "one", broken=False))
    stack = deploy(engine, body(90, "two", broken=True))
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert topics(world) == ["gone", "one"]
    group = world.client("logs", PROD, HOME).describe_log_groups()["logGroups"][0]
    assert group["retentionInDays"] == 30
    assert sorted(stack.resources) == ["Gone", "Group", "Topic"]
    assert json.loads(stack.request.template.text) == json.loads(body(30, "one", broken=False))
    assert deploy(engine, body(90, "one", broken=False)).status == "UPDATE_COMPLETE"


def test_stack_tags_change_resources(world: World, engine: Engine) -> None:
    body = template(
        Topic=topic(Tags=[{"Key": "own", "Value": "1"}]), Secret=resource("AWS::SecretsManager::Secret")
    )
    engine.deploy(PROD, HOME, "app", body, {}, {"team": "a"})
    stack = engine.deploy(PROD, HOME, "app", body, {}, {"team": "b"})
    tags = world.client("sns", PROD, HOME).list_tags_for_resource(
        ResourceArn=stack.resources["Topic"].physical_id
    )
    assert {each["Key"]: each["Value"] for each in tags["Tags"]} == {"team": "b", "own": "1"}
    secret = stack.resources["Secret"].physical_id
    described = world.client("secretsmanager", PROD, HOME).describe_secret(SecretId=secret)
    named = {each["Key"]: each["Value"] for each in described["Tags"]}
    assert named["aws:cloudformation:stack-name"] == "app"
    assert named["aws:cloudformation:logical-id"] == "Secret"
    assert described["Name"].startswith("Secret-")
    assert "app" not in described["Name"]


def test_exports_and_imports(world: World, engine: Engine, cloudformation: Any) -> None:
    exporting = template(
        Topic=topic(), outputs={"O": {"Value": {"Ref": "Topic"}, "Export": {"Name": "shared"}}}
    )
    engine.deploy(PROD, HOME, "exporter", exporting)
    importing = template(Topic=topic(DisplayName={"Fn::ImportValue": "shared"}))
    stack = engine.deploy(PROD, HOME, "importer", importing)
    assert display_name(world, stack.resources["Topic"].physical_id).startswith("arn:aws:sns:")
    assert cloudformation.list_imports(ExportName="shared")["Imports"] == ["importer"]
    twice = engine.deploy(PROD, HOME, "twice", exporting)
    assert "Export with name shared is already exported by stack" in twice.failure
    refusing = engine.delete(PROD, HOME, "exporter")
    assert refusing is not None
    assert refusing.status == "DELETE_FAILED"
    engine.delete(PROD, HOME, "importer")
    assert engine.delete(PROD, HOME, "exporter") is not None
    assert topics(world) == []


def test_deletion_goes_backwards_and_respects_policies(world: World, engine: Engine) -> None:
    body = template(
        Kept=topic(TopicName="kept", attributes={"DeletionPolicy": "Retain"}),
        Once=topic(
            TopicName="once", attributes={"DeletionPolicy": "RetainExceptOnCreate", "DependsOn": "Kept"}
        ),
        Last=topic(TopicName="last", attributes={"DependsOn": "Once"}),
    )
    stack = deploy(engine, body)
    engine.delete(PROD, HOME, "app")
    assert topics(world) == ["kept", "once"]
    ends = [(event.logical_id, event.status) for event in stack.events if event.status.startswith("DELETE_")]
    assert ends == [
        ("app", "DELETE_IN_PROGRESS"),
        ("Last", "DELETE_IN_PROGRESS"),
        ("Last", "DELETE_COMPLETE"),
        ("Once", "DELETE_SKIPPED"),
        ("Kept", "DELETE_SKIPPED"),
        ("app", "DELETE_COMPLETE"),
    ]


def test_retention_in_a_failed_creation(world: World, engine: Engine) -> None:
    body = template(
        Kept=topic(TopicName="kept", attributes={"DeletionPolicy": "Retain"}),
        Once=topic(TopicName="once", attributes={"DeletionPolicy": "RetainExceptOnCreate"}),
        Bad=resource("AWS::SQS::Queue", QueueName="bad name!", attributes={"DependsOn": ["Kept", "Once"]}),
    )
    assert deploy(engine, body).status == "ROLLBACK_COMPLETE"
    assert topics(world) == ["kept"]


def test_retention_in_updates(world: World, engine: Engine) -> None:
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    deploy(engine, template(A=topic(TopicName="a", attributes=kept), B=topic(TopicName="b", attributes=kept)))
    stack = deploy(engine, template(A=topic(TopicName="a2", attributes=kept)))
    assert stack.status == "UPDATE_COMPLETE"
    assert topics(world) == ["a", "a2", "b"]
    assert list(stack.resources) == ["A"]


def test_termination_protection(engine: Engine, cloudformation: Any) -> None:
    cloudformation.create_stack(
        StackName="app", TemplateBody=template(A=topic()), EnableTerminationProtection=True
    )
    engine.background.wait()
    message = refused(cloudformation, "delete_stack", StackName="app")[1]
    assert message == "Stack [app] cannot be deleted while TerminationProtection is enabled"
    cloudformation.update_termination_protection(StackName="app", EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName="app")
    wait(cloudformation, "stack_delete_complete")


def test_a_bucket_with_objects_cannot_be_deleted(world: World, engine: Engine, cloudformation: Any) -> None:
    deploy(engine, template(Box=resource("AWS::S3::Bucket", BucketName="full"), Topic=topic()))
    s3 = world.client("s3", PROD, HOME)
    s3.put_object(Bucket="full", Key="a", Body=b"1")
    stack = engine.delete(PROD, HOME, "app")
    assert stack is not None
    assert (stack.status, list(stack.resources)) == ("DELETE_FAILED", ["Box"])
    assert "ResourceLogicalId:Box" in stack.failure
    cloudformation.delete_stack(StackName="app", RetainResources=["Box"])
    wait(cloudformation, "stack_delete_complete")
    assert s3.list_buckets()["Buckets"][0]["Name"] == "full"


def test_what_was_deleted_by_hand_is_no_obstacle(world: World, engine: Engine) -> None:
    stack = deploy(engine, template(Group=resource("AWS::Logs::LogGroup", LogGroupName="/x"), Topic=topic()))
    world.client("logs", PROD, HOME).delete_log_group(logGroupName="/x")
    assert engine.live_properties(stack, "Group") is None
    removed = engine.delete(PROD, HOME, "app")
    assert removed is not None
    assert removed.status == "DELETE_COMPLETE"


def test_deletion_follows_the_template_of_the_last_update(world: World, engine: Engine) -> None:
    deploy(engine, template(First=topic()))
    stack = deploy(engine, template(First=topic(DisplayName={"Ref": "Newer"}), Newer=topic()))
    engine.delete(PROD, HOME, "app")
    gone = [event.logical_id for event in stack.events if event.status == "DELETE_COMPLETE"]
    assert gone == ["First", "Newer", "app"]
