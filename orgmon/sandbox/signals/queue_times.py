"""What happens to queues as time goes by: they tell how many messages they hold, and forget old ones.

Sources: SQS developer guide, "Available CloudWatch metrics for Amazon SQS" (a queue is active for six hours after it
was used or held a message), "Amazon SQS message retention".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from moto.core.utils import unix_time_millis

from orgmon.sandbox.calls import Call
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.metrics import Metrics
from orgmon.sandbox.signals.queues import Queues
from orgmon.sandbox.world import World

EVERY_SECONDS = 60.0
ACTIVE = timedelta(hours=6)
_LOOKING = ("ReceiveMessage", "GetQueueAttributes")


class QueueTimes:
    """Publishes the depths of every queue that is active, empty or not, and drops what is older than its retention."""

    def __init__(self, world: World, queues: Queues, metrics: Metrics) -> None:
        self._world = world
        self._queues = queues
        self._metrics = metrics
        self._used: dict[str, datetime] = {}

    def install(self) -> None:
        """Begin."""
        self._world.clock.every(EVERY_SECONDS, self._tick)
        self._world.before.append(self._about_to_look)
        self._world.after.append(self._heard)
        self._queues.listeners.append(lambda arn, message: self._use(arn))

    def _use(self, arn: str) -> None:
        self._used[arn] = self._world.clock.now()

    def _about_to_look(self, call: Call) -> None:
        """Nobody gets a message that is too old, even between two ticks."""
        if call.service != "sqs" or call.operation not in _LOOKING or not call.resource.startswith("arn:"):
            return
        arn = Arn.parse(call.resource)
        queue = self._world.stores.find("sqs", arn.account, arn.region, "queues", arn.local)
        if queue is not None:
            _forget_old(queue, self._world.clock.now())

    def _heard(self, call: Call) -> None:
        if call.service == "sqs" and call.error is None and call.resource.startswith("arn:"):
            self._use(call.resource)

    def _tick(self) -> None:
        now = self._world.clock.now()
        for queue in self._queues.all():
            _forget_old(queue, now)
            if queue._messages:
                self._use(queue.queue_arn)
            if now - self._used.get(queue.queue_arn, now - ACTIVE) < ACTIVE:
                self._publish(queue)

    def _publish(self, queue: Any) -> None:
        dimensions = {"QueueName": queue.name}
        for kind, depth in _depths(queue).items():
            name = f"ApproximateNumberOfMessages{kind}"
            self._metrics.publish(
                queue.account_id, queue.region, "AWS/SQS", name, depth, dimensions, unit="Count"
            )


def _depths(queue: Any) -> dict[str, int]:
    """How many messages wait, are worked on and are delayed: all in one pass, moto would make four."""
    now = unix_time_millis()
    depths = {"Visible": 0, "NotVisible": 0, "Delayed": 0}
    for message in tuple(queue._messages):
        is_visible, is_delayed = now > message.visible_at, now < message.delayed_until
        depths["NotVisible"] += not is_visible
        depths["Delayed"] += is_delayed
        depths["Visible"] += is_visible and not is_delayed
    return depths


def _forget_old(queue: Any, now: datetime) -> None:
    """Drop what is older than the queue's retention, also while somebody works on it."""
    oldest = (now - timedelta(seconds=int(queue.message_retention_period))).timestamp() * 1000
    if any(message.sent_timestamp <= oldest for message in list(queue._messages)):
        queue._messages = [message for message in list(queue._messages) if message.sent_timestamp > oldest]
        queue._pending_messages &= set(queue._messages)
