"""SNS: a published message on its way to the subscribers.

Sources: SNS developer guide, "Key management" (what publishers and subscribed queues need), "Message delivery
retries", "Parsing message formats"; subscription dead letters need the dead-letter queue's own policy.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orgmon.sandbox.mailbox import Mailbox
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.functions import Functions
from orgmon.sandbox.signals.grants import Grants, Sender
from orgmon.sandbox.signals.losses import NO_RESOURCE, Losses, Undeliverable
from orgmon.sandbox.signals.queues import Queues
from orgmon.sandbox.world import World

Attributes = Mapping[str, Mapping[str, Any]]
# The subject of mails for messages that have none (SNS developer guide, e-mail notifications).
NO_SUBJECT = "AWS Notification Message"


class Topics:
    """Publishes to topics and carries messages to those who have confirmed their subscription."""

    def __init__(
        self,
        world: World,
        grants: Grants,
        queues: Queues,
        functions: Functions,
        mailbox: Mailbox,
        lost: Losses,
    ) -> None:
        self._world = world
        self._grants = grants
        self._queues = queues
        self._functions = functions
        self._mailbox = mailbox
        self._lost = lost

    def find(self, arn: str) -> Any:
        """moto's topic. Raises Undeliverable (NO_RESOURCE) if there is none."""
        where = Arn.parse(arn)
        topic = self._world.stores.find("sns", where.account, where.region, "topics", arn)
        if topic is None:
            raise Undeliverable(NO_RESOURCE, f"The topic {arn} does not exist.")
        return topic

    def publish_as(self, sender: Sender, arn: str, message: str, subject: str = "") -> str:
        """Publish for a service or role. Raises Undeliverable if the topic is missing, or a policy refuses."""
        topic = self.find(arn)
        self._grants.require(sender, "sns:Publish", arn)
        self.require_key(sender, topic)
        return self.publish(arn, message, subject)

    def require_key(self, sender: Sender, topic: Any) -> None:
        """Raises Undeliverable if the topic is encrypted and the sender may not use the key."""
        self._grants.require_key(topic.kms_master_key_id, topic.arn, sender)

    def publish(
        self,
        arn: str,
        message: str,
        subject: str = "",
        attributes: Attributes | None = None,
        by_protocol: Mapping[str, str] | None = None,
        group_id: str | None = None,
    ) -> str:
        """Carry a message to all subscribers; the publisher is allowed already. Returns the message's id.

        ``by_protocol`` are the texts of a message with ``MessageStructure`` json.
        """
        topic = self.find(arn)
        message_id = str(uuid.uuid4())
        topic.sent_notifications.append((message_id, message, subject or None, attributes, group_id))
        for subscription in subscriptions_of(topic):
            text = (by_protocol or {}).get(subscription.protocol, message)
            if not is_pending(subscription) and _wants(subscription, text, attributes):
                notice = _Notice(topic, message_id, text, subject, attributes or {}, group_id)
                self._deliver(subscription, notice)
        return message_id

    def send_to_queue(self, subscription: Any, body: str) -> None:
        """Send something else than a message to a subscribed queue; lost where the queue's policy refuses it."""
        arn = subscription.topic.arn
        sender = self._grants.service("sns", arn, Arn.parse(arn).account)
        try:
            self._queues.send(subscription.endpoint, body, sender)
        except Undeliverable as problem:
            self._lost.note(arn, subscription.endpoint, problem)

    def _deliver(self, subscription: Any, notice: _Notice) -> None:
        try:
            self._hand_over(subscription, notice)
        except Undeliverable as problem:
            if not self._dead_letter(subscription, notice):
                self._lost.note(notice.topic.arn, subscription.endpoint, problem)

    def _hand_over(self, subscription: Any, notice: _Notice) -> None:
        topic_arn = notice.topic.arn
        sender = self._grants.service("sns", topic_arn, Arn.parse(topic_arn).account)
        if subscription.protocol == "sqs":
            is_raw = str(subscription.attributes.get("RawMessageDelivery")).lower() == "true"
            body = notice.text if is_raw else json.dumps(self._envelope(notice, subscription))
            self._queues.send(subscription.endpoint, body, sender, group_id=notice.group_id)
        elif subscription.protocol == "lambda":
            event = {"Records": [self._record(notice, subscription)]}
            self._functions.invoke_later(subscription.endpoint, event, sender)
        else:
            self._mailbox.mail(subscription.endpoint, notice.subject or NO_SUBJECT, notice.text, topic_arn)

    def _dead_letter(self, subscription: Any, notice: _Notice) -> bool:
        policy = subscription.attributes.get("RedrivePolicy")
        if not policy:
            return False
        arn = str(json.loads(policy)["deadLetterTargetArn"])
        sender = self._grants.service("sns", notice.topic.arn, Arn.parse(notice.topic.arn).account)
        try:
            self._queues.send(arn, json.dumps(self._envelope(notice, subscription)), sender)
        except Undeliverable:
            return False
        return True

    def _envelope(self, notice: _Notice, subscription: Any) -> dict[str, Any]:
        """What SNS wraps a message in. The signature is not a real one."""
        where = Arn.parse(notice.topic.arn)
        host = f"https://sns.{where.region}.amazonaws.com"
        envelope: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": notice.message_id,
            "TopicArn": notice.topic.arn,
            "Message": notice.text,
            "Timestamp": f"{self._world.clock.now():%Y-%m-%dT%H:%M:%S}.000Z",
            "SignatureVersion": "1",
            "Signature": "SANDBOX",
            "SigningCertURL": f"{host}/SimpleNotificationService-sandbox.pem",
            "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}",
        }
        if notice.subject:
            envelope["Subject"] = notice.subject
        if notice.attributes:
            envelope["MessageAttributes"] = {
                name: {"Type": value.get("DataType"), "Value": value.get("StringValue")}
                for name, value in notice.attributes.items()
            }
        return envelope

    def _record(self, notice: _Notice, subscription: Any) -> dict[str, Any]:
        """A message as a function gets it, with two members spelled another way."""
        content = self._envelope(notice, subscription)
        for name in ("SigningCertURL", "UnsubscribeURL"):
            content[f"{name[:-3]}Url"] = content.pop(name)
        content["MessageAttributes"] = content.get("MessageAttributes", {})
        content["Subject"] = notice.subject or None
        return {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": content,
        }


@dataclass(frozen=True)
class _Notice:
    """One message for one kind of subscriber."""

    topic: Any
    message_id: str
    text: str
    subject: str
    attributes: Attributes
    group_id: str | None


def subscriptions_of(topic: Any) -> list[Any]:
    """moto's subscriptions of a topic, pending ones included."""
    return [each for each in list(topic.sns_backend.subscriptions.values()) if each.topic.arn == topic.arn]


def is_pending(subscription: Any) -> bool:
    """True until the owner of the endpoint has confirmed."""
    return str(subscription.attributes.get("PendingConfirmation")).lower() == "true"


def _wants(subscription: Any, text: str, attributes: Attributes | None) -> bool:
    """Whether the subscription's filter policy, if it has one, takes the message."""
    matcher = subscription._filter_policy_matcher
    if matcher is None:
        return True
    typed = {
        name: {"Type": value.get("DataType"), "Value": value.get("StringValue")}
        for name, value in (attributes or {}).items()
    }
    return bool(matcher.matches(typed, text))
