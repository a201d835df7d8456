"""Images as PNG files: rows of bytes, compressed without loss."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

__all__ = ["png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # gray, gray and alpha, RGB, RGB and alpha


def png(image: np.ndarray[Any, Any]) -> bytes:
    """Return an image as the content of a PNG file.

    Args:
        image: 8-bit unsigned integers.

    Shapes:
        image: (height, width, channels), with 1 to 4 channels

    Raises:
        ValueError: if it has another dtype or another number of channels.

    Source: W3C, "Portable Network Graphics (PNG) Specification", sections 9 to 11.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in COLOR_TYPES:
        raise ValueError(
            "uint8 of shape (height, width, 1 to 4 channels) is needed; got "
            f"{image.dtype} of shape {image.shape}"
        )
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, COLOR_TYPES[channels], 0, 0, 0)
    rows = image.reshape(height, width * channels)
    unfiltered = np.zeros((height, 1), np.uint8)  # in front of each row: which filter
    pixels = zlib.compress(np.hstack((unfiltered, rows)).tobytes())
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    size, checksum = len(content), zlib.crc32(kind + content)
    return struct.pack(">I", size) + kind + content + struct.pack(">I", checksum)
