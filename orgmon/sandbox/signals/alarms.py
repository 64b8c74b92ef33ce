"""CloudWatch alarms: they look at their metric when it gets a value and every minute, and tell when they change.

Sources: CloudWatch user guide, "Using Amazon CloudWatch alarms" (actions run on transitions, are never checked, and
only the history shows that they failed), "Alarm events and EventBridge", "Invoke a Lambda function from an alarm".
"""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals import alarm_texts
from orgmon.sandbox.signals.alarm_checks import check_alarm, check_data
from orgmon.sandbox.signals.alarm_history import AlarmHistory
from orgmon.sandbox.signals.alarm_queries import AlarmQueries, keep, queries_of
from orgmon.sandbox.signals.alarm_texts import Change
from orgmon.sandbox.signals.arns import Arn
from orgmon.sandbox.signals.bus import EventBus
from orgmon.sandbox.signals.evaluation import (
    INSUFFICIENT_DATA,
    Window,
    end_of,
    evaluate,
    range_of,
    window_of,
    window_of_values,
)
from orgmon.sandbox.signals.functions import Functions
from orgmon.sandbox.signals.grants import Grants
from orgmon.sandbox.signals.losses import NO_RESOURCE, Undeliverable
from orgmon.sandbox.signals.metrics import MetricKey, Metrics
from orgmon.sandbox.signals.topics import Topics
from orgmon.sandbox.world import World

EVERY_SECONDS = 60.0
_Place = tuple[str, str, str]


