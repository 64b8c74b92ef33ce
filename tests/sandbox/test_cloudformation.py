"""Stacks in the sandbox: what is accepted, what fails and rolls back, what the API says about it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from orgmon.sandbox import repairs
from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation import install
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.intrinsics import Resolver
from orgmon.sandbox.cloudformation.parameters import settle
from orgmon.sandbox.cloudformation.stack import StackRecord
from orgmon.sandbox.cloudformation.template import parse
from orgmon.sandbox.world import World

from .conftest import DEV, HOME, PROD

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def resource(kind: str, *, attributes: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A resource of a template; ``attributes`` are those beside Type and Properties."""
    return {"Type": kind, "Properties": properties, **(attributes or {})}


def topic(*, attributes: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """A topic, the resource that is quickest to make."""
    return resource("AWS::SNS::Topic", attributes=attributes, **properties)


def template(_parameters: dict[str, Any] | None = None, **sections: Any) -> str:
    """A template as JSON; sections in small letters, resources by name."""
    names = {"conditions": "Conditions", "mappings": "Mappings", "outputs": "Outputs"}
    body: dict[str, Any] = {names[key]: sections.pop(key) for key in list(sections) if key in names}
    body["Resources"] = sections
    if _parameters:
        body["Parameters"] = _parameters
    return json.dumps(body)


@pytest.fixture
def engine(world: World) -> Iterator[Engine]:
    """CloudFormation of a fresh world."""
    repairs.install(world)
    made = install(world)
    yield made
    made.wait()


@pytest.fixture
def cloudformation(world: World, engine: Engine) -> Any:
    """The administrator's client in the production account."""
    return world.session(PROD).client("cloudformation", region_name=HOME)


def deploy(engine: Engine, body: str, **parameters: str) -> StackRecord:
    """Deploy to the production account; a failed creation leaves the stack."""
    named = ["CAPABILITY_NAMED_IAM"]
    return engine.deploy(PROD, HOME, "app", body, parameters, {}, None, named, on_failure="ROLLBACK")


def refused(cloudformation: Any, operation: str, **members: Any) -> tuple[str, str]:
    """Code and message of the error that the call must end with."""
    with pytest.raises(ClientError) as caught:
        getattr(cloudformation, operation)(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def topics(world: World) -> list[str]:
    """The names of all topics of the production account."""
    found = world.client("sns", PROD, HOME).list_topics()["Topics"]
    return sorted(each["TopicArn"].rsplit(":", 1)[-1] for each in found)


def groups(world: World) -> list[str]:
    """The names of all log groups of the production account."""
    found = world.client("logs", PROD, HOME).describe_log_groups()["logGroups"]
    return sorted(each["logGroupName"] for each in found)


def display_name(world: World, arn: str) -> str:
    """The display name of a topic."""
    answer = world.client("sns", PROD, HOME).get_topic_attributes(TopicArn=arn)
    return str(answer["Attributes"]["DisplayName"])


# -- templates


def test_yaml_short_forms_mean_the_same_as_json() -> None:
    text = """
    Conditions:
      Home: !Equals [!Ref AWS::Region, eu-west-1]
      Both: !And [!Condition Home, !Not [!Equals [a, b]]]
    Resources:
      Topic:
        Type: AWS::SNS::Topic
        Condition: Both
        Properties:
          DisplayName: !Sub "${AWS::StackName}-${Queue.Arn}"
          Tags: [{Key: a, Value: !Join ["-", [!Select [1, !Split [",", "x,y"]], 2012-10-17]]}]
      Queue:
        Type: AWS::SQS::Queue
    Outputs:
      Arn: {Value: !GetAtt Topic.TopicArn}
    """
    parsed = parse(text)
    assert list(parsed.resources) == ["Queue", "Topic"]
    assert parsed.conditions["Both"] == {
        "Fn::And": [{"Condition": "Home"}, {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}]
    }
    assert parsed.outputs["Arn"]["Value"] == {"Fn::GetAtt": ["Topic", "TopicArn"]}
    assert parse(text) is parsed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", "At least one Resources member must be defined"),
        ("{", "JSON not well-formed"),
        ("a: [", "YAML not well-formed"),
        ("just text", "unsupported structure"),
        (json.dumps({"Resources": {"A": topic()}, "Recources": {}}), "[Recources]"),
        (json.dumps({"Resources": {"A": {"Properties": {}}}}), "must contain a Type member"),
        (json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic", "Propreties": {}}}}), "'Propreties'"),
        (template(A=topic(DisplayName={"Ref": "Nobody"})), "Unresolved resource dependencies [Nobody]"),
        (template(A=topic(DisplayName={"Fn::Sub": "${Nobody.Arn}"})), "dependencies [Nobody]"),
        (template(A=topic(attributes={"Condition": "Never"})), "Unresolved condition dependency Never"),
        (template(A=topic(DisplayName={"Fn::If": ["Never", "a", "b"]})), "condition dependency Never"),
        (template(A=topic(), outputs={"O": {"Value": {"Ref": "B"}}}), "[B] in the Outputs block"),
        (
            template(A=topic(DisplayName={"Ref": "B"}), B=topic(attributes={"DependsOn": "A"})),
            "Circular dependency between resources: [A, B]",
        ),
    ],
)
def test_malformed_templates_are_refused(body: str, message: str) -> None:
    with pytest.raises(Refusal, match="ValidationError") as caught:
        parse(body)
    assert message in caught.value.message


def resolved(node: Any, **values: Any) -> Any:
    """The value of a node in a stack that has the parameters ``values``."""
    body = parse(
        template(
            A=topic(),
            mappings={"M": {"a": {"x": "1", "y": [2]}}},
            conditions={"C": {"Fn::Equals": ["a", "a"]}},
        )
    )
    known = {"AWS::Region": "eu-west-1", **values}
    resolver = Resolver(body, known, lambda name: f"ref-{name}", lambda name, key: f"{name}.{key}", str)
    return resolver.resolve(node)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "P"}, "p"),
        ({"Ref": "A"}, "ref-A"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "A.Arn"),
        ({"Fn::GetAtt": "A.Nested.Arn"}, "A.Nested.Arn"),
        ({"Fn::Sub": "${P}-${A}-${A.Arn}-${!Literal}-${AWS::Region}"}, "p-ref-A-A.Arn-${Literal}-eu-west-1"),
        ({"Fn::Sub": ["${P}${X}", {"X": {"Ref": "P"}}]}, "pp"),
        ({"Fn::Join": ["/", ["a", {"Ref": "P"}, 3, True]]}, "a/p/3/true"),
        ({"Fn::Select": [1, {"Fn::Split": ["|", "a|b"]}]}, "b"),
        ({"Fn::If": ["C", 1, 2]}, 1),
        ({"a": {"Fn::If": ["C", {"Ref": "AWS::NoValue"}, 2]}, "b": [{"Ref": "AWS::NoValue"}]}, {"b": []}),
        ({"Fn::FindInMap": ["M", "a", "y"]}, [2]),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Or": [{"Fn::Equals": ["1", 1]}, {"Fn::Equals": ["a", "b"]}]}, True),
        ({"Fn::And": [{"Fn::Equals": ["1", 1]}, {"Fn::Equals": ["a", "b"]}]}, False),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_intrinsic_functions(node: Any, value: Any) -> None:
    assert resolved(node, P="p") == value


