"""The notifier: takes alerts from the hub's queues, says each once, in words, to the topic of its severity.

EventBridge delivers at least once and both accounts of a cross-account call get the event, so a table remembers
what was said: events are the same where their id is (``sharedEventID``, CloudTrail record contents).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from orgmon.alerts.alert import Alert, alert_of
from orgmon.detections.codec import from_json

# How long a repeated delivery can lag: EventBridge retries for 24 hours.
REMEMBER_SECONDS = 2 * 24 * 3600


class Memory(Protocol):
    """What was said already."""

    def claim(self, key: str) -> bool:
        """True for the first who asks for a key."""

    def release(self, key: str) -> None:
        """Forget a key, so that the alert can be tried again."""


class Publisher(Protocol):
    """Says an alert to whoever subscribed."""

    def publish(self, alert: Alert) -> None:
        """Raises the SDK's error if the topic does not take it."""


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Handle a batch of queue messages.

    Returns the ids of the messages that failed, so that only those come again (AWS Lambda, "partial batch
    responses").
    """
    failed = []
    for record in event["Records"]:
        try:
            notify(json.loads(record["body"]), _table(), _topics(), _data("catalogue"), _data("directory"))
        except Exception as error:  # each message stands alone: one bad message must not hold back the others
            print(json.dumps({"message": record["messageId"], "error": f"{type(error).__name__}: {error}"}))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def notify(
    body: Mapping[str, Any],
    memory: Memory,
    publisher: Publisher,
    catalogue: Mapping[str, Mapping[str, Any]],
    directory: Mapping[str, Mapping[str, str]],
) -> None:
    """Say one alert, unless it was said before. Raises what the publisher raises; then it can be tried again.

    Where the hub's rule takes more than the detection, the catalogue has its condition, and the event is looked at
    again.
    """
    condition = catalogue.get(body["detection"], {}).get("condition")
    if condition is not None and not from_json(condition).holds(body["event"].get("detail") or {}):
        return
    alert = alert_of(body["detection"], body["event"], catalogue, directory)
    # Without the account: a call across accounts is recorded in both, with one shared id.
    key = f"{alert.detection}/{alert.event_id}"
    if not memory.claim(key):
        return
    try:
        publisher.publish(alert)
    except Exception:
        memory.release(key)
        raise


@cache
def _data(name: str) -> dict[str, dict[str, Any]]:
    loaded = json.loads(files("orgmon.functions").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


class Table:
    """The memory in a DynamoDB table; entries expire by themselves."""

    def __init__(self, name: str) -> None:
        import boto3

        self._client = boto3.client("dynamodb")
        self._name = name

    def claim(self, key: str) -> bool:
        """True for the first who asks for a key."""
        import time

        item = {"id": {"S": key}, "expires": {"N": str(int(time.time()) + REMEMBER_SECONDS)}}
        try:
            self._client.put_item(
                TableName=self._name, Item=item, ConditionExpression="attribute_not_exists(id)"
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def release(self, key: str) -> None:
        """Forget a key."""
        self._client.delete_item(TableName=self._name, Key={"id": {"S": key}})


class Topics:
    """The topics of the hub, one a severity; ``prefix`` is their ARN without the severity."""

    def __init__(self, prefix: str) -> None:
        import boto3

        self._client = boto3.client("sns")
        self._prefix = prefix

    def publish(self, alert: Alert) -> None:
        """Send subject and text to the topic of the alert's severity."""
        self._client.publish(
            TopicArn=f"{self._prefix}{alert.severity}", Subject=alert.subject, Message=alert.text
        )


@cache
def _table() -> Table:
    return Table(os.environ["STATE_TABLE"])


@cache
def _topics() -> Topics:
    return Topics(os.environ["TOPIC_PREFIX"])
