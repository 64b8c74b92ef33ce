"""What was said already: claims that are leases until they are kept, so that nobody's death loses an alert.

Whoever wants to say something claims it first. A claim ends by itself a little after the function's time would be
over; then somebody else may claim it. Once it was said it is kept for as long as the same thing can come again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Any

TIMEOUT_SECONDS = 30
"""The longest that a function runs which says alerts."""

LEASE_SECONDS = TIMEOUT_SECONDS + 15
REMEMBER_SECONDS = 2 * 24 * 3600
"""How long a repeated delivery can lag: EventBridge retries for 24 hours."""

REMEMBER_LASTING_SECONDS = 90 * 24 * 3600
"""The same for findings, which services send again while they are open (GuardDuty keeps them for 90 days)."""

VERSION = "1"


class Claim(Enum):
    """Whose it is to say something: ours, nobody's more, or somebody's who may still be at it."""

    OURS = "ours"
    SAID = "said"
    TAKEN = "taken"


class Table:
    """The memory in a DynamoDB table with the key ``id``; items expire by themselves (``expires``, epoch seconds)."""

    def __init__(self, client: Any, name: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._name = name
        self._now = now

    def claim(self, key: str) -> Claim:
        """Ask for a key. Raises the SDK's error where the table does not answer."""
        now = int(self._now())
        item = {
            **_id(key),
            "v": {"N": VERSION},
            "lease": {"N": str(now + LEASE_SECONDS)},
            "expires": {"N": str(now + REMEMBER_SECONDS)},
        }
        try:
            self._client.put_item(
                TableName=self._name,
                Item=item,
                # An item without a lease was said; one that has expired may still be there for two days.
                ConditionExpression="attribute_not_exists(id) OR lease < :now OR expires < :now",
                ExpressionAttributeValues={":now": {"N": str(now)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            there = error.response.get("Item", {})
            return Claim.TAKEN if "lease" in there else Claim.SAID
        return Claim.OURS

    def keep(self, key: str, seconds: int) -> None:
        """Remember that it was said, for so long. Raises the SDK's error where the table does not answer."""
        self._client.update_item(
            TableName=self._name,
            Key=_id(key),
            UpdateExpression="SET expires = :until, v = :version REMOVE lease",
            ExpressionAttributeValues={
                ":until": {"N": str(int(self._now()) + seconds)},
                ":version": {"N": VERSION},
            },
        )


def _id(key: str) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"claim#{key}"}}
