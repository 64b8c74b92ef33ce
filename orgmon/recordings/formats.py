"""Which of the known formats a file has, told by its beginning, and its content in parts of bounded size."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orgmon.replay.records import ForeignError

BLOCK = 1 << 20
"""Bytes of lines that are looked at together, at least."""

LARGEST = 1 << 29
"""Bytes of one JSON document. CloudTrail's files have a few MB."""

BEGINNING = b'{"Records":['
"""How the files that CloudTrail delivers begin."""

EXPORTED = re.compile(rb"\s*\d{4}-\d\d-\d\dT[\d:.]+Z? +(?=\{)")
"""What stands before the record in a line that CloudWatch Logs exported."""


class Part(NamedTuple):
    """A whole JSON document, or whole lines of JSON of which ``first_line`` is the first, from 1."""

    data: bytes
    is_lines: bool
    first_line: int = 1


def parts(pieces: Iterable[bytes]) -> Iterator[Part]:
    """The parts of a file. Raises ForeignError where it is of no known format."""
    source = iter(pieces)
    first = next(source, b"")
    if first.startswith(BEGINNING):
        yield Part(_whole(first, source), is_lines=False)
        return
    head = _until_newline(itertools.chain((first,), source))
    line, newline, rest = head.partition(b"\n")
    if not head.strip():
        raise ForeignError("empty")
    if EXPORTED.match(line):
        yield from _lines(_stripped(_blocks(head, source)))
    elif newline and _is_json(line) and (more := _some(rest, source)).strip():
        yield from _lines(_blocks(line + b"\n" + more, source))
    elif head.lstrip()[:1] in (b"{", b"["):
        yield Part(_whole(head, source), is_lines=False)
    else:
        raise ForeignError("neither JSON nor lines of JSON")


def _until_newline(source: Iterator[bytes]) -> bytes:
    """The beginning up to the first line's end at least, after blank lines."""
    begun: list[bytes] = []
    size = 0
    for piece in source:
        piece = piece if begun else piece.lstrip()
        if piece:
            begun.append(piece)
            size += len(piece)
            _check_size(size)
            if b"\n" in piece:
                break
    return b"".join(begun)


def _some(rest: bytes, source: Iterator[bytes]) -> bytes:
    """What follows the first line, as far as is needed to tell whether there is anything but blanks."""
    while not rest.strip():
        piece = next(source, b"")
        if not piece:
            break
        rest += piece
    return rest


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _whole(head: bytes, source: Iterator[bytes]) -> bytes:
    pieces, size = [head], len(head)
    for piece in source:
        pieces.append(piece)
        size += len(piece)
        _check_size(size)
    return b"".join(pieces)


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise ForeignError(f"one JSON document of more than {LARGEST >> 20} MB")


def _blocks(head: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    """Whole lines, about BLOCK bytes at a time."""
    waiting, size = [head], len(head)
    for piece in source:
        waiting.append(piece)
        size += len(piece)
        _check_size(size)
        if size >= BLOCK and b"\n" in piece:
            whole, newline, rest = b"".join(waiting).rpartition(b"\n")
            yield whole + newline
            waiting, size = [rest], len(rest)
    if last := b"".join(waiting):
        yield last


def _stripped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks whose lines begin with the record."""
    for block in blocks:
        yield b"\n".join(EXPORTED.sub(b"", line, count=1) for line in block.split(b"\n"))


def _lines(blocks: Iterable[bytes]) -> Iterator[Part]:
    line = 1
    for block in blocks:
        yield Part(block, is_lines=True, first_line=line)
        line += block.count(b"\n")
