"""The notifier: takes alerts from the hub's queues, says each once, in words, to the topic of its severity.

EventBridge delivers at least once and both accounts of a cross-account call get the event, so a table remembers
what was said: events are the same where their id is (``sharedEventID``, CloudTrail record contents), findings where
the service's own id is. Whatever dies in between, nothing is lost; it is repeated only after a death between saying
and remembering.
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
from orgmon.functions.memory import REMEMBER_LASTING_SECONDS, REMEMBER_SECONDS, Claim, Table


class Memory(Protocol):
    """What was said already."""

    def claim(self, key: str) -> Claim:
        """Ask for a key."""

    def keep(self, key: str, seconds: int) -> None:
        """Remember for so long that it was said."""


class Publisher(Protocol):
    """Says an alert to whoever subscribed."""

    def publish(self, alert: Alert) -> None:
        """Raises the SDK's error if the topic does not take it."""


class TakenError(Exception):
    """Somebody else is about to say the same, or has died over it: the message has to come again."""


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
    """Say one alert, unless it was said before. What nothing identifies is said each time.

    Where the hub's rule takes more than the detection, the catalogue has its condition, and the event is looked at
    again. Raises TakenError, and what memory and publisher raise; then the message has to come again.
    """
    condition = catalogue.get(body["detection"], {}).get("condition")
    if condition is not None and not from_json(condition).holds(body["event"].get("detail") or {}):
        return
    alert = alert_of(body["detection"], body["event"], catalogue, directory)
    claim = memory.claim(alert.key) if alert.key else Claim.OURS
    if claim is Claim.SAID:
        return
    if claim is Claim.TAKEN:
        raise TakenError(alert.key)
    publisher.publish(alert)
    if alert.key:
        memory.keep(alert.key, REMEMBER_LASTING_SECONDS if alert.is_lasting else REMEMBER_SECONDS)


@cache
def _data(name: str) -> dict[str, dict[str, Any]]:
    loaded = json.loads(files("orgmon.functions").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


class Topics:
    """The topics of the hub, one a severity; ``prefix`` is their ARN without the severity."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def publish(self, alert: Alert) -> None:
        """Send subject and text to the topic of the alert's severity."""
        self._client.publish(
            TopicArn=f"{self._prefix}{alert.severity}", Subject=alert.subject, Message=alert.text
        )


def _client(service: str) -> Any:
    """A client that gives up well before the function's time is over: three calls an alert, each in nine seconds."""
    import boto3
    from botocore.config import Config

    patience = Config(
        connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
    )
    return boto3.client(service, config=patience)


@cache
def _table() -> Table:
    return Table(_client("dynamodb"), os.environ["STATE_TABLE"])


@cache
def _topics() -> Topics:
    return Topics(_client("sns"), os.environ["TOPIC_PREFIX"])
