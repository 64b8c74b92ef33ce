"""CloudTrail's own calls: selectors, insights, and what is found in the event history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox, assemble
from orgmon.sandbox.clock import Clock
from tests.sandbox.conftest import HOME, MANAGEMENT, PROD, SEED
from tests.sandbox.services import LOG_GROUP, TRAIL, TRAIL_ARN, client, log_messages, make_organization_trail


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """A sandbox with an organization trail, which these tests share: each sets what it needs."""
    with assemble(SEED, clock=Clock(speed=0)) as made:
        make_organization_trail(made)
        yield made
        assert made.world.hook_errors == []


@pytest.fixture
def cloudtrail(shared: Sandbox) -> Any:
    return client(shared, "cloudtrail", MANAGEMENT)


def code(call: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as problem:
        call(**members)
    return str(problem.value.response["Error"]["Code"])


def advanced(**fields: list[str]) -> dict[str, Any]:
    """An advanced selector for management events, and more fields with Equals."""
    wanted = {"eventCategory": ["Management"], **fields}
    return {"FieldSelectors": [{"Field": field, "Equals": values} for field, values in wanted.items()]}


BASIC = {"ReadWriteType": "All", "IncludeManagementEvents": True}


def test_basic_selectors_replace_advanced_ones_and_the_other_way_round(
    shared: Sandbox, cloudtrail: Any
) -> None:
    cloudtrail.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=[advanced(readOnly=["false"])])
    assert "EventSelectors" not in cloudtrail.get_event_selectors(TrailName=TRAIL)
    cloudtrail.put_event_selectors(TrailName=TRAIL, EventSelectors=[BASIC])
    told = cloudtrail.get_event_selectors(TrailName=TRAIL)
    assert "AdvancedEventSelectors" not in told
    assert told["EventSelectors"] == [{**BASIC, "DataResources": [], "ExcludeManagementEventSources": []}]
    client(shared, "iam", PROD).list_groups()
    shared.settle(400)
    delivered = [json.loads(each)["eventName"] for each in log_messages(shared, MANAGEMENT, LOG_GROUP)]
    assert "ListGroups" in delivered
    cloudtrail.put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=[advanced()])
    assert "EventSelectors" not in cloudtrail.get_event_selectors(TrailName=TRAIL)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"EventSelectors": [BASIC], "AdvancedEventSelectors": [advanced()]},
        {"EventSelectors": [BASIC] * 6},
        {"EventSelectors": [{"ReadWriteType": "Some"}]},
        {"EventSelectors": [{"ExcludeManagementEventSources": ["ec2.amazonaws.com"]}]},
        {"EventSelectors": [{"DataResources": [{"Type": "AWS::SQS::Queue", "Values": ["arn"]}]}]},
        {"EventSelectors": [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn"] * 251}]}]},
        {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "readOnly", "Equals": ["true"]}]}]},
        {"AdvancedEventSelectors": [advanced(eventName=["DeleteTrail"])]},
        {"AdvancedEventSelectors": [advanced(eventSource=["kms.amazonaws.com"] * 500)]},
    ],
)
def test_selectors_that_cloudtrail_refuses(cloudtrail: Any, members: dict[str, Any]) -> None:
    before = cloudtrail.get_event_selectors(TrailName=TRAIL)
    assert (
        code(cloudtrail.put_event_selectors, TrailName=TRAIL, **members) == "InvalidEventSelectorsException"
    )
    after = cloudtrail.get_event_selectors(TrailName=TRAIL)
    assert {**before, "ResponseMetadata": 0} == {**after, "ResponseMetadata": 0}


def test_insights_are_off_until_they_are_put_and_again_after_an_empty_list(cloudtrail: Any) -> None:
    off = "InsightNotEnabledException"
    assert code(cloudtrail.get_insight_selectors, TrailName=TRAIL) == off
    for kind in ("ApiCallRateInsight", "ApiErrorRateInsight"):
        cloudtrail.put_insight_selectors(TrailName=TRAIL, InsightSelectors=[{"InsightType": kind}])
    told = cloudtrail.get_insight_selectors(TrailName=TRAIL)["InsightSelectors"]
    assert told == [{"InsightType": "ApiErrorRateInsight"}]
    wrong = [{"InsightType": "Rate"}]
    refusal = code(cloudtrail.put_insight_selectors, TrailName=TRAIL, InsightSelectors=wrong)
    assert refusal == "InvalidInsightSelectorsException"
    cloudtrail.put_insight_selectors(TrailName=TRAIL, InsightSelectors=[])
    assert code(cloudtrail.get_insight_selectors, TrailName=TRAIL) == off


def found(shared: Sandbox, account: str, region: str, key: str, value: str) -> list[str]:
    """The names of the events that LookupEvents finds, the newest first."""
    attribute = [{"AttributeKey": key, "AttributeValue": value}]
    answer = client(shared, "cloudtrail", account, region).lookup_events(LookupAttributes=attribute)
    return [each["EventName"] for each in answer["Events"]]


def test_events_are_found_by_every_name_of_what_they_are_about(shared: Sandbox) -> None:
    iam = client(shared, "iam", PROD)
    user = iam.create_user(UserName="carol")["User"]
    key = iam.create_access_key(UserName="carol")["AccessKey"]["AccessKeyId"]
    for name in ("carol", user["UserId"], user["Arn"]):
        assert "CreateUser" in found(shared, PROD, "us-east-1", "ResourceName", name)
    assert found(shared, PROD, "us-east-1", "ResourceName", "carol") == ["CreateAccessKey", "CreateUser"]
    assert found(shared, PROD, "us-east-1", "ResourceName", key) == ["CreateAccessKey"]
    assert found(shared, PROD, "us-east-1", "ResourceType", "AWS::IAM::AccessKey") == ["CreateAccessKey"]


def test_an_assumed_role_is_listed_in_all_its_spellings(shared: Sandbox) -> None:
    role = f"arn:aws:iam::{PROD}:role/OrganizationAccountAccessRole"
    answer = client(shared, "sts", MANAGEMENT).assume_role(RoleArn=role, RoleSessionName="audit")
    cloudtrail = client(shared, "cloudtrail", MANAGEMENT)
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRole"}]
    event = cloudtrail.lookup_events(LookupAttributes=by_name)["Events"][0]
    assert {(each["ResourceType"], each["ResourceName"]) for each in event["Resources"]} == {
        ("AWS::IAM::AccessKey", answer["Credentials"]["AccessKeyId"]),
        ("AWS::STS::AssumedRole", "audit"),
        ("AWS::STS::AssumedRole", answer["AssumedRoleUser"]["AssumedRoleId"]),
        ("AWS::STS::AssumedRole", answer["AssumedRoleUser"]["Arn"]),
        ("AWS::IAM::Role", role),
    }


def test_trails_are_found_by_the_name_that_was_used(shared: Sandbox, cloudtrail: Any) -> None:
    cloudtrail.get_trail_status(Name=TRAIL_ARN)
    cloudtrail.start_logging(Name=TRAIL)
    assert found(shared, MANAGEMENT, HOME, "ResourceName", TRAIL_ARN)[0] == "GetTrailStatus"
    assert "StartLogging" in found(shared, MANAGEMENT, HOME, "ResourceName", TRAIL)
    assert "StartLogging" in found(shared, MANAGEMENT, HOME, "ResourceType", "AWS::CloudTrail::Trail")


def test_sessions_are_found_by_their_name(shared: Sandbox) -> None:
    shared.world.session(PROD, role_name="OrganizationAccountAccessRole", region=HOME).client(
        "sqs"
    ).list_queues()
    assert found(shared, PROD, HOME, "Username", "sandbox") == ["ListQueues"]


def test_there_are_no_insight_events(shared: Sandbox, cloudtrail: Any) -> None:
    assert cloudtrail.lookup_events()["Events"]
    assert cloudtrail.lookup_events(EventCategory="insight")["Events"] == []


def test_a_time_of_which_nothing_is_kept_is_refused_for_what_it_is(shared: Sandbox, cloudtrail: Any) -> None:
    year = {"StartTime": datetime(2020, 1, 1, tzinfo=UTC), "EndTime": datetime(2020, 2, 1, tzinfo=UTC)}
    with pytest.raises(ClientError, match=r"InvalidTimeRangeException.*90 days"):
        cloudtrail.lookup_events(**year)
    now = shared.world.clock.now()
    turned = {"StartTime": now, "EndTime": now - timedelta(hours=1)}
    with pytest.raises(ClientError, match=r"InvalidTimeRangeException.*before the end"):
        cloudtrail.lookup_events(**turned)
    assert cloudtrail.lookup_events(StartTime=year["StartTime"])["Events"]


def test_what_only_the_sandbox_lacks_leaves_no_record(shared: Sandbox) -> None:
    before = len(shared.trail.records(PROD, HOME))
    for name, operation in (("events", "list_endpoints"), ("cloudtrail", "list_event_data_stores")):
        assert code(getattr(client(shared, name, PROD), operation)) == "NotImplemented"
    assert code(client(shared, "organizations", MANAGEMENT).list_handshakes_for_account) == "NotImplemented"
    assert len(shared.trail.records(PROD, HOME)) == before
    history = shared.trail.records(MANAGEMENT, "us-east-1")
    assert "ListHandshakesForAccount" not in {each["eventName"] for each in history}
