"""Compressed or plain bytes to plain bytes, piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

fastest: Any
try:
    from isal import isal_zlib as fastest
except ImportError:  # the extra "fast" is not installed
    fastest = zlib

PIECE = 64 * 1024
"""Bytes read at a time: what comes out of them still fits the processor's cache."""

KEPT = 30 << 20
"""Bytes of freed memory that the process keeps for the next file."""

GZIP = b"\x1f\x8b"
AS_GZIP = 31


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The content of a stream, inflated where it begins as gzip does; several members count as one.

    Raises ValueError where the compressed data is damaged or ends too early.
    """
    first = stream.read(PIECE)
    if not first.startswith(GZIP):
        while first:
            yield first
            first = stream.read(PIECE)
        return
    yield from _inflated(stream, first)


def _inflated(stream: BinaryIO, piece: bytes) -> Iterator[bytes]:
    member: Any = fastest.decompressobj(AS_GZIP)
    while piece:
        try:
            content = member.decompress(piece)
        except (zlib.error, fastest.error) as error:
            raise ValueError(f"damaged gzip data: {error}") from error
        if content:
            yield content
        piece = member.unused_data or stream.read(PIECE)
        if member.eof and piece:
            if not piece.startswith(GZIP[:1]):
                return  # what follows the last member is padding
            member = fastest.decompressobj(AS_GZIP)
    if not member.eof:
        raise ValueError("gzip data that ends too early")


def keep_memory() -> None:
    """Have the allocator keep what is freed: it would give it back, and take it again page by page, with every file.

    glibc does so up to twice the size of the largest block that was mapped and freed; 32 MB is the most that counts.
    Source: mallopt(3), M_MMAP_THRESHOLD. Anywhere else this does nothing.
    """
    bytes(KEPT)
