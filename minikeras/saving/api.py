"""`save_model`, `load_model` and the same for weights: which format a path asks for."""

from __future__ import annotations

import logging
import os
import zipfile
from typing import Any

from minikeras.saving import files, legacy, orbax, tensors

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]

LEGACY = (".h5", ".hdf5")
_log = logging.getLogger("minikeras")


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Save a model, its weights and the state of its training to a file.

    The file is replaced in one step: whatever happens in between, there is the old
    model or the new one.

    Args:
        model: the model.
        filepath: ends in ``.keras``, or in ``.h5`` for the format of Keras 2; or it is
            a binary file, open for writing.
        overwrite: whether to replace a file that is there already without asking.
        zipped: False for a folder in place of a file.
        kwargs: ``include_optimizer``, for ``.h5`` files.

    Raises:
        ValueError: for another ending, or an argument that is not known.
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    _check_format(filepath, kwargs.pop("save_format", None))
    if kwargs:
        raise ValueError(f"The following argument(s) are not supported: {list(kwargs)}")
    if hasattr(filepath, "write"):
        files.save_file(model, filepath)
        return
    name = os.fspath(filepath)
    if zipped is False and name.endswith(".keras"):
        raise ValueError(
            "When using `zipped=False`, the `filepath` argument should not end in "
            f"`.keras`. Received: filepath={filepath}"
        )
    if zipped is not False and not name.endswith((".keras", *LEGACY)):
        raise ValueError(
            "Invalid filepath extension for saving. Please add either a `.keras` "
            "extension for the native Keras format (recommended) or a `.h5` "
            "extension. Use `model.export(filepath)` if you want to export the model "
            f"for inference. Received: filepath={filepath}."
        )
    if not may_write(name, overwrite):
        return
    if zipped is False or name.endswith(".keras"):
        files.save_file(model, name, zipped=zipped is not False)
    else:
        _log.warning(
            "You are saving your model as an HDF5 file via `model.save()` or "
            "`keras.saving.save_model(model)`. This file format is considered legacy. "
            "We recommend using instead the native Keras format, e.g. "
            "`model.save('my_model.keras')` or "
            "`keras.saving.save_model(model, 'my_model.keras')`. "
        )
        legacy.save_model_to_hdf5(model, name, include_optimizer=include_optimizer)


def _check_format(filepath: Any, save_format: Any) -> None:
    if save_format and not str(filepath).endswith((".keras", *LEGACY)):
        raise ValueError(
            "The `save_format` argument is deprecated in Keras 3. Please remove this "
            "argument and pass a file path with either `.keras` or `.h5` extension. "
            f"Received: save_format={save_format}"
        )
    if save_format:
        _log.warning("The `save_format` argument is deprecated: the path says it.")


