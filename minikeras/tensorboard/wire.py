"""Protocol buffers on the wire: a message is a row of numbered fields, without names.

A field is a key, ``number << 3 | type``, and a value: a varint (7 bits a byte, the
lowest first), 8 or 4 bytes, or a length and so many bytes, which also hold messages.

Source: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

__all__ = ["data", "double", "fields", "integer", "single"]

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5


def integer(number: int, value: int) -> bytes:
    """Return a field that holds an integer; a negative one takes ten bytes."""
    return _varint(number << 3 | VARINT) + _varint(value)


def double(number: int, value: float) -> bytes:
    """Return a field that holds 64 bits of floating point."""
    return _varint(number << 3 | EIGHT_BYTES) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """Return a field that holds 32 bits of floating point."""
    return _varint(number << 3 | FOUR_BYTES) + struct.pack("<f", value)


def data(number: int, *parts: bytes | str) -> bytes:
    """Return a field that holds bytes, text, or a message made of these fields."""
    content = b"".join(p.encode() if isinstance(p, str) else p for p in parts)
    return _varint(number << 3 | LENGTH) + _varint(len(content)) + content


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each field: an int, a float or bytes.

    Raises:
        ValueError: if the message ends within a field, or has one of another type.

    Example:
        >>> list(fields(integer(2, 300) + data(5, "loss") + single(2, 0.5)))
        [(2, 300), (5, b'loss'), (2, 0.5)]
    """
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _read_varint(message, place)
            yield number, value - (1 << 64) if value >> 63 else value
            continue
        if kind == LENGTH:
            size, place = _read_varint(message, place)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if kind == EIGHT_BYTES else 4
        else:
            raise ValueError(f"field {number} has the unknown wire type {kind}")
        content, place = message[place : place + size], place + size
        if len(content) < size:
            raise ValueError(f"field {number} has {len(content)} of {size} bytes")
        form = {EIGHT_BYTES: "<d", FOUR_BYTES: "<f"}.get(kind)
        yield number, struct.unpack(form, content)[0] if form else content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # two's complement
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(message[place : place + 10]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, place + count + 1
    raise ValueError(f"there is no end to the integer at byte {place}")
