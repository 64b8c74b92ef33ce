"""The fields that Insights discovers in a log event.

Source: CloudWatch Logs user guide, "Supported logs and discovered fields": system fields begin with ``@``; members of
JSON are named by their path, elements of arrays by their number; true and false become 1 and 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from orgmon.sandbox.queries.lines import Line

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
Row = dict[str, str]
POINTER = "@ptr"
SYSTEM_FIELDS = ("@timestamp", "@ingestionTime", "@message", "@logStream", "@log", POINTER)


def row_of(line: Line) -> Row:
    """All fields of an event, as text."""
    return {
        **dict(_discovered(line.message)),
        "@timestamp": moment(line.timestamp),
        "@ingestionTime": moment(line.ingested),
        "@message": line.message,
        "@logStream": line.stream,
        "@log": f"{line.account}:{line.group}",
        POINTER: line.pointer,
    }


def moment(milliseconds: int) -> str:
    """A time as Insights writes it, ``2026-11-20 10:00:00.000``."""
    time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{time:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03}"


def milliseconds(text: str) -> int:
    """The time that ``moment`` wrote. Raises ValueError for any other text."""
    time = datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return round(time.timestamp() * 1000)


def number(text: str | None) -> float | None:
    """The number that a text is, or None."""
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def plain(value: float) -> str:
    """A number as Insights writes it: without a fraction where there is none."""
    return str(int(value)) if value == int(value) else str(value)


def _discovered(message: str) -> Iterator[tuple[str, str]]:
    try:
        document = json.loads(message)
    except ValueError:
        return
    if isinstance(document, Mapping):
        yield from _below("", document)


def _below(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _below(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _below(f"{path}.{index}", inner)
    elif isinstance(value, bool):
        yield path, "1" if value else "0"
    elif value is not None:
        yield path, str(value)
