"""What else is read from AWS: the organization, the State, artifacts, objects and subscriptions."""

from __future__ import annotations

import io
from typing import Any

import pytest

from orgmon.aws.alerts import AlertTopics
from orgmon.aws.artifacts import LARGEST_INLINE, Artifacts
from orgmon.aws.objects import Objects, split
from orgmon.aws.observe import Ours, read_state, retained_stacks
from orgmon.aws.organizations import read_organization
from orgmon.aws.stack_sets import StackSets
from orgmon.aws.stacks import Stacks
from orgmon.delivery import TOPICS, Subscription, Unread
from orgmon.errors import AwsError, UsageError
from orgmon.organization import Account, AccountState
from orgmon.stackset import Artifact, TemplateBody
from tests import sample
from tests.fake_client import HOME, MANAGEMENT, Answer, FakeClient, FakeSessions, refused

BUCKET = "orgmon-artifacts"
NO_BUCKET = refused("NoSuchBucket")
DENIED = refused("AccessDenied")


# -- artifacts and objects


def artifacts(**answers: Answer | list[Answer]) -> tuple[Artifacts, FakeClient]:
    """The artifact bucket on a client with these answers."""
    client = FakeClient("s3", **answers)
    return Artifacts(FakeSessions(client), BUCKET), client


def test_artifacts_are_what_lies_in_the_bucket() -> None:
    bucket, _ = artifacts(list_objects_v2=[{"Contents": [{"Key": "a"}]}, {"Contents": [{"Key": "b"}]}, {}])
    assert bucket.read() == {Artifact(BUCKET, "a"), Artifact(BUCKET, "b")}


def test_without_a_bucket_there_are_none_and_without_rights_that_is_told() -> None:
    assert artifacts(list_objects_v2=NO_BUCKET)[0].read() == frozenset()
    with pytest.raises(AwsError, match="ListObjectsV2 failed"):
        artifacts(list_objects_v2=DENIED)[0].read()


def test_a_small_template_is_sent_and_a_large_one_goes_by_a_url_with_its_version() -> None:
    bucket, client = artifacts(put_object={"VersionId": "v1"})
    assert bucket.template_argument(TemplateBody("{}")) == {"TemplateBody": "{}"}
    large = TemplateBody('"' + "x" * LARGEST_INLINE + '"')
    key = f"templates/{large.digest}.json"
    url = f"https://{BUCKET}.s3.{HOME}.amazonaws.com/{key}?versionId=v1"
    assert bucket.template_argument(large) == {"TemplateURL": url}
    assert client.arguments("put_object") == [{"Bucket": BUCKET, "Key": key, "Body": large.text.encode()}]


def test_a_bucket_is_emptied_of_all_versions_and_one_that_is_not_there_is_empty() -> None:
    version, marker = {"Key": "a", "VersionId": "1"}, {"Key": "b", "VersionId": "2"}
    bucket, client = artifacts(
        list_object_versions=[{"Versions": [version | {"Size": 3}], "DeleteMarkers": [marker]}, {}],
        delete_objects={},
    )
    bucket.empty(BUCKET, "us-east-1")
    (deleted,) = client.arguments("delete_objects")
    assert deleted["Delete"] == {"Objects": [version, marker], "Quiet": True}
    artifacts(list_object_versions=NO_BUCKET)[0].empty(BUCKET, "us-east-1")


def test_objects_are_listed_without_the_folders_of_consoles_and_read() -> None:
    client = FakeClient(
        "s3",
        list_objects_v2={"Contents": [{"Key": "logs/", "Size": 0}, {"Key": "logs/a", "Size": 7}]},
        get_object=[{"Body": io.BytesIO(b"content")}, DENIED],
    )
    objects = Objects(client, BUCKET, "logs/")
    assert list(objects.list()) == [("logs/a", 7)]
    assert client.arguments("list_objects_v2") == [{"Bucket": BUCKET, "Prefix": "logs/"}]
    assert objects.get("logs/a") == b"content"
    with pytest.raises(AwsError, match="s3:GetObject failed"):
        objects.get("logs/a")


def test_a_place_is_a_bucket_and_a_prefix() -> None:
    assert [split(place) for place in ("s3://b", "s3://b/", "s3://b/p/q")] == [
        ("b", ""),
        ("b", ""),
        ("b", "p/q"),
    ]
    with pytest.raises(UsageError, match="no place in S3"):
        split("https://b/p")


# -- the organization


class Directory(FakeClient):
    """AWS Organizations: one unit below the root, an account in each, a tag on each account."""

    def __init__(self) -> None:
        super().__init__(
            "organizations",
            describe_organization={"Organization": {"Id": "o-1", "MasterAccountId": MANAGEMENT}},
            list_roots={"Roots": [{"Id": "r-1", "Name": "Root"}]},
            list_organizational_units_for_parent={},
            list_accounts_for_parent={},
            list_tags_for_resource={},
        )

    def _pages(self, method: str, arguments: dict[str, Any]) -> Any:
        self._record(method, arguments)
        parent = arguments.get("ParentId")
        if method == "list_organizational_units_for_parent":
            units = [{"Id": "ou-1", "Name": "Prod"}] if parent == "r-1" else []
            return [{"OrganizationalUnits": units}]
        if method == "list_accounts_for_parent":
            old, new = {"Id": "1", "Name": "old", "Status": "SUSPENDED"}, {"Id": "2", "State": "ACTIVE"}
            return [{"Accounts": [new if parent == "r-1" else old | {"Email": "o@example.com"}]}]
        return [{"Tags": [{"Key": "who", "Value": arguments["ResourceId"]}]}]


