"""Arrays in files: ``.npy``, ``.npz``, ``.csv`` and ``.json``, read and written."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from minikeras.datasets.npz import load_npz, read_npy
from minikeras.saving.durable import atomic_write

__all__ = ["as_text", "read_arrays", "write_arrays"]

NPY, NPZ = b"\x93NUMPY", b"PK"
ENDINGS = (".npy", ".npz", ".csv", ".json")
Arrays = Any  # an array, or a dictionary of them


def read_arrays(path: str) -> Arrays:
    """Return the array in a file, or those in it by name; what it is, its bytes say.

    Args:
        path: of the file; ``-`` for the standard input.

    Raises:
        ValueError: if it is none of the four kinds.
    """
    data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        if data.startswith(NPY):
            return read_npy(io.BytesIO(data), objects=False)
        if data.startswith(NPZ):
            found = load_npz(io.BytesIO(data), objects=False)
            return found.popitem()[1] if len(found) == 1 else found
        if data.lstrip()[:1] in (b"[", b"{"):
            found = json.loads(data)
            if isinstance(found, dict):
                return {name: np.asarray(x) for name, x in found.items()}
            return np.asarray(found)
        return _table(data.decode())
    except (ValueError, EOFError, BadZipFile) as error:
        raise ValueError(
            f"{path} cannot be read as {', '.join(ENDINGS)}: {error}"
        ) from error


def _table(text: str) -> np.ndarray[Any, Any]:
    """Return the numbers of a CSV file, whose first line may be a heading."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        [float(cell) for cell in lines[0].split(",")]
        heading = 0
    except (ValueError, IndexError):
        heading = 1
    if len(lines) <= heading:
        raise ValueError("there are no rows of numbers")
    return np.loadtxt(lines[heading:], delimiter=",", ndmin=2)


def write_arrays(path: str, arrays: Arrays) -> None:
    """Write an array, or several by name, to a file in the form that its ending says.

    Raises:
        ValueError: for another ending, or arrays that do not fit into such a file.
    """
    ending = Path(path).suffix
    if ending not in ENDINGS:
        raise ValueError(f"{path}: an output ends in one of {', '.join(ENDINGS)}")
    named = isinstance(arrays, Mapping)
    if ending in (".npy", ".csv") and named:
        raise ValueError(f"{path}: several outputs need a .npz or .json file")
    memory = io.BytesIO()
    if ending == ".npy":
        np.save(memory, arrays)
    elif ending == ".npz":
        np.savez(memory, **(arrays if named else {"output": arrays}))
    elif ending == ".csv":
        rows = np.reshape(arrays, (len(arrays), -1))
        np.savetxt(memory, rows, delimiter=",", fmt="%.9g")
    else:
        memory.write(as_text(arrays).encode())
    with atomic_write(path) as file:
        file.write(memory.getvalue())


def as_text(arrays: Arrays) -> str:
    """Return arrays as JSON, a row to a line."""
    if isinstance(arrays, Mapping):
        parts = (f"{json.dumps(name)}: {as_text(x)}" for name, x in arrays.items())
        return "{" + ",\n".join(parts) + "}"
    array = np.asarray(arrays)
    if array.ndim < 2:
        return json.dumps(_rounded(array))
    return "[" + ",\n ".join(json.dumps(_rounded(row)) for row in array) + "]"


def _rounded(array: np.ndarray[Any, Any]) -> Any:
    """Return numbers with as few digits as tell them apart in their own dtype."""
    if array.dtype.kind != "f" or array.dtype == np.float64:
        return array.tolist()
    short = [float(str(x)) for x in array.ravel()]
    return np.reshape(np.array(short), array.shape).tolist()