class Alarms:
    """All alarms. Those that have nothing to look at sleep until their metric gets a value."""

    def __init__(
        self,
        world: World,
        metrics: Metrics,
        grants: Grants,
        topics: Topics,
        functions: Functions,
        bus: EventBus,
    ) -> None:
        self._world = world
        self._metrics = metrics
        self._grants = grants
        self._topics = topics
        self._functions = functions
        self._bus = bus
        self._lock = threading.RLock()
        self._awake: set[_Place] = set()
        self._former: dict[str, Any] = {}
        self.history = AlarmHistory(world)

    def install(self) -> None:
        """Listen to metrics and the clock; take SetAlarmState over and look at PutMetricAlarm."""
        self._metrics.listeners.append(self._fed)
        self._world.operations.register("cloudwatch", "SetAlarmState", self.set_state)
        self._world.before.append(self._about_to_put)
        self._world.after.append(self._put)
        self._world.clock.every(EVERY_SECONDS, self._tick)
        self.history.install()

    def set_state(self, call: Call) -> dict[str, Any]:
        """Set a state by hand; the next evaluation sets it right again. Actions run as ever."""
        name, state = str(call.params["AlarmName"]), str(call.params["StateValue"])
        alarm = self._find(call.account, call.region, name)
        if alarm is None:
            raise Refusal("ResourceNotFound", "The named resource does not exist.", 404)
        data = str(call.params.get("StateReasonData") or "") or None
        if data is not None:
            check_data(data)
        with self._lock:
            self._change(call.account, call.region, alarm, state, str(call.params["StateReason"]), data)
            self._awake.add((call.account, call.region, name))
        return {}

    def _find(self, account: str, region: str, name: str) -> Any | None:
        return self._world.stores.find("cloudwatch", account, region, "alarms", name)

    def _about_to_put(self, call: Call) -> None:
        """Actions are of the alarm's own Region; an alarm that is put again keeps its state."""
        if (call.service, call.operation) != ("cloudwatch", "PutMetricAlarm"):
            return
        check_alarm(call)
        self._former[call.request_id] = self._find(call.account, call.region, str(call.params["AlarmName"]))

    def _put(self, call: Call) -> None:
        if call.service != "cloudwatch":
            return
        if call.operation == "PutMetricAlarm":
            former = self._former.pop(call.request_id, None)
            if call.error is None:
                self._begin(call, former)
        elif call.operation == "DeleteAlarms" and call.error is None:
            for name in call.params.get("AlarmNames", []):
                self._configured(call, str(name), "delete")
                self._forget_tags(call, str(name))

    def _begin(self, call: Call, former: Any | None) -> None:
        name = str(call.params["AlarmName"])
        alarm = self._find(call.account, call.region, name)
        if alarm is None:
            return
        with self._lock:
            if call.params.get("Metrics"):
                keep(alarm, AlarmQueries.parse(call.account, call.region, call.params))
            alarm.configuration_updated_timestamp = _naive(call)
            if former is None:
                alarm.state_value, alarm.state_reason_data = INSUFFICIENT_DATA, None
                alarm.state_updated_timestamp = alarm.state_transitioned_timestamp = _naive(call)
            else:
                _copy_state(former, alarm)
            self._awake.add((call.account, call.region, name))
        self._configured(call, name, "update" if former is not None else "create")

    def _configured(self, call: Call, name: str, operation: str) -> None:
        arn = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
        detail = {"alarmName": name, "operation": operation}
        what = "CloudWatch Alarm Configuration Change"
        self._bus.emit(call.account, call.region, "aws.cloudwatch", what, detail, resources=(arn,))

    def _forget_tags(self, call: Call, name: str) -> None:
        """The tags of an alarm go with it; moto would give them to the next one of that name."""
        arn = f"arn:aws:cloudwatch:{call.region}:{call.account}:alarm:{name}"
        self._world.store("cloudwatch", call.account, call.region).tagger.delete_all_tags_for_resource(arn)

    def _fed(self, key: MetricKey) -> None:
        """A metric got a value: look at the alarms on it at once."""
        store = self._world.store("cloudwatch", key.account, key.region)
        for alarm in list(store.alarms.values()):
            if alarm.metric_name not in (None, key.name):
                continue
            queries = queries_of(alarm)
            if (key in queries.keys) if queries else (_key_of(key.account, key.region, alarm) == key):
                self._look((key.account, key.region, alarm.name))

    def _tick(self) -> None:
        for place in tuple(self._awake):
            self._look(place)

    def _look(self, place: _Place) -> None:
        account, region, name = place
        alarm = self._find(account, region, name)
        with self._lock:
            self._awake.discard(place)
            now = self._world.clock.now()
            window = self._window(account, region, alarm, now) if alarm is not None else None
            if alarm is None or window is None:
                return
            finding = evaluate(alarm, window, now)
            if finding.state != alarm.state_value:
                self._change(account, region, alarm, finding.state, finding.reason, json.dumps(finding.data))
            if not window.is_empty:
                self._awake.add(place)

    def _window(self, account: str, region: str, alarm: Any, now: datetime) -> Window | None:
        queries = queries_of(alarm)
        if queries is not None:
            values = queries.values(self._metrics, end_of(now), int(alarm.evaluation_periods))
            return window_of_values(values, queries.period, now)
        key = _key_of(account, region, alarm)
        return window_of(alarm, self._metrics.between(key, *range_of(alarm, now)), now) if key else None

    def _change(
        self, account: str, region: str, alarm: Any, state: str, reason: str, data: str | None
    ) -> None:
        old, previous = alarm.state_value, alarm_texts.state_of(alarm)
        now = self._world.clock.now()
        alarm.state_value, alarm.state_reason, alarm.state_reason_data = state, reason, data
        alarm.state_updated_timestamp = now.replace(tzinfo=None)
        if old != state:
            alarm.state_transitioned_timestamp = alarm.state_updated_timestamp
        change = Change(account, region, alarm, old, now, previous)
        self.history.changed(change)
        if old == state:
            return
        detail = {**alarm_texts.event_detail(change), "previousState": previous}
        what = "CloudWatch Alarm State Change"
        self._bus.emit(account, region, "aws.cloudwatch", what, detail, resources=(alarm.alarm_arn,))
        if alarm.actions_enabled:
            for action in alarm_texts.actions_of(change):
                self._act(change, str(action))

    def _act(self, change: Change, action: str) -> None:
        """Take an action. What goes wrong is told by the history and by nothing else."""
        kinds = {"sns": self._publish, "lambda": self._invoke}
        service = Arn.parse(action).service
        try:
            if service not in kinds:
                raise Undeliverable(NO_RESOURCE, f"The sandbox has no alarm actions of {service}.")
            kinds[service](change, action)
            self.history.acted(change, action)
        except Undeliverable as problem:
            self.history.acted(change, action, problem.message)

    def _publish(self, change: Change, topic: str) -> None:
        sender = self._grants.service("cloudwatch", change.alarm.alarm_arn, change.account)
        text = json.dumps(alarm_texts.message(change))
        self._topics.publish_as(sender, topic, text, alarm_texts.subject(change))

    def _invoke(self, change: Change, function: str) -> None:
        """It has succeeded once Lambda has taken the event, whatever the function does with it."""
        sender = self._grants.service("lambda.alarms.cloudwatch", change.alarm.alarm_arn, change.account)
        self._functions.invoke_later(function, alarm_texts.function_event(change), sender)


def _key_of(account: str, region: str, alarm: Any) -> MetricKey | None:
    """The metric of an alarm on one; None for alarms on percentiles and on other alarms, which are not evaluated."""
    if not alarm.metric_name or not alarm.statistic:
        return None
    dimensions = tuple(sorted((str(each.name), str(each.value)) for each in alarm.dimensions))
    return MetricKey(account, region, alarm.namespace, alarm.metric_name, dimensions)


def _copy_state(former: Any, alarm: Any) -> None:
    for name in ("value", "reason", "reason_data", "updated_timestamp", "transitioned_timestamp"):
        setattr(alarm, f"state_{name}", getattr(former, f"state_{name}"))


def _naive(call: Call) -> Any:
    """moto keeps times without their zone, in UTC."""
    return call.time.replace(tzinfo=None)
