"""SNS: topics, their policies, subscriptions."""

from __future__ import annotations

import json
from typing import Any

from orgmon.sandbox.providers.properties import (
    chosen,
    differs,
    document,
    is_true,
    parsed,
    tag_changes,
    tag_list,
)
from orgmon.sandbox.providers.provider import Place, Properties, Provider, provides

_TOPIC = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
_DEFAULTS = {"SignatureVersion": "1", "TracingConfig": "PassThrough"}


@provides("AWS::SNS::Topic")
class Topic(Provider):
    """A topic; its physical id is the ARN. Subscriptions in the template are made with it."""

    name_property = "TopicName"
    name_limit = 256
    overwrites = True
    supports = frozenset({"TopicName", "FifoTopic", "Subscription", "Tags", *_TOPIC})

    def identify(self, place: Place, wanted: Properties) -> str:
        """The ARN of the named topic."""
        return place.arn("sns", str(wanted["TopicName"])) if wanted.get("TopicName") else ""

    def create(self, place: Place, wanted: Properties) -> str:
        """CreateTopic, then Subscribe for each subscription."""
        name = self.name(place, wanted)
        attributes = {key: str(wanted[key]) for key in _TOPIC if key in wanted}
        if is_true(wanted.get("FifoTopic", False)):
            attributes["FifoTopic"] = "true"
            name = name if name.endswith(".fifo") else f"{name}.fifo"
        client = place.client("sns")
        made = client.create_topic(Name=name, Attributes=attributes, Tags=wanted.get("Tags", []))
        arn = place.claim(str(made["TopicArn"]))
        for entry in wanted.get("Subscription", []):
            client.subscribe(TopicArn=arn, Protocol=entry["Protocol"], Endpoint=entry["Endpoint"])
        return arn

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """SetTopicAttributes, subscriptions and tags, each where it differs."""
        client = place.client("sns")
        for key in _TOPIC:
            if differs(old, wanted, key):
                value = str(wanted.get(key, _DEFAULTS.get(key, "")))
                client.set_topic_attributes(TopicArn=physical_id, AttributeName=key, AttributeValue=value)
        if differs(old, wanted, "Subscription"):
            _resubscribe(client, physical_id, old.get("Subscription", []), wanted.get("Subscription", []))
        changed, removed = tag_changes(old.get("Tags"), wanted.get("Tags"))
        if removed:
            client.untag_resource(ResourceArn=physical_id, TagKeys=removed)
        if changed:
            client.tag_resource(ResourceArn=physical_id, Tags=tag_list(changed))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """DeleteTopic."""
        place.client("sns").delete_topic(TopicArn=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Attributes and tags."""
        client = place.client("sns")
        attributes = client.get_topic_attributes(TopicArn=physical_id)["Attributes"]
        settings = {key: value for key, value in chosen(attributes, *_TOPIC).items() if value != ""}
        tags = client.list_tags_for_resource(ResourceArn=physical_id)["Tags"]
        return {"TopicName": physical_id.rsplit(":", 1)[-1], "Tags": tags, **settings}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """TopicArn and TopicName."""
        return {"TopicArn": physical_id, "TopicName": physical_id.rsplit(":", 1)[-1]}


def _resubscribe(client: Any, topic: str, old: list[dict[str, str]], wanted: list[dict[str, str]]) -> None:
    """Unsubscribe what the template dropped, subscribe what it added."""
    before = {(entry["Protocol"], entry["Endpoint"]) for entry in old}
    after = {(entry["Protocol"], entry["Endpoint"]) for entry in wanted}
    for subscription in _subscriptions(client, topic):
        if (subscription["Protocol"], subscription["Endpoint"]) in before - after:
            client.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    for protocol, endpoint in sorted(after - before):
        client.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)


def _subscriptions(client: Any, topic: str) -> list[dict[str, str]]:
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return [entry for page in pages for entry in page["Subscriptions"]]


def _default_policy(topic: str) -> str:
    """The policy that a fresh topic has: the owner's account may do everything with it."""
    account = topic.split(":")[4]
    actions = ("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission")
    more = ("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish")
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in (*actions, *more)],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


