"""Stacks in the sandbox: what is refused at the door, what the API says, many at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.engine import Engine
from orgmon.sandbox.cloudformation.stack import StackRecord
from orgmon.sandbox.world import World

from .conftest import DEV, HOME, PROD
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
    zipped,
)


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
    assert create(template(A=topic()), OnFailure="DELETE", DisableRollback=False) == (
        "ValidationError",
        "You can specify either DisableRollback or OnFailure, but not both.",
    )
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
    resources = cloudformation.describe_stack_resources(PhysicalResourceId=physical)["StackResources"]
    assert {each["StackName"] for each in resources} == {"app"}
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
    assert len(events["StackEvents"]) == 2 + 3 * 60
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
    box = template(A=resource("AWS::S3::Bucket"), B=resource("AWS::S3::Bucket"))
    assert cloudformation.get_template_summary(TemplateBody=box)["ResourceIdentifierSummaries"] == [
        {
            "ResourceType": "AWS::S3::Bucket",
            "LogicalResourceIds": ["A", "B"],
            "ResourceIdentifiers": ["BucketName"],
        }
    ]
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
    engine.background.wait()
    assert topics(world) == ["one", "two"]
    missing = f"https://artifacts.s3.{HOME}.amazonaws.com/nothing.json"
    assert "S3 error" in refused(cloudformation, "create_stack", StackName="c", TemplateURL=missing)[1]
    foreign = refused(cloudformation, "create_stack", StackName="c", TemplateURL="https://example.com/a.json")
    assert foreign == ("ValidationError", "TemplateURL must be a supported URL.")


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
    by_lambda = json.loads(json.dumps(TRUST).replace("events", "lambda"))
    role = resource("AWS::IAM::Role", AssumeRolePolicyDocument=by_lambda)
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


def test_many_stacks_at_once(world: World, engine: Engine) -> None:
    body = template(Topic=topic(), Group=resource("AWS::Logs::LogGroup"), Queue=resource("AWS::SQS::Queue"))

    def deployed(index: int) -> str:
        return engine.deploy((PROD, DEV)[index % 2], HOME, f"s{index}", body).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(deployed, range(24))) == {"CREATE_COMPLETE"}
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
