"""CBOR (RFC 8949), as much of it as Smithy's rpc-v2-cbor protocol uses."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE = 31
_BREAK = object()
_SIZES = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_EPOCH_TAG = 1


def dumps(value: Any) -> bytes:
    """Encode None, bool, int, float, str, bytes, datetime, list, tuple and dict."""
    if value is None:
        return b"\xf6"
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, datetime):
        return _head(_TAG, _EPOCH_TAG) + dumps(value.timestamp())
    if isinstance(value, str):
        text = value.encode()
        return _head(_TEXT, len(text)) + text
    if isinstance(value, (bytes, bytearray)):
        return _head(_BYTES, len(value)) + bytes(value)
    if isinstance(value, dict):
        pairs = (dumps(key) + dumps(item) for key, item in value.items())
        return _head(_MAP, len(value)) + b"".join(pairs)
    if isinstance(value, (list, tuple)):
        return _head(_ARRAY, len(value)) + b"".join(map(dumps, value))
    raise TypeError(f"CBOR cannot hold a {type(value).__name__}")


def loads(data: bytes) -> Any:
    """Decode one value. Raises ValueError if the bytes are no CBOR."""
    try:
        value, _ = _read(memoryview(data), 0)
    except (IndexError, KeyError, struct.error) as error:
        raise ValueError("not a CBOR document") from error
    return value


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for extra, size in _SIZES.items():
        if number < 1 << 8 * struct.calcsize(size):
            return bytes([major << 5 | extra]) + struct.pack(size, number)
    raise ValueError("the number is too large for CBOR")


def _read(data: memoryview, at: int) -> tuple[Any, int]:
    major, extra = data[at] >> 5, data[at] & 31
    at += 1
    if major == _SIMPLE:
        return _read_simple(data, at, extra)
    if extra == _INDEFINITE:
        return _read_indefinite(data, at, major)
    number, at = _read_number(data, at, extra)
    if major in (_UNSIGNED, _NEGATIVE):
        return (number if major == _UNSIGNED else -1 - number), at
    if major in (_BYTES, _TEXT):
        return _read_string(data, at, major, number)
    if major == _TAG:
        value, at = _read(data, at)
        return (datetime.fromtimestamp(value, UTC) if number == _EPOCH_TAG else value), at
    return _read_items(data, at, major, number)


def _read_number(data: memoryview, at: int, extra: int) -> tuple[int, int]:
    if extra < 24:
        return extra, at
    size = struct.calcsize(_SIZES[extra])
    return struct.unpack_from(_SIZES[extra], data, at)[0], at + size


def _read_simple(data: memoryview, at: int, extra: int) -> tuple[Any, int]:
    if extra in _FLOATS:
        return struct.unpack_from(_FLOATS[extra], data, at)[0], at + struct.calcsize(_FLOATS[extra])
    return {20: False, 21: True, 22: None, 23: None, _INDEFINITE: _BREAK}[extra], at


def _read_string(data: memoryview, at: int, major: int, length: int) -> tuple[Any, int]:
    if at + length > len(data):
        raise ValueError("a CBOR string is cut short")
    part = bytes(data[at : at + length])
    return (part.decode() if major == _TEXT else part), at + length


def _read_items(data: memoryview, at: int, major: int, count: int) -> tuple[Any, int]:
    items = []
    for _ in range(count * (2 if major == _MAP else 1)):
        item, at = _read(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2], strict=True)) if major == _MAP else items), at


def _read_indefinite(data: memoryview, at: int, major: int) -> tuple[Any, int]:
    items = []
    while True:
        item, at = _read(data, at)
        if item is _BREAK:
            break
        items.append(item)
    if major == _MAP:
        return dict(zip(items[::2], items[1::2], strict=True)), at
    if major == _ARRAY:
        return items, at
    return ("" if major == _TEXT else b"").join(items), at
