"""What DeletionPolicy and UpdateReplacePolicy keep, also where they are functions or the only change.

Sources: user guide, "Intrinsic function references in DeletionPolicy and UpdateReplacePolicy attributes"; recorded
answers of AWS in public test suites; cloudformation-coverage-roadmap issue 1543 (a change of them alone counts).
"""

from __future__ import annotations

from typing import Any

import pytest

from orgmon.sandbox.calls import Refusal
from orgmon.sandbox.cloudformation.stack import StackRecord

from .conftest import HOME, PROD, Site
from .stacks import resource, template, topic, topics

STAGE = {"Stage": {"Type": "String"}}
IS_PROD = {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
BY_CONDITION = {"Fn::If": ["IsProd", "Retain", "Delete"]}


def deploy(site: Site, name: str, body: str, **parameters: str) -> StackRecord:
    return site.engine.deploy(PROD, HOME, name, body, parameters, on_failure="ROLLBACK")


@pytest.mark.parametrize(("stage", "kept"), [("prod", True), ("dev", False)])
def test_a_deletion_policy_by_condition(site: Site, stage: str, kept: bool) -> None:
    name = f"by-condition-{stage}"
    attributes = {"DeletionPolicy": BY_CONDITION}
    body = template(STAGE, conditions=IS_PROD, T=topic(TopicName=name, attributes=attributes))
    deploy(site, name, body, Stage=stage)
    site.engine.delete(PROD, HOME, name)
    assert (name in topics(site.world)) == kept


@pytest.mark.parametrize(("policy", "kept"), [("Retain", True), ("Delete", False)])
def test_a_replace_policy_by_parameter(site: Site, policy: str, kept: bool) -> None:
    name = f"by-parameter-{policy}"

    def body(topic_name: str) -> str:
        attributes = {"UpdateReplacePolicy": {"Ref": "Policy"}}
        return template({"Policy": {"Type": "String"}}, T=topic(TopicName=topic_name, attributes=attributes))

    deploy(site, name, body(f"{name}-1"), Policy=policy)
    deploy(site, name, body(f"{name}-2"), Policy=policy)
    assert (f"{name}-1" in topics(site.world)) == kept


def test_a_policy_that_a_function_keeps_may_be_adopted_again(site: Site) -> None:
    attributes = {"DeletionPolicy": BY_CONDITION}
    group = resource("AWS::Logs::LogGroup", LogGroupName="/by-function", attributes=attributes)
    body = template(STAGE, conditions=IS_PROD, Group=group)
    deploy(site, "adopted", body, Stage="prod")
    site.engine.delete(PROD, HOME, "adopted")
    site.cloudformation.create_change_set(
        StackName="adopted",
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=body,
        ImportExistingResources=True,
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": "prod"}],
    )
    site.engine.background.wait()
    (change,) = site.cloudformation.describe_change_set(StackName="adopted", ChangeSetName="c")["Changes"]
    assert change["ResourceChange"]["Action"] == "Import"


@pytest.mark.parametrize("attribute", ["DeletionPolicy", "UpdateReplacePolicy"])
def test_a_change_of_a_policy_alone_is_an_update(site: Site, attribute: str) -> None:
    name = f"alone-{attribute}"

    def body(policy: str) -> str:
        return template(T=topic(TopicName=name, attributes={attribute: policy}))

    stack = deploy(site, name, body("Delete"))
    seen = len(stack.events)
    site.cloudformation.create_change_set(StackName=name, ChangeSetName="c", TemplateBody=body("Retain"))
    site.engine.background.wait()
    told = site.cloudformation.describe_change_set(StackName=name, ChangeSetName="c")
    change = told["Changes"][0]["ResourceChange"]
    assert (told["Status"], change["Action"], change["Replacement"]) == ("CREATE_COMPLETE", "Modify", "False")
    assert change["Scope"] == [attribute]
    site.cloudformation.update_stack(StackName=name, TemplateBody=body("Retain"))
    site.engine.background.wait()
    assert stack.status == "UPDATE_COMPLETE"
    # Nothing happens to the resource, so nothing is told of it.
    assert {event.logical_id for event in stack.events[seen:]} == {name}
    with pytest.raises(Refusal, match="No updates are to be performed"):
        deploy(site, name, body("Retain"))
    if attribute == "DeletionPolicy":
        site.engine.delete(PROD, HOME, name)
        assert name in topics(site.world)


def test_a_failed_update_takes_policies_back(site: Site) -> None:
    def body(policy: str, **more: Any) -> str:
        return template(T=topic(TopicName="taken-back", attributes={"DeletionPolicy": policy}), **more)

    bad = resource("AWS::SQS::Queue", QueueName="bad name!", attributes={"DependsOn": "T"})
    deploy(site, "taken-back", body("Delete"))
    assert deploy(site, "taken-back", body("Retain", Bad=bad)).status == "UPDATE_ROLLBACK_COMPLETE"
    site.engine.delete(PROD, HOME, "taken-back")
    assert "taken-back" not in topics(site.world)


def test_only_what_can_be_a_snapshot_may_ask_for_one(site: Site) -> None:
    with pytest.raises(
        Refusal, match="resource type AWS::SNS::Topic does not support deletion policy Snapshot"
    ):
        deploy(site, "snapshot", template(T=topic(attributes={"DeletionPolicy": "Snapshot"})))
