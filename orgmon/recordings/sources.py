"""What there is to read, in about the order in which it happened."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

from orgmon.errors import UsageError

DELIVERED = re.compile(r"_(\d{8}T\d{4}Z)_")
"""The time, to the minute, in the name of a file that CloudTrail delivers."""

LATE = timedelta(days=30)
"""For so long CloudTrail tries to deliver a file. Source: CloudTrail user guide, "How CloudTrail works"."""

STDIN = "-"


@dataclass(frozen=True)
class Source:
    """A file, or an object that is opened or was fetched. ``size`` is in bytes, 0 where it is not known.

    One with an ``opener`` cannot be sent to another process.
    """

    name: str
    size: int = 0
    path: Path | None = None
    content: bytes | None = None
    opener: Callable[[], BinaryIO] | None = None

    def open(self) -> BinaryIO:
        """A stream of its bytes. Raises OSError."""
        if self.opener is not None:
            return self.opener()
        if self.content is not None:
            return io.BytesIO(self.content)
        assert self.path is not None
        return self.path.open("rb")


def local(path: str) -> list[Source]:
    """The files of a folder, a file, or standard input. Raises UsageError where there is nothing."""
    if path == STDIN:
        return [Source("standard input", opener=lambda: sys.stdin.buffer)]
    place = Path(path)
    if place.is_dir():
        files = list(_files(path))
        if not files:
            raise UsageError(f"there is no file in {path}", "name a folder with CloudTrail's files")
        return in_order(files)
    if not place.exists():
        raise UsageError(f"there is no {path}", "name a file, a folder, s3://bucket/prefix, or - for stdin")
    return [Source(path, place.stat().st_size if place.is_file() else 0, place)]


def _files(folder: str) -> Iterator[Source]:
    """Every file below, but what has a name that begins with a dot; a folder that cannot be listed tells so itself."""
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        yield Source(folder, opener=partial(_refuse, error))
        return
    for entry in visible:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif entry.is_file():
            yield Source(entry.path, entry.stat().st_size, Path(entry.path))


def _refuse(error: OSError) -> BinaryIO:
    raise error


def in_order(sources: list[Source]) -> list[Source]:
    """By the time in their names, as far as there is one, then by name."""
    return sorted(sources, key=lambda source: (_delivered(source.name), source.name))


def may_hold(name: str, since: str, until: str) -> bool:
    """Whether a file of this name can hold events from and before these times (ISO 8601, UTC; empty for none).

    No event is younger than its file, which may be delivered late; of other names nothing is known.
    """
    try:
        begun = datetime.strptime(_delivered(name), "%Y%m%dT%H%MZ").replace(tzinfo=UTC)
        too_early = since and begun + timedelta(minutes=1) <= datetime.fromisoformat(since)
        too_late = until and begun - LATE >= datetime.fromisoformat(until)
    except (ValueError, OverflowError):  # the name has no time in it, or something else that looks like one
        return True
    return not too_early and not too_late


def _delivered(name: str) -> str:
    time = DELIVERED.search(name)
    return time[1] if time else ""
