"""Stack policies: how they are set, and which updates they stop.

The expected answers are AWS's: user guide, "Prevent updates to stack resources"; answers that were recorded in public
test suites; the event of a denied update as public logs have it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import HOME, PROD, Site
from .stacks import refused, template, topic

ALLOW = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
DENY = ALLOW | {"Effect": "Deny"}
INVALID = ("ValidationError", "Error validating stack policy: Invalid stack policy")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


def topics_of(display: str, name: str, **more: Any) -> str:
    """Two topics; one is renamed by ``name``, the other changed by ``display``."""
    return template(Named=topic(TopicName=name), Titled=topic(DisplayName=display), **more)


def made(site: Site, name: str, **members: Any) -> None:
    body = topics_of("one", f"{name}-1")
    site.cloudformation.create_stack(StackName=name, TemplateBody=body, **members)
    site.engine.background.wait()


def updated(site: Site, name: str, body: str, **members: Any) -> tuple[str, dict[str, str]]:
    """How an update ends, and why which resources failed."""
    site.cloudformation.update_stack(StackName=name, TemplateBody=body, **members)
    site.engine.background.wait()
    told = site.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = {
        each["LogicalResourceId"]: each["ResourceStatusReason"]
        for each in told
        if each["ResourceStatus"] == "UPDATE_FAILED"
    }
    status = site.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    return status, failed


def test_a_policy_is_set_changed_and_taken_away(site: Site) -> None:
    made(site, "lifecycle")
    get = site.cloudformation.get_stack_policy
    assert "StackPolicyBody" not in get(StackName="lifecycle")
    for body in (policy(ALLOW), policy(DENY), "{}"):
        site.cloudformation.set_stack_policy(StackName="lifecycle", StackPolicyBody=body)
        assert get(StackName="lifecycle")["StackPolicyBody"] == body
    assert updated(site, "lifecycle", topics_of("two", "lifecycle-2")) == ("UPDATE_COMPLETE", {})


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        '{"Statement": ["x"]}',
        policy(DENY | {"Principal": "somebody"}),
        policy(DENY | {"Action": "Delete:*"}),
        policy(DENY | {"Effect": "Refuse"}),
        policy(DENY | {"Condition": {"Bool": {"ResourceType": "x"}}}),
        policy(DENY | {"Condition": {"StringEquals": {"Account": "x"}}}),
        policy(DENY | {"Resource": {"a": "b"}}),
    ],
)
def test_what_is_no_policy_is_refused(site: Site, body: str) -> None:
    if site.engine.register.find(PROD, HOME, "valid") is None:
        site.engine.deploy(PROD, HOME, "valid", template(A=topic()))
    assert (
        refused(site.cloudformation, "set_stack_policy", StackName="valid", StackPolicyBody=body) == INVALID
    )


def test_a_policy_comes_by_a_body_or_a_url(site: Site) -> None:
    made(site, "by-url")
    s3 = site.world.client("s3", PROD, HOME)
    s3.create_bucket(Bucket="policies", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_object(Bucket="policies", Key="p.json", Body=policy(DENY))
    url = f"https://policies.s3.{HOME}.amazonaws.com/p.json"
    both = {"StackName": "by-url", "StackPolicyURL": url, "StackPolicyBody": policy(ALLOW)}
    assert refused(site.cloudformation, "set_stack_policy", **both) == (
        "ValidationError",
        "You cannot specify both StackPolicyURL and StackPolicyBody",
    )
    site.cloudformation.set_stack_policy(StackName="by-url", StackPolicyURL=url)
    assert site.cloudformation.get_stack_policy(StackName="by-url")["StackPolicyBody"] == policy(DENY)
    assert refused(site.cloudformation, "set_stack_policy", StackName="nobody", StackPolicyBody="{}")[0] == (
        "ValidationError"
    )


def test_a_denied_update_fails_and_goes_back(site: Site) -> None:
    made(site, "denied", StackPolicyBody=policy(DENY))
    status, failed = updated(site, "denied", topics_of("two", "denied-1"))
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert failed == {
        "Titled": "Action denied by stack policy: Statement [#1] does not allow [Update:*] for resource [*];"
    }
    listed = site.cloudformation.describe_stack_resources(StackName="denied")["StackResources"]
    statuses = {each["LogicalResourceId"]: each["ResourceStatus"] for each in listed}
    assert statuses == {"Named": "CREATE_COMPLETE", "Titled": "UPDATE_COMPLETE"}


@pytest.mark.parametrize(
    ("statements", "stopped"),
    [
        ([ALLOW], []),
        ([DENY | {"Resource": "LogicalResourceId/Named"}, ALLOW], ["Named"]),
        ([ALLOW, DENY], ["Named"]),
        ([ALLOW | {"Action": "Update:Modify"}], ["Named"]),
        ([ALLOW, DENY | {"Action": "Update:Replace"}], ["Named"]),
        ([ALLOW, DENY | {"Action": ["Update:Modify", "Update:Delete"]}], ["Titled"]),
        ([ALLOW, DENY | {"NotAction": "Update:Replace", "Action": []}], []),
        ([ALLOW, DENY | {"Resource": "LogicalResourceId/Na*"}], ["Named"]),
        ([ALLOW, DENY | {"Resource": "LogicalResourceId/Other"}], []),
        ([ALLOW | {"Resource": "LogicalResourceId/Named"}], ["Titled"]),
        ([ALLOW, DENY | {"Condition": {"StringEquals": {"ResourceType": ["AWS::SNS::Topic"]}}}], ["Named"]),
        ([ALLOW, DENY | {"Condition": {"StringLike": {"ResourceType": "AWS::S3::*"}}}], []),
        ([ALLOW, {key: DENY[key] for key in DENY if key != "Resource"}], []),
    ],
)
def test_what_a_policy_stops(site: Site, statements: list[dict[str, Any]], stopped: list[str]) -> None:
    name = f"stops-{abs(hash(json.dumps(statements)))}"
    made(site, name, StackPolicyBody=policy(*statements))
    status, failed = updated(site, name, topics_of("two", f"{name}-2"))
    assert list(failed) == stopped
    assert status == ("UPDATE_ROLLBACK_COMPLETE" if stopped else "UPDATE_COMPLETE")


def test_a_removal_is_stopped_before_anything_is_done(site: Site) -> None:
    made(site, "removal", StackPolicyBody=policy(ALLOW, DENY | {"Action": "Update:Delete"}))
    status, failed = updated(site, "removal", template(Titled=topic(DisplayName="two")))
    assert (status, list(failed)) == ("UPDATE_ROLLBACK_COMPLETE", ["Named"])
    told = site.cloudformation.describe_stack_events(StackName="removal")["StackEvents"]
    assert [each["LogicalResourceId"] for each in told if each["ResourceStatus"] == "UPDATE_IN_PROGRESS"] == [
        "removal"
    ]


def test_what_an_update_brings_holds_for_what_comes_after(site: Site) -> None:
    made(site, "brought")
    update = {"body": topics_of("two", "brought-1"), "StackPolicyBody": policy(DENY)}
    assert updated(site, "brought", **update) == ("UPDATE_COMPLETE", {})
    assert updated(site, "brought", topics_of("three", "brought-1"))[0] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_policy_for_one_update_alone(site: Site) -> None:
    made(site, "during", StackPolicyBody=policy(DENY))
    body = topics_of("two", "during-1")
    assert updated(site, "during", body, StackPolicyDuringUpdateBody=policy(ALLOW)) == ("UPDATE_COMPLETE", {})
    assert site.cloudformation.get_stack_policy(StackName="during")["StackPolicyBody"] == policy(DENY)


def test_a_change_set_is_stopped_as_well_and_a_deletion_is_not(site: Site) -> None:
    made(site, "change-set", StackPolicyBody=policy(DENY))
    body = topics_of("two", "change-set-1")
    site.cloudformation.create_change_set(StackName="change-set", ChangeSetName="c", TemplateBody=body)
    site.engine.background.wait()
    site.cloudformation.execute_change_set(StackName="change-set", ChangeSetName="c")
    site.engine.background.wait()
    stack = site.engine.register.get(PROD, HOME, "change-set")
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE"
    site.engine.delete(PROD, HOME, "change-set")
    assert stack.status == "DELETE_COMPLETE"
