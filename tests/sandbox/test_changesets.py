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


def test_a_change_set_whose_conditions_are_all_false_makes_an_empty_stack(
    engine: Engine, cloudformation: Any
) -> None:
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}}
    body = template(A=topic(attributes={"Condition": "Never"}), conditions=conditions)
    change_set = changes(cloudformation, body, "CREATE")
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert change_set["Changes"] == []
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    assert status(cloudformation) == "CREATE_COMPLETE"
    assert cloudformation.describe_stack_resources(StackName="app")["StackResources"] == []


def test_an_executed_change_set_is_found_by_its_arn_alone(engine: Engine, cloudformation: Any) -> None:
    made = changes(cloudformation, template(A=topic()), "CREATE")
    cloudformation.execute_change_set(ChangeSetName="c", StackName="app")
    engine.background.wait()
    gone = ("ChangeSetNotFound", "ChangeSet [c] does not exist")
    for operation in ("describe_change_set", "execute_change_set"):
        assert refused(cloudformation, operation, ChangeSetName="c", StackName="app") == gone
    assert cloudformation.list_change_sets(StackName="app")["Summaries"] == []
    again = changes(cloudformation, template(A=topic(DisplayName="x")))
    assert again["ChangeSetName"] == "c"
    cloudformation.delete_stack(StackName="app")
    engine.background.wait()
    done = cloudformation.describe_change_set(ChangeSetName=made["ChangeSetId"])
    assert (done["Status"], done["ExecutionStatus"]) == ("CREATE_COMPLETE", "EXECUTE_COMPLETE")
    failing = changes(
        cloudformation, template(A=resource("AWS::SQS::Queue", QueueName="bad name!")), "CREATE"
    )
    cloudformation.execute_change_set(ChangeSetName=failing["ChangeSetId"])
    engine.background.wait()
    done = cloudformation.describe_change_set(ChangeSetName=failing["ChangeSetId"])
    assert done["ExecutionStatus"] == "EXECUTE_FAILED"


def test_a_change_set_is_overtaken_by_another_operation(engine: Engine, cloudformation: Any) -> None:
    made = changes(cloudformation, template(A=topic()), "CREATE")
    cloudformation.create_stack(StackName="app", TemplateBody=template(A=topic()))
    engine.background.wait()
    assert status(cloudformation) == "CREATE_COMPLETE"
    assert cloudformation.describe_stacks(StackName="app")["Stacks"][0]["StackId"] == made["StackId"]
    told = cloudformation.describe_change_set(ChangeSetName=made["ChangeSetId"])
    assert (told["Status"], told["ExecutionStatus"]) == ("CREATE_COMPLETE", "OBSOLETE")
    made = changes(cloudformation, template(A=topic(DisplayName="x")))
    cloudformation.update_stack(StackName="app", TemplateBody=template(A=topic(DisplayName="y")))
    engine.background.wait()
    assert refused(cloudformation, "execute_change_set", ChangeSetName=made["ChangeSetId"])[0] == (
        "InvalidChangeSetStatus"
    )


def test_change_sets_of_what_is_not_there(engine: Engine, cloudformation: Any) -> None:
    missing = ("ValidationError", "Stack [nostack] does not exist")
    for operation in ("describe_change_set", "delete_change_set", "execute_change_set"):
        named = {"StackName": "nostack", "ChangeSetName": "c"}
        assert refused(cloudformation, operation, **named) == missing
        assert refused(cloudformation, operation, ChangeSetName="c") == (
            "ValidationError",
            "StackName must be specified if ChangeSetName is not specified as an ARN.",
        )
    stack = engine.deploy(PROD, HOME, "app", template(A=topic()))
    again = {"StackName": stack.id, "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": "{}"}
    engine.delete(PROD, HOME, "app")
    assert refused(cloudformation, "create_change_set", **again) == (
        "ValidationError",
        f"Stack [{stack.id}] already exists and cannot be created again with the changeSet [c].",
    )
    changes(cloudformation, template(A=topic()), "CREATE")
    cloudformation.delete_change_set(StackName="app", ChangeSetName="gone")


def details(change_set: dict[str, Any], logical_id: str) -> list[tuple[str, str, str, str, str]]:
    """Property, need of a new resource, source, cause and evaluation of each detail of a change."""
    change = next(
        each["ResourceChange"]
        for each in change_set["Changes"]
        if each["ResourceChange"]["LogicalResourceId"] == logical_id
    )
    return sorted(
        (
            each["Target"].get("Name", ""),
            each["Target"]["RequiresRecreation"],
            each["ChangeSource"],
            each.get("CausingEntity", ""),
            each["Evaluation"],
        )
        for each in change["Details"]
    )


