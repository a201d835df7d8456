"""What a file may do to its reader: nothing but yield numbers, and not too many.

A file comes from anywhere. What it says of itself, a size, a shape, a name, is checked
before anything is made of it.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["Budget", "CorruptFileError", "ModelFileError", "read_json", "safe_name"]

# A file may always become this many bytes in memory; a larger one, this many times its
# own size. Keras's files are not compressed, so that theirs are about as large.
FLOOR = 64 << 20
EXPANSION = 100
LARGEST_CONFIG = 64 << 20


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
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ModelFileError(f"{name}: the config is nested too deeply") from error
    except ValueError as error:
        raise CorruptFileError(f"{name} is not valid JSON: {error}") from error


def safe_name(name: str) -> str:
    """Return a relative path of a file, if it leads nowhere but into its folder.

    Raises:
        ModelFileError: if it leads elsewhere.
    """
    parts = name.split("/")
    if "\\" in name or ":" in name or "\0" in name or {"", ".", ".."} & set(parts):
        raise ModelFileError(f"Not allowed: a file with the path {name!r}")
    return name
