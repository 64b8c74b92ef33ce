"""What SQS refuses of a queue's attributes and of messages.

Sources: SQS API reference, CreateQueue, SetQueueAttributes, SendMessage, ReceiveMessage (ranges of values, characters
of a message). The texts of refusals are AWS's own, as recorded in LocalStack's public tests (tests/aws/services/sqs)
or quoted in public issues.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from orgmon.sandbox.calls import Call, Refusal

_RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
}
_CHOICES = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("messageGroup", "queue"),
    "FifoQueue": ("true", "false"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
FIFO_ONLY = frozenset(_CHOICES) - {"SqsManagedSseEnabled"}
_DOCUMENTS = ("Policy", "RedriveAllowPolicy", "RedrivePolicy")
_KNOWN = frozenset({*_RANGES, *_CHOICES, *_DOCUMENTS, "KmsMasterKeyId"})
_REDRIVE = ("deadLetterTargetArn", "maxReceiveCount")
_MOST_RECEIVES = 1000
_INTEGER = re.compile(r"-?[0-9]+")
_BODY = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
_RECEIVING = {
    "MaxNumberOfMessages": (1, 10, "Must be between 1 and 10, if provided."),
    "VisibilityTimeout": (0, 43200, "Must be between 0 and 43200, if provided."),
    "WaitTimeSeconds": (0, 20, "Must be >= 0 and <= 20, if provided."),
}
_SENDING = {"DelaySeconds": (0, 900, "DelaySeconds must be >= 0 and <= 900.")}
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{0,80}")
_NO_TYPE = "The message attribute '{name}' must contain a non-empty message attribute type."
_NAME = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are "
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)


def check_attributes(attributes: Mapping[str, Any], has_queue: Callable[[str], bool]) -> None:
    """Raises Refusal for attributes that no queue can have; ``has_queue`` knows the queues of the place by ARN."""
    for name, value in attributes.items():
        if name not in _KNOWN:
            raise unknown_attribute(name)
        _check_value(name, str(value))
    if attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") == "true":
        text = "You can use one type of server-side encryption (SSE) at one time."
        raise Refusal("InvalidAttributeName", f"{text} You can either enable KMS SSE or SQS SSE.")
    if attributes.get("RedrivePolicy"):
        _check_redrive(str(attributes["RedrivePolicy"]), has_queue)


def check_messages(call: Call) -> None:
    """Raises Refusal if what is sent, or how it is received, is outside of what SQS takes."""
    if call.operation == "SendMessage":
        _check_message(call.params)
    if call.operation == "SendMessageBatch":
        for entry in call.params.get("Entries") or []:
            _check_message(entry)
    prefix = call.params.get("QueueNamePrefix")
    if prefix is not None and not _PREFIX.fullmatch(str(prefix)):
        raise Refusal("InvalidParameterValue", _NAME)
    if call.operation in ("ReceiveMessage", "ChangeMessageVisibility"):
        _check_numbers(call.params, _RECEIVING)


def unknown_attribute(name: str) -> Refusal:
    """The refusal of an attribute that there is not, or not for this type of queue."""
    return Refusal("InvalidAttributeName", f"Unknown Attribute {name}.")


def wrong_value(name: str, reason: str = "") -> Refusal:
    """The refusal of an attribute's value."""
    text = f"Invalid value for the parameter {name}."
    return Refusal("InvalidAttributeValue", f"{text} Reason: {reason}" if reason else text)


def _check_value(name: str, value: str) -> None:
    if name in _RANGES:
        lowest, highest = _RANGES[name]
        if not _INTEGER.fullmatch(value) or not lowest <= int(value) <= highest:
            raise wrong_value(name)
    if name in _CHOICES and value not in _CHOICES[name]:
        raise wrong_value(name)
    if name in _DOCUMENTS and value and not isinstance(_read(value), dict):
        raise wrong_value(name, "Redrive policy is not a valid JSON map." if name == "RedrivePolicy" else "")
    if name == "Policy" and value and "Statement" not in _read(value):
        raise wrong_value(name)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _check_redrive(text: str, has_queue: Callable[[str], bool]) -> None:
    policy = _read(text)
    if not policy:
        return
    missing = next((name for name in _REDRIVE if name not in policy), "")
    if missing:
        raise _invalid(
            "RedrivePolicy", text, f"Redrive policy does not contain mandatory attribute: {missing}."
        )
    if set(policy) - set(_REDRIVE):
        raise _invalid(
            "RedrivePolicy", text, f"Only following attributes are supported: [{', '.join(_REDRIVE)}]."
        )
    count = str(policy["maxReceiveCount"])
    if not _INTEGER.fullmatch(count) or not 1 <= int(count) <= _MOST_RECEIVES:
        reason = (
            f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
        )
        raise _invalid("RedrivePolicy", text, reason)
    target = str(policy["deadLetterTargetArn"])
    if not re.fullmatch(r"arn:[^:]+:sqs:[^:]+:\d{12}:[^:]+", target):
        raise _invalid("RedrivePolicy", text, "Invalid value for deadLetterTargetArn.")
    if not has_queue(target):
        raise _invalid("RedrivePolicy", text, "Dead letter target does not exist.")


def _check_message(message: Mapping[str, Any]) -> None:
    for kind in ("MessageAttributes", "MessageSystemAttributes"):
        for name, attribute in (message.get(kind) or {}).items():
            if not attribute.get("DataType"):
                raise Refusal("InvalidParameterValue", _NO_TYPE.format(name=name))
    body = str(message.get("MessageBody") or "")
    if not body:
        raise Refusal("MissingParameter", "The request must contain the parameter MessageBody.")
    if not _BODY.fullmatch(body):
        raise Refusal("InvalidMessageContents", _CHARACTERS)
    _check_numbers(message, _SENDING)


def _check_numbers(params: Mapping[str, Any], ranges: Mapping[str, tuple[int, int, str]]) -> None:
    for name, (lowest, highest, reason) in ranges.items():
        value = params.get(name)
        if value is not None and not lowest <= int(value) <= highest:
            raise _invalid(name, str(value), reason)


def _invalid(name: str, value: str, reason: str) -> Refusal:
    return Refusal(
        "InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}"
    )
