"""The hub's topics: who is subscribed, and who has not confirmed."""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.alerting import ALERTING
from orgmon.aws.errors import translated
from orgmon.aws.session import Sessions
from orgmon.config.model import OrganizationSection
from orgmon.errors import AwsError, NotFoundError
from orgmon.stacks import names


@dataclass(frozen=True)
class Subscription:
    """A subscription of a topic. Only one whose ARN is an ARN gets messages."""

    topic: str
    protocol: str
    endpoint: str
    arn: str

    @property
    def is_confirmed(self) -> bool:
        """False for the literals ``PendingConfirmation`` and ``Deleted`` (SNS API reference)."""
        return self.arn.startswith("arn:")


def subscriptions(sessions: Sessions, organization: OrganizationSection) -> tuple[Subscription, ...]:
    """The subscriptions of all severity topics; none where the hub is not there or cannot be asked.

    The topics let the management account list them, so no role in the security account is needed.
    """
    region, security_account = organization.home_region, organization.security_account
    client = sessions.management("sns")
    subscribed: list[Subscription] = []
    for severity in ALERTING:
        arn = f"arn:{organization.partition}:sns:{region}:{security_account}:{names.topic(severity)}"
        try:
            with translated("sns:ListSubscriptionsByTopic", account=security_account, region=region):
                pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
                for page in pages:
                    for item in page["Subscriptions"]:
                        subscribed.append(
                            Subscription(
                                severity, item["Protocol"], item["Endpoint"], item["SubscriptionArn"]
                            )
                        )
        except NotFoundError:
            continue
        except AwsError as error:
            if error.code in ("AuthorizationError", "AccessDenied", "NotFoundException"):
                continue
            raise
    return tuple(subscribed)
