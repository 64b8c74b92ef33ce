"""SQS: what a queue tells of itself, and which attributes and messages it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgmon.sandbox.assembly import Sandbox
from tests.sandbox.conftest import HOME, SECURITY
from tests.sandbox.services import client

INBOX = f"arn:aws:sqs:{HOME}:{SECURITY}:inbox"
NOTHING = json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:{HOME}:{SECURITY}:nothing", "maxReceiveCount": 3})
NEVER = json.dumps({"deadLetterTargetArn": INBOX, "maxReceiveCount": 0})
BOTH = {"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true"}
HALF = json.dumps({"deadLetterTargetArn": INBOX})


@pytest.fixture(scope="module")
def sqs(shared: Sandbox) -> Any:
    return client(shared, "sqs", SECURITY)


def made(sqs: Any, name: str, **attributes: str) -> str:
    """The URL of a new queue."""
    return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def told(sqs: Any, url: str, *names: str) -> dict[str, str]:
    """Attributes of a queue."""
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))[
        "Attributes"
    ]
    return attributes


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """Code and message of the refusal."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_queue_tells_the_sandboxs_time_in_whole_seconds(shared: Sandbox, sqs: Any) -> None:
    url = made(sqs, "times")
    now = str(int(shared.world.clock.now().timestamp()))
    assert told(sqs, url, "CreatedTimestamp", "LastModifiedTimestamp") == {
        "CreatedTimestamp": now,
        "LastModifiedTimestamp": now,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "1"})
    assert told(sqs, url, "CreatedTimestamp", "LastModifiedTimestamp", "DelaySeconds") == {
        "CreatedTimestamp": now,
        "LastModifiedTimestamp": now,
        "DelaySeconds": "1",
    }


def test_a_key_and_sqss_own_encryption_exclude_each_other(sqs: Any) -> None:
    names = ("SqsManagedSseEnabled", "KmsMasterKeyId")
    url = made(sqs, "secret", KmsMasterKeyId="alias/aws/sqs")
    assert told(sqs, url, *names) == {"SqsManagedSseEnabled": "false", "KmsMasterKeyId": "alias/aws/sqs"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "true"})
    assert told(sqs, url, *names) == {"SqsManagedSseEnabled": "true"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    assert told(sqs, url, "SqsManagedSseEnabled") == {"SqsManagedSseEnabled": "false"}


def test_who_may_use_a_queue_for_dead_letters_is_told(sqs: Any) -> None:
    allowed = json.dumps({"redrivePermission": "denyAll"})
    url = made(sqs, "grave", RedriveAllowPolicy=allowed)
    assert told(sqs, url, "RedriveAllowPolicy") == {"RedriveAllowPolicy": allowed}
    assert told(sqs, url, "All")["RedriveAllowPolicy"] == allowed


@pytest.mark.parametrize(
    ("attributes", "code", "text"),
    [
        ({"Colour": "red"}, "InvalidAttributeName", "Unknown Attribute Colour."),
        ({"FifoQueue": "true"}, "InvalidAttributeName", "Unknown Attribute FifoQueue."),
        (
            {"VisibilityTimeout": "abc"},
            "InvalidAttributeValue",
            "Invalid value for the parameter VisibilityTimeout.",
        ),
        (
            {"VisibilityTimeout": "43201"},
            "InvalidAttributeValue",
            "Invalid value for the parameter VisibilityTimeout.",
        ),
        ({"DelaySeconds": "-1"}, "InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."),
        (
            {"MessageRetentionPeriod": "59"},
            "InvalidAttributeValue",
            "Invalid value for the parameter MessageRetentionPeriod.",
        ),
        ({"Policy": "{"}, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
        ({"Policy": "{}"}, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
        (
            {"RedrivePolicy": "[]"},
            "InvalidAttributeValue",
            "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.",
        ),
        (
            {"RedrivePolicy": HALF},
            "InvalidParameterValue",
            f"Value {HALF} for parameter RedrivePolicy is invalid. "
            "Reason: Redrive policy does not contain mandatory attribute: maxReceiveCount.",
        ),
        (
            {"RedrivePolicy": NEVER},
            "InvalidParameterValue",
            f"Value {NEVER} for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount: 0, "
            "valid values are from 1 to 1000 both inclusive.",
        ),
        (
            {"RedrivePolicy": NOTHING},
            "InvalidParameterValue",
            f"Value {NOTHING} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
        ),
        (
            BOTH,
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE.",
        ),
    ],
)
def test_attributes_that_no_queue_has(sqs: Any, attributes: dict[str, str], code: str, text: str) -> None:
    url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes=attributes) == (code, text)
    if "FifoQueue" not in attributes:
        assert refused(sqs.create_queue, QueueName="never", Attributes=attributes) == (code, text)


def test_a_fifo_queue_stays_one(sqs: Any) -> None:
    url = made(sqs, "line.fifo", FifoQueue="true")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"ContentBasedDeduplication": "true"})
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )


def test_a_queue_is_not_made_twice_with_other_attributes(sqs: Any) -> None:
    url = made(sqs, "twice", DelaySeconds="1")
    assert made(sqs, "twice", DelaySeconds="1") == url
    assert refused(sqs.create_queue, QueueName="twice", Attributes={"DelaySeconds": "2"}) == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"MessageBody": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
        (
            {"MessageBody": "\x00"},
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are "
            "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        ),
        (
            {"MessageBody": "x", "DelaySeconds": -1},
            "InvalidParameterValue",
            "Value -1 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        ),
    ],
)
def test_messages_that_no_queue_takes(sqs: Any, params: dict[str, Any], code: str, text: str) -> None:
    url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
    assert refused(sqs.send_message, QueueUrl=url, **params) == (code, text)
    entries = [{"Id": "a", **params}]
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=entries) == (code, text)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (
            {"MaxNumberOfMessages": 11},
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        (
            {"WaitTimeSeconds": 21},
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        ),
        (
            {"VisibilityTimeout": -1},
            "Value -1 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided.",
        ),
    ],
)
def test_receiving_in_a_way_that_there_is_not(sqs: Any, params: dict[str, Any], text: str) -> None:
    url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
    assert refused(sqs.receive_message, QueueUrl=url, **params) == ("InvalidParameterValue", text)
