"""Records in a file: a length, the bytes, and a checksum of either.

The checksum is CRC-32C, rotated and moved by a constant, so that a checksum of data
which hold checksums still tells something.

Source: TensorFlow, "TFRecord and tf.train.Example", section on the format; Castagnoli
et al. 1993, doi:10.1109/26.231911.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

__all__ = ["crc32c", "read_records", "record"]

POLYNOMIAL = 0x82F63B78  # of CRC-32C, the lowest bit first
MASK = 0xA282EAD8
WORD = 0xFFFFFFFF
PIECE = 1 << 20  # bytes read at a time


def _shifted(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = [_shifted(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """Return the checksum of `data`.

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    crc, table = WORD, _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ WORD


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + MASK) & WORD)


def record(data: bytes) -> bytes:
    """Return `data` as a record."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _masked(length), data, _masked(data)))


def read_records(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the contents of the records in a file.

    A record that is not whole ends them: the file may still be written.

    Raises:
        ValueError: if a checksum is wrong.
    """
    while len(head := file.read(12)) == 12:
        if _masked(head[:8]) != head[8:]:
            raise ValueError("the length of a record does not fit its checksum")
        size = struct.unpack("<Q", head[:8])[0]
        data, checksum = _read(file, size), file.read(4)
        if len(data) < size or len(checksum) < 4:
            return
        if _masked(data) != checksum:
            raise ValueError("the data of a record do not fit their checksum")
        yield data


def _read(file: IO[bytes], size: int) -> bytes:
    """Return the next `size` bytes, or what there is: never more memory than that."""
    parts = []
    while size and (part := file.read(min(size, PIECE))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
