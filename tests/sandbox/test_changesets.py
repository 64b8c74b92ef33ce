"""Change sets in the sandbox: what they show, and what executing them does."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.world import World

from .conftest import HOME, PROD
from .stacks import groups, refused, resource, template, topic, topics

RETAINED = {"DeletionPolicy": "RetainExceptOnCreate"}


def changes(cloudformation: Any, body: str, kind: str = "UPDATE", **members: Any) -> dict[str, Any]:
    """Make a change set named ``c`` on the stack ``app`` and wait until it is worked out."""
    made = cloudformation.create_change_set(
        StackName="app", ChangeSetName="c", ChangeSetType=kind, TemplateBody=body, **members
    )
    while True:
        change_set: dict[str, Any] = cloudformation.describe_change_set(ChangeSetName=made["Id"])
        if change_set["Status"] in ("CREATE_COMPLETE", "FAILED"):
            return change_set
        time.sleep(0.01)


def summary(change_set: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """Action, logical id and replacement of each change."""
    resource_changes = [each["ResourceChange"] for each in change_set["Changes"]]
    return [(each["Action"], each["LogicalResourceId"], each.get("Replacement")) for each in resource_changes]


def status(cloudformation: Any) -> str:
    """The status of the stack ``app``."""
    return str(cloudformation.describe_stacks(StackName="app")["Stacks"][0]["StackStatus"])


def test_a_new_stack_waits_for_its_change_set(world: World, engine: Engine, cloudformation: Any) -> None:
    change_set = changes(cloudformation, template(A=topic(TopicName="a")), "CREATE")
    assert summary(change_set) == [("Add", "A", None)]
    assert change_set["ExecutionStatus"] == "AVAILABLE"
    assert status(cloudformation) == "REVIEW_IN_PROGRESS"
    assert topics(world) == []
    listed = cloudformation.list_change_sets(StackName="app")["Summaries"]
    assert [each["ChangeSetName"] for each in listed] == ["c"]
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    assert status(cloudformation) == "CREATE_COMPLETE"
    assert topics(world) == ["a"]


def test_an_update_shows_every_kind_of_change(world: World, engine: Engine, cloudformation: Any) -> None:
    group = resource("AWS::Logs::LogGroup", LogGroupName="/x", RetentionInDays=30)
    before = template(
        Changed=topic(DisplayName="one"),
        Replaced=topic(TopicName="old"),
        Follows=topic(DisplayName={"Ref": "Replaced"}),
        Same=group,
        Gone=topic(),
    )
    engine.deploy(PROD, HOME, "app", before)
    after = template(
        Changed=topic(DisplayName="two"),
        Replaced=topic(TopicName="new"),
        Follows=topic(DisplayName={"Ref": "Replaced"}),
        Same=group,
        Added=topic(),
    )
    change_set = changes(cloudformation, after)
    assert sorted(summary(change_set)) == [
        ("Add", "Added", None),
        ("Modify", "Changed", "False"),
        ("Modify", "Follows", "False"),
        ("Modify", "Replaced", "True"),
        ("Remove", "Gone", None),
    ]
    replaced = next(
        each for each in change_set["Changes"] if each["ResourceChange"]["LogicalResourceId"] == "Replaced"
    )
    target = replaced["ResourceChange"]["Details"][0]["Target"]
    assert target == {"Attribute": "Properties", "Name": "TopicName", "RequiresRecreation": "Always"}
    assert replaced["ResourceChange"]["PolicyAction"] == "ReplaceAndDelete"
    assert "old" in topics(world)
    cloudformation.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
    engine.background.wait()
    assert status(cloudformation) == "UPDATE_COMPLETE"
    assert "new" in topics(world)
    assert "old" not in topics(world)


def test_a_change_set_without_changes_fails(engine: Engine, cloudformation: Any) -> None:
    engine.deploy(PROD, HOME, "app", template(A=topic()))
    change_set = changes(cloudformation, template(A=topic()))
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert change_set["StatusReason"].startswith("The submitted information didn't contain changes.")
    assert refused(cloudformation, "execute_change_set", ChangeSetName="c", StackName="app")[0] == (
        "InvalidChangeSetStatus"
    )
    cloudformation.delete_change_set(ChangeSetName="c", StackName="app")
    assert refused(cloudformation, "describe_change_set", ChangeSetName="c", StackName="app")[0] == (
        "ChangeSetNotFound"
    )


def test_what_is_refused(engine: Engine, cloudformation: Any) -> None:
    body = template(A=topic())
    create = {"StackName": "app", "ChangeSetName": "c", "TemplateBody": body}
    assert refused(cloudformation, "create_change_set", **create)[1] == "Stack [app] does not exist"
    engine.deploy(PROD, HOME, "app", body)
    assert (
        "already exists" in refused(cloudformation, "create_change_set", ChangeSetType="CREATE", **create)[1]
    )
    changes(cloudformation, template(A=topic(DisplayName="x")))
    assert refused(cloudformation, "create_change_set", **create)[0] == "AlreadyExistsException"
    waiting = cloudformation.get_waiter("change_set_create_complete")
    waiting.wait(StackName="app", ChangeSetName="c", WaiterConfig={"Delay": 0.02})


def test_executing_one_change_set_removes_the_others(engine: Engine, cloudformation: Any) -> None:
    engine.deploy(PROD, HOME, "app", template(A=topic()))
    cloudformation.create_change_set(
        StackName="app", ChangeSetName="other", TemplateBody=template(A=topic(DisplayName="y"))
    )
    changes(cloudformation, template(A=topic(DisplayName="x")))
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    assert cloudformation.list_change_sets(StackName="app")["Summaries"] == []


def test_existing_resources_are_adopted(world: World, engine: Engine, cloudformation: Any) -> None:
    logs = world.client("logs", PROD, HOME)
    logs.create_log_group(logGroupName="/kept")
    logs.create_log_stream(logGroupName="/kept", logStreamName="old")
    group = resource("AWS::Logs::LogGroup", LogGroupName="/kept", RetentionInDays=90, attributes=RETAINED)
    body = template(Group=group, New=topic())
    change_set = changes(cloudformation, body, "CREATE", ImportExistingResources=True)
    assert sorted(summary(change_set)) == [("Add", "New", None), ("Import", "Group", None)]
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    assert status(cloudformation) == "CREATE_COMPLETE"
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 90
    streams = logs.describe_log_streams(logGroupName="/kept")["logStreams"]
    assert [each["logStreamName"] for each in streams] == ["old"]


@pytest.mark.parametrize(
    ("group", "adopts"),
    [
        (resource("AWS::Logs::LogGroup", LogGroupName="/kept", attributes=RETAINED), False),
        (resource("AWS::Logs::LogGroup", LogGroupName="/kept"), True),
        (resource("AWS::Logs::LogGroup", LogGroupName={"Fn::Sub": "/kept"}, attributes=RETAINED), True),
    ],
    ids=["not asked", "not retained", "no literal name"],
)
def test_nothing_else_is_adopted(
    world: World, engine: Engine, cloudformation: Any, group: dict[str, Any], adopts: bool
) -> None:
    world.client("logs", PROD, HOME).create_log_group(logGroupName="/kept")
    changes(cloudformation, template(Group=group), "CREATE", ImportExistingResources=adopts)
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    assert status(cloudformation) == "ROLLBACK_COMPLETE"
    assert groups(world) == ["/kept"]


def test_what_another_stack_has_is_not_adopted(engine: Engine, cloudformation: Any) -> None:
    body = template(Group=resource("AWS::Logs::LogGroup", LogGroupName="/kept", attributes=RETAINED))
    owner = engine.deploy(PROD, HOME, "owner", body)
    changes(cloudformation, body, "CREATE", ImportExistingResources=True, OnStackFailure="DELETE")
    stack = engine.register.get(PROD, HOME, "app")
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    assert stack.status == "DELETE_COMPLETE"
    assert f"/kept already exists in stack {owner.id}" in stack.failure


def test_what_a_deleted_stack_retained_is_adopted_again(
    world: World, engine: Engine, cloudformation: Any
) -> None:
    body = template(
        Box=resource("AWS::S3::Bucket", BucketName="orgmon-logs", attributes=RETAINED),
        Key=resource("AWS::KMS::Key"),
        Topic=topic(TopicName="soc", attributes=RETAINED),
    )
    engine.deploy(PROD, HOME, "app", body)
    world.client("s3", PROD, HOME).put_object(Bucket="orgmon-logs", Key="log", Body=b"kept")
    engine.delete(PROD, HOME, "app")
    changes(cloudformation, body, "CREATE", ImportExistingResources=True)
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    assert status(cloudformation) == "CREATE_COMPLETE"
    kept = world.client("s3", PROD, HOME).get_object(Bucket="orgmon-logs", Key="log")["Body"].read()
    assert kept == b"kept"
    resources = engine.register.get(PROD, HOME, "app").resources
    assert json.dumps(resources["Box"].properties) == json.dumps({"BucketName": "orgmon-logs"})
