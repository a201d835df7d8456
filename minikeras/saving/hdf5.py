"""HDF5 files of weights: for each object a group, in it ``vars``, in that its arrays.

HDF5 can do more than hold arrays: a file may lead to other files, and may claim shapes
that no disk could hold. Here a file is only ever asked for what lies in itself, and
what it declares is counted before it is read.
"""

from __future__ import annotations

import functools
import importlib
import io
import math
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from minikeras.engine.dtypes import as_dtype
from minikeras.saving.heaps import check_heaps
from minikeras.saving.limits import (
    DEEPEST,
    FLOOR,
    Budget,
    CorruptFileError,
    ModelFileError,
)
from minikeras.saving.states import Saved

Values = dict[str, np.ndarray[Any, Any]]

__all__ = [
    "WITH_CHECKSUMS",
    "Entry",
    "Weights",
    "h5py",
    "opened",
    "told_if_broken",
    "written",
]

# Numbers of the filters that are part of HDF5 or h5py: a file must not load others.
FILTERS = {1, 2, 3, 4, 5, 6, 32000}
LARGEST_PIECE = 2**32
# The first version whose lists of what is where have checksums.
WITH_CHECKSUMS: dict[str, Any] = {"libver": ("v110", "v110")}


@functools.cache
def h5py() -> Any:
    """Return the library that reads and writes HDF5.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        return importlib.import_module("h5py")
    except ImportError as error:
        raise ImportError(
            "Files with weights are HDF5 and need h5py: pip install 'minikeras[h5]'"
        ) from error


# -- writing ---------------------------------------------------------------------------


def written(states: Mapping[str, Saved], alone: bool = False) -> bytes:
    """Return the file that holds these states.

    Args:
        states: by their paths.
        alone: whether it is a file for itself, and none within another one that has
            checksums. Then it has some: a changed bit is noticed when it is read.
    """
    memory = io.BytesIO()
    how = WITH_CHECKSUMS if alone else {}
    with h5py().File(memory, "w", **how) as file:
        for path, (name, values) in states.items():
            if name is None and not values:
                continue
            group = file.require_group(f"{path}/vars")
            if name is not None:
                group.attrs["name"] = name
            for key, value in values.items():
                put(group, key, value, alone)
    return memory.getvalue()


def put(
    group: Any, key: str, value: np.ndarray[Any, Any], checked: bool = False
) -> None:
    """Write an array into a group, with a checksum if it is to be `checked`.

    HDF5 does not know bfloat16: its bytes are written, and an attribute says so. It has
    checksums for arrays in pieces, and pieces have less than 4 GiB and at least a row.
    """
    if value.dtype.kind in "UT":
        value = value.astype(object)
    how = {}
    if checked and value.size and value.ndim and 0 < value.nbytes < LARGEST_PIECE:
        how = {"chunks": value.shape, "fletcher32": value.dtype.kind != "O"}
    dataset = group.create_dataset(key, data=value, **how)
    if value.dtype.name == "bfloat16":
        dataset.attrs["dtype"] = "bfloat16"


# -- reading ---------------------------------------------------------------------------


def opened(file: Any, name: str) -> Any:
    """Return an HDF5 file, opened for reading.

    Args:
        file: a path, or a binary file.
        name: for messages.

    Raises:
        CorruptFileError: if it is none.
        OSError: if it cannot be read.
    """
    if not hasattr(file, "read"):
        with open(file, "rb"):
            pass  # that there is no such file, Python says more clearly
    check_heaps(file, name)
    try:
        return h5py().File(file, "r")
    except OSError as error:
        raise CorruptFileError(
            f"{name} is not a readable HDF5 file: {error}"
        ) from error


class Weights:
    """A file of weights, opened for reading.

    Args:
        file: a path, or a binary file.
        size: of the file in bytes.
        name: of the file, for messages.
    """

    def __init__(self, file: Any, size: int, name: str) -> None:
        self.file = opened(file, name)
        self.budget = Budget(size, name)

    def at(self, path: str) -> Entry:
        """Return the arrays of the object at this path; none if it has none."""
        for place in (path, path.replace("layers", "_layer_checkpoint_dependencies")):
            group = find(self.file, f"{place}/vars" if place else "vars")
            if group is not None:
                return Entry(group, self.budget)
        return Entry(None, self.budget)

    def everything(self) -> Iterator[tuple[str, Values]]:
        """Yield each object's path and its arrays."""
        for path, group in groups_in(self.file):
            values = {
                key: array_at(group, key, self.budget) for key in arrays_of(group)
            }
            if values:
                yield path.removesuffix("vars").rstrip("/"), values

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class Entry(Mapping[str, np.ndarray[Any, Any]]):
    """The arrays of one group, read when they are asked for.

    Args:
        group: of the file, None for no arrays at all.
        budget: from which they are taken.
    """

    def __init__(self, group: Any, budget: Budget) -> None:
        self._group = group
        self._budget = budget

    def __getitem__(self, key: str) -> np.ndarray[Any, Any]:
        if self._group is None:
            raise KeyError(key)
        return array_at(self._group, key, self._budget)

    def __iter__(self) -> Iterator[str]:
        with told_if_broken(self._group):
            return iter(() if self._group is None else list(self._group))

    def __len__(self) -> int:
        with told_if_broken(self._group):
            return 0 if self._group is None else len(self._group)


