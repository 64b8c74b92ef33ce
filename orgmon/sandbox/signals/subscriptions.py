"""SNS subscriptions: who has to confirm, with which token, and until when.

Sources: SNS API reference, Subscribe, ConfirmSubscription; AWS "What's new" of May 2023: an unconfirmed
subscription is deleted after 48 hours.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.mailbox import Mailbox
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.losses import Undeliverable
from orgmon.sandbox.signals.topics import Topics, is_pending, subscriptions_of
from orgmon.sandbox.world import World

HOURS_TO_CONFIRM = 48
_PAGES = Pages(
    "Subscriptions",
    "MaxResults",
    100,
    "NextToken",
    "NextToken",
    ("InvalidParameter", "Invalid parameter: NextToken"),
)
_AT_ONCE = ("lambda", "sms", "application", "firehose")
_PROTOCOLS = frozenset({"sqs", "http", "https", "email", "email-json", *_AT_ONCE})


class Subscriptions:
    """Answers Subscribe, ConfirmSubscription and the lists; moto keeps the subscriptions."""

    def __init__(self, world: World, topics: Topics, mailbox: Mailbox) -> None:
        self._world = world
        self._topics = topics
        self._mailbox = mailbox
        self._tokens: dict[str, str] = {}

    def install(self) -> None:
        """Take the operations over."""
        for name, handler in (
            ("Subscribe", self.subscribe),
            ("ConfirmSubscription", self.confirm),
            ("ListSubscriptions", self.list_all),
            ("ListSubscriptionsByTopic", self.list_by_topic),
        ):
            self._world.operations.register("sns", name, handler)
        self._world.controls["confirm"] = self._confirm_all

    def subscribe(self, call: Call) -> dict[str, Any]:
        """Subscribe an endpoint. Answers ``pending confirmation`` instead of an ARN while it is pending."""
        topic = self._topic(str(call.params["TopicArn"]))
        protocol, endpoint = str(call.params["Protocol"]), str(call.params.get("Endpoint", ""))
        existing = next(
            (
                each
                for each in subscriptions_of(topic)
                if (each.protocol, each.endpoint) == (protocol, endpoint)
            ),
            None,
        )
        subscription = existing or self._new(call, topic, protocol, endpoint)
        if is_pending(subscription):
            self._ask(subscription)
        told = "pending confirmation"
        if call.params.get("ReturnSubscriptionArn") or not is_pending(subscription):
            told = subscription.arn
        return {"SubscriptionArn": told}

    def confirm(self, call: Call) -> dict[str, Any]:
        """Confirm with the token that was sent to the endpoint."""
        arn = self._tokens.get(str(call.params["Token"]))
        topic = self._topic(str(call.params["TopicArn"]))
        subscription = next((each for each in subscriptions_of(topic) if each.arn == arn), None)
        if subscription is None:
            raise Refusal("InvalidParameter", "Invalid parameter: Token")
        is_signed = str(call.params.get("AuthenticateOnUnsubscribe", "")).lower() == "true"
        _confirm(subscription, is_signed)
        return {"SubscriptionArn": subscription.arn}

    def _confirm_all(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """Everybody opens his mail; answers with who did."""
        pending = [
            subscription
            for _, _, store in self._world.stores.everywhere("sns")
            for subscription in list(store.subscriptions.values())
            if is_pending(subscription)
        ]
        for subscription in pending:
            _confirm(subscription, False)
        return {"confirmed": [{"endpoint": each.endpoint, "topic": each.topic.arn} for each in pending]}

    def list_by_topic(self, call: Call) -> dict[str, Any]:
        """The subscriptions of a topic; pending ones without their ARN."""
        return _page(subscriptions_of(self._topic(str(call.params["TopicArn"]))), call)

    def list_all(self, call: Call) -> dict[str, Any]:
        """All subscriptions of the account and Region."""
        store = self._world.store("sns", call.account, call.region)
        return _page(list(store.subscriptions.values()), call)

    def _topic(self, arn: str) -> Any:
        try:
            return self._topics.find(arn)
        except (Undeliverable, ValueError) as problem:
            raise Refusal("NotFound", "Topic does not exist", 404) from problem

    def _new(self, call: Call, topic: Any, protocol: str, endpoint: str) -> Any:
        _check_endpoint(protocol, endpoint)
        store = topic.sns_backend
        subscription = store.subscribe(topic.arn, endpoint, protocol)
        subscription.owner = subscription.attributes["Owner"] = call.account
        _set_attributes(store, subscription, dict(call.params.get("Attributes") or {}))
        pending = not _is_confirmed_at_once(call, protocol, endpoint)
        subscription.confirmed = not pending
        subscription.attributes["PendingConfirmation"] = str(pending).lower()
        subscription.attributes["ConfirmationWasAuthenticated"] = str(not pending).lower()
        if pending:
            self._world.clock.after(HOURS_TO_CONFIRM * 3600, lambda: _forget_pending(subscription))
        return subscription

    def _ask(self, subscription: Any) -> None:
        """Send the token to the endpoint."""
        token = secrets.token_hex(32)
        self._tokens[token] = subscription.arn
        topic = subscription.topic
        text = (
            f"You have chosen to subscribe to the topic:\n{topic.arn}\n\n"
            f"To confirm this subscription, use ConfirmSubscription with this token:\n{token}\n"
        )
        if subscription.protocol == "sqs":
            self._ask_queue(subscription, token, text)
        else:
            subject = "AWS Notification - Subscription Confirmation"
            self._mailbox.mail(subscription.endpoint, subject, text, topic.arn)

    def _ask_queue(self, subscription: Any, token: str, text: str) -> None:
        body = {"Type": "SubscriptionConfirmation", "Token": token, "Message": text}
        body["TopicArn"] = subscription.topic.arn
        self._topics.send_to_queue(subscription, json.dumps(body))


def _confirm(subscription: Any, is_signed: bool) -> None:
    subscription.confirmed = True
    subscription.attributes["PendingConfirmation"] = "false"
    subscription.attributes["ConfirmationWasAuthenticated"] = str(is_signed).lower()


def _set_attributes(store: Any, subscription: Any, given: dict[str, str]) -> None:
    """Let moto check and keep the attributes; nobody is subscribed if one is wrong."""
    try:
        # The scope decides how the policy is read, so it comes first.
        for name in sorted(given, key=lambda each: each != "FilterPolicyScope"):
            store.set_subscription_attributes(subscription.arn, name, given[name])
    except Exception as problem:
        store.unsubscribe(subscription.arn)
        text = str(getattr(problem, "message", problem))
        raise Refusal("InvalidParameter", f"Invalid parameter: Attributes Reason: {text}") from problem


def _is_confirmed_at_once(call: Call, protocol: str, endpoint: str) -> bool:
    """A queue's own account confirms by subscribing it; mail and web endpoints have to answer."""
    if protocol == "sqs":
        return Arn.parse(endpoint).account == call.account
    return protocol in _AT_ONCE


