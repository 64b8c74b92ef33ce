"""The metric that tells how many messages wait in a queue; alarms on dead letters look at it."""

from __future__ import annotations

from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.metrics import Metrics
from orgmon.sandbox.signals.queues import Queues
from orgmon.sandbox.world import World

EVERY_SECONDS = 60.0
METRIC = "ApproximateNumberOfMessagesVisible"


class QueueDepth:
    """Publishes the depth of every queue that holds something, once a sandbox minute. Empty queues stay silent."""

    def __init__(self, world: World, queues: Queues, metrics: Metrics) -> None:
        self._world = world
        self._queues = queues
        self._metrics = metrics

    def install(self) -> None:
        """Begin."""
        self._world.clock.every(EVERY_SECONDS, self._publish)

    def _publish(self) -> None:
        for queue, depth in self._queues.waiting():
            arn = Arn.parse(queue)
            dimensions = {"QueueName": arn.local}
            self._metrics.publish(arn.account, arn.region, "AWS/SQS", METRIC, depth, dimensions)