@given(
    st.recursive(
        st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner),
    )
)
def test_what_is_no_function_stays_as_it_is(node: Any) -> None:
    assert resolved(node) == node


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[0-9]{12}"}, "1234", "must match pattern [0-9]{12}"),
        (
            {"Type": "String", "AllowedPattern": "a+", "ConstraintDescription": "only a"},
            "b",
            "failed to satisfy constraint: only a",
        ),
        ({"Type": "String", "MinLength": 3}, "ab", "at least 3 characters"),
        ({"Type": "Number", "MaxValue": 5}, "6", "not greater than 5"),
        ({"Type": "Number"}, "six", "must be a number"),
        ({"Type": "String"}, "x" * 4097, "exceeds 4096 bytes"),
    ],
)
def test_unfitting_parameters_are_refused(declared: dict[str, Any], value: str | None, message: str) -> None:
    entries = [{"ParameterKey": "P", "ParameterValue": value}] if value is not None else []
    with pytest.raises(Refusal) as caught:
        settle({"P": declared}, entries, None)
    assert message in caught.value.message


def test_previous_values_are_kept_only_when_asked() -> None:
    declared = {"P": {"Type": "String", "Default": "d"}}
    assert settle(declared, [{"ParameterKey": "P", "UsePreviousValue": True}], {"P": "old"}) == {"P": "old"}
    assert settle(declared, [], {"P": "old"}) == {"P": "d"}


