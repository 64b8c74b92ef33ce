"""What happens after an API call: metrics, alarms, events, notifications, functions.

moto keeps buses, rules, queues, topics, alarms and functions; that something happens with them is done here.
"""

from __future__ import annotations

from dataclasses import dataclass

from orgmon.sandbox.mailbox import Mailbox
from orgmon.sandbox.signals.alarm_api import AlarmApi
from orgmon.sandbox.signals.alarms import Alarms
from orgmon.sandbox.signals.bus import EventBus
from orgmon.sandbox.signals.bus_api import BusApi
from orgmon.sandbox.signals.function_api import FunctionApi
from orgmon.sandbox.signals.functions import Functions
from orgmon.sandbox.signals.grants import Grants
from orgmon.sandbox.signals.log_groups import LogGroups
from orgmon.sandbox.signals.losses import Losses
from orgmon.sandbox.signals.mappings import Mappings
from orgmon.sandbox.signals.metric_api import MetricApi
from orgmon.sandbox.signals.metrics import Metrics
from orgmon.sandbox.signals.queue_times import QueueTimes
from orgmon.sandbox.signals.queues import Queues
from orgmon.sandbox.signals.replays import Replays
from orgmon.sandbox.signals.schedules import Schedules
from orgmon.sandbox.signals.subscriptions import Subscriptions
from orgmon.sandbox.signals.targets import Targets
from orgmon.sandbox.signals.topic_api import TopicApi
from orgmon.sandbox.signals.topics import Topics
from orgmon.sandbox.world import World


@dataclass(frozen=True)
class Signals:
    """The rooms behind the signals. ``lost`` is everything that was dropped on its way, and why."""

    grants: Grants
    metrics: Metrics
    log_groups: LogGroups
    queues: Queues
    functions: Functions
    mailbox: Mailbox
    topics: Topics
    bus: EventBus
    alarms: Alarms
    lost: Losses

    def stop(self) -> None:
        """End the functions' processes."""
        self.functions.stop()


def install(world: World) -> Signals:
    """Make a world's signals work. moto does none of it by itself any more."""
    signals = _signals(world)
    # Before the alarms: a queue tells its depth of a minute before anybody looks at that minute.
    QueueTimes(world, signals.queues, signals.metrics).install()
    for room in (signals.metrics, signals.log_groups, signals.queues, signals.mailbox, signals.alarms):
        room.install()
    signals.queues.listeners.append(signals.mailbox.arrived)
    Mappings(world, signals.queues, signals.functions, signals.lost).install()
    TopicApi(world, signals.topics).install()
    Subscriptions(world, signals.topics, signals.mailbox).install()
    Schedules(world, signals.bus).install()
    Replays(world, signals.bus).install()
    BusApi(world, signals.bus, signals.grants, signals.lost).install()
    FunctionApi(world, signals.functions).install()
    MetricApi(world, signals.metrics).install()
    AlarmApi(world).install()
    return signals


def _signals(world: World) -> Signals:
    lost = Losses(world.clock.now)
    grants = Grants(world)
    metrics = Metrics(world)
    log_groups = LogGroups(world, metrics)
    queues = Queues(world, grants)
    functions = Functions(world, grants, log_groups, metrics, lost)
    mailbox = Mailbox(world)
    topics = Topics(world, grants, queues, functions, mailbox, lost)
    targets = Targets(world, grants, queues, topics, log_groups, functions, metrics, lost)
    bus = EventBus(world, metrics, targets.deliver)
    alarms = Alarms(world, metrics, grants, topics, functions, bus)
    return Signals(grants, metrics, log_groups, queues, functions, mailbox, topics, bus, alarms, lost)