def _check_endpoint(protocol: str, endpoint: str) -> None:
    if protocol not in _PROTOCOLS:
        text = f"Amazon SNS does not support this protocol string: {protocol}"
        raise Refusal("InvalidParameter", f"Invalid parameter: {text}")
    wrong = "Endpoint must match the specified protocol"
    if protocol in ("sqs", "lambda"):
        wrong = f"{protocol.upper()} endpoint ARN"
        try:
            is_good = Arn.parse(endpoint).service == protocol
        except ValueError:
            is_good = False
    elif protocol in ("email", "email-json"):
        wrong = "Email address"
        is_good = "@" in endpoint
    elif protocol in ("http", "https"):
        is_good = endpoint.startswith(f"{protocol}://")
    else:
        is_good = bool(endpoint)
    if not is_good:
        raise Refusal("InvalidParameter", f"Invalid parameter: {wrong}")


def _forget_pending(subscription: Any) -> None:
    if is_pending(subscription):
        subscription.topic.sns_backend.subscriptions.pop(subscription.arn, None)


def _page(subscriptions: list[Any], call: Call) -> dict[str, Any]:
    return _PAGES(call, {"Subscriptions": [_listed(each) for each in subscriptions]})


def _listed(subscription: Any) -> dict[str, str]:
    return {
        "SubscriptionArn": "PendingConfirmation" if is_pending(subscription) else subscription.arn,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic.arn,
    }
