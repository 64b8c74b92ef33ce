"""SNS: topics that cannot be meant, attributes that do not exist, and how many subscriptions a topic has.

Sources: SNS API reference, GetTopicAttributes, SetTopicAttributes; the texts of refusals are AWS's own, as recorded
in LocalStack's public tests (tests/aws/services/sns). A topic answers in its own Region only.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.core.utils import camelcase_to_underscores

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.world import World

_ARN_PARTS = 6
_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
_TOPICS = Pages(
    "Topics",
    "MaxResults",
    100,
    "NextToken",
    "NextToken",
    ("InvalidParameter", "Invalid parameter: NextToken"),
)
_ENDPOINTS = ("HTTP", "Firehose", "Lambda", "Application", "SQS")
_FEEDBACK = ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
_SHOWN_WHEN_SET = (
    "DeliveryPolicy",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "SignatureVersion",
    "TracingConfig",
    *(f"{endpoint}{feedback}" for endpoint in _ENDPOINTS for feedback in _FEEDBACK),
)
_FIFO = ("ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope")
_SETTABLE = frozenset({"DisplayName", "Policy", *_SHOWN_WHEN_SET, *_FIFO})
# What a topic without a delivery policy of its own does: AWS shows it like that.
_DELIVERY = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20,
            "maxDelayTarget": 20,
            "numRetries": 3,
            "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0,
            "numMinDelayRetries": 0,
            "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}


def install(world: World) -> None:
    """Look at every call's topic, and answer what moto answers wrongly."""
    repairs = _Topics(world)
    world.before.append(_check)
    world.operations.register("sns", "GetTopicAttributes", repairs.attributes)
    world.operations.register("sns", "Unsubscribe", repairs.unsubscribe)
    world.operations.register("sns", "ListTopics", repairs.list_topics)
    world.operations.register("sns", "DeletePlatformApplication", repairs.delete_application)


class _Topics:
    def __init__(self, world: World) -> None:
        self._world = world

    def attributes(self, call: Call) -> dict[str, Any]:
        """What is set, and how many subscriptions there are; moto always says 0."""
        arn = str(call.params["TopicArn"])
        topic = self._find(arn)
        if topic is None:
            raise Refusal("NotFound", "Topic does not exist", 404)
        told = {"TopicArn": arn, "Owner": topic.account_id, "Policy": topic.policy}
        told |= {"DisplayName": topic.display_name, "EffectiveDeliveryPolicy": json.dumps(_DELIVERY)}
        told |= {name: _kept(topic, name) for name in _SHOWN_WHEN_SET if _kept(topic, name)}
        if topic.fifo_topic:
            told |= {
                "FifoTopic": "true",
                **{name: _kept(topic, name) for name in _FIFO if _kept(topic, name)},
            }
            told["ContentBasedDeduplication"] = str(topic.content_based_deduplication).lower()
        return {"Attributes": {**told, **_counts(topic)}}

    def unsubscribe(self, call: Call) -> dict[str, Any]:
        """Remove a subscription; one that is not there is none the less a success."""
        arn = str(call.params["SubscriptionArn"])
        topic = self._find(arn.rpartition(":")[0])
        if topic is not None and topic.sns_backend.subscriptions.pop(arn, None) is not None:
            topic.subscriptions_deleted += 1
        return {}

    def list_topics(self, call: Call) -> dict[str, Any]:
        """A hundred a page; moto announces a page after exactly a hundred."""
        topics = list(self._world.store("sns", call.account, call.region).topics.values())
        return _TOPICS(call, {"Topics": [{"TopicArn": topic.arn} for topic in topics]})

    def delete_application(self, call: Call) -> dict[str, Any]:
        """Delete a platform application with its endpoints; one that is not there is none the less a success."""
        store = self._world.store("sns", call.account, call.region)
        arn = str(call.params["PlatformApplicationArn"])
        if arn in store.applications:
            store.delete_platform_application(arn)
        return {}

    def _find(self, arn: str) -> Any | None:
        parts = arn.split(":")
        if len(parts) < _ARN_PARTS or not parts[4].isdigit():
            return None
        return self._world.stores.find("sns", parts[4], parts[3], "topics", arn)


def _kept(topic: Any, name: str) -> str:
    value = getattr(topic, camelcase_to_underscores(name), "")
    return value if isinstance(value, str) else ""


def _counts(topic: Any) -> dict[str, str]:
    own = [each for each in list(topic.sns_backend.subscriptions.values()) if each.topic.arn == topic.arn]
    pending = sum(str(each.attributes.get("PendingConfirmation")).lower() == "true" for each in own)
    return {
        "SubscriptionsPending": str(pending),
        "SubscriptionsConfirmed": str(len(own) - pending),
        "SubscriptionsDeleted": str(topic.subscriptions_deleted),
    }


def _check(call: Call) -> None:
    if call.service != "sns":
        return
    for name in ("TopicArn", "TargetArn", "SubscriptionArn"):
        if name in call.params:
            _check_arn(name, str(call.params[name]), call.region)
    if call.operation == "SetTopicAttributes":
        _check_attribute(str(call.params["AttributeName"]), str(call.params.get("AttributeValue", "")))
    if call.operation == "CreateTopic":
        if not _NAME.fullmatch(str(call.params["Name"])):
            raise _invalid("Topic Name")
        for name, value in (call.params.get("Attributes") or {}).items():
            if name != "FifoTopic":
                _check_attribute(str(name), str(value))


def _check_arn(name: str, arn: str, region: str) -> None:
    parts = arn.split(":")
    if len(parts) < _ARN_PARTS:
        reason = f"An ARN must have at least {_ARN_PARTS} elements, not {len(parts)}"
        raise _invalid(f"{name} Reason: {reason}")
    if name != "SubscriptionArn" and parts[3] != region:
        raise _invalid("TopicArn")


def _check_attribute(name: str, value: str) -> None:
    if name not in _SETTABLE:
        raise _invalid("AttributeName")
    if name == "SignatureVersion" and value not in ("1", "2"):
        raise _invalid("AttributeValue")
    if name == "Policy" and not _is_policy(value):
        raise _invalid("Policy Error: null")


def _is_policy(text: str) -> bool:
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and "Statement" in document


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidParameter", f"Invalid parameter: {text}")
