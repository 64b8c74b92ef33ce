"""EventBridge: rules on a schedule, which nobody has to send an event for.

Sources: EventBridge user guide, "Creating a rule that runs on a schedule" (within the minute that is meant; a rate
counts from the rule's creation; the event goes to the rule's own targets); answers of AWS as recorded in LocalStack's
public tests (tests/aws/services/events/test_events_schedule).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.signals.bus import EventBus
from orgmon.sandbox.signals.schedule_expressions import Cron, Rate, parse
from orgmon.sandbox.world import World

EVERY_SECONDS = 60.0
_MINUTE = timedelta(minutes=1)


@dataclass
class _Plan:
    """A schedule that was put, and up to when it has been looked at."""

    account: str
    region: str
    rule: str
    expression: str
    meaning: Rate | Cron
    since: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether it has fallen due since it was last looked at; it is looked at now."""
        if isinstance(self.meaning, Rate):
            step = timedelta(seconds=self.meaning.seconds)
            passed = (now - self.since) // step
            self.since += passed * step
            return passed > 0
        minutes = range(1, (_floor(now) - _floor(self.since)) // _MINUTE + 1)
        due = any(self.meaning.fits(_floor(self.since) + number * _MINUTE) for number in minutes)
        self.since = now
        return due


class Schedules:
    """Fires rules when they are due, and refuses expressions that EventBridge refuses."""

    def __init__(self, world: World, bus: EventBus) -> None:
        self._world = world
        self._bus = bus
        self._lock = threading.Lock()
        self._plans: dict[tuple[str, str, str], _Plan] = {}

    def install(self) -> None:
        """Look at PutRule, and at the clock."""
        self._world.before.append(self._about_to_put)
        self._world.clock.every(EVERY_SECONDS, self._tick)

    def _about_to_put(self, call: Call) -> None:
        expression = str(call.params.get("ScheduleExpression") or "")
        if (call.service, call.operation) != ("events", "PutRule") or not expression:
            return
        bus = str(call.params.get("EventBusName") or "default").rsplit("/", 1)[-1]
        if bus != "default":
            text = "ScheduleExpression is supported only on the default event bus."
            raise Refusal("ValidationException", text)
        try:
            meaning = parse(expression)
        except ValueError as problem:
            text = "Parameter ScheduleExpression is not valid."
            raise Refusal("ValidationException", text) from problem
        key = (call.account, call.region, str(call.params["Name"]))
        with self._lock:
            former = self._plans.get(key)
            if former is None or former.expression != expression or self._rule(former) is None:
                self._plans[key] = _Plan(*key, expression, meaning, call.time)

    def _tick(self) -> None:
        now = self._world.clock.now()
        for key, plan in tuple(self._plans.items()):
            rule = self._rule(plan)
            if rule is None or rule.scheduled_expression != plan.expression:
                self._plans.pop(key, None)
            elif plan.is_due(now) and rule.state != "DISABLED":
                self._fire(plan, rule)

    def _rule(self, plan: _Plan) -> Any | None:
        bus = self._world.stores.find("events", plan.account, plan.region, "event_buses", "default")
        return bus.rules.get(plan.rule) if bus is not None else None

    def _fire(self, plan: _Plan, rule: Any) -> None:
        event = self._bus.envelope(
            plan.account, plan.region, "aws.events", "Scheduled Event", {}, resources=(rule.arn,)
        )
        self._bus.trigger(rule, event)


def _floor(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)