def _set_policy(place: Place, topic: str, policy: str) -> None:
    client = place.client("sns", topic.split(":")[3])
    client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _policy_of(place: Place, topic: str) -> Any:
    """The topic's policy; None when it is only the default one."""
    client = place.client("sns", topic.split(":")[3])
    policy = parsed(client.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    return None if policy.get("Id") == "__default_policy_ID" else policy


@provides("AWS::SNS::TopicPolicy")
class TopicPolicy(Provider):
    """One policy on several topics. Removing it gives them their default policy back."""

    supports = frozenset({"PolicyDocument", "Topics"})

    def create(self, place: Place, wanted: Properties) -> str:
        """SetTopicAttributes on each topic."""
        self.update(place, "", {}, wanted)
        return place.claim(place.invent())

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """Set the policy everywhere; topics that are no longer named get their default back."""
        for topic in old.get("Topics", []):
            if topic not in wanted["Topics"]:
                _set_policy(place, topic, _default_policy(topic))
        for topic in wanted["Topics"]:
            _set_policy(place, topic, document(wanted["PolicyDocument"]))

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Default policies again."""
        for topic in last["Topics"]:
            _set_policy(place, topic, _default_policy(topic))

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """The policy of the first topic that has one."""
        policies = [_policy_of(place, topic) for topic in last["Topics"]]
        first = next((policy for policy in policies if policy), None)
        return {"Topics": last["Topics"], "PolicyDocument": first} if first else None


_DOCUMENTS = ("DeliveryPolicy", "FilterPolicy", "RedrivePolicy")
_TEXTS = ("FilterPolicyScope", "RawMessageDelivery", "SubscriptionRoleArn")


@provides("AWS::SNS::Subscription")
class Subscription(Provider):
    """A subscription; its physical id is the ARN. E-mail ones stay pending until somebody confirms."""

    supports = frozenset({"Endpoint", "Protocol", "Region", "TopicArn", *_DOCUMENTS, *_TEXTS})

    def create(self, place: Place, wanted: Properties) -> str:
        """Subscribe, asking for the ARN even while it is pending."""
        answer = _client_of(place, wanted).subscribe(
            TopicArn=wanted["TopicArn"],
            Protocol=wanted["Protocol"],
            Endpoint=wanted.get("Endpoint", ""),
            Attributes=_subscription_attributes(wanted),
            ReturnSubscriptionArn=True,
        )
        return place.claim(str(answer["SubscriptionArn"]))

    def update(self, place: Place, physical_id: str, old: Properties, wanted: Properties) -> None:
        """SetSubscriptionAttributes for each one that differs."""
        before = _subscription_attributes(old)
        after = _subscription_attributes(wanted)
        client = _client_of(place, wanted)
        for name in sorted(set(before) | set(after)):
            if before.get(name) != after.get(name):
                client.set_subscription_attributes(
                    SubscriptionArn=physical_id,
                    AttributeName=name,
                    AttributeValue=after.get(name, _emptied(name)),
                )

    def delete(self, place: Place, physical_id: str, last: Properties) -> None:
        """Unsubscribe."""
        _client_of(place, last).unsubscribe(SubscriptionArn=physical_id)

    def read(self, place: Place, physical_id: str, last: Properties) -> Properties | None:
        """Endpoint, filter policy and delivery settings."""
        client = _client_of(place, last)
        attributes = client.get_subscription_attributes(SubscriptionArn=physical_id)["Attributes"]
        settings = {name: parsed(attributes[name]) for name in _DOCUMENTS if attributes.get(name)}
        settings |= {name: attributes[name] for name in _TEXTS if attributes.get(name)}
        return {**chosen(attributes, "TopicArn", "Protocol", "Endpoint"), **settings}

    def attributes(self, place: Place, physical_id: str, wanted: Properties) -> Properties:
        """The ARN."""
        return {"Arn": physical_id}


def _client_of(place: Place, wanted: Properties) -> Any:
    """A client in the topic's Region, which may be another than the stack's."""
    return place.client("sns", str(wanted.get("Region") or wanted["TopicArn"].split(":")[3]))


def _subscription_attributes(wanted: Properties) -> dict[str, str]:
    attributes = {name: document(wanted[name]) for name in _DOCUMENTS if name in wanted}
    for name in _TEXTS:
        if name in wanted:
            value = wanted[name]
            attributes[name] = str(value).lower() if name == "RawMessageDelivery" else str(value)
    return attributes


def _emptied(name: str) -> str:
    """What takes an attribute away again."""
    return {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}.get(name, "{}")