def test_details_name_what_causes_a_change(engine: Engine, cloudformation: Any) -> None:
    """As recorded of AWS: a parameter, a resource that is replaced, an attribute, the template itself."""

    def body(title: str, name: str = "old") -> str:
        return template(
            {"Name": {"Type": "String", "Default": name}},
            Direct=topic(DisplayName=title),
            Named=topic(TopicName={"Ref": "Name"}),
            ByName=topic(DisplayName={"Ref": "Named"}),
            ByTitle=topic(DisplayName={"Fn::GetAtt": ["Direct", "DisplayName"]}),
            ByChain=topic(DisplayName={"Fn::Select": [0, [{"Fn::GetAtt": ["ByTitle", "DisplayName"]}]]}),
            ByOther=topic(TopicName={"Fn::Sub": "x-${Direct.DisplayName}"}),
        )

    engine.deploy(PROD, HOME, "app", body("one"))
    change_set = changes(cloudformation, body("two", "new"))
    assert details(change_set, "Direct") == [("DisplayName", "Never", "DirectModification", "", "Static")]
    assert details(change_set, "Named") == [
        ("TopicName", "Always", "DirectModification", "", "Dynamic"),
        ("TopicName", "Always", "ParameterReference", "Name", "Static"),
    ]
    assert details(change_set, "ByName") == [("DisplayName", "Never", "ResourceReference", "Named", "Static")]
    for logical_id, cause in (("ByTitle", "Direct.DisplayName"), ("ByChain", "ByTitle.DisplayName")):
        assert details(change_set, logical_id) == [
            ("DisplayName", "Never", "ResourceAttribute", cause, "Dynamic")
        ]
    replaced = {logical_id: replacement for _, logical_id, replacement in summary(change_set)}
    assert replaced == {
        "Direct": "False",
        "Named": "True",
        "ByName": "False",
        "ByTitle": "False",
        "ByChain": "False",
        "ByOther": "Conditional",
    }

    told = cloudformation.describe_change_set(StackName="app", ChangeSetName="c", IncludePropertyValues=True)
    by_id = {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in told["Changes"]}
    # What is only read from a topic that stays is not known to change.
    assert set(by_id) == {"Direct", "Named", "ByName"}
    assert json.loads(by_id["Named"]["BeforeContext"]) == {"Properties": {"TopicName": "old"}}
    assert json.loads(by_id["Named"]["AfterContext"]) == {"Properties": {"TopicName": "new"}}
    later = "{{changeSet:KNOWN_AFTER_APPLY}}"
    assert json.loads(by_id["ByName"]["AfterContext"]) == {"Properties": {"DisplayName": later}}
    (detail,) = by_id["Direct"]["Details"]
    assert detail["Target"] == {
        "Attribute": "Properties",
        "Name": "DisplayName",
        "Path": "/Properties/DisplayName",
        "RequiresRecreation": "Never",
        "AttributeChangeType": "Modify",
        "BeforeValue": "one",
        "AfterValue": "two",
    }
    assert len(details(told, "ByName")) == 2


def test_values_are_told_of_what_comes_and_goes_but_secrets_are_not(
    engine: Engine, cloudformation: Any
) -> None:
    pin = {"Pin": {"Type": "String", "NoEcho": True, "Default": "1234"}}
    engine.deploy(PROD, HOME, "app", template(Old=topic(DisplayName="old")))
    secret = topic(DisplayName={"Fn::Sub": "pin ${Pin}"})
    made = changes(cloudformation, template(pin, New=secret))
    assert "AfterContext" not in made["Changes"][0]["ResourceChange"]
    told = cloudformation.describe_change_set(ChangeSetName=made["ChangeSetId"], IncludePropertyValues=True)[
        "Changes"
    ]
    contexts = {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in told}
    assert json.loads(contexts["New"]["AfterContext"]) == {"Properties": {"DisplayName": "pin ****"}}
    assert json.loads(contexts["Old"]["BeforeContext"]) == {"Properties": {"DisplayName": "old"}}
    assert "1234" not in json.dumps(told)


def test_a_change_set_has_its_own_template(engine: Engine, cloudformation: Any) -> None:
    engine.deploy(PROD, HOME, "app", template(A=topic()))
    made = changes(cloudformation, template(A=topic(DisplayName="x")))
    for named in ({"StackName": "app", "ChangeSetName": "c"}, {"ChangeSetName": made["ChangeSetId"]}):
        body = cloudformation.get_template(**named)["TemplateBody"]
        assert body == json.loads(template(A=topic(DisplayName="x")))
    assert cloudformation.get_template(StackName="app")["TemplateBody"] == json.loads(template(A=topic()))


def test_tags_of_the_stack_change_its_resources(engine: Engine, cloudformation: Any) -> None:
    engine.deploy(PROD, HOME, "app", template(A=topic()))
    change_set = changes(cloudformation, template(A=topic()), Tags=[{"Key": "team", "Value": "soc"}])
    (change,) = [each["ResourceChange"] for each in change_set["Changes"]]
    assert (change["LogicalResourceId"], change["Scope"], change["Replacement"]) == ("A", ["Tags"], "False")


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
