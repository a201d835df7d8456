"""What a file may do to its reader: nothing but yield numbers, and not too many.

A file comes from anywhere. What it says of itself, a size, a shape, a name, is checked
before anything is made of it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import Any

__all__ = [
    "Budget",
    "CorruptFileError",
    "ModelFileError",
    "read_json",
    "safe_name",
    "size_on_disk",
]

# A file may always become this many bytes in memory; a larger one, this many times its
# own size. Keras's files are not compressed, so that theirs are about as large.
FLOOR = 64 << 20
EXPANSION = 20
# Of a config: bytes of text, values in it, objects among these, one inside the other.
LARGEST_CONFIG = 32 << 20
MOST_VALUES = 2_000_000
MOST_OBJECTS = 20_000
DEEPEST = 200
LONGEST_NAME = 1024


class ModelFileError(ValueError):
    """A file that is not a model's, or asks for what a model's file must not do."""


class CorruptFileError(ModelFileError, OSError):
    """A file that is broken: cut short, or changed since it was written."""


class Budget:
    """How many bytes may be made of one file.

    Args:
        size: of the file.
        name: of the file, for messages.
    """

    def __init__(self, size: int, name: str) -> None:
        self.name = name
        self.size = size
        self.total = max(FLOOR, EXPANSION * size)
        self.left = self.total

    def spend(self, size: int, what: str) -> None:
        """Take `size` bytes off.

        Raises:
            ModelFileError: if they are not left.
        """
        self.left -= size
        if self.left < 0:
            raise ModelFileError(
                f"{self.name}: {what} declares {size:,} bytes. Not allowed: a file of "
                f"its size may become {self.total:,} bytes, and more is potentially a "
                "decompression bomb."
            )


def read_json(data: bytes | str, name: str) -> Any:
    """Return what a text in JSON says.

    Raises:
        ModelFileError: if it is none, or too large or too deep to be a config.
    """
    if len(data) > LARGEST_CONFIG:
        raise ModelFileError(f"{name}: a config of {len(data):,} bytes is no config")
    word: Any = '"class_name"' if isinstance(data, str) else b'"class_name"'
    if data.count(word) > MOST_OBJECTS:  # soon seen; below, whatever way it is written
        raise ModelFileError(f"{name}: the objects of the config are too many")
    try:
        found = json.loads(data)
    except RecursionError as error:
        raise ModelFileError(f"{name}: the config is nested too deeply") from error
    except ValueError as error:
        raise CorruptFileError(f"{name} is not valid JSON: {error}") from error
    _check_extent(found, name)
    return found


def _check_extent(config: Any, name: str) -> None:
    """Raise an error for a config that would take long to walk through.

    Each of its objects is going to be made: that takes longer than to read it.
    """
    level, values, objects = [config], 0, 0
    for _ in range(DEEPEST):
        values += len(level)
        objects += sum(isinstance(x, dict) and "class_name" in x for x in level)
        if values > MOST_VALUES or objects > MOST_OBJECTS:
            raise ModelFileError(
                f"{name}: the config has {values:,} values and {objects:,} objects, "
                "which are too many"
            )
        nested = (x.values() if isinstance(x, dict) else x for x in level if nests(x))
        level = [part for parts in nested for part in parts]
        if not level:
            return
    raise ModelFileError(f"{name}: the config is nested too deeply")


def nests(value: Any) -> bool:
    """Whether there are values in this value of a config."""
    return isinstance(value, (dict, list))


def size_on_disk(path: Any) -> int:
    """Return how many bytes a file has, without its holes: they take no space.

    Raises:
        OSError: if there is none.
    """
    with open(path, "rb") as file:
        size = os.path.getsize(path)
        if not hasattr(os, "SEEK_HOLE"):
            return size
        handle, total, end = file.fileno(), 0, 0
        with suppress(OSError):  # raised when there are only holes
            while end < size:
                start = os.lseek(handle, end, os.SEEK_DATA)
                end = os.lseek(handle, start, os.SEEK_HOLE)
                total += end - start
        return total


def safe_name(name: str) -> str:
    """Return a relative path of a file, if it leads nowhere but into its folder.

    Raises:
        ModelFileError: if it leads elsewhere.
    """
    parts = name.split("/")
    if len(name) > LONGEST_NAME:
        raise ModelFileError(f"Not allowed: a path of {len(name):,} characters")
    if "\\" in name or ":" in name or "\0" in name or {"", ".", ".."} & set(parts):
        raise ModelFileError(f"Not allowed: a file with the path {name!r}")
    return name
