"""CloudWatch Logs: which events a stream takes, and what is said of groups and streams that cannot be meant.

moto goes by the machine's time, not the sandbox's, where an event is too old or too new. Sources: API reference,
PutLogEvents (14 days, two hours; ``tooOldLogEventEndIndex`` is exclusive), DescribeLogGroups (``logGroupNamePattern``
is part of a name), PutRetentionPolicy (the days that can be chosen); texts as recorded in LocalStack's public tests
(tests/aws/services/logs).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.world import World

OLDEST = timedelta(days=14)
NEWEST = timedelta(hours=2)
_YEAR = (365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
RETENTION = frozenset({1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, *_YEAR})
_INVALID = "InvalidParameterException"
_GROUPS = Pages(
    "logGroups", "limit", 50, "nextToken", "nextToken", (_INVALID, "The specified nextToken is invalid.")
)


def install(world: World) -> None:
    """Answer PutLogEvents and DescribeLogGroups, and look at what names a stream."""
    events = _LogEvents(world)
    world.operations.register("logs", "PutLogEvents", events.put)
    world.operations.register("logs", "DescribeLogGroups", events.groups)
    world.before.append(events.check)


class _LogEvents:
    def __init__(self, world: World) -> None:
        self._world = world

    def check(self, call: Call) -> None:
        """Before a call: is the stream there, or its name free, and can so many days be chosen?"""
        if call.service != "logs":
            return
        if call.operation == "GetLogEvents" and "logGroupName" in call.params:
            self._stream(call)
        elif call.operation == "CreateLogStream" and call.params["logStreamName"] in self._streams(call):
            raise Refusal("ResourceAlreadyExistsException", "The specified log stream already exists")
        elif call.operation == "DescribeLogStreams" and _has(call, "logGroupName", "logGroupIdentifier"):
            text = "LogGroup name and LogGroup ARN are mutually exclusive parameters."
            raise Refusal("ValidationException", text)
        elif call.operation == "PutRetentionPolicy" and call.params["retentionInDays"] not in RETENTION:
            days = ", ".join(str(each) for each in sorted(RETENTION))
            value = (
                f"Value '{call.params['retentionInDays']}' at 'retentionInDays' failed to satisfy constraint"
            )
            text = f"1 validation error detected: {value}: Member must satisfy enum value set: [{days}]"
            raise Refusal(_INVALID, text)

    def put(self, call: Call) -> dict[str, Any]:
        """Keep what is neither too old nor too new, and say where the others are.

        The call goes on with what was kept: nothing else is counted by metric filters.
        """
        stream = self._stream(call)
        events = call.params["logEvents"]
        times = [int(event["timestamp"]) for event in events]
        if times != sorted(times):
            text = "Log events in a single PutLogEvents request must be in chronological order."
            raise Refusal(_INVALID, text)
        oldest, newest = (int(each.timestamp() * 1000) for each in (call.time - OLDEST, call.time + NEWEST))
        begin = sum(time < oldest for time in times)
        end = len(times) - sum(time > newest for time in times)
        call.params["logEvents"] = events[begin:end]
        answer = {"nextSequenceToken": stream.put_log_events(events[begin:end])}
        refused = {"tooOldLogEventEndIndex": begin} if begin else {}
        refused |= {"tooNewLogEventStartIndex": end} if end < len(times) else {}
        return {**answer, "rejectedLogEventsInfo": refused} if refused else answer

    def groups(self, call: Call) -> dict[str, Any]:
        """The groups whose name begins with the prefix, or has the pattern in it, in the order of their names."""
        if _has(call, "logGroupNamePrefix", "logGroupNamePattern"):
            text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            raise Refusal(_INVALID, text)
        prefix = str(call.params.get("logGroupNamePrefix") or "")
        part = str(call.params.get("logGroupNamePattern") or "")
        store = self._world.store("logs", call.account, call.region)
        names = sorted(name for name in list(store.groups) if name.startswith(prefix) and part in name)
        page = _GROUPS(call, {"logGroups": [store.groups[name] for name in names]})
        return {**page, "logGroups": [_described(group, store.filters) for group in page["logGroups"]]}

    def _streams(self, call: Call) -> dict[str, Any]:
        groups = self._world.store("logs", call.account, call.region).groups
        if call.params["logGroupName"] not in groups:
            raise Refusal("ResourceNotFoundException", "The specified log group does not exist.")
        streams: dict[str, Any] = groups[call.params["logGroupName"]].streams
        return streams

    def _stream(self, call: Call) -> Any:
        stream = self._streams(call).get(str(call.params["logStreamName"]))
        if stream is None:
            raise Refusal("ResourceNotFoundException", "The specified log stream does not exist.")
        return stream


def _described(group: Any, filters: Any) -> dict[str, Any]:
    """What moto tells, with the class, and how many metric filters there are."""
    number = sum(each["logGroupName"] == group.name for each in filters.metric_filters)
    return {
        **group.to_describe_dict(),
        "metricFilterCount": number,
        "logGroupClass": getattr(group, "log_group_class", "STANDARD"),
        "deletionProtectionEnabled": False,
    }


def _has(call: Call, *names: str) -> bool:
    return all(call.params.get(name) for name in names)
