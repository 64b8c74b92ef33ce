"""JSON to records: typed where msgspec is installed, plain otherwise and wherever a record has an odd shape.

Both give the same records to a matcher. A record as plain JSON that does not have the layout's shape is handed on as
``Odd``, for the slow path.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from orgmon.replay.access import Access, PlainAccess, is_fast, record_type, typed_access
from orgmon.replay.paths import Layout

try:
    import msgspec
except ImportError:  # the extra "fast" is not installed
    msgspec = None  # type: ignore[assignment]

DIGEST = ("digestStartTime", "digestS3Bucket")


class ForeignError(Exception):
    """JSON that is readable and holds no CloudTrail records; says what it is."""


@dataclass(frozen=True)
class Odd:
    """A record of another shape than records have, as parsed JSON."""

    record: dict[str, Any]


class Reader(Protocol):
    """Turns JSON into records. Both methods raise ValueError where it is none, and ForeignError."""

    access: Access

    def document(self, data: bytes) -> list[Any]:
        """The records of a whole file: ``{"Records": [...]}``, the output of filter-log-events, or one record."""

    def lines(self, data: bytes) -> list[Any]:
        """The records of whole lines, a record or an envelope around one in each."""


def reader(layout: Layout, *, fast: bool | None = None) -> Reader:
    """The fastest reader there is here; ``fast`` asks for one or the other."""
    return TypedReader(layout) if (is_fast() if fast is None else fast) else PlainReader(layout)


class PlainReader:
    """Reads with the ``json`` module."""

    def __init__(self, layout: Layout) -> None:
        self.access: Access = PlainAccess()
        self._layout = layout

    def document(self, data: bytes) -> list[Any]:
        """See Reader."""
        content = json.loads(data)
        return [self._checked(record) for record in records_of(content)]

    def lines(self, data: bytes) -> list[Any]:
        """See Reader."""
        return [self._checked(record) for record in records_of_lines(data)]

    def _checked(self, record: Any) -> Any:
        if self._layout.conforms(record):
            return record
        if not isinstance(record, dict):
            raise ForeignError("a record is no JSON object")
        return Odd(record)


class TypedReader:
    """Reads with msgspec into structs that hold what the layout names."""

    def __init__(self, layout: Layout) -> None:
        self.access: Access = typed_access()
        record = record_type(layout)
        line = record_type(layout, detail=record | None)
        unset = msgspec.UNSET
        file: Any = msgspec.defstruct("File", [("Records", list[record] | msgspec.UnsetType, unset)])  # type: ignore[valid-type]
        self._plain = PlainReader(layout)
        self._file: Any = msgspec.json.Decoder(file)
        self._line = msgspec.json.Decoder(line)
        self._lines = msgspec.json.Decoder(list[line])  # type: ignore[valid-type]

    def document(self, data: bytes) -> list[Any]:
        """See Reader."""
        try:
            found = self._file.decode(data).Records
        except msgspec.ValidationError:
            found = msgspec.UNSET
        if found is not msgspec.UNSET:
            return found  # type: ignore[no-any-return]
        content = json.loads(data)
        return [self._one(json.dumps(record).encode()) for record in records_of(content)]

    def lines(self, data: bytes) -> list[Any]:
        """See Reader."""
        try:
            found = self._lines.decode_lines(data)
        except msgspec.ValidationError:
            return [self._one(line) for line in data.split(b"\n") if line.strip()]
        return [self._inner(record) for record in found]

    def _one(self, line: bytes) -> Any:
        try:
            return self._inner(self._line.decode(line))
        except msgspec.ValidationError:
            return self._plain.lines(line)[0]

    def _inner(self, record: Any) -> Any:
        if record.eventName is not msgspec.UNSET:
            return record
        if record.detail and record.detail.eventName is not msgspec.UNSET:
            return record.detail
        raise ForeignError("a line without an event name")


def records_of(content: object) -> Iterable[Any]:
    """The records of a whole JSON document as parsed JSON. Raises ForeignError."""
    if isinstance(content, dict):
        if isinstance(content.get("Records"), list):
            return content["Records"]  # type: ignore[no-any-return]
        if isinstance(content.get("events"), list):
            return list(_messages(content["events"]))
        if any(key in content for key in DIGEST):
            raise ForeignError("a digest of CloudTrail's log file validation")
        return [inner(content)]
    if isinstance(content, list):
        return [inner(record) for record in content]
    raise ForeignError("JSON, but no CloudTrail records")


def records_of_lines(data: bytes) -> Iterator[Any]:
    """The record in each line, as parsed JSON. Raises ValueError and ForeignError."""
    return (inner(json.loads(line)) for line in data.split(b"\n") if line.strip())


def _messages(events: list[Any]) -> Iterator[Any]:
    for event in events:
        if not isinstance(event, dict) or not isinstance(event.get("message"), str):
            raise ForeignError("JSON, but not the output of filter-log-events")
        yield inner(json.loads(event["message"]))


def inner(content: object) -> Any:
    """The record itself, out of EventBridge's envelope. Raises ForeignError where there is none."""
    if isinstance(content, dict):
        detail = content.get("detail")
        if "eventName" in content:
            return content
        if isinstance(detail, dict) and "eventName" in detail:
            return detail
    raise ForeignError("JSON, but no CloudTrail record")