def test_an_undeclared_parameter_is_refused() -> None:
    with pytest.raises(Refusal, match=r"Parameters: \[X\] do not exist in the template"):
        settle({}, [{"ParameterKey": "X", "ParameterValue": "1"}], None)


# -- at the door


def test_what_aws_refuses_at_the_door(cloudformation: Any) -> None:
    def create(body: str, **members: Any) -> tuple[str, str]:
        return refused(cloudformation, "create_stack", StackName="app", TemplateBody=body, **members)

    role = resource("AWS::IAM::Role", RoleName="r", AssumeRolePolicyDocument=TRUST)
    assert create(template(A=resource("AWS::Foo::Bar"))) == (
        "ValidationError",
        "Template format error: Unrecognized resource types: [AWS::Foo::Bar]",
    )
    assert create(template(A=role)) == (
        "InsufficientCapabilitiesException",
        "Requires capabilities : [CAPABILITY_NAMED_IAM]",
    )
    assert create(template(A=role), Capabilities=["CAPABILITY_IAM"])[0] == "InsufficientCapabilitiesException"
    assert "less than or equal to 51200" in create(template(A=topic(DisplayName="x" * 52_000)))[1]
    assert (
        "does not support attribute type Nope"
        in create(template(A=topic(), B=topic(DisplayName={"Fn::GetAtt": ["A", "Nope"]})))[1]
    )
    assert (
        "No transform named AWS::Serverless"
        in create(json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"A": topic()}}))[1]
    )
    assert create(template(A=topic()), Tags=[{"Key": "aws:x", "Value": "1"}])[0] == "ValidationError"
    assert (
        refused(cloudformation, "create_stack", StackName="1app", TemplateBody=template(A=topic()))[0]
        == "ValidationError"
    )
    assert cloudformation.list_stacks()["StackSummaries"] == []


def test_names_are_unique_and_unknown_ones_said(cloudformation: Any, engine: Engine) -> None:
    cloudformation.create_stack(StackName="app", TemplateBody=template(A=topic()))
    code, message = refused(cloudformation, "create_stack", StackName="app", TemplateBody=template(A=topic()))
    assert (code, message) == ("AlreadyExistsException", "Stack [app] already exists")
    expected = ("ValidationError", "Stack with id nobody does not exist")
    assert refused(cloudformation, "describe_stacks", StackName="nobody") == expected
    assert (
        refused(cloudformation, "update_stack", StackName="nobody", TemplateBody=template(A=topic()))[0]
        == "ValidationError"
    )
    cloudformation.delete_stack(StackName="nobody")


def test_other_accounts_and_regions_do_not_see_a_stack(world: World, engine: Engine) -> None:
    stack = deploy(engine, template(A=topic()))
    for account, region in ((DEV, HOME), (PROD, "us-east-1")):
        client = world.session(account).client("cloudformation", region_name=region)
        assert client.describe_stacks()["Stacks"] == []
        assert refused(client, "describe_stacks", StackName=stack.id)[0] == "ValidationError"


# -- life over the wire


