"""Whole models in ``.keras`` files, and weights alone in ``.weights.h5``."""

from __future__ import annotations

import datetime
import io
import json
import math
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from minikeras import backend as K
from minikeras.layers import Layer
from minikeras.saving.bundles import (
    ASSETS,
    Archive,
    Bundle,
    Folder,
    folder_for_files,
    write_archive,
)
from minikeras.saving.durable import atomic_write
from minikeras.saving.hdf5 import Weights, written
from minikeras.saving.limits import FLOOR, ModelFileError, read_json, size_on_disk
from minikeras.saving.shards import ShardedWeights, write_shards
from minikeras.saving.states import Saved, collected, restore

__all__ = [
    "built_from",
    "load_file",
    "load_weights_file",
    "opened_states",
    "opened_weights",
    "require_built",
    "restore_all",
    "save_file",
    "save_states",
    "save_weights_file",
]

KERAS_VERSION = "3.15.1"  # the one whose layout these files have
MOST_STATE = 10  # times its weights: what an optimizer keeps, and some room
MOST_NODES = 60_000  # of a model that is trusted no further: seconds to build
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


# -- writing ---------------------------------------------------------------------------


def save_file(model: Any, file: Any, zipped: bool = True) -> None:
    """Write a model to a ``.keras`` file, to a binary file, or to a folder."""
    if not model.built:
        warnings.warn(
            "You are saving a model that has not yet been built. It might not contain "
            "any weights yet. Consider building the model first by calling it on some "
            "data.",
            stacklevel=3,
        )
    parts = _parts(model)
    if hasattr(file, "write"):
        write_archive(file, parts)
    elif zipped:
        with atomic_write(file) as target:
            write_archive(target, parts)
    else:
        Folder.write(file, parts)


def _parts(model: Any) -> dict[str, bytes]:
    """Return the parts of a saved model by name."""
    now = datetime.datetime.now()
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": f"{now:%Y-%m-%d@%H:%M:%S}",
    }
    with K.ObjectSharingScope():
        config = json.dumps(K.serialize_keras_object(model))
    with folder_for_files() as (root, made):
        states = collected(model, folder=made)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {
            METADATA: json.dumps(metadata).encode(),
            CONFIG: config.encode(),
            WEIGHTS: written(states),
            **{
                f"{ASSETS}{path.relative_to(root).as_posix()}": path.read_bytes()
                for path in files
            },
        }


def save_weights_file(
    model: Any,
    path: Any,
    max_shard_size: float | None = None,
    objects_to_skip: Iterable[Any] | None = None,
) -> None:
    """Write the weights of a model to a ``.weights.h5``, or to several."""
    require_built(model, "saving")
    states = collected(model, objects_to_skip or ())
    if max_shard_size is not None:
        write_shards(path, states, max_shard_size)
        return
    save_states(states, path)


def save_states(states: Mapping[str, Saved], path: Any) -> None:
    """Write states into a ``.weights.h5``."""
    data = written(states, alone=True)
    with atomic_write(path) as file:
        file.write(data)


# -- reading ---------------------------------------------------------------------------


