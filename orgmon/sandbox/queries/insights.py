"""CloudWatch Logs Insights: StartQuery, GetQueryResults, DescribeQueries, StopQuery.

A query is answered when it is started, so that one which cannot be answered is refused at once. Sources: CloudWatch
Logs API reference; answers of AWS as recorded in LocalStack's public tests (tests/aws/services/logs).
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from typing import Any

from orgmon.sandbox.calls import Call, Refusal
from orgmon.sandbox.paging import Pages
from orgmon.sandbox.queries.commands import MOST_ROWS, Table
from orgmon.sandbox.queries.fields import row_of
from orgmon.sandbox.queries.lines import Line, LogReader
from orgmon.sandbox.queries.parser import parse
from orgmon.sandbox.world import World

LANGUAGE = "CWLI"
_LISTED = Pages(
    "queries",
    "maxResults",
    1000,
    "nextToken",
    "nextToken",
    ("InvalidParameterException", "The specified nextToken is invalid."),
)
_RESULTS = replace(_LISTED, member="results", limit="maxItems", default=MOST_ROWS)


@dataclass(frozen=True)
class _Query:
    """A query that was asked, and its answer."""

    account: str
    region: str
    groups: tuple[str, ...]
    text: str
    asked: int
    results: list[list[dict[str, str]]]
    matched: int
    scanned: int
    size: int


class Insights:
    """Answers the operations; a query is complete as soon as it is started."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reader = LogReader(world)
        self._lock = threading.Lock()
        self._queries: dict[str, _Query] = {}

    def install(self) -> None:
        """Take the operations over."""
        for name, handler in (
            ("StartQuery", self.start),
            ("GetQueryResults", self.results),
            ("DescribeQueries", self.describe),
            ("StopQuery", self.stop),
        ):
            self._world.operations.register("logs", name, handler)

    def start(self, call: Call) -> dict[str, Any]:
        """Ask; what is not understood is refused."""
        wanted = call.params
        text, start, end = str(wanted["queryString"]), int(wanted["startTime"]), int(wanted["endTime"])
        if wanted.get("queryLanguage", LANGUAGE) != LANGUAGE:
            raise Refusal("MalformedQueryException", f"The sandbox reads {LANGUAGE} only.")
        if end < start:
            text = "End time should be greater than or equal to start time."
            raise Refusal("MalformedQueryException", text)
        commands = parse(text)
        groups = [self._group(call, name) for name in _groups_of(wanted)]
        scanned = [line for group in groups for line in self._reader.lines(group)]
        lines = [line for line in scanned if start * 1000 <= line.timestamp <= end * 1000 + 999]
        table = _table(lines)
        for command in commands:
            table = command.apply(table)
        query_id = str(uuid.uuid4())
        names = tuple(group.name for group in groups)
        source = " ".join(f'"{name}"' for name in names)
        with self._lock:
            self._queries[query_id] = _Query(
                call.account,
                call.region,
                names,
                f"SOURCE {source} START={start}000 END={end}999 | {text}",
                int(call.time.timestamp() * 1000),
                table.results(int(wanted.get("limit", MOST_ROWS))),
                len(table.rows),
                len(lines),
                sum(len(line.message.encode()) for line in lines),
            )
        return {"queryId": query_id}

    def results(self, call: Call) -> dict[str, Any]:
        """The answer of a query."""
        query = self._find(call)
        statistics = {
            "recordsMatched": float(query.matched),
            "recordsScanned": float(query.scanned),
            "estimatedRecordsSkipped": 0.0,
            "bytesScanned": float(query.size),
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(query.groups)),
        }
        told = {"queryLanguage": LANGUAGE, "statistics": statistics, "status": "Complete"}
        return _RESULTS(call, {**told, "results": query.results})

    def describe(self, call: Call) -> dict[str, Any]:
        """The queries of an account and Region, the newest first."""
        wanted = call.params
        fitting = [
            {
                "queryLanguage": LANGUAGE,
                "queryId": query_id,
                "queryString": query.text,
                "status": "Complete",
                "createTime": query.asked,
                "logGroupName": query.groups[0],
            }
            for query_id, query in reversed(self._queries.items())
            if (query.account, query.region) == (call.account, call.region)
            and wanted.get("logGroupName") in (None, *query.groups)
            and wanted.get("status") in (None, "Complete")
            and wanted.get("queryLanguage") in (None, LANGUAGE)
        ]
        return _LISTED(call, {"queries": fitting})

    def stop(self, call: Call) -> dict[str, Any]:
        """Nothing runs long enough to be stopped."""
        self._find(call)
        raise Refusal("InvalidParameterException", "Query is not currently running.")

    def _find(self, call: Call) -> _Query:
        query = self._queries.get(str(call.params["queryId"]))
        if query is None or (query.account, query.region) != (call.account, call.region):
            raise Refusal("ResourceNotFoundException", "The specified query does not exist.")
        return query

    def _group(self, call: Call, name: str) -> Any:
        group = self._reader.find(call, name)
        if group is None:
            text = (
                f"Log group '{name}' does not exist for account ID '{call.account}' (Service: AWSLogs; Status Code: "
                f"400; Error Code: ResourceNotFoundException; Request ID: {call.request_id}; Proxy: null)"
            )
            raise Refusal("ResourceNotFoundException", text)
        return group


def _groups_of(wanted: dict[str, Any]) -> list[str]:
    given = [name for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if wanted.get(name)]
    if len(given) != 1:
        text = "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified."
        raise Refusal("InvalidParameterException", text)
    named = wanted[given[0]]
    return [str(named)] if isinstance(named, str) else [str(name) for name in named]


def _table(lines: list[Line]) -> Table:
    """The events, the newest first."""
    ordered = sorted(lines, key=lambda line: (line.timestamp, line.pointer), reverse=True)
    return Table(tuple(row_of(line) for line in ordered))