def test_a_stack_lives_over_the_wire(world: World, engine: Engine, cloudformation: Any) -> None:
    engine.pace = 0.05
    parameters = {"Name": {"Type": "String", "Default": "soc"}, "Pin": {"Type": "String", "NoEcho": True}}
    body = template(
        parameters,
        Topic=topic(DisplayName={"Ref": "Name"}),
        Queue=resource("AWS::SQS::Queue"),
        outputs={
            "Arn": {"Value": {"Ref": "Topic"}, "Description": "where alerts go", "Export": {"Name": "alerts"}}
        },
    )
    made = cloudformation.create_stack(
        StackName="app",
        TemplateBody=body,
        Parameters=[{"ParameterKey": "Pin", "ParameterValue": "1234"}],
        Tags=[{"Key": "team", "Value": "soc"}],
    )
    assert cloudformation.describe_stacks(StackName="app")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    update = {"StackName": "app", "TemplateBody": template(Topic=topic())}
    assert "is in CREATE_IN_PROGRESS state" in refused(cloudformation, "update_stack", **update)[1]
    wait(cloudformation, "stack_create_complete")

    described = cloudformation.describe_stacks(StackName="app")["Stacks"][0]
    assert described["StackId"] == made["StackId"]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    values = {each["ParameterKey"]: each["ParameterValue"] for each in described["Parameters"]}
    assert values == {"Name": "soc", "Pin": "****"}
    output = described["Outputs"][0]
    assert (output["OutputKey"], output["Description"], output["ExportName"]) == (
        "Arn",
        "where alerts go",
        "alerts",
    )
    assert display_name(world, output["OutputValue"]) == "soc"
    tags = world.client("sns", PROD, HOME).list_tags_for_resource(ResourceArn=output["OutputValue"])["Tags"]
    assert tags == [{"Key": "team", "Value": "soc"}]

    listed = cloudformation.list_stack_resources(StackName="app")["StackResourceSummaries"]
    assert {each["LogicalResourceId"]: each["ResourceStatus"] for each in listed} == {
        "Queue": "CREATE_COMPLETE",
        "Topic": "CREATE_COMPLETE",
    }
    physical = next(each["PhysicalResourceId"] for each in listed if each["LogicalResourceId"] == "Topic")
    assert physical.rsplit(":", 1)[-1].startswith("app-Topic-")
    found = cloudformation.describe_stack_resources(PhysicalResourceId=physical)["StackResources"]
    assert {each["StackName"] for each in found} == {"app"}
    detail = cloudformation.describe_stack_resource(StackName="app", LogicalResourceId="Topic")
    assert detail["StackResourceDetail"]["PhysicalResourceId"] == physical
    assert cloudformation.get_template(StackName="app")["TemplateBody"] == json.loads(body)
    exports = cloudformation.list_exports()["Exports"]
    assert [(each["Name"], each["Value"]) for each in exports] == [("alerts", physical)]

    cloudformation.delete_stack(StackName="app")
    wait(cloudformation, "stack_delete_complete")
    assert topics(world) == []
    assert cloudformation.describe_stacks()["Stacks"] == []
    assert (
        cloudformation.describe_stacks(StackName=made["StackId"])["Stacks"][0]["StackStatus"]
        == "DELETE_COMPLETE"
    )
    gone = cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert [each["StackName"] for each in gone] == ["app"]


def wait(cloudformation: Any, name: str) -> None:
    """Let boto3's own waiter wait, quickly."""
    cloudformation.get_waiter(name).wait(StackName="app", WaiterConfig={"Delay": 0.02, "MaxAttempts": 500})


def test_lists_come_in_pages(engine: Engine, cloudformation: Any) -> None:
    for index in range(3):
        body = (
            template(**{f"T{number}": topic() for number in range(60)}) if index == 0 else template(A=topic())
        )
        engine.deploy(PROD, HOME, f"s{index}", body)
    first = cloudformation.describe_stack_events(StackName="s0")
    assert len(first["StackEvents"]) == 100
    events = (
        cloudformation.get_paginator("describe_stack_events").paginate(StackName="s0").build_full_result()
    )
    assert len(events["StackEvents"]) == 2 + 2 * 60
    newest, oldest = events["StackEvents"][0], events["StackEvents"][-1]
    assert (newest["ResourceStatus"], oldest["ResourceStatus"]) == ("CREATE_COMPLETE", "CREATE_IN_PROGRESS")
    assert (
        len(cloudformation.get_paginator("list_stacks").paginate().build_full_result()["StackSummaries"]) == 3
    )


