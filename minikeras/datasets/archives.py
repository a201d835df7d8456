"""Archives, unpacked so that nothing is written but plain files below one folder.

A member's path that leads out of the folder, a link or a device is skipped, with a
warning. What an archive promises to become is counted before it is written: a small
one that becomes a huge folder is refused. Members are unpacked beside the folder and
moved in when all is there.
"""

from __future__ import annotations

import os
import re
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, NamedTuple

from minikeras.saving.limits import Budget

__all__ = ["extract_archive"]

# What a file costs beside its contents: so that many empty ones are counted too.
_ENTRY = 512


class Member(NamedTuple):
    """An entry of an archive.

    Attributes:
        name: its path, as the archive says it.
        size: in bytes.
        plain: whether it is a file or a folder, and neither a link nor a device.
        contents: opens it for reading; None for a folder.
    """

    name: str
    size: int
    plain: bool
    contents: Callable[[], IO[bytes]] | None


def extract_archive(
    file_path: Any,
    path: Any = ".",
    archive_format: str | Iterable[str] | None = "auto",
) -> bool:
    """Unpack a tar or zip file into a folder, if it is one.

    Args:
        file_path: of the archive.
        path: of the folder; what is in it already stays, unless the archive has a file
            of the same name.
        archive_format: "tar" (compressed or not), "zip", several of them to be tried,
            or "auto" for both; None tries nothing.

    Returns:
        Whether it was an archive of one of these formats.

    Raises:
        NotImplementedError: for another format.
        ModelFileError: if the archive would become far larger than it is.
    """
    formats = ["tar", "zip"] if archive_format == "auto" else archive_format or []
    for kind in [formats] if isinstance(formats, str) else formats:
        if kind not in _OPEN:
            raise NotImplementedError(kind)
        fits, members = _OPEN[kind]
        if fits(file_path):
            target = Path(path)
            beside = target.resolve().parent
            beside.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=beside, prefix=".extracting-") as folder:
                unpacked = Path(folder, "all")
                budget = Budget(os.path.getsize(file_path), os.fspath(file_path))
                _unpack(members(file_path), unpacked, budget)
                _move(unpacked, target)
            return True
    return False


def _unpack(members: Iterable[Member], root: Path, budget: Budget) -> None:
    """Write the members of an archive below `root`."""
    root.mkdir()
    for member in members:
        place = _place(member.name)
        if place is None or not member.plain:
            warnings.warn(
                "Skipping invalid path during archive extraction: "
                f"'{member.name}'. It is a link or a device, or leads out of the "
                "folder.",
                stacklevel=4,
            )
            continue
        budget.spend(_ENTRY + member.size, f"member '{member.name}'")
        target = root / place
        if member.contents is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with member.contents() as source, open(target, "wb") as file:
            _copy(source, file, member)


def _copy(source: IO[bytes], file: IO[bytes], member: Member) -> None:
    """Copy as many bytes as were promised.

    Raises:
        ValueError: if there are more or less.
    """
    left = member.size
    while left >= 0 and (block := source.read(1 << 20)):
        left -= len(block)
        file.write(block)
    if left:
        raise ValueError(f"Archive member '{member.name}' is not as long as it says")


def _place(name: str) -> Path | None:
    """Return a member's relative path, None if it leads out of the folder."""
    outside = name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name)
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".")]
    if outside or ".." in parts or "\0" in name:
        return None
    return Path(*parts)


def _move(source: Path, target: Path) -> None:
    """Let a folder take its place, or its files theirs if there is one already.

    Raises:
        ValueError: if a link in the one that is there leads out of it.
    """
    if not target.exists():
        source.rename(target)
        return
    root = target.resolve()
    for folder, folders, files in os.walk(source):
        place = target / Path(folder).relative_to(source)
        if not place.resolve().is_relative_to(root):
            raise ValueError(f"{place} leads out of {target}: nothing is written there")
        for name in folders:
            (place / name).mkdir(exist_ok=True)
        for name in files:
            os.replace(Path(folder, name), place / name)


def _tar_members(path: Any) -> Iterator[Member]:
    with tarfile.open(path) as archive:
        for info in archive:
            contents = None if info.isdir() else partial(_tar_contents, archive, info)
            yield Member(info.name, info.size, info.isreg() or info.isdir(), contents)


def _tar_contents(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    contents = archive.extractfile(info)
    if contents is None:
        raise ValueError(f"Archive member '{info.name}' has no contents")
    return contents


def _zip_members(path: Any) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
            contents = None if info.is_dir() else partial(archive.open, info)
            yield Member(info.orig_filename, info.file_size, plain, contents)


_OPEN = {
    "tar": (tarfile.is_tarfile, _tar_members),
    "zip": (zipfile.is_zipfile, _zip_members),
}
