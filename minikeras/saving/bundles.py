"""What a ``.keras`` file or a folder holds: named parts, as bytes.

A zip file can lie about sizes, let members overlap, and name files outside; so its
directory is checked before anything is read, and members are read one by one.
"""

from __future__ import annotations

import os
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from minikeras.saving.durable import atomic_folder, atomic_write
from minikeras.saving.limits import (
    Budget,
    CorruptFileError,
    ModelFileError,
    safe_name,
    size_on_disk,
)

__all__ = ["Archive", "Bundle", "Folder", "folder_for_files", "write_archive"]

ASSETS = "assets/"
MOST_MEMBERS = 20_000
# Of a zip file, in bytes: what comes before the name of a member; what its entry in the
# list may take; how far the end of that list may be from the end of the file; what
# stands before that end, if the list is large.
_HEADER, _ENTRY, _COMMENT, _LARGE = 30, 256, 1 << 17, 76


def write_archive(file: Any, parts: Mapping[str, bytes]) -> None:
    """Write parts into a zip file, not compressed, as Keras does."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


@contextmanager
def folder_for_files() -> Iterator[tuple[Path, Callable[[str], str]]]:
    """Yield a temporary folder, and a function that makes folders in it."""
    with tempfile.TemporaryDirectory() as name:

        def made(path: str) -> str:
            place = Path(name, safe_name(path)) if path else Path(name)
            place.mkdir(parents=True, exist_ok=True)
            return str(place)

        yield Path(name), made


class Bundle:
    """The parts of a saved model.

    Attributes:
        name: of the file or folder, for messages.
        size: of it, in bytes.
        names: of its parts.
    """

    name: str
    size: int
    names: set[str]

    def read(self, name: str) -> bytes:
        """Return a part.

        Raises:
            ModelFileError: if there is none of this name.
        """
        if name not in self.names:
            raise ModelFileError(f"{self.name}: there is no '{name}' in it")
        return self._read(name)

    def _read(self, name: str) -> bytes:
        raise NotImplementedError

    @contextmanager
    def files(self) -> Iterator[Callable[[str], str | None] | None]:
        """Yield a function from an object's path to a folder with its files.

        It returns None for an object that has none; it is None itself if nobody has.
        """
        names = [name for name in self.names if name.startswith(ASSETS)]
        if not names:
            yield None
            return
        with folder_for_files() as (root, made):
            for name in names:
                below = safe_name(name.removeprefix(ASSETS))
                made(os.path.dirname(below))
                (root / below).write_bytes(self.read(name))

            def folder(path: str) -> str | None:
                place = root / path
                return str(place) if place.is_dir() else None

            yield folder


class Archive(Bundle):
    """A zip file.

    Args:
        file: a binary file.
        name: for messages.

    Raises:
        CorruptFileError: if it is no zip file, or a broken one.
        ModelFileError: if it is one that nobody makes for an honest purpose.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self.size = file.seek(0, os.SEEK_END)
        _check_directory(file, self.size, name)
        file.seek(0)
        try:
            self._zip = zipfile.ZipFile(file)
            members = [x for x in self._zip.infolist() if not x.is_dir()]
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise CorruptFileError(f"{name} is not a readable zip file") from error
        _check(members, self.size, name)
        self._members = {member.filename: member for member in members}
        self.names = set(self._members)

    def _read(self, name: str) -> bytes:
        try:
            return self._zip.read(self._members[name])
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as e:
            raise CorruptFileError(f"{self.name}: cannot read '{name}': {e}") from e
        except zipfile.zlib.error as error:  # type: ignore[attr-defined]
            raise CorruptFileError(f"{self.name}: '{name}' is broken") from error


def _check_directory(file: IO[bytes], size: int, name: str) -> None:
    """Raise an error for a directory too large for `MOST_MEMBERS`, before it is read.

    It says its size at the end of the file, and once more if the size is large.
    """
    file.seek(max(0, size - _COMMENT))
    data = file.read()
    end = data.rfind(b"PK\x05\x06")
    if end < 0 or len(data) < end + 22:
        return  # it is no zip file, as is found out soon
    (declared,) = struct.unpack("<L", data[end + 12 : end + 16])
    large = data[max(0, end - _LARGE) : end]  # in 64 bits, just before
    if large.startswith(b"PK\x06\x06"):
        declared = max(declared, *struct.unpack("<Q", large[40:48]))
    if declared > MOST_MEMBERS * _ENTRY:
        raise ModelFileError(f"{name}: there are too many members: {declared:,} bytes")


def _check(members: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Raise an error for a directory of members that promises trouble."""
    if len(members) > MOST_MEMBERS:
        raise ModelFileError(f"{name}: {len(members):,} members are too many")
    if len({member.filename for member in members}) < len(members):
        raise ModelFileError(f"{name}: two members have the same name")
    budget = Budget(size, name)
    end = 0
    for member in sorted(members, key=lambda x: x.header_offset):
        safe_name(member.orig_filename)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ModelFileError(f"{name}: '{member.filename}' is packed in a rare way")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ModelFileError(f"{name}: '{member.filename}' is a link. Not allowed")
        if member.header_offset < end:
            raise ModelFileError(f"{name}: '{member.filename}' overlaps another member")
        end = member.header_offset + _HEADER + member.compress_size
        budget.spend(member.file_size, f"member '{member.filename}'")


class Folder(Bundle):
    """A folder, as ``zipped=False`` makes it.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Any) -> None:
        self.name = str(path)
        self._root = Path(path)
        below = [p for p in self._root.rglob("*") if p.is_file() and not p.is_symlink()]
        self.names = {p.relative_to(self._root).as_posix() for p in below}
        self.size = sum(map(size_on_disk, below))
        self._budget = Budget(self.size, self.name)

    def _read(self, name: str) -> bytes:
        place = self._root / name
        self._budget.spend(place.stat().st_size, f"file '{name}'")
        return place.read_bytes()

    @staticmethod
    def write(path: Any, parts: Mapping[str, bytes]) -> None:
        """Write parts as a folder, which takes the place of an old one in one step.

        Where other files lie in it, these stay: then its parts are replaced one by one.
        """
        if _holds_more(Path(path)):
            _fill(Path(path), parts)
            return
        with atomic_folder(path) as place:
            _fill(place, parts)


def _holds_more(folder: Path) -> bool:
    """Whether there is such a folder, with more in it than a model."""
    names = set(os.listdir(folder)) if folder.is_dir() else set()
    return bool(names - {"config.json", "metadata.json", "model.weights.h5", "assets"})


def _fill(folder: Path, parts: Mapping[str, bytes]) -> None:
    """Write parts as files, the config last: with it the folder is a model."""
    for name, data in sorted(parts.items(), key=lambda x: x[0] == "config.json"):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place) as file:
            file.write(data)
