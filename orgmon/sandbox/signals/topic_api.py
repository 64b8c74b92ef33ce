"""The SNS operations that publish. Whether the caller may is decided by the gateway, but for the topic's key."""

from __future__ import annotations

import json
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals.grants import Sender
from orgmon.sandbox.signals.losses import Undeliverable
from orgmon.sandbox.signals.topics import Topics
from orgmon.sandbox.world import World

LONGEST_SUBJECT = 100
LONGEST_MESSAGE = 262_144


class TopicApi:
    """Answers Publish and PublishBatch."""

    def __init__(self, world: World, topics: Topics) -> None:
        self._world = world
        self._topics = topics

    def install(self) -> None:
        """Take the operations over."""
        self._world.operations.register("sns", "Publish", self.publish)
        self._world.operations.register("sns", "PublishBatch", self.publish_batch)

    def publish(self, call: Call) -> dict[str, Any]:
        """Publish one message to a topic. Telephone numbers and mobile endpoints are not there."""
        arn = call.params.get("TopicArn") or call.params.get("TargetArn")
        if not arn:
            raise _invalid("TopicArn or TargetArn Reason: no value for required parameter")
        return {"MessageId": self._publish(call, str(arn), call.params)}

    def publish_batch(self, call: Call) -> dict[str, Any]:
        """Publish up to ten messages; each one succeeds or fails for itself."""
        entries = call.params["PublishBatchRequestEntries"]
        if len(entries) > 10:
            raise Refusal("TooManyEntriesInBatchRequest", "The batch request contains more than 10 entries.")
        good: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        for entry in entries:
            try:
                message_id = self._publish(call, str(call.params["TopicArn"]), entry)
                good.append({"Id": entry["Id"], "MessageId": message_id})
            except Refusal as problem:
                told = {"Code": problem.code, "Message": problem.message, "SenderFault": True}
                bad.append({"Id": entry["Id"], **told})
        return {"Successful": good, "Failed": bad}

    def _publish(self, call: Call, arn: str, entry: dict[str, Any]) -> str:
        try:
            topic = self._topics.find(arn)
        except (Undeliverable, ValueError) as problem:
            raise Refusal("NotFound", "Topic does not exist", 404) from problem
        message, subject = _checked(entry)
        if not call.trusted:
            self._check_key(call, topic)
        texts = _by_protocol(entry, message)
        return self._topics.publish(
            arn,
            texts.get("default", message),
            subject,
            entry.get("MessageAttributes"),
            texts,
            entry.get("MessageGroupId"),
        )

    def _check_key(self, call: Call, topic: Any) -> None:
        try:
            self._topics.require_key(Sender(call.principal), topic)
        except Undeliverable as problem:
            text = f"User: {problem.message}"
            raise Refusal("KMSAccessDenied", text, 400) from problem


def _checked(entry: dict[str, Any]) -> tuple[str, str]:
    message, subject = str(entry.get("Message", "")), str(entry.get("Subject") or "")
    if not message:
        raise _invalid("Empty message")
    if len(message.encode()) > LONGEST_MESSAGE:
        raise _invalid("Message too long")
    if "Subject" in entry and not _is_subject(subject):
        raise _invalid("Subject")
    return message, subject


def _is_subject(text: str) -> bool:
    """SNS takes up to 100 printable ASCII characters in one line that does not begin with a space."""
    return 0 < len(text) <= LONGEST_SUBJECT and text.isascii() and text.isprintable() and text[0] != " "


def _by_protocol(entry: dict[str, Any], message: str) -> dict[str, str]:
    if entry.get("MessageStructure") != "json":
        return {}
    try:
        texts = json.loads(message)
    except ValueError as problem:
        raise _invalid("Message Structure - JSON message body failed to parse") from problem
    if not isinstance(texts, dict) or "default" not in texts:
        raise _invalid("Message Structure - No default entry in JSON message body")
    return {str(key): str(value) for key, value in texts.items()}


def _invalid(text: str) -> Refusal:
    return Refusal("InvalidParameter", f"Invalid parameter: {text}")
