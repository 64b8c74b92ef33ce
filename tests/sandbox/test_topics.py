"""SNS answers as AWS does: topics of other Regions, names that cannot be meant, and how many are subscribed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import HOME, SECURITY
from tests.sandbox.services import bodies, client, make_topic

INBOX = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"
CALLS: dict[str, dict[str, Any]] = {
    "publish": {"Message": "x"},
    "publish_batch": {"PublishBatchRequestEntries": [{"Id": "1", "Message": "x"}]},
    "subscribe": {"Protocol": "sqs", "Endpoint": INBOX},
    "list_subscriptions_by_topic": {},
    "get_topic_attributes": {},
    "set_topic_attributes": {"AttributeName": "DisplayName", "AttributeValue": "x"},
    "delete_topic": {},
}


def refused(sandbox: Sandbox, operation: str, region: str = HOME, **params: Any) -> tuple[str, str]:
    """The code and text with which SNS refuses a call."""
    with pytest.raises(ClientError) as caught:
        getattr(client(sandbox, "sns", SECURITY, region), operation)(**params)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


@pytest.mark.parametrize("operation", CALLS)
def test_a_topic_answers_in_its_own_region_only(shared: Sandbox, operation: str) -> None:
    topic = make_topic(shared, "here", SECURITY)
    told = refused(shared, operation, "us-east-1", TopicArn=topic, **CALLS[operation])
    assert told == ("InvalidParameter", "Invalid parameter: TopicArn")


@pytest.mark.parametrize("operation", CALLS)
def test_what_is_no_arn_is_told_so(shared: Sandbox, operation: str) -> None:
    told = refused(shared, operation, TopicArn="arn:aws", **CALLS[operation])
    text = "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 2"
    assert told == ("InvalidParameter", text)


@pytest.mark.parametrize(
    ("operation", "params", "text"),
    [
        ("create_topic", {"Name": "no spaces"}, "Topic Name"),
        ("create_topic", {"Name": "x", "Attributes": {"Colour": "red"}}, "AttributeName"),
        ("unsubscribe", {"SubscriptionArn": "PendingConfirmation"}, "SubscriptionArn Reason: An ARN must"),
    ],
)
def test_arguments_that_sns_refuses(
    shared: Sandbox, operation: str, params: dict[str, Any], text: str
) -> None:
    code, message = refused(shared, operation, **params)
    assert code == "InvalidParameter"
    assert message.startswith(f"Invalid parameter: {text}")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("Colour", "red", "AttributeName"),
        ("SubscriptionsPending", "7", "AttributeName"),
        ("Policy", "{", "Policy Error: null"),
        ("SignatureVersion", "3", "AttributeValue"),
    ],
)
def test_attributes_that_sns_refuses(shared: Sandbox, name: str, value: str, text: str) -> None:
    topic = make_topic(shared, "plain", SECURITY)
    told = refused(shared, "set_topic_attributes", TopicArn=topic, AttributeName=name, AttributeValue=value)
    assert told == ("InvalidParameter", f"Invalid parameter: {text}")


def test_an_unknown_protocol_is_refused(shared: Sandbox) -> None:
    topic = make_topic(shared, "plain", SECURITY)
    told = refused(shared, "subscribe", TopicArn=topic, Protocol="pigeon", Endpoint="coop")
    text = "Invalid parameter: Amazon SNS does not support this protocol string: pigeon"
    assert told == ("InvalidParameter", text)


def test_a_topic_counts_its_subscriptions(shared: Sandbox) -> None:
    topic = make_topic(shared, "counted", SECURITY, DisplayName="us", SignatureVersion="2")
    sns = client(shared, "sns", SECURITY)
    queue = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)["SubscriptionArn"]
    for name in ("a", "b"):
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=f"{name}@example.com")

    def counts() -> list[str]:
        told = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        return [told[f"Subscriptions{kind}"] for kind in ("Confirmed", "Pending", "Deleted")]

    assert counts() == ["1", "2", "0"]
    sns.unsubscribe(SubscriptionArn=queue)
    sns.unsubscribe(SubscriptionArn=queue)
    assert counts() == ["0", "2", "1"]
    told = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (told["DisplayName"], told["SignatureVersion"]) == ("us", "2")
    assert "DeliveryPolicy" not in told
    assert json.loads(told["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3


def test_a_topic_of_the_right_region_still_takes_messages(shared: Sandbox) -> None:
    topic = make_topic(shared, "spoken", SECURITY)
    sns = client(shared, "sns", SECURITY)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=INBOX)
    sns.publish(TargetArn=topic, Message="heard")
    assert [each["Message"] for each in bodies(shared, INBOX)] == ["heard"]
