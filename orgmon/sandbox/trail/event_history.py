"""Event history: what LookupEvents finds, in every account and Region, with or without a trail.

Source: CloudTrail API reference, LookupEvents (management events of 90 days, one attribute, pages of 50; a time
range that is not possible is refused, which one of more than 90 days ago is taken to be).
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.trail.records import Record, stamp
from orgmon.sandbox.trail.resource_names import resources_of

DAYS = 90
PAGE = 50
# The values by which an event is found.
_ATTRIBUTES: dict[str, Callable[[Record], list[object]]] = {
    "EventId": lambda record: [record["eventID"]],
    "EventName": lambda record: [record["eventName"]],
    "EventSource": lambda record: [record["eventSource"]],
    "ReadOnly": lambda record: [str(record["readOnly"]).lower()],
    "AccessKeyId": lambda record: [record["userIdentity"].get("accessKeyId")],
    "Username": lambda record: [_user_name(record)],
    "ResourceType": lambda record: [each["ResourceType"] for each in resources_of(record)],
    "ResourceName": lambda record: [each["ResourceName"] for each in resources_of(record)],
}


class EventHistory:
    """The management events of all accounts and Regions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], list[Record]] = defaultdict(list)

    def add(self, account: str, region: str, record: Record) -> None:
        """Keep a record."""
        with self._lock:
            self._records[account, region].append(record)

    def of(self, account: str, region: str) -> tuple[Record, ...]:
        """All records of an account and Region, the oldest first."""
        with self._lock:
            return tuple(self._records.get((account, region), ()))

    def lookup(self, call: Call) -> dict[str, Any]:
        """LookupEvents."""
        attributes = call.params.get("LookupAttributes") or []
        if len(attributes) > 1:
            raise Refusal("InvalidLookupAttributesException", "You can use only one lookup attribute.")
        start, end = _span(call)
        if _category(call) == "insight":
            return {"Events": []}
        records = [
            record
            for record in reversed(self.of(call.account, call.region))
            if start <= record["eventTime"] <= end and all(_fits(record, each) for each in attributes)
        ]
        return _page(records, call)


def _category(call: Call) -> str:
    """Only insights can be asked for by category. There are none: nobody compares rates here."""
    category = str(call.params.get("EventCategory") or "")
    if category not in ("", "insight"):
        raise Refusal("InvalidEventCategoryException", f"{category} is no event category.")
    return category


def _span(call: Call) -> tuple[str, str]:
    """From when to when; never further back than 90 days."""
    oldest = call.time - timedelta(days=DAYS)
    start = _aware(call.params.get("StartTime")) or oldest
    end = _aware(call.params.get("EndTime")) or call.time
    if start > end:
        raise Refusal("InvalidTimeRangeException", "The start time must come before the end time.")
    if end < oldest:
        raise Refusal("InvalidTimeRangeException", f"The time range must be within the last {DAYS} days.")
    return stamp(max(start, oldest)), stamp(end)


def _aware(time: Any) -> datetime | None:
    if not isinstance(time, datetime):
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _fits(record: Record, attribute: dict[str, str]) -> bool:
    key = attribute["AttributeKey"]
    if key not in _ATTRIBUTES:
        raise Refusal("InvalidLookupAttributesException", f"{key} is no lookup attribute.")
    return attribute["AttributeValue"] in _ATTRIBUTES[key](record)


def _page(records: list[Record], call: Call) -> dict[str, Any]:
    size = int(call.params.get("MaxResults") or PAGE)
    if not 1 <= size <= PAGE:
        raise Refusal("InvalidMaxResultsException", f"MaxResults must be between 1 and {PAGE}.")
    token = str(call.params.get("NextToken") or "0")
    if not token.isdigit():
        raise Refusal("InvalidNextTokenException", "The token is not valid.")
    begin = int(token)
    answer: dict[str, Any] = {"Events": [_wire(record) for record in records[begin : begin + size]]}
    if len(records) > begin + size:
        answer["NextToken"] = str(begin + size)
    return answer


def _wire(record: Record) -> dict[str, Any]:
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record["readOnly"]).lower(),
        "AccessKeyId": record["userIdentity"].get("accessKeyId"),
        "EventTime": datetime.fromisoformat(record["eventTime"]),
        "EventSource": record["eventSource"],
        "Username": _user_name(record),
        "Resources": resources_of(record),
        "CloudTrailEvent": json.dumps(record),
    }
    return {name: value for name, value in event.items() if value is not None}


def _user_name(record: Record) -> str | None:
    """The user's name, or the name of the session of a role; services have none."""
    identity = record["userIdentity"]
    if identity.get("type") == "AssumedRole":
        return str(identity["arn"]).rsplit("/", 1)[-1]
    if identity.get("type") == "Root":
        return "root"
    name = identity.get("userName")
    return str(name) if name else None
