"""One source after the other through a scanner. What cannot be read is noted and never ends the replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from orgmon.recordings.formats import Part, parts
from orgmon.recordings.inflate import pieces
from orgmon.recordings.sources import Source
from orgmon.replay.records import ForeignError
from orgmon.replay.report import Unread
from orgmon.replay.scan import Findings, Scanner

INSIGHTS, DIGESTS = "/CloudTrail-Insight/", "/CloudTrail-Digest/"
FAULTS = (ValueError, RecursionError, ForeignError)
"""What reading raises for content that is not as it should be."""

MAX_NOTED = 3
"""Broken lines of one file that are told one by one."""


@dataclass
class Read:
    """What a part of the input gave: findings, what could not be read, and how much is done."""

    findings: Findings = field(default_factory=Findings)
    unread: list[Unread] = field(default_factory=list)
    bytes_read: int = 0
    files: int = 0


def read_all(scanner: Scanner, sources: Iterable[Source], stopped: Callable[[], bool]) -> Read:
    """The findings of several sources together."""
    whole = Read()
    for source in sources:
        for part in read(scanner, source, stopped):
            whole.findings.add(part.findings)
            whole.unread += part.unread
            whole.bytes_read += part.bytes_read
            whole.files += part.files
    return whole


def read(scanner: Scanner, source: Source, stopped: Callable[[], bool] = lambda: False) -> Iterator[Read]:
    """The findings of a source, part by part: memory does not grow with its size."""
    broken = 0
    told = 0
    try:
        with source.open() as stream:
            for part in _parts(source, pieces(stream)):
                if stopped():
                    return
                findings, faults = _scanned(scanner, part)
                notes = [Unread(source.name, fault) for fault in faults[: max(MAX_NOTED - broken, 0)]]
                broken += len(faults)
                yield Read(findings, notes)
                told += len(notes)
    except (OSError, *FAULTS) as error:
        yield Read(unread=[Unread(source.name, str(error) or type(error).__name__)])
    more = [Unread(source.name, f"{broken - told} more lines like these")] if broken > told else []
    yield Read(unread=more, bytes_read=source.size, files=1)


def _parts(source: Source, content: Iterable[bytes]) -> Iterator[Part]:
    name = f"/{source.name}"
    if DIGESTS in name:
        raise ForeignError("a digest of CloudTrail's log file validation")
    if INSIGHTS in name:
        raise ForeignError("Insights events, which are no API calls")
    return parts(content)


def _scanned(scanner: Scanner, part: Part) -> tuple[Findings, list[str]]:
    """The findings of a part, and what is wrong with single lines of it. Raises for a whole document."""
    if not part.is_lines:
        return scanner.document(part.data), []
    try:
        return scanner.lines(part.data), []
    except FAULTS:
        return _line_by_line(scanner, part)


def _line_by_line(scanner: Scanner, part: Part) -> tuple[Findings, list[str]]:
    findings = Findings()
    faults: list[str] = []
    for number, line in enumerate(part.data.split(b"\n"), part.first_line):
        if not line.strip():
            continue
        try:
            findings.add(scanner.lines(line))
        except FAULTS as error:
            faults.append(f"line {number}: {error}")
    return findings, faults
