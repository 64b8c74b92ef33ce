"""Log groups and metric filters as AWS describes them, page by page, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import PROD
from tests.sandbox.services import client, document

TRANSFORMATION = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}


def put_filter(logs: Any, group: str, name: str) -> None:
    """A metric filter that counts a word."""
    logs.put_metric_filter(
        logGroupName=group, filterName=name, filterPattern="word", metricTransformations=[TRANSFORMATION]
    )


@pytest.fixture
def group(shared: Sandbox) -> Iterator[str]:
    """A log group that the test has for itself."""
    logs = client(shared, "logs", PROD)
    logs.create_log_group(logGroupName="/app")
    yield "/app"
    logs.delete_log_group(logGroupName="/app")


def described(logs: Any, name: str) -> dict[str, Any]:
    """What AWS tells of one group."""
    [told] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert isinstance(told, dict)
    return told


def test_a_group_counts_its_metric_filters_and_has_a_class(shared: Sandbox, group: str) -> None:
    logs = client(shared, "logs", PROD)
    shared.settle(3600)
    logs.create_log_group(logGroupName="/rare", logGroupClass="INFREQUENT_ACCESS")
    for name in ("a", "b", "a"):
        put_filter(logs, group, name)
    told = described(logs, group)
    assert (told["metricFilterCount"], told["logGroupClass"]) == (2, "STANDARD")
    assert told["deletionProtectionEnabled"] is False
    rare = described(logs, "/rare")
    assert (rare["metricFilterCount"], rare["logGroupClass"]) == (0, "INFREQUENT_ACCESS")
    now = shared.world.clock.now().timestamp() * 1000
    assert now - 1000 <= rare["creationTime"] <= now
    logs.delete_log_group(logGroupName="/rare")


def test_metric_filters_say_when_they_were_made(shared: Sandbox, group: str) -> None:
    logs = client(shared, "logs", PROD)
    put_filter(logs, group, "one")
    made = int(shared.world.clock.now().timestamp() * 1000)
    shared.settle(60)
    put_filter(logs, group, "one")
    [told] = logs.describe_metric_filters(logGroupName=group)["metricFilters"]
    assert abs(told["creationTime"] - made) <= 1
    assert told["applyOnTransformedLogs"] is False


def test_metric_filters_come_in_pages_of_fifty_in_the_order_of_their_names(
    shared: Sandbox, group: str
) -> None:
    logs = client(shared, "logs", PROD)
    names = [f"f{number:02}" for number in range(60)]
    for name in reversed(names):
        put_filter(logs, group, name)
    first = logs.describe_metric_filters(logGroupName=group)
    assert [each["filterName"] for each in first["metricFilters"]] == names[:50]
    second = logs.describe_metric_filters(logGroupName=group, nextToken=first["nextToken"])
    assert [each["filterName"] for each in second["metricFilters"]] == names[50:]
    assert "nextToken" not in second
    few = logs.describe_metric_filters(logGroupName=group, limit=7)
    assert len(few["metricFilters"]) == 7
    with pytest.raises(ClientError, match=r"InvalidParameterException.*The specified nextToken is invalid\."):
        logs.describe_metric_filters(nextToken="guessed")


def test_the_filters_of_a_group_go_with_it(shared: Sandbox) -> None:
    logs = client(shared, "logs", PROD)
    logs.create_log_group(logGroupName="/gone")
    put_filter(logs, "/gone", "f")
    logs.delete_log_group(logGroupName="/gone")
    assert logs.describe_metric_filters(filterNamePrefix="f")["metricFilters"] == []


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("put_metric_filter", {"filterPattern": "x", "metricTransformations": [TRANSFORMATION]}),
        ("delete_metric_filter", {}),
    ],
)
def test_filters_of_a_group_that_is_not_there(
    shared: Sandbox, operation: str, params: dict[str, Any]
) -> None:
    call = getattr(client(shared, "logs", PROD), operation)
    with pytest.raises(
        ClientError, match=r"ResourceNotFoundException.*The specified log group does not exist\."
    ):
        call(logGroupName="/nowhere", filterName="f", **params)


def test_a_filter_that_is_not_there_cannot_be_deleted(shared: Sandbox, group: str) -> None:
    with pytest.raises(ClientError, match="The specified metric filter does not exist"):
        client(shared, "logs", PROD).delete_metric_filter(logGroupName=group, filterName="none")


def test_resource_policies_are_of_the_account(shared: Sandbox) -> None:
    logs = client(shared, "logs", PROD)
    made = logs.put_resource_policy(policyName="p", policyDocument=document())["resourcePolicy"]
    [told] = logs.describe_resource_policies()["resourcePolicies"]
    assert (made["policyScope"], told["policyScope"]) == ("ACCOUNT", "ACCOUNT")