def load_model(
    filepath: Any,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Return the model that `save_model`, or Keras, wrote to a file.

    Code is never taken from a file: a lambda in it is refused, and classes and
    functions of users must be registered, or given here.

    Args:
        filepath: of a ``.keras`` or ``.h5`` file, or of a folder; or a binary file.
        custom_objects: classes and functions by name, beside those registered.
        compile: whether to compile the model, if it was.
        safe_mode: False for a file that is trusted to describe a model of any number of
            nodes, such as a loop unrolled over very many steps. No file is trusted to
            run code.

    Raises:
        ValueError: if the file is none of a model, or does not fit together.
        TypeError: if a class or function is not known.
    """
    if hasattr(filepath, "read"):
        return files.load_file(filepath, custom_objects, compile, safe_mode)
    name = os.fspath(filepath)
    is_folder = os.path.exists(os.path.join(name, files.CONFIG))
    if is_folder or (name.endswith(".keras") and zipfile.is_zipfile(name)):
        return files.load_file(name, custom_objects, compile, safe_mode)
    if name.endswith(LEGACY):
        return legacy.load_model_from_hdf5(name, custom_objects, compile, safe_mode)
    if orbax.is_checkpoint(name):
        return orbax.load_model(name, custom_objects, compile, safe_mode)
    if name.endswith(".keras"):
        raise ValueError(
            f"File not found: filepath={filepath}. Please ensure the file is an "
            "accessible `.keras` zip file."
        )
    raise ValueError(
        f"File format not supported: filepath={filepath}. Keras 3 only supports V3 "
        "`.keras` files, and legacy H5 format files (`.h5` extension)."
    )


def save_weights(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Save the weights of a model, and the state of its optimizer, to a file.

    Args:
        model: the model; it is built.
        filepath: ends in ``.weights.h5``; with `max_shard_size` in ``.weights.json``;
            or in ``.safetensors``, for weights alone that other frameworks read.
        overwrite: whether to replace a file that is there already without asking.
        max_shard_size: the largest size of a file, in units of 2**30 bytes, if there
            may be several.
        kwargs: ``objects_to_skip``: layers to leave out.

    Raises:
        ValueError: for another ending, or if the model is not built.
    """
    name = os.fspath(filepath)
    if max_shard_size is None and not kwargs and name.endswith(tensors.ENDING):
        if may_write(name, overwrite):
            tensors.save_tensors(model, name)
        return
    if max_shard_size is None and not name.endswith(".weights.h5"):
        raise ValueError(
            f"The filename must end in `.weights.h5`. Received: filepath={name}"
        )
    if not name.endswith(("weights.h5", "weights.json")):
        raise ValueError(
            "The filename must end in `.weights.json` when `max_shard_size` is "
            f"specified. Received: filepath={name}"
        )
    if may_write(name, overwrite):
        files.save_weights_file(model, name, max_shard_size, **kwargs)


def load_weights(
    model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any
) -> None:
    """Load the weights of a model, and the state of its optimizer, from a file.

    They are all loaded, or in case of an error none.

    Args:
        model: the model; it is built.
        filepath: of a ``.weights.h5``, a ``.weights.json`` with its shards, a
            ``.keras`` file, an ``.h5`` file of Keras 2, or a ``.safetensors``.
        skip_mismatch: whether to pass over what does not fit, with a warning.
        kwargs: ``objects_to_skip``, layers to leave alone; ``by_name``, for an ``.h5``
            file, whether layers are found by name and not by their order; ``names``,
            for a ``.safetensors``, what weights are called there: see `load_tensors`.

    Raises:
        ValueError: if file and model do not fit together.
    """
    name = os.fspath(filepath)
    if name.endswith(tensors.ENDING) and kwargs.keys() <= {"names"}:
        tensors.load_tensors(model, name, skip_mismatch, **kwargs)
        return
    if orbax.is_checkpoint(name) and not kwargs:
        orbax.load_weights(model, name)
        return
    skip, by_name = kwargs.pop("objects_to_skip", None), kwargs.pop("by_name", None)
    if kwargs:
        raise ValueError(f"Invalid keyword arguments: {kwargs}")
    is_own = name.endswith((".weights.h5", ".weights.json"))
    is_legacy = name.endswith(LEGACY) and not is_own
    if not (is_own or is_legacy or name.endswith(".keras")):
        raise ValueError(
            f"File format not supported: filepath={filepath}. Keras 3 only supports V3 "
            "`.keras` files, `.weights.h5` files, and legacy H5 format files (`.h5` "
            "extension)."
        )
    if skip is not None and not is_own:
        raise ValueError(
            "`objects_to_skip` only supports loading '.weights.h5' files. Received: "
            f"{filepath}"
        )
    if by_name is not None and not is_legacy:
        raise ValueError(
            "`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: "
            f"{filepath}"
        )
    if is_legacy:
        legacy.load_weights_from_hdf5(model, name, skip_mismatch, bool(by_name))
    else:
        files.load_weights_file(model, name, skip_mismatch, skip)


def may_write(path: str, overwrite: bool) -> bool:
    """Whether to write to `path`; somebody is asked if a file is there already."""
    if overwrite or not os.path.exists(path):
        return True
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"[WARNING] {path} already exists - overwrite? [y/n] ")
        answer = answer.strip().lower()
    return answer == "y"
