"""Files and folders that are written whole or not at all.

A file is written beside its place, flushed to the disk, and then takes its place in one
step. Whatever ends the writing early, an error, a full disk, Ctrl-C or the power, what
was there before is there still.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

__all__ = ["atomic_folder", "atomic_write"]

# Linux can let two folders change places in one step; Python does not offer it.
_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None
_RENAME = getattr(_LIBRARY, "renameat2", None)
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE

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


@contextmanager
def atomic_folder(path: Any) -> Iterator[Path]:
    """Yield a new folder that takes the place of the one at `path` in the end.

    If the block raises, the folder at `path` stays as it was. Where the system cannot
    exchange folders, an old one is put aside first: for a moment there is none.

    Raises:
        OSError: if there is no space or no permission.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(target)
    place = target.with_name(f"{_prefix(target)}{os.getpid()}-{os.urandom(4).hex()}")
    place.mkdir()
    try:
        yield place
        for folder in [place, *filter(Path.is_dir, place.rglob("*"))]:
            _flush_folder(folder)
        if not _exchanged(place, target):
            old = place.with_name(f"{place.name}-old")
            if target.exists():
                os.replace(target, old)
            os.replace(place, target)
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)  # by now the old one, if all went well
    _flush_folder(target.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places, if both are there and the system can do it."""
    if _RENAME is None or not other.exists():
        return False
    return not _RENAME(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE)


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
            _remove(target.with_name(name))


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


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
