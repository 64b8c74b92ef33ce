"""SQS: queues and their policies."""

from __future__ import annotations

import json
from typing import Any

from orgmon.sandbox.providers.properties import differs, document, parsed, tag_changes, tag_list, tag_map
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DelaySeconds",
    "FifoQueue",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
_DOCUMENTS = ("RedriveAllowPolicy", "RedrivePolicy")
_TRUTHS = ("ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled")
_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DelaySeconds": "0",
    "KmsDataKeyReusePeriodSeconds": "300",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}


def _attribute(name: str, value: Any) -> str:
    if name in _DOCUMENTS:
        return document(value)
    return str(value).lower() if name in _TRUTHS else str(value)


def _read_attribute(name: str, value: str) -> Any:
    if name in _DOCUMENTS:
        return parsed(value)
    if name in _TRUTHS:
        return value == "true"
    return int(value) if value.isdigit() else value


@provides("AWS::SQS::Queue")
class Queue(Provider):
    """A queue; its physical id is the URL."""

    name_property = "QueueName"
    name_limit = 80
    overwrites = True
    supports = frozenset({"QueueName", "Tags", *_ATTRIBUTES})

    def identify(self, place: Place, wanted: Properties) -> str:
        """The URL of the named queue."""
        name = wanted.get("QueueName")
        if not name:
            return ""
        client = place.client("sqs")
        try:
            return str(client.get_queue_url(QueueName=name)["QueueUrl"])
        except client.exceptions.QueueDoesNotExist:
            return ""

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateQueue with all attributes."""
        attributes = {name: _attribute(name, wanted[name]) for name in _ATTRIBUTES if name in wanted}
        if attributes.get("FifoQueue") == "false":
            del attributes["FifoQueue"]
        made = place.client("sqs").create_queue(
            QueueName=self.name(place, wanted), Attributes=attributes, tags=tag_map(wanted.get("Tags"))
        )
        return place.claim(str(made["QueueUrl"]))

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """SetQueueAttributes for what differs; what the template dropped gets its default back."""
        client = place.client("sqs")
        changed = [name for name in _ATTRIBUTES if differs(old, wanted, name)]
        if changed:
            attributes = {
                name: _attribute(name, wanted[name]) if name in wanted else _DEFAULTS.get(name, "")
                for name in changed
            }
            if "KmsMasterKeyId" in wanted and "SqsManagedSseEnabled" not in wanted:
                # The default of a queue without a key.
                attributes.pop("SqsManagedSseEnabled", None)
            client.set_queue_attributes(QueueUrl=physical_id, Attributes=attributes)
        added, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        if removed:
            client.untag_queue(QueueUrl=physical_id, TagKeys=removed)
        if added:
            client.tag_queue(QueueUrl=physical_id, Tags=added)

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteQueue."""
        place.client("sqs").delete_queue(QueueUrl=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Attributes and tags."""
        client = place.client("sqs")
        answer = client.get_queue_attributes(QueueUrl=physical_id, AttributeNames=["All"])
        attributes = answer["Attributes"]
        settings = {
            name: _read_attribute(name, attributes[name]) for name in _ATTRIBUTES if name in attributes
        }
        tags = client.list_queue_tags(QueueUrl=physical_id).get("Tags", {})
        return {"QueueName": physical_id.rsplit("/", 1)[-1], "Tags": tag_list(tags), **settings}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """Arn, QueueName and QueueUrl."""
        name = physical_id.rsplit("/", 1)[-1]
        return {"Arn": place.arn("sqs", name), "QueueName": name, "QueueUrl": physical_id}


def _set_policy(place: Place, queue: str, policy: str) -> None:
    place.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


def _policy_of(place: Place, queue: str) -> Any:
    client = place.client("sqs")
    answer = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    policy = answer.get("Attributes", {}).get("Policy")
    return json.loads(policy) if policy else None


@provides("AWS::SQS::QueuePolicy")
class QueuePolicy(Provider):
    """One policy on several queues."""

    supports = frozenset({"PolicyDocument", "Queues"})

    def create(self, place: Place, wanted: Properties) -> str:
        """SetQueueAttributes on each queue."""
        self.update(place, "", {}, wanted)
        return place.claim(place.invent())

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Set the policy everywhere; queues that are no longer named lose it."""
        for queue in old.get("Queues", []):
            if queue not in wanted["Queues"]:
                _set_policy(place, queue, "")
        for queue in wanted["Queues"]:
            _set_policy(place, queue, document(wanted["PolicyDocument"]))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Take the policy away from all of them."""
        for queue in last["Queues"]:
            _set_policy(place, queue, "")

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The policy of the first queue that has one."""
        policies = [_policy_of(place, queue) for queue in last["Queues"]]
        first = next((policy for policy in policies if policy), None)
        return {"Queues": last["Queues"], "PolicyDocument": first} if first else None
