"""JSON to records: typed where msgspec is installed, plain otherwise and wherever a record has an odd shape.

Both give the same records to a matcher. A record that does not have the layout's shape stays plain JSON, for the slow
path.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from orgmon.replay.access import Access, PlainAccess, is_fast, record_type, typed_access
from orgmon.replay.conforming import conforming
from orgmon.replay.paths import Layout

try:
    import msgspec
except ImportError:  # the extra "fast" is not installed
    msgspec = None  # type: ignore[assignment]

DIGEST = ("digestStartTime", "digestS3Bucket")


class ForeignError(Exception):
    """JSON that is readable and holds no CloudTrail records; says what it is."""


class Batch(NamedTuple):
    """Records of the layout's shape in a reader's form, and records of another shape as parsed JSON."""

    typical: list[Any]
    odd: list[dict[str, Any]]


class Reader(Protocol):
    """Turns JSON into records. Both methods raise ValueError where it is none, and ForeignError."""

    access: Access

    def document(self, data: bytes) -> Batch:
        """The records of a whole file: ``{"Records": [...]}``, the output of filter-log-events, or one record."""

    def lines(self, data: bytes) -> Batch:
        """The records of whole lines, a record or an envelope around one in each."""


def reader(layout: Layout, *, fast: bool | None = None) -> Reader:
    """The fastest reader there is here; ``fast`` asks for one or the other."""
    return TypedReader(layout) if (is_fast() if fast is None else fast) else PlainReader(layout)


class PlainReader:
    """Reads with the ``json`` module."""

    def __init__(self, layout: Layout) -> None:
        self.access: Access = PlainAccess()
        self._conforms = conforming(layout.root)

    def document(self, data: bytes) -> Batch:
        """See Reader."""
        return self._batch(records_of(json.loads(data)))

    def lines(self, data: bytes) -> Batch:
        """See Reader."""
        return self._batch(records_of_lines(data))

    def _batch(self, records: Iterable[Any]) -> Batch:
        batch = Batch([], [])
        for record in map(_checked, records):
            (batch.typical if self._conforms(record) else batch.odd).append(record)
        return batch


class TypedReader:
    """Reads with msgspec into structs that hold what the layout names.

    What msgspec refuses and ``json`` reads, such as half of a surrogate pair where CloudTrail cut a text, is odd.
    """

    def __init__(self, layout: Layout) -> None:
        self.access: Access = typed_access()
        record = record_type(layout)
        line = record_type(layout, detail=record | None)
        unset = msgspec.UNSET
        file: Any = msgspec.defstruct("File", [("Records", list[record] | msgspec.UnsetType, unset)])  # type: ignore[valid-type]
        self._file: Any = msgspec.json.Decoder(file)
        self._lines = msgspec.json.Decoder(list[line])  # type: ignore[valid-type]

    def document(self, data: bytes) -> Batch:
        """See Reader."""
        with contextlib.suppress(msgspec.DecodeError):
            records = self._file.decode(data).Records
            if records is not msgspec.UNSET:
                return Batch(records, [])
        batch = Batch([], [])
        for record in records_of(json.loads(data)):
            try:
                batch.typical.extend(self._file.decode(json.dumps({"Records": [record]}).encode()).Records)
            except msgspec.DecodeError:
                batch.odd.append(_checked(record))
        return batch

    def lines(self, data: bytes) -> Batch:
        """See Reader."""
        with contextlib.suppress(msgspec.DecodeError):
            return Batch([self._inner(record) for record in self._lines.decode_lines(data)], [])
        batch = Batch([], [])
        for line in data.split(b"\n"):
            try:
                batch.typical.extend(self._inner(record) for record in self._lines.decode_lines(line))
            except msgspec.DecodeError:
                batch.odd.extend(map(_checked, records_of_lines(line)))
        return batch

    def _inner(self, record: Any) -> Any:
        if record.eventName is not msgspec.UNSET:
            return record
        if record.detail and record.detail.eventName is not msgspec.UNSET:
            return record.detail
        raise ForeignError("a line without an event name")


def _checked(record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise ForeignError("a record is no JSON object")
    return record


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
