"""The history of alarms: the only place where it can be seen that an action failed."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orgmon.sandbox.calls import Call
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.signals.alarm_texts import Change, state_of
from orgmon.sandbox.world import World

_PAGES = Pages(
    "AlarmHistoryItems",
    "MaxRecords",
    100,
    "NextToken",
    "NextToken",
    ("InvalidNextToken", "The value specified for NextToken is not valid."),
)


@dataclass(frozen=True)
class _Item:
    account: str
    region: str
    alarm: str
    time: datetime
    kind: str
    summary: str
    data: str


class AlarmHistory:
    """What alarms did, and the operation that tells it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._items: list[_Item] = []

    def install(self) -> None:
        """Answer DescribeAlarmHistory, which moto does not have."""
        self._world.operations.register("cloudwatch", "DescribeAlarmHistory", self.describe)

    def changed(self, change: Change) -> None:
        """Note a state change."""
        new = state_of(change.alarm)
        data = {"version": "1.0", "oldState": _state(change.before), "newState": _state(new)}
        self._add(change, "StateUpdate", f"Alarm updated from {change.old} to {new['value']}", data)

    def acted(self, change: Change, action: str, problem: str = "") -> None:
        """Note an action, and why it failed if it did."""
        outcome = "Failed" if problem else "Succeeded"
        text = f"Failed to execute action {action}" if problem else f"Successfully executed action {action}"
        data = {
            "actionState": outcome,
            "stateUpdateTimestamp": int(change.time.timestamp() * 1000),
            "notificationResource": action,
            "error": problem or None,
        }
        if problem:
            text += f". Received error: {problem}"
        self._add(change, "Action", text, data)

    def describe(self, call: Call) -> dict[str, Any]:
        """DescribeAlarmHistory: the newest first, unless asked otherwise."""
        wanted = call.params
        items = [each for each in tuple(self._items) if _fits(each, call)]
        if wanted.get("ScanBy") != "TimestampAscending":
            items.reverse()
        return _PAGES(call, {"AlarmHistoryItems": [_wire(each) for each in items]})

    def _add(self, change: Change, kind: str, summary: str, data: dict[str, Any]) -> None:
        item = _Item(
            change.account,
            change.region,
            change.alarm.name,
            self._world.clock.now(),
            kind,
            summary,
            json.dumps(data),
        )
        with self._lock:
            self._items.append(item)


def _fits(item: _Item, call: Call) -> bool:
    wanted = call.params
    start, end = _aware(wanted.get("StartDate")), _aware(wanted.get("EndDate"))
    return (
        (item.account, item.region) == (call.account, call.region)
        and wanted.get("AlarmName") in (None, item.alarm)
        and wanted.get("HistoryItemType") in (None, item.kind)
        and (start is None or start <= item.time)
        and (end is None or item.time <= end)
    )


def _aware(time: Any) -> datetime | None:
    if not isinstance(time, datetime):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _state(told: dict[str, Any]) -> dict[str, Any]:
    """A state of an alarm as the history tells it."""
    state = {"stateValue": told["value"], "stateReason": told["reason"]}
    if told.get("reasonData"):
        state["stateReasonData"] = json.loads(told["reasonData"])
    return state


def _wire(item: _Item) -> dict[str, Any]:
    return {
        "AlarmName": item.alarm,
        "AlarmType": "MetricAlarm",
        "Timestamp": item.time,
        "HistoryItemType": item.kind,
        "HistorySummary": item.summary,
        "HistoryData": item.data,
    }
