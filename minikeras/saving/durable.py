"""Files that are written whole or not at all.

A file is written beside its place, flushed to the disk, and then takes its place in one
step. Whatever ends the writing early, an error, a full disk, Ctrl-C or the power, what
was there before is there still.
"""

from __future__ import annotations

import os
import platform
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

__all__ = ["atomic_write"]

_HOST = re.sub(r"\W", "", platform.node())


@contextmanager
def atomic_write(path: Any) -> Iterator[IO[bytes]]:
    """Yield a binary file that becomes the file at `path` when the block has ended.

    If the block raises, the file at `path` stays as it was.

    Raises:
        OSError: if there is no such folder, no space, or no permission.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a directory, not a file to be written")
    _remove_leftovers(target)
    place = target.with_name(f"{_prefix(target)}{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with open(place, "x+b") as file:
            if target.exists():
                os.chmod(place, stat.S_IMODE(target.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(place, target)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def _prefix(target: Path) -> str:
    """Return how the names of files begin that are to take the place of `target`."""
    return f".{target.name}.{_HOST}.tmp"


def _remove_leftovers(target: Path) -> None:
    """Remove what processes of this machine left that were killed while writing."""
    if os.name != "posix":
        return  # elsewhere nobody can be asked whether a process lives
    start = _prefix(target)
    for name in os.listdir(target.parent):
        process = name.removeprefix(start).partition("-")[0]
        if name.startswith(start) and process.isdigit() and not _lives(int(process)):
            target.with_name(name).unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it lives, and belongs to somebody else
    return True


def _flush_folder(folder: Path) -> None:
    """Let the folder's new entry survive a loss of power."""
    with suppress(OSError):  # not every file system can, and the file is in place
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
