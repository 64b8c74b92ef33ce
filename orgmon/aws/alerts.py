"""The hub's topics: who is subscribed, and who has not confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orgmon.aws.errors import translated
from orgmon.aws.session import Sessions
from orgmon.config.model import OrganizationSection
from orgmon.delivery import TOPICS, Subscription, Unread
from orgmon.errors import AwsError, NotFoundError
from orgmon.stacks import names

_REFUSED = ("AuthorizationError", "AccessDenied", "AccessDeniedException")


class AlertTopics:
    """The topics of the hub, asked and changed from the management account.

    The topics let that account list and make subscriptions, so no role in the security account is needed.
    """

    def __init__(self, sessions: Sessions, organization: OrganizationSection) -> None:
        self._sessions = sessions
        self._region = organization.home_region
        self._account = organization.security_account
        self._prefix = f"arn:{organization.partition}:sns:{self._region}:{self._account}:"

    def _client(self) -> Any:
        return self._sessions.management("sns")

    def read(self) -> tuple[Subscription | Unread, ...]:
        """The subscriptions of all topics; Unread for a topic that is not there or cannot be asked."""
        return tuple(item for topic in TOPICS for item in self._of(topic))

    def _of(self, topic: str) -> Iterator[Subscription | Unread]:
        arn = self._prefix + names.topic(topic)
        subscribed: list[Subscription] = []
        try:
            with translated(
                "sns:ListSubscriptionsByTopic", account=self._account, region=self._region, of=arn
            ):
                for page in (
                    self._client().get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
                ):
                    subscribed += [
                        Subscription(topic, item["Protocol"], item["Endpoint"], item["SubscriptionArn"])
                        for item in page["Subscriptions"]
                    ]
        except NotFoundError:
            yield Unread(topic, "the topic does not exist")
        except AwsError as error:
            if error.code not in _REFUSED:
                raise
            yield Unread(topic, str(error))
        yield from subscribed

    def subscribe(self, topic: str, protocol: str, endpoint: str) -> None:
        """Subscribe an endpoint (again). Raises AwsError."""
        arn = self._prefix + names.topic(topic)
        with translated("sns:Subscribe", account=self._account, region=self._region, of=arn):
            self._client().subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
