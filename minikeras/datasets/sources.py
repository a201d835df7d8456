"""Where the files of data sets come from: the cache, the system, the network.

In this order: the folder in which Keras keeps what it has downloaded, the folders in
which a system's packages put data, the URL from which Keras downloads. There is no
fourth: where the data are in none of these, an error says so. Nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from minikeras.datasets.downloads import (
    DownloadError,
    cache_folder,
    get_file,
    validate_file,
)

__all__ = ["KERAS_FILES", "SYSTEM_FOLDERS", "archive_folder", "file_of"]

KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# Debian's packages `dataset-...` use the first.
SYSTEM_FOLDERS = ["/usr/share/datasets", "/usr/local/share/datasets"]


def file_of(
    name: str,
    file: str,
    file_hash: str | None = None,
    origin: str | None = None,
    subdir: str = "datasets",
) -> str:
    """Return the path of a file of a data set.

    Args:
        name: of the data set, which is the name of its folder in the system's.
        file: its name in the cache.
        file_hash: MD5 or SHA-256, which the file must have wherever it is found.
        origin: its URL, by default among Keras's files.
        subdir: where it is in the cache.

    Raises:
        DownloadError: if it is nowhere, with all places where it was looked for.
    """
    tried: list[str] = []
    found = _local(name, file, file_hash, subdir, tried)
    if found:
        return str(found)
    url = origin or KERAS_FILES + file
    try:
        return get_file(file, url, file_hash=file_hash, cache_subdir=subdir)
    except DownloadError as error:
        raise _nowhere(name, [*tried, f"{url} ({error})"]) from error


def archive_folder(
    name: str, folder: str, archive: str, file_hash: str, url: str, files: list[str]
) -> str:
    """Return the path of the folder with the files of a data set's archive.

    Args:
        name: of the data set.
        folder: the archive's folder in the cache, without ``_archive``.
        archive: the name by which the archive goes elsewhere.
        file_hash: SHA-256 of the archive.
        url: where it comes from.
        files: which must be there, relative to where the archive was extracted.

    Raises:
        DownloadError: if it is nowhere, with all places where it was looked for.
    """
    tried: list[str] = []
    cache = cache_folder() / "datasets"
    for place in (cache / folder, *_system(name)):
        if all((place / file).is_file() for file in files):
            return str(place)
        tried.append(f"{place} (not there)")
    found = _local(name, archive, file_hash, "datasets", tried)
    try:
        # A copy in the system is unpacked into the cache, as a download would be.
        return get_file(
            folder,
            found.resolve().as_uri() if found else url,
            file_hash=file_hash,
            extract=True,
        )
    except DownloadError as error:
        raise _nowhere(name, [*tried, f"{url} ({error})"]) from error


def _system(name: str) -> Iterator[Path]:
    for folder in SYSTEM_FOLDERS:
        yield Path(folder, name)
        yield Path(folder)


def _local(
    name: str, file: str, file_hash: str | None, subdir: str, tried: list[str]
) -> Path | None:
    """Return a file that is on this machine; note where it is not."""
    for folder in (cache_folder() / subdir, *_system(name)):
        path = folder / file
        if not path.is_file():
            tried.append(f"{path} (not there)")
        elif file_hash and not validate_file(path, file_hash):
            tried.append(f"{path} (is another file: its hash is not {file_hash})")
        else:
            return path
    return None


def _nowhere(name: str, tried: list[str]) -> DownloadError:
    places = "".join(f"\n  - {place}" for place in tried)
    return DownloadError(
        f"The data set '{name}' is not on this machine and could not be downloaded. "
        f"Looked for in:{places}\n"
        "Download it where there is a network, and put it in the first of these places."
    )
