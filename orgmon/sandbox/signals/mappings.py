"""Event source mappings: queues that Lambda reads for a function, batch by batch.

Sources: Lambda developer guide, "Using Lambda with Amazon SQS" (partial batch responses, visibility timeout,
permissions of the role), "Lambda event filtering" (messages that fit no filter are deleted).
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from botocore.exceptions import ClientError

from orgmon import eventpattern
from orgmon.sandbox.calls import Call
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.functions import Functions
from orgmon.sandbox.signals.losses import Losses, Undeliverable
from orgmon.sandbox.signals.queues import Queues
from orgmon.sandbox.world import World

RETRY_SECONDS = 60.0
_CHANGES = ("CreateEventSourceMapping", "UpdateEventSourceMapping")


class Mappings:
    """Reads queues for functions as soon as something arrives, and again when messages become visible."""

    def __init__(self, world: World, queues: Queues, functions: Functions, lost: Losses) -> None:
        self._world = world
        self._queues = queues
        self._functions = functions
        self._lost = lost
        self._planned: set[str] = set()

    def install(self) -> None:
        """Hear of messages and of new mappings."""
        self._queues.listeners.append(lambda arn, message: self.plan(arn))
        self._world.after.append(self._heard)

    def plan(self, queue_arn: str, seconds: float = 0.0) -> None:
        """Read a queue after that many sandbox seconds, if a function wants its messages."""
        if not self._of(queue_arn) or (seconds == 0 and queue_arn in self._planned):
            return
        if seconds == 0:
            self._planned.add(queue_arn)
        self._world.clock.after(seconds, lambda: self._read(queue_arn))

    def _of(self, queue_arn: str) -> list[Any]:
        where = Arn.parse(queue_arn)
        mappings = self._world.store("lambda", where.account, where.region)._event_source_mappings
        of_queue = [each for each in list(mappings.values()) if each.event_source_arn == queue_arn]
        return [each for each in of_queue if each.enabled]

    def _heard(self, call: Call) -> None:
        """moto would feed its own echo of a function; the mapping stays in its list, but not at the queue."""
        if call.service != "lambda" or call.operation not in _CHANGES or call.response is None:
            return
        arn = str(call.response["EventSourceArn"])
        if arn.split(":")[2] != "sqs":
            return
        self._queues.find(arn).lambda_event_source_mappings.clear()
        self.plan(arn)

    def _read(self, queue_arn: str) -> None:
        self._planned.discard(queue_arn)
        for mapping in self._of(queue_arn):
            try:
                while self._batch(mapping):
                    pass
            except ClientError as error:
                told = error.response["Error"]
                problem = Undeliverable(str(told.get("Code")), str(told.get("Message")))
                self._stuck(mapping, problem)
            except Undeliverable as problem:
                self._stuck(mapping, problem)

    def _stuck(self, mapping: Any, problem: Undeliverable) -> None:
        """The role may not read, or the function is gone: try again later, as Lambda does."""
        self._lost.note(mapping.event_source_arn, mapping.function_arn, problem)
        self.plan(mapping.event_source_arn, RETRY_SECONDS)

    def _batch(self, mapping: Any) -> bool:
        """Read and handle one batch; false when the queue has nothing more to read."""
        role = self._functions.role_of(self._functions.find(mapping.function_arn)).principal
        where = Arn.parse(mapping.event_source_arn)
        client = self._world.client("sqs", where.account, where.region, principal=role)
        queue = self._queues.find(mapping.event_source_arn)
        url = client.meta.endpoint_url.rstrip("/") + f"/{where.account}/{where.local}"
        messages = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(int(mapping.batch_size), 10),
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return False
        wanted = [message for message in messages if _fits(mapping.filter_criteria, message)]
        failed = self._handle(mapping, wanted) if wanted else set()
        for message in messages:
            if message["MessageId"] not in failed:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        if failed:
            self._see_again(queue, failed)
        return True

    def _handle(self, mapping: Any, messages: list[dict[str, Any]]) -> set[str]:
        """Invoke the function; the ids of the messages that have to come again."""
        arn = mapping.event_source_arn
        event = {"Records": [_record(message, arn) for message in messages]}
        outcome = self._functions.invoke(mapping.function_arn, event)
        everything = {str(message["MessageId"]) for message in messages}
        if outcome.error:
            return everything
        if "ReportBatchItemFailures" not in (mapping.function_response_types or []):
            return set()
        return _failures(outcome.payload, everything)

    def _see_again(self, queue: Any, ids: set[str]) -> None:
        """Failed messages come back when the queue's visibility timeout is over, in sandbox time."""
        waiting = [message for message in list(queue._messages) if message.id in ids]

        def show() -> None:
            for message in waiting:
                message.visible_at = 0.0
            self.plan(queue.queue_arn)

        for message in waiting:
            message.visible_at = float("inf")
        self._world.clock.after(float(queue.visibility_timeout), show)


def _failures(payload: str, everything: set[str]) -> set[str]:
    """The ids in a partial batch response. One that cannot be understood means that all failed."""
    try:
        answer = json.loads(payload) or {}
        named = {str(each["itemIdentifier"]) for each in answer.get("batchItemFailures") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        return everything
    return named if named <= everything else everything


def _record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    """A message as a function gets it."""
    attributes: dict[str, Any] = defaultdict(dict)
    for name, value in message.get("MessageAttributes", {}).items():
        members = {key[0].lower() + key[1:]: each for key, each in value.items()}
        attributes[name] = {**members, "stringListValues": [], "binaryListValues": []}
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": dict(attributes),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _fits(criteria: dict[str, Any] | None, message: dict[str, Any]) -> bool:
    """Whether one of the filters takes the message; without filters all are taken."""
    patterns = [each["Pattern"] for each in (criteria or {}).get("Filters", [])]
    if not patterns:
        return True
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = message["Body"]
    return any(eventpattern.parse(pattern).matches({"body": body}) for pattern in patterns)
