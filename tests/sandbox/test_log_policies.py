"""Who may write to a log group: ten policies of an account's Region, and one of each group."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox import repairs
from orgmon.sandbox.repairs import log_policies
from orgmon.sandbox.world import World

from .conftest import HOME, PROD

POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
GROUP = f"arn:aws:logs:{HOME}:{PROD}:log-group:/aws/events/x"


@pytest.fixture
def logs(world: World) -> Any:
    """A client of an account with one log group."""
    repairs.install(world)
    client = world.client("logs", PROD, HOME)
    client.create_log_group(logGroupName="/aws/events/x")
    return client


def code_of(call: Any, **members: Any) -> str:
    """The error code of a call that has to fail."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    return str(caught.value.response["Error"]["Code"])


def test_an_account_has_room_for_ten_in_a_region(logs: Any) -> None:
    for number in range(10):
        logs.put_resource_policy(policyName=f"p{number}", policyDocument=POLICY)
    logs.put_resource_policy(policyName="p3", policyDocument=POLICY)
    more = {"policyName": "p10", "policyDocument": POLICY}
    assert code_of(logs.put_resource_policy, **more) == "LimitExceededException"
    # One of a log group does not count.
    logs.put_resource_policy(resourceArn=GROUP, policyDocument=POLICY)


def test_a_policy_has_5120_characters_at_most(logs: Any) -> None:
    longest = POLICY + " " * (5120 - len(POLICY))
    logs.put_resource_policy(policyName="p", policyDocument=longest)
    too_long = {"policyName": "p", "policyDocument": longest + " "}
    assert code_of(logs.put_resource_policy, **too_long) == "InvalidParameterException"


def test_a_group_s_policy_is_changed_by_who_knows_its_revision(logs: Any) -> None:
    first = logs.put_resource_policy(resourceArn=f"{GROUP}:*", policyDocument=POLICY)
    again = {"resourceArn": GROUP, "policyDocument": POLICY}
    assert code_of(logs.put_resource_policy, **again) == "OperationAbortedException"
    second = logs.put_resource_policy(expectedRevisionId=first["revisionId"], **again)
    [shown] = logs.describe_resource_policies(resourceArn=GROUP)["resourcePolicies"]
    assert (shown["policyScope"], shown["revisionId"]) == ("RESOURCE", second["revisionId"])
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    logs.delete_resource_policy(resourceArn=GROUP, expectedRevisionId=second["revisionId"])
    assert code_of(logs.delete_resource_policy, resourceArn=GROUP) == "ResourceNotFoundException"


def test_a_group_s_policy_is_for_that_group_and_goes_with_it(logs: Any, world: World) -> None:
    logs.create_log_group(logGroupName="/aws/events/y")
    logs.put_resource_policy(resourceArn=GROUP, policyDocument=POLICY)
    store = world.store("logs", PROD, HOME)
    assert log_policies.documents(store, "/aws/events/x") == (POLICY,)
    assert log_policies.documents(store, "/aws/events/y") == ()
    logs.delete_log_group(logGroupName="/aws/events/x")
    logs.create_log_group(logGroupName="/aws/events/x")
    assert log_policies.documents(store, "/aws/events/x") == ()


@pytest.mark.parametrize("missing", [{"resourceArn": GROUP.replace("/x", "/z")}, {"policyName": "nobody"}])
def test_what_is_not_there_is_said(logs: Any, missing: dict[str, str]) -> None:
    assert code_of(logs.delete_resource_policy, **missing) == "ResourceNotFoundException"