def test_the_organization_is_read_unit_by_unit() -> None:
    organization = read_organization(Directory())
    assert (organization.id, organization.management_account_id) == ("o-1", MANAGEMENT)
    assert [unit.path for unit in organization.units] == ["Root", "Root/Prod"]
    assert organization.accounts == (
        Account("1", "old", "o@example.com", AccountState.SUSPENDED, "ou-1"),
        Account("2", "", "", AccountState.ACTIVE, "r-1"),
    )


def test_tags_are_read_where_they_are_wanted() -> None:
    assert [account.tags for account in read_organization(Directory(), with_tags=True).accounts] == [
        (("who", "1"),),
        (("who", "2"),),
    ]


# -- the State


class Everything(FakeClient):
    """CloudFormation and S3 at once: a stack set of ours, one without our tag, a decoys' one, and somebody's."""

    def __init__(self) -> None:
        super().__init__(
            "cloudformation",
            list_stack_sets={
                "Summaries": [
                    {"StackSetName": name, "PermissionModel": "SERVICE_MANAGED"}
                    for name in ("orgmon-edge", "orgmon-impostor", "platform-base", "somebody-s")
                ]
            },
            list_stack_instances={"Summaries": []},
            list_stack_set_operations={"Summaries": []},
            describe_stacks=refused("ValidationError", "Stack with id orgmon-base does not exist"),
        )

    def describe_stack_set(self, StackSetName: str, CallAs: str) -> dict[str, Any]:
        tags = [{"Key": "orgmon", "Value": "edge"}] if StackSetName == "orgmon-edge" else []
        return {"StackSet": {"StackSetName": StackSetName, "TemplateBody": "{}", "Tags": tags}}

    def _pages(self, method: str, arguments: dict[str, Any]) -> Any:
        if method == "list_objects_v2":
            raise NO_BUCKET
        return super()._pages(method, arguments)


def test_the_state_is_what_is_ours_by_name_and_tag_and_the_decoys_by_name() -> None:
    sessions = FakeSessions(Everything())
    ours = Ours(MANAGEMENT, HOME, ("orgmon-base",), ("platform-base",))
    state = read_state(sessions, StackSets(sessions), Stacks(sessions), ours)
    assert [stack_set.name for stack_set in state.stack_sets] == ["orgmon-edge", "platform-base"]
    assert (state.stacks, state.artifacts) == ((), frozenset())


def test_stacks_that_a_stack_set_left_behind_are_found_by_their_names() -> None:
    pages: list[Answer] = [
        {
            "StackSummaries": [
                {"StackId": f"arn:{name}", "StackName": name}
                for name in ("StackSet-orgmon-logs-1", "StackSet-orgmon-logs2-1", "other")
            ]
        }
    ]
    sessions = FakeSessions(FakeClient("cloudformation", list_stacks=pages))
    stack_ids = retained_stacks(sessions, "200000000000", "us-east-1", "orgmon-logs")
    assert stack_ids == ("arn:StackSet-orgmon-logs-1",)
    assert sessions.asked == [("200000000000", "cloudformation", "us-east-1")]


def test_in_an_account_that_cannot_be_reached_none_are_found() -> None:
    sessions = FakeSessions(FakeClient("cloudformation", list_stacks=DENIED))
    assert retained_stacks(sessions, "200000000000", "us-east-1", "orgmon-logs") == ()


# -- subscriptions


def topics_of(client: FakeClient) -> AlertTopics:
    """The hub's topics as a client knows them."""
    return AlertTopics(FakeSessions(client), sample.config().organization)


def test_subscriptions_are_read_topic_by_topic() -> None:
    told = {"Protocol": "email", "Endpoint": "soc@example.com", "SubscriptionArn": "PendingConfirmation"}
    client = FakeClient("sns", list_subscriptions_by_topic={"Subscriptions": [told]})
    listed = topics_of(client).read()
    arns = [asked["TopicArn"] for asked in client.arguments("list_subscriptions_by_topic")]
    security = sample.config().organization.security_account
    assert arns == [f"arn:aws:sns:us-east-1:{security}:orgmon-{topic}" for topic in TOPICS]
    pending = ("email", "soc@example.com", "PendingConfirmation")
    assert listed == tuple(Subscription(topic, *pending) for topic in TOPICS)


@pytest.mark.parametrize("answer", [refused("NotFound"), refused("AuthorizationError", "not yours")])
def test_topics_that_are_not_there_or_not_to_be_asked_are_unread(answer: Answer) -> None:
    client = FakeClient("sns", list_subscriptions_by_topic=answer)
    listed = topics_of(client).read()
    assert [item.topic for item in listed] == list(TOPICS)
    for item in listed:
        assert isinstance(item, Unread)
        assert "does not exist" in item.reason or "not yours" in item.reason


def test_any_other_refusal_is_told() -> None:
    client = FakeClient("sns", list_subscriptions_by_topic=refused("InternalError"))
    with pytest.raises(AwsError, match=r"ListSubscriptionsByTopic of .* failed"):
        topics_of(client).read()


def test_an_endpoint_is_subscribed_to_one_topic() -> None:
    client = FakeClient("sns", subscribe={"SubscriptionArn": "pending confirmation"})
    topics_of(client).subscribe("pipeline", "email", "soc@example.com")
    [asked] = client.arguments("subscribe")
    assert asked["TopicArn"].endswith(":orgmon-pipeline")
    assert (asked["Protocol"], asked["Endpoint"]) == ("email", "soc@example.com")
