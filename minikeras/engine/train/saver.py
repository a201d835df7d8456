"""Checkpoints: the values of a session's variables in one ``.npz`` file.

A file is written beside its final name and then renamed, which is atomic: a reader, and
a run that is killed in the middle, find the old checkpoint or the new one and nothing
between. The file ``checkpoint`` in the same folder lists those that are kept.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minikeras.engine import devices, dtypes
from minikeras.engine.errors import NotFoundError, ShapeError
from minikeras.engine.ops.state import check_storable
from minikeras.engine.session import Session
from minikeras.engine.variables import Variable, global_variables

__all__ = ["Saver", "checkpoint_exists", "latest_checkpoint"]

SUFFIX = ".npz"
STATE = "checkpoint"
MOST_PACKED = 100  # times the size of a file: what its arrays may take if it is packed


class Saver:
    """Writes the variables of a session to disk and reads them back.

    Args:
        var_list: variables to save, or a dict of them by the names they have in the
            file; all global variables by default.
        max_to_keep: number of checkpoints after which the oldest is deleted; 0 or None
            keeps all.

    Raises:
        ValueError: if there are no variables.
    """

    def __init__(
        self,
        var_list: Iterable[Variable] | Mapping[str, Variable] | None = None,
        max_to_keep: int | None = 5,
    ) -> None:
        chosen: Any = global_variables() if var_list is None else var_list
        if isinstance(chosen, Mapping):
            self.variables: dict[str, Variable] = dict(chosen)
        else:
            self.variables = {v.op.name: v for v in chosen}
        if not self.variables:
            raise ValueError("Saver: there are no variables to save")
        self.max_to_keep = max_to_keep
        self.last_checkpoints: list[str] = []

    def save(
        self,
        sess: Session,
        save_path: str | os.PathLike[str],
        global_step: Any = None,
        latest_filename: str = STATE,
    ) -> str:
        """Write a checkpoint and return the path by which `restore` finds it.

        Args:
            sess: where the values are.
            save_path: the file's path without its ``.npz``.
            global_step: a number or variable appended to the path: ``model-100``.
            latest_filename: of the list of checkpoints.

        Raises:
            UninitializedError: if a variable has no value.
            ValueError: if the folder does not exist.
        """
        prefix = os.fspath(save_path)
        if not Path(prefix).parent.is_dir():
            raise ValueError(
                f"the folder of '{prefix}' does not exist: make it before saving, "
                f"os.makedirs({str(Path(prefix).parent)!r}, exist_ok=True)"
            )
        if global_step is not None:
            known = isinstance(global_step, (int, np.integer))
            prefix = f"{prefix}-{int(global_step if known else sess.run(global_step))}"
        values = sess.run(self.variables)
        _write(Path(prefix + SUFFIX), lambda file: _write_arrays(file, values))
        self._keep(prefix)
        state = json.dumps(
            {"checkpoints": [Path(p).name for p in self.last_checkpoints]}
        )
        listed = Path(prefix).with_name(latest_filename)
        _write(listed, lambda file: file.write(state.encode()))
        return prefix

    def _keep(self, prefix: str) -> None:
        """Enter a new checkpoint, and delete those that are too many."""
        others = [path for path in self.last_checkpoints if path != prefix]
        self.last_checkpoints = [*others, prefix]
        while self.max_to_keep and len(self.last_checkpoints) > self.max_to_keep:
            Path(self.last_checkpoints.pop(0) + SUFFIX).unlink(missing_ok=True)

    def restore(self, sess: Session, save_path: str | os.PathLike[str]) -> None:
        """Set the variables in `sess` from a checkpoint; initializing is not needed.

        Raises:
            NotFoundError: if there is no such file, or a variable is not in it.
            ShapeError: if a variable has another shape in it.
            DTypeError: if its kind of number does not fit.
        """
        values = _read(save_path)
        missing = sorted(self.variables.keys() - values.keys())
        if missing:
            raise NotFoundError(
                f"checkpoint '{os.fspath(save_path)}' has no variable "
                f"{', '.join(map(repr, missing))}; it has {', '.join(sorted(values))}"
            )
        for name, variable in self.variables.items():
            value, dtype = values[name], variable.dtype
            check_storable(dtypes.as_dtype(value.dtype), dtype, f"variable '{name}'")
            if not variable.handle.spec.admits(value.shape):
                raise ShapeError(
                    f"variable '{name}' has shape {variable.shape}; in checkpoint "
                    f"'{os.fspath(save_path)}' it has shape {value.shape}"
                )
            values[name] = devices.to_device(value.astype(dtype.as_numpy_dtype))
        for name, variable in self.variables.items():
            sess.store(variable.handle, values[name])


def _write(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Let `write` fill a file that appears under its name only when it is whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _write_arrays(file: BinaryIO, values: Mapping[str, Any]) -> None:
    """Do what `numpy.savez` does, for names of any kind and without pickles."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in values.items():
            array = np.asarray(value)
            plain = array.astype(str) if array.dtype == object else array
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, plain, allow_pickle=False)


def _check_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Raise ValueError if an array is said to be larger than the file."""
    with archive.open(member) as file:
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(np.lib.format.read_magic(file))
        if read_header is None:
            return
        shape, _, dtype = read_header(file)
    size, present = math.prod(shape) * dtype.itemsize, path.stat().st_size
    packed = member.compress_type != zipfile.ZIP_STORED
    if size > present * (MOST_PACKED if packed else 1):
        raise ValueError(
            f"checkpoint '{path}': array '{member.filename}' declares {size:,} bytes, "
            f"more than a file of {present:,} bytes holds"
        )


def _read(prefix: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    path = Path(os.fspath(prefix) + SUFFIX)
    try:
        with np.load(path, allow_pickle=False) as archive:
            for member in archive.zip.infolist():
                _check_size(archive.zip, member, path)
            return dict(archive)
    except FileNotFoundError:
        raise NotFoundError(f"there is no checkpoint at '{path}'") from None


def checkpoint_exists(checkpoint_prefix: str | os.PathLike[str]) -> bool:
    """Whether there is a checkpoint of this path, as `Saver.save` returned it."""
    return Path(os.fspath(checkpoint_prefix) + SUFFIX).exists()


def latest_checkpoint(
    checkpoint_dir: str | os.PathLike[str], latest_filename: str = STATE
) -> str | None:
    """Return the path of the newest checkpoint in a folder, None if it has none."""
    folder = Path(checkpoint_dir)
    try:
        state = json.loads((folder / latest_filename).read_text())
    except FileNotFoundError:
        return None
    newest = str(folder / state["checkpoints"][-1])
    return newest if checkpoint_exists(newest) else None