def load_file(
    file: Any,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Return the model of a ``.keras`` file, of a binary file, or of a folder."""
    with _bundle(file) as bundle:
        config = read_json(bundle.read(CONFIG), f"{bundle.name}: {CONFIG}")
        if not compile and isinstance(config, dict):
            config["compile_config"] = None
        with (
            K.custom_object_scope(custom_objects),
            closing(_weights_of(bundle)) as weights,
            bundle.files() as folder,
        ):
            size = weights.budget.size
            model = built_from(config, bundle.name, size, safe_mode)
            failed = restore(model, weights.at, folder=folder)
    if failed:
        raise ValueError(_report(failed))
    return model


def built_from(config: Any, name: str, size: int, safe_mode: bool = True) -> Any:
    """Return the model of a config, whose weights are still to come.

    Args:
        config: of the model.
        name: of the file, for messages.
        size: of its weights, in bytes; the model may take some times that.
        safe_mode: as in `load_model`; without it, a model may have any number of nodes.

    Raises:
        ModelFileError: if it is none of a model, or of one that takes too much.
        TypeError: if it names a class or function that is not known.
    """
    most, nodes = FLOOR + MOST_STATE * size, MOST_NODES if safe_mode else math.inf
    try:
        with K.allocation_limit(most, nodes), K.ObjectSharingScope():
            model = K.deserialize_keras_object(config, safe_mode=safe_mode)
    except MemoryError as error:
        raise ModelFileError(
            f"{name}: Not allowed: to build what the config describes: {error}"
        ) from error
    except (LookupError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"{name}: the config does not describe a model: {error!r}"
        ) from error
    if not isinstance(model, Layer):
        found = type(model).__name__
        raise ModelFileError(f"{name}: the config describes no model, but a {found}")
    return model


@contextmanager
def _bundle(file: Any) -> Iterator[Bundle]:
    if hasattr(file, "read"):
        yield Archive(file, str(getattr(file, "name", "the file")))
    elif os.path.isdir(file):
        yield Folder(file)
    else:
        with open(file, "rb") as opened:
            yield Archive(opened, str(file))


def _weights_of(bundle: Bundle) -> Weights:
    data = bundle.read(WEIGHTS)
    return Weights(io.BytesIO(data), len(data), f"{bundle.name}: {WEIGHTS}")


def load_weights_file(
    model: Any,
    path: Any,
    skip_mismatch: bool = False,
    objects_to_skip: Iterable[Any] | None = None,
) -> None:
    """Load weights into a model: all, or in case of an error none."""
    require_built(model, "loading weights into")
    with _weights(path) as weights:
        restore_all(model, weights, objects_to_skip or (), skip_mismatch)


def restore_all(
    model: Any,
    weights: Any,
    skip: Iterable[Any] = (),
    skip_mismatch: bool = False,
) -> None:
    """Give a model the weights in a file: all, or in case of an error none.

    Raises:
        ValueError: if some do not fit; with `skip_mismatch` that is a warning.
    """
    before = [] if skip_mismatch else _values(model)
    failed = restore(model, weights.at, skip)
    if failed and skip_mismatch:
        warnings.warn(_report(failed), stacklevel=5)
    elif failed:
        K.batch_set_value(before)
        raise ValueError(_report(failed))


def _values(model: Any) -> list[tuple[Any, Any]]:
    """Return the variables of a model and its optimizer, with their values."""
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer else ())]
    return list(zip(variables, K.batch_get_value(variables), strict=True))


@contextmanager
def _weights(path: Any) -> Iterator[Any]:
    """Yield the weights in a file, in a list of files, or in a ``.keras`` file."""
    name = str(path)
    if name.endswith(".keras"):
        with _bundle(path) as bundle, closing(_weights_of(bundle)) as weights:
            yield weights
    elif name.endswith(".json"):
        with closing(ShardedWeights(path)) as shards:
            yield shards
    else:
        with closing(opened_weights(path)) as weights:
            yield weights


def opened_weights(path: Any) -> Weights:
    """Return a ``.weights.h5``, opened for reading."""
    return Weights(path, size_on_disk(path), str(path))


def opened_states(path: Any) -> Weights:
    """Return the weights in a ``.keras`` file or a ``.weights.h5``, for reading."""
    if not str(path).endswith(".keras"):
        return opened_weights(path)
    with _bundle(path) as bundle:
        return _weights_of(bundle)


def _report(failed: list[tuple[Any, Exception]]) -> str:
    """Return what to say of objects whose state did not fit."""
    first, error = failed[0]
    return (
        f"A total of {len(failed)} objects could not be loaded. Example error message "
        f"for object {first}:\n\n{error}\n\nList of objects that could not be loaded:\n"
        f"{[obj for obj, _ in failed]}"
    )


def require_built(model: Any, doing: str) -> None:
    """Demand that a model has its weights.

    Raises:
        ValueError: if it is not built.
    """
    if not model.built:
        raise ValueError(
            f"You are {doing} a model that has not yet been built. Try building the "
            "model first by calling it on some data or by using `build()`."
        )
