"""Arrays out of files, and of pickles only what arrays and plain containers need.

The sequences of IMDB and Reuters, and the images of CIFAR, lie in pickles. A pickle is
a program; the one here may call nothing but what makes an empty array, and it may name
nothing but NumPy's arrays and their dtypes. So reading a file runs no code of its own.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import zipfile
from typing import Any

import numpy as np

from minikeras.saving.limits import Budget, ModelFileError

__all__ = ["RestrictedUnpickler", "load_npz", "read_npy"]


def _empty(subtype: type, shape: Any, code: Any) -> np.ndarray[Any, Any]:
    """Return what NumPy's pickles begin with: an empty array, which is filled then."""
    if subtype is not np.ndarray or tuple(shape) != (0,):
        raise pickle.UnpicklingError(
            f"Refusing to make an array of shape {shape} before its data is read"
        )
    return np.ndarray((0,), np.dtype("b"))


def _dtype(code: Any, *flags: Any) -> np.dtype[Any]:
    """Return a dtype; old pickles say 0 and 1 where NumPy wants False and True."""
    return np.dtype(code, *map(bool, flags))


# The parts of NumPy's pickles, of before and after version 2.
_ALLOWED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _dtype,
    ("numpy.core.multiarray", "_reconstruct"): _empty,
    ("numpy._core.multiarray", "_reconstruct"): _empty,
}


class RestrictedUnpickler(pickle.Unpickler):
    """Reads numbers, strings, lists, tuples, dicts and arrays; refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names.

        Raises:
            UnpicklingError: if it is no part of an array.
        """
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f"Refusing to load `{module}.{name}`: the file of a data set consists "
                "of arrays and plain containers. This one may be corrupted or "
                "malicious."
            )
        return _ALLOWED[module, name]


def load_npz(path: Any, objects: bool = True) -> dict[str, Any]:
    """Return the arrays of a ``.npz`` file, those of objects too, without running code.

    Args:
        path: of the file; or a binary file in memory.
        objects: whether there may be arrays of objects.

    Raises:
        UnpicklingError: if a pickle in it names anything but parts of arrays.
        ModelFileError: if it would become far larger than it is.
    """
    in_memory = isinstance(path, io.BytesIO)
    size = len(path.getbuffer()) if in_memory else os.path.getsize(path)
    budget = Budget(size, "the file" if in_memory else os.fspath(path))
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".npy"):
                budget.spend(info.file_size, f"member '{info.filename}'")
                data = io.BytesIO(archive.read(info))
                arrays[info.filename.removesuffix(".npy")] = read_npy(data, objects)
    return arrays


def read_npy(file: io.BytesIO, objects: bool = True) -> Any:
    """Return the array of a ``.npy`` file; the arguments are those of `load_npz`.

    Raises:
        ModelFileError: if its data are not there, or objects that may not be.
    """
    form = np.lib.format
    version = form.read_magic(file)
    # What version 3 adds, names of fields beyond Latin-1, does not occur here.
    read = form.read_array_header_1_0 if version[0] == 1 else form.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject and not objects:
        raise ModelFileError(
            "an array of objects is a pickle, which is not read (allow_pickle=False)"
        )
    if dtype.hasobject:
        return RestrictedUnpickler(file).load()
    size = math.prod(shape) * dtype.itemsize
    if size > len(file.getbuffer()):
        raise ModelFileError(f"an array declares {size:,} bytes, which are not there")
    file.seek(0)
    return form.read_array(file, allow_pickle=False)
