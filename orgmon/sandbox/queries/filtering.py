"""FilterLogEvents: the events of a group that a filter pattern takes, in the order of time.

Source: CloudWatch Logs API reference, FilterLogEvents (10,000 events or 1 MB a page; ``searchedLogStreams`` is empty;
``endTime`` is still within), "Filter pattern syntax"; tokens as recorded in LocalStack's public tests.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from orgmon import filterpattern
from orgmon.errors import PatternError
from orgmon.filterpattern import FilterPattern
from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.queries.lines import Line, LogReader
from orgmon.sandbox.world import World

MOST_EVENTS = 10_000
MOST_BYTES = 1_048_576


class Filtering:
    """Answers FilterLogEvents."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reader = LogReader(world)

    def install(self) -> None:
        """Take the operation over."""
        self._world.operations.register("logs", "FilterLogEvents", self.filter_events)

    def filter_events(self, call: Call) -> dict[str, Any]:
        """One page of the events that match."""
        wanted = call.params
        limit = int(wanted.get("limit", MOST_EVENTS))
        _check_limit(limit)
        pattern = _pattern(str(wanted.get("filterPattern") or ""))
        group = self._reader.group(call, _group_of(wanted))
        lines = [
            line
            for line in self._reader.lines(group, _streams(group, wanted))
            if _is_within(line, wanted) and pattern.matches(line.message)
        ]
        lines.sort(key=lambda line: (line.timestamp, line.pointer))
        return _page(lines, _start(call), limit)


def _check_limit(limit: int) -> None:
    if limit <= MOST_EVENTS:
        return
    text = (
        f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
        f"Member must have value less than or equal to {MOST_EVENTS}"
    )
    raise Refusal("InvalidParameterException", text)


def _pattern(text: str) -> FilterPattern:
    try:
        return filterpattern.parse(text)
    except PatternError as problem:
        raise Refusal("InvalidParameterException", f"Invalid filter pattern: {problem}") from problem


def _group_of(wanted: dict[str, Any]) -> str:
    named = [str(wanted[name]) for name in ("logGroupName", "logGroupIdentifier") if wanted.get(name)]
    if len(named) != 1:
        text = "Exactly one of logGroupName and logGroupIdentifier must be specified."
        raise Refusal("InvalidParameterException", text)
    return named[0]


def _streams(group: Any, wanted: dict[str, Any]) -> Sequence[str] | None:
    """The streams to search: those that are named, those that begin so, or all (None)."""
    names, prefix = wanted.get("logStreamNames"), wanted.get("logStreamNamePrefix")
    if names and prefix:
        text = "logStreamNames and logStreamNamePrefix cannot be specified together."
        raise Refusal("InvalidParameterException", text)
    missing = [name for name in names or () if name not in group.streams]
    if missing:
        raise Refusal("ResourceNotFoundException", "The specified log stream does not exist.")
    if prefix:
        return [name for name in group.streams if name.startswith(str(prefix))]
    return list(names) if names else None


def _is_within(line: Line, wanted: dict[str, Any]) -> bool:
    start, end = wanted.get("startTime"), wanted.get("endTime")
    return (start is None or line.timestamp >= start) and (end is None or line.timestamp <= end)


def _start(call: Call) -> int:
    token = call.params.get("nextToken")
    if not token:
        return 0
    try:
        mark, _, start = base64.urlsafe_b64decode(str(token).encode()).decode().partition("@")
        if mark == "events":
            return int(start)
    except (binascii.Error, ValueError):
        pass
    raise Refusal("InvalidParameterException", "The specified nextToken is invalid.")


def _page(lines: list[Line], start: int, limit: int) -> dict[str, Any]:
    end, size = start, 0
    while end < len(lines) and end - start < limit:
        size += len(lines[end].message.encode())
        if size > MOST_BYTES and end > start:
            break
        end += 1
    answer: dict[str, Any] = {
        "events": [_told(line) for line in lines[start:end]],
        "searchedLogStreams": [],
    }
    if end < len(lines):
        answer["nextToken"] = base64.urlsafe_b64encode(f"events@{end}".encode()).decode()
    return answer


def _told(line: Line) -> dict[str, Any]:
    return {
        "logStreamName": line.stream,
        "timestamp": line.timestamp,
        "message": line.message,
        "ingestionTime": line.ingested,
        "eventId": line.pointer,
    }