def test_summary_and_validation_of_a_template(cloudformation: Any) -> None:
    role = resource("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)
    body = template(
        {"Env": {"Type": "String", "Default": "prod", "AllowedValues": ["prod", "dev"]}}, Role=role, T=topic()
    )
    summary = cloudformation.get_template_summary(TemplateBody=body)
    assert summary["Capabilities"] == ["CAPABILITY_IAM"]
    assert summary["ResourceTypes"] == ["AWS::IAM::Role", "AWS::SNS::Topic"]
    assert summary["Parameters"][0]["ParameterConstraints"] == {"AllowedValues": ["prod", "dev"]}
    assert cloudformation.validate_template(TemplateBody=body)["Parameters"][0]["DefaultValue"] == "prod"
    assert refused(cloudformation, "validate_template", TemplateBody="{")[0] == "ValidationError"


def test_a_template_is_read_from_the_bucket_by_version(
    world: World, engine: Engine, cloudformation: Any
) -> None:
    s3 = world.client("s3", PROD, HOME)
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="artifacts", Key="t/a.json", Body=template(A=topic(TopicName="one")))
    s3.put_object(Bucket="artifacts", Key="t/a.json", Body=template(A=topic(TopicName="two")))
    pinned = f"https://artifacts.s3.{HOME}.amazonaws.com/t/a.json?versionId={first['VersionId']}"
    cloudformation.create_stack(StackName="app", TemplateURL=pinned)
    latest = f"https://s3.{HOME}.amazonaws.com/artifacts/t/a.json"
    cloudformation.create_stack(StackName="other", TemplateURL=latest)
    engine.wait()
    assert topics(world) == ["one", "two"]
    missing = f"https://artifacts.s3.{HOME}.amazonaws.com/nothing.json"
    assert "S3 error" in refused(cloudformation, "create_stack", StackName="c", TemplateURL=missing)[1]
    foreign = refused(cloudformation, "create_stack", StackName="c", TemplateURL="https://example.com/a.json")
    assert foreign == ("ValidationError", "TemplateURL must be a supported URL.")


# -- failures


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
    assert (engine.find(PROD, HOME, "app") is None) == (on_failure == "DELETE")


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


# -- updates


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
    found = world.client("secretsmanager", PROD, HOME).describe_secret(SecretId=secret)
    named = {each["Key"]: each["Value"] for each in found["Tags"]}
    assert named["aws:cloudformation:stack-name"] == "app"
    assert named["aws:cloudformation:logical-id"] == "Secret"
    assert found["Name"].startswith("Secret-")
    assert "app" not in found["Name"]


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


# -- deletion


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
    engine.wait()
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


# -- across accounts, and many at once


def test_a_function_takes_its_code_from_another_accounts_bucket(world: World, engine: Engine) -> None:
    s3 = world.client("s3", DEV, HOME)
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_object(Bucket="artifacts", Key="code.zip", Body=zipped("def handler(event, context): return 1"))
    function = resource(
        "AWS::Lambda::Function",
        Code={"S3Bucket": "artifacts", "S3Key": "code.zip"},
        Handler="index.handler",
        Runtime="python3.12",
        Role={"Fn::GetAtt": ["Role", "Arn"]},
    )
    role = resource("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)
    iam = world.client("iam", PROD, HOME)
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(RoleName="deployer", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    principal = world.role_session(PROD, "deployer", "s")
    body = template(Function=function, Role=role)

    def attempt() -> StackRecord:
        named = ["CAPABILITY_IAM"]
        return engine.deploy(PROD, HOME, "app", body, principal=principal, capabilities=named)

    assert "ResourceLogicalId:Function" in attempt().failure
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{PROD}:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::artifacts/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket="artifacts", Policy=policy)
    stack = attempt()
    assert stack.status == "CREATE_COMPLETE", stack.failure


def zipped(text: str) -> bytes:
    """A zip with ``index.py``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return buffer.getvalue()


def test_many_stacks_at_once(world: World, engine: Engine) -> None:
    body = template(Topic=topic(), Group=resource("AWS::Logs::LogGroup"), Queue=resource("AWS::SQS::Queue"))

    def one(index: int) -> str:
        return engine.deploy((PROD, DEV)[index % 2], HOME, f"s{index}", body).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(24))) == {"CREATE_COMPLETE"}
    assert len(topics(world)) == 12
    assert len(groups(world)) == 12


def test_two_operations_on_one_stack_do_not_overlap(engine: Engine) -> None:
    engine.pace = 0.05
    deploy(engine, template(A=topic()))

    def update(name: str) -> str:
        try:
            return deploy(engine, template(A=topic(DisplayName=name))).status
        except Refusal as problem:
            return problem.message

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(update, ("one", "two")))
    assert "is in UPDATE_IN_PROGRESS state and can not be updated" in results[0]
    assert results[1] == "UPDATE_COMPLETE"
