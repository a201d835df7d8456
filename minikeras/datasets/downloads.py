"""Files from the network, kept in a folder, where Keras keeps and finds them too."""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

from minikeras.backend import is_interactive_logging_enabled
from minikeras.backend.console import say
from minikeras.datasets.archives import extract_archive
from minikeras.saving.durable import atomic_write

__all__ = [
    "DownloadError",
    "cache_folder",
    "get_file",
    "hash_file",
    "resolve_hasher",
    "validate_file",
]

_SECONDS = 60  # without a byte, after which a download has failed
_BLOCK = 1 << 18


class DownloadError(OSError):
    """A file that could not be fetched."""


def cache_folder() -> Path:
    """Return where files are kept: ``$KERAS_HOME``, by default ``~/.keras``.

    Where the user may not write, it is a folder for temporary files.
    """
    return _writable(os.environ.get("KERAS_HOME") or "~/.keras")


def _writable(folder: Any) -> Path:
    path = Path(folder).expanduser()
    with suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return path if os.access(path, os.W_OK) else Path(tempfile.gettempdir(), ".keras")


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | Iterable[str] | None = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Return the path of a file, which is downloaded unless it is there already.

    A download takes its place when it is complete and its hash is right, not before.
    See `minikeras.datasets.archives` for what is not extracted.

    Args:
        fname: its name in the cache; by default the last part of `origin`.
        origin: its URL.
        untar: the same as `extract`, for tar files alone; deprecated.
        md5_hash: the MD5 hash of the file; deprecated, see `file_hash`.
        file_hash: the SHA-256 or MD5 hash that the file must have, in hexadecimal.
        cache_subdir: the folder inside of the cache, or an absolute path.
        hash_algorithm: "sha256", "md5", or "auto": by the length of `file_hash`.
        extract: whether to unpack the file, which is an archive.
        archive_format: "tar", "zip", several of them, or "auto" for both.
        cache_dir: the cache; ``$KERAS_HOME`` or else ``~/.keras`` by default.
        force_download: whether to download a file that is there already.

    Returns:
        The path of the file, or of the folder with what was extracted.

    Raises:
        ValueError: if there is no `origin` or no name in it, `fname` is a path, or the
            hash of what came is another.
        DownloadError: if nothing came.
    """
    if origin is None:
        raise ValueError(
            'Please specify the "origin" argument (URL of the file to download).'
        )
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = (_writable(cache_dir) if cache_dir else cache_folder()) / cache_subdir
    folder.mkdir(parents=True, exist_ok=True)
    name = _name(fname, origin)
    if not (extract or untar):
        target, unpacked = folder / name, None
    elif fname and "." in name:
        target = folder / name
        unpacked = folder / f"{name.partition('.')[0]}_extracted"
    else:
        target, unpacked = folder / f"{name}_archive", folder / name
    if force_download or not _is_cached(target, file_hash, hash_algorithm):
        _download(origin, target, file_hash, hash_algorithm)
    if unpacked is None:
        return str(target)
    if not extract_archive(target, unpacked, "tar" if untar else archive_format):
        warnings.warn("Could not extract archive.", stacklevel=2)
    return str(unpacked)


def _name(fname: Any, origin: str) -> str:
    """Return the name of a file in the cache.

    Raises:
        ValueError: if there is none, or it is a path.
    """
    if not fname:
        name = os.path.basename(urllib.parse.urlsplit(origin).path)
        if not name:
            raise ValueError(
                f"Can't parse the file name from the origin provided: '{origin}'."
                "Please specify the `fname` argument."
            )
    else:
        name = os.fspath(fname)
    if name != os.path.basename(name) or name in (".", ".."):
        raise ValueError(
            "Paths are no longer accepted as the `fname` argument. To specify the "
            "file's parent directory, use the `cache_dir` argument. Received: "
            f"fname={name}"
        )
    return name


def _is_cached(path: Path, file_hash: str | None, algorithm: str) -> bool:
    if not path.exists():
        return False
    if file_hash is None or validate_file(path, file_hash, algorithm):
        return True
    say(
        "A local file was found, but it seems to be incomplete or outdated because the "
        f"{algorithm} file hash does not match the original value of {file_hash} so we "
        "will re-download the data."
    )
    return False


def _download(origin: str, path: Path, file_hash: str | None, algorithm: str) -> None:
    """Let the file at `origin` become the one at `path`.

    Raises:
        DownloadError: if it does not come, or not all of it.
        ValueError: if its hash is another.
    """
    say(f"Downloading data from {origin}")
    hasher = resolve_hasher(algorithm, file_hash)
    with atomic_write(path) as file:
        try:
            _receive(origin, file, hasher)
        except urllib.error.HTTPError as error:
            raise _failure(origin, error.code, error.msg) from error
        except urllib.error.URLError as error:
            raise _failure(origin, error.errno, error.reason) from error
        except (TimeoutError, ConnectionError, HTTPException) as error:
            raise _failure(origin, None, error) from error
        if file_hash is not None and hasher.hexdigest() != str(file_hash).lower():
            raise ValueError(
                f"Incomplete or corrupted file detected. The {algorithm} file hash "
                f"does not match the provided value of {file_hash}."
            )


def _failure(origin: str, code: Any, reason: Any) -> DownloadError:
    return DownloadError(f"URL fetch failure on {origin}: {code} -- {reason}")


def _receive(origin: str, file: Any, hasher: Any) -> None:
    """Write what comes from a URL to a file, and show how far it is."""
    tqdm = importlib.import_module("tqdm.auto").tqdm  # slow to import, rarely needed
    with urllib.request.urlopen(origin, timeout=_SECONDS) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        silent = not is_interactive_logging_enabled()
        with tqdm(total=total, unit="B", unit_scale=True, disable=silent) as bar:
            received = 0
            while block := response.read(_BLOCK):
                file.write(block)
                hasher.update(block)
                received += len(block)
                bar.update(len(block))
    if total not in (None, received):
        raise _failure(origin, None, f"{received:,} bytes came of {total:,}")


def resolve_hasher(algorithm: str, file_hash: str | None = None) -> Any:
    """Return an object that computes a hash: SHA-256 if asked for, otherwise MD5.

    Args:
        algorithm: "sha256", "md5", or "auto": by the length of `file_hash`.
        file_hash: what it will be compared with.
    """
    long = file_hash is not None and len(file_hash) == 64
    if algorithm == "sha256" or (algorithm == "auto" and long):
        return hashlib.sha256()
    return hashlib.md5(usedforsecurity=False)


def hash_file(fpath: Any, algorithm: Any = "sha256", chunk_size: int = 65535) -> str:
    """Return the hash of a file, in hexadecimal.

    Args:
        fpath: path of the file.
        algorithm: "sha256", "md5", or an object of `hashlib`.
        chunk_size: bytes that are read at a time.
    """
    named = isinstance(algorithm, str)
    hasher = resolve_hasher(algorithm) if named else algorithm
    with open(fpath, "rb") as file:
        while block := file.read(chunk_size):
            hasher.update(block)
    return hasher.hexdigest()


def validate_file(
    fpath: Any, file_hash: str, algorithm: str = "auto", chunk_size: int = 65535
) -> bool:
    """Whether a file has this hash.

    Args:
        fpath: path of the file.
        file_hash: in hexadecimal.
        algorithm: "sha256", "md5", or "auto": by the length of `file_hash`.
        chunk_size: bytes that are read at a time.
    """
    hasher = resolve_hasher(algorithm, file_hash)
    return hash_file(fpath, hasher, chunk_size) == str(file_hash).lower()
