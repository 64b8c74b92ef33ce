"""What arrived for humans: messages in the queues that stand for an inbox, and mails to subscribers."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from typing import Any

from orgmon.sandbox.world import World


@dataclass(frozen=True)
class Letter:
    """One message. ``to`` is a queue's ARN or an address, ``time`` ISO 8601 in UTC, ``topic`` an ARN or empty."""

    time: str
    to: str
    subject: str
    text: str
    topic: str


class Mailbox:
    """Notes what arrives, without taking it out of its queue: readers of the queue still find it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._letters: list[Letter] = []
        self._inboxes = {
            f"arn:aws:sqs:{queue.region}:{queue.account}:{queue.name}" for queue in world.seed.queues
        }

    def install(self) -> None:
        """Open the seeded queues to the topics of their account, and offer the letters as a control endpoint."""
        for arn in self._inboxes:
            self._open(arn)
        self._world.controls["mailbox"] = self._control

    @property
    def letters(self) -> tuple[Letter, ...]:
        """All letters, the oldest first."""
        with self._lock:
            return tuple(self._letters)

    def mail(self, to: str, subject: str, text: str, topic: str) -> None:
        """Put a letter in."""
        letter = Letter(self._world.clock.now().isoformat(), to, subject, text, topic)
        with self._lock:
            self._letters.append(letter)

    def arrived(self, queue_arn: str, message: Any) -> None:
        """Hear of a message in a queue; only inboxes matter."""
        if queue_arn not in self._inboxes:
            return
        envelope = _envelope(message.body)
        self.mail(
            queue_arn,
            str(envelope.get("Subject", "")),
            str(envelope.get("Message", message.body)),
            str(envelope.get("TopicArn", "")),
        )

    def _open(self, arn: str) -> None:
        """Whoever owns an inbox has let the topics of his account write to it."""
        _, _, _, region, account, name = arn.split(":")
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{account}:*"}},
        }
        client = self._world.client("sqs", account, region)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def _control(self, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [asdict(letter) for letter in self.letters]}


def _envelope(body: str) -> dict[str, Any]:
    """What SNS wraps a message in; nothing if the body is something else."""
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) and content.get("Type") == "Notification" else {}
