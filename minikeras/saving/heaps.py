"""Strings in HDF5 files lie in heaps, whose lists HDF5 follows without looking ahead.

A heap is a list of objects, each of which says how long it is. The library goes on by
that length, and if a broken or hostile file says a length of nothing, it goes on for
ever. So the lists are gone through here before the library does.
"""

from __future__ import annotations

import mmap
import os
import struct
from typing import Any

from minikeras.saving.limits import CorruptFileError

__all__ = ["check_heaps"]

# What a heap begins with: its signature, version 1, and three bytes not in use; then
# comes its size. An object begins with its number, two counts, and its own size.
_START = b"GCOL\1\0\0\0"
_HEAD = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HHLQ")


def check_heaps(file: Any, name: str) -> None:
    """Go through all heaps of an HDF5 file.

    Args:
        file: a path, or a binary file.
        name: for messages.

    Raises:
        CorruptFileError: if a heap's list does not lead to its end.
    """
    if hasattr(file, "getbuffer"):
        _check_all(file.getvalue(), name)
        return
    if hasattr(file, "read"):
        place = file.tell()
        file.seek(0)
        _check_all(file.read(), name)
        file.seek(place)
        return
    with open(file, "rb") as opened:
        if os.fstat(opened.fileno()).st_size:
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
                _check_all(data, name)


def _check_all(data: Any, name: str) -> None:
    place = data.find(_START)
    while place >= 0:
        if not _leads_to_its_end(data, place):
            raise CorruptFileError(f"{name} is not a readable HDF5 file: broken heap")
        place = data.find(_START, place + len(_START))


def _leads_to_its_end(data: Any, start: int) -> bool:
    """Whether the objects of a heap follow one another up to its end."""
    if start + _HEAD.size > len(data):
        return False
    _, size = _HEAD.unpack_from(data, start)
    end, place = start + size, start + _HEAD.size
    if size < _HEAD.size or end > len(data):
        return False
    while place + _OBJECT.size <= end:
        number, _, _, length = _OBJECT.unpack_from(data, place)
        # Number 0 is the space that is left: its length counts its beginning too.
        step = _OBJECT.size + (length + 7) // 8 * 8 if number else length
        if step < _OBJECT.size and not (number == 0 and place + step == end):
            return False
        place += step
    return place <= end