class Attributes(Mapping[str, Any]):
    """The attributes of a group or an array, read when they are asked for.

    An attribute says how long it is, and HDF5 takes that much memory at once.

    Args:
        of: the group or array.
    """

    def __init__(self, of: Any) -> None:
        self._of = of

    def __contains__(self, key: object) -> bool:
        with told_if_broken(self._of):
            return key in self._of.attrs

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        with told_if_broken(self._of):
            declared = self._of.attrs.get_id(key)
            size = math.prod(declared.shape or ()) * declared.dtype.itemsize
            if size > max(FLOOR, self._of.file.id.get_filesize()):
                raise ModelFileError(
                    f"attribute '{key}' of '{self._of.name}' declares {size:,} bytes. "
                    "Not allowed: that is more than its file has"
                )
            return self._of.attrs[key]

    def __iter__(self) -> Iterator[str]:
        with told_if_broken(self._of):
            return iter(list(self._of.attrs))

    def __len__(self) -> int:
        with told_if_broken(self._of):
            return len(self._of.attrs)


@contextmanager
def told_if_broken(group: Any) -> Iterator[None]:
    """Say of a file that HDF5 stumbles over that it is broken, and which it is.

    Raises:
        CorruptFileError: if HDF5 does.
    """
    try:
        yield
    except ModelFileError:
        raise
    except (RuntimeError, OSError, KeyError) as error:
        name = group.file.filename
        raise CorruptFileError(f"the file {name!s} is broken: {error}") from error


def find(group: Any, path: str) -> Any:
    """Return the group at a path below a group, None if there is nothing."""
    with told_if_broken(group):
        for part in filter(None, path.split("/")):
            if part not in group:
                return None
            group = _child(group, part, h5py().Group)
    return group


def groups_in(group: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield a group and all within it, with their paths.

    Raises:
        ModelFileError: if one is behind a link, or they are nested without end.
    """
    if depth > DEEPEST:
        raise ModelFileError(f"groups are nested too deeply: '{path[:80]}'...")
    yield path, group
    with told_if_broken(group):
        names = list(group)
    for name in names:
        child = _child(group, name, object)
        if isinstance(child, h5py().Group):
            inner = f"{path}/{name}" if path else name
            yield from groups_in(child, inner, depth + 1)


def arrays_of(group: Any) -> list[str]:
    """Return the names of a group's arrays."""
    kind = h5py().Dataset
    return [key for key in group if isinstance(_child(group, key, object), kind)]


def group_at(group: Any, path: str) -> Any:
    """Return the group at a path below a group.

    Raises:
        KeyError: if there is none.
    """
    found = find(group, path)
    if found is None:
        raise KeyError(path)
    return found


def array_at(group: Any, path: str, budget: Budget) -> np.ndarray[Any, Any]:
    """Return the array at a path below a group, if the file holds it itself.

    Raises:
        KeyError: if there is none.
        ModelFileError: if its contents lie elsewhere, or are too many.
    """
    *above, key = [part for part in path.split("/") if part]
    group = group_at(group, "/".join(above))
    with told_if_broken(group):
        is_there = key in group
    if not is_there:
        raise KeyError(path)
    with told_if_broken(group):
        dataset = _child(group, key, h5py().Dataset)
        _check(dataset)
        size = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
        budget.spend(size, f"dataset '{dataset.name}'")
        _check_pieces(dataset)
        value = np.asarray(dataset[()])
        stored_as = Attributes(dataset).get("dtype")
    return value.view(_bfloat16()) if stored_as == "bfloat16" else value


def _bfloat16() -> np.dtype[Any]:
    return as_dtype("bfloat16").as_numpy_dtype


def _child(group: Any, key: str, kind: Any) -> Any:
    """Return what lies in a group under `key`, and not behind a link.

    Raises:
        ModelFileError: if it is a link, or of another kind.
    """
    link = group.get(key, getlink=True)
    if not isinstance(link, h5py().HardLink):
        raise ModelFileError(
            f"Not allowed: H5 file with {type(link).__name__} '{group.name}/{key}'"
        )
    try:
        found = group[key]
    except KeyError as error:  # which it is not: there is a link
        raise CorruptFileError(f"'{group.name}/{key}' is broken: {error}") from error
    if not isinstance(found, kind):
        raise ModelFileError(
            f"Invalid H5 file, expected {kind.__name__} at '{found.name}' but received "
            f"{type(found).__name__}"
        )
    return found


def _check(dataset: Any) -> None:
    """Raise an error if the contents of a dataset do not lie in its file as numbers."""
    created = dataset.id.get_create_plist()
    filters = {created.get_filter(i)[0] for i in range(created.get_nfilters())}
    wrong = (
        (dataset.external, "external Dataset"),
        (dataset.is_virtual, "virtual Dataset"),
        (filters - FILTERS, f"filters {filters - FILTERS} for Dataset"),
        (not _is_plain(dataset.dtype), f"values of type {dataset.dtype} in Dataset"),
    )
    for found, what in wrong:
        if found:
            raise ModelFileError(f"Not allowed: H5 file with {what} '{dataset.name}'")


def _check_pieces(dataset: Any) -> None:
    """Raise an error if pieces are missing: HDF5 would take zeros in their place."""
    if not dataset.chunks:
        return
    counts = map(operator.floordiv, dataset.shape, dataset.chunks)
    rests = map(operator.mod, dataset.shape, dataset.chunks)
    want = math.prod(n + bool(rest) for n, rest in zip(counts, rests, strict=True))
    here: set[tuple[int, ...]] = set()
    dataset.id.chunk_iter(lambda piece: here.add(piece.chunk_offset))
    inside = [all(map(operator.lt, place, dataset.shape)) for place in here]
    if sum(inside) != want:
        raise CorruptFileError(
            f"the file {dataset.file.filename!s} is broken: of the {want:,} pieces of "
            f"Dataset '{dataset.name}' there are {sum(inside):,}"
        )


def _is_plain(dtype: np.dtype[Any]) -> bool:
    """Whether values are numbers or strings, no references and no records."""
    if dtype.kind == "O":
        return h5py().check_string_dtype(dtype) is not None
    return dtype.fields is None and dtype.subdtype is None
