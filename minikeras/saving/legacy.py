"""The ``.h5`` files of Keras 2, which Keras 3 still reads and writes.

Weights stand under their layers' names, in the order of the attribute
``weight_names``, trained ones first; the configs of model and training are attributes
in JSON.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from io import BytesIO
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.saving.compiling import compile_arguments, training_config
from minikeras.saving.durable import atomic_write
from minikeras.saving.files import KERAS_VERSION, built_from
from minikeras.saving.hdf5 import (
    WITH_CHECKSUMS,
    Attributes,
    array_at,
    find,
    group_at,
    h5py,
    opened,
    put,
    told_if_broken,
)
from minikeras.saving.layouts import legacy_config, modern_config
from minikeras.saving.limits import Budget, ModelFileError, read_json, size_on_disk

__all__ = ["load_model_from_hdf5", "load_weights_from_hdf5", "save_model_to_hdf5"]

LARGEST_ATTRIBUTE = 64512  # bytes; longer lists are split over several attributes
TOP = "top_level_model_weights"

Group = Any
Arrays = list[np.ndarray[Any, Any]]
_log = logging.getLogger("minikeras")


# -- writing ---------------------------------------------------------------------------


def save_model_to_hdf5(
    model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True
) -> None:
    """Write a model to an ``.h5`` file."""
    memory = BytesIO()
    optimizer = getattr(model, "optimizer", None) if include_optimizer else None
    with h5py().File(memory, "w", **WITH_CHECKSUMS) as file:
        file.attrs["keras_version"] = KERAS_VERSION
        file.attrs["backend"] = K.backend()
        config = legacy_config(K.serialize_keras_object(model))
        file.attrs["model_config"] = _as_bytes(config)
        if optimizer is not None and model.compiled:
            file.attrs["training_config"] = _as_bytes(training_config(model))
        _write_layers(file.create_group("model_weights"), model)
        if optimizer is not None and optimizer.variables:
            group = file.create_group("optimizer_weights")
            _write_variables(group, optimizer.variables)
    os.makedirs(os.path.dirname(filepath) or ".", exist_ok=True)
    with atomic_write(filepath) as target:
        target.write(memory.getbuffer())


def _as_bytes(config: Any) -> np.bytes_:
    """Return a config as text of a fixed length: of another, HDF5 makes no checksum."""
    return np.bytes_(json.dumps(config).encode())


def _write_layers(group: Group, model: Any) -> None:
    _write_names(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["backend"] = K.backend()
    group.attrs["keras_version"] = KERAS_VERSION
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        _write_variables(group.create_group(layer.name), _weights_of(layer))
    _write_variables(group.create_group(TOP), _own_weights(model))


def _write_variables(group: Group, variables: Sequence[K.Variable]) -> None:
    names: list[str] = []
    for variable in variables:
        count = names.count(variable.path)
        names.append(f"{variable.path}_{count}" if count else variable.path)
    _write_names(group, "weight_names", names)
    for name, variable in zip(names, variables, strict=True):
        put(group, name, K.convert_to_numpy(variable), checked=True)


def _write_names(group: Group, key: str, names: Sequence[str]) -> None:
    """Write a list of names as an attribute, or as several if it is long."""
    data = [name.encode() for name in names]
    parts = 1
    chunks = [np.asarray(data)]
    while max(chunk.nbytes for chunk in chunks) > LARGEST_ATTRIBUTE:
        parts += 1
        chunks = np.array_split(np.asarray(data), parts)
    if parts == 1:
        group.attrs[key] = data
    else:
        for i, chunk in enumerate(chunks):
            group.attrs[f"{key}{i}"] = chunk


# -- reading models --------------------------------------------------------------------


def load_model_from_hdf5(
    filepath: Any,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Return the model of an ``.h5`` file.

    Raises:
        ValueError: if there is none in it, or it does not fit together.
    """
    name = str(filepath)
    with _opened(filepath) as (file, budget), K.custom_object_scope(custom_objects):
        config = _json_of(file, "model_config", name)
        if config is None:
            raise ModelFileError(f"No model config found in the file at {filepath}.")
        model = built_from(_checked(config, name), name, budget.size, safe_mode)
        load_layers(_layers_in(file, name), model, budget)
        if compile:
            _compile(model, file, name, budget)
    return model


def _layers_in(file: Group, name: str) -> Group:
    found = find(file, "model_weights")
    if found is None:
        raise ModelFileError(f"{name}: there is no 'model_weights' in it")
    return found


def _checked(config: Any, name: str) -> dict[str, Any]:
    """Return a model's config in today's layout."""
    try:
        return modern_config(config)
    except (LookupError, AttributeError, TypeError, RecursionError) as error:
        raise ModelFileError(
            f"{name}: its `model_config` does not describe a model: {error!r}"
        ) from error


def _compile(model: Any, file: Group, name: str, budget: Budget) -> None:
    """Compile a model as its file says, and give its optimizer the state it had."""
    config = _json_of(file, "training_config", name)
    if config is None:
        _log.warning(
            "No training configuration found in the save file, so the model was *not* "
            "compiled. Compile it manually."
        )
        return
    try:
        arguments = compile_arguments(config)
    except (LookupError, AttributeError) as error:
        raise ModelFileError(
            f"{name}: its `training_config` is not one of a model: {error!r}"
        ) from error
    model.compile(**arguments)
    group = find(file, "optimizer_weights")
    if group is None:
        return
    model.optimizer.build(model.trainable_variables)
    values, own = _arrays(group, budget), model.optimizer.variables
    if [v.shape for v in values] == [v.shape for v in own]:
        model.optimizer.set_weights(values)
    else:
        _log.warning(
            "Error in loading the saved optimizer state. As a result, your model is "
            "starting with a freshly initialized optimizer."
        )


def _json_of(file: Group, key: str, name: str) -> Any:
    value = Attributes(file).get(key)
    return None if value is None else read_json(value, f"{name}: `{key}`")


# -- reading weights -------------------------------------------------------------------


def load_weights_from_hdf5(
    model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Load the weights in an ``.h5`` file, of a model or alone, into a model."""
    with _opened(filepath) as (file, budget):
        with told_if_broken(file):
            is_model = "layer_names" not in Attributes(file) and "model_weights" in file
        group = group_at(file, "model_weights") if is_model else file
        load_layers(group, model, budget, skip_mismatch, by_name)


def load_layers(
    group: Group,
    model: Any,
    budget: Budget,
    skip_mismatch: bool = False,
    by_name: bool = False,
) -> None:
    """Load weights into the layers of a model: all, or in case of an error none.

    Args:
        group: which lists the layers.
        model: the model.
        budget: from which the weights are taken.
        skip_mismatch: whether to pass over what does not fit, with a warning.
        by_name: whether a layer's weights are those under its name, not in its place.
    """
    pairs = _by_name(group, model) if by_name else _by_place(group, model)
    new: list[tuple[K.Variable, Any]] = []
    for where, saved, variables in pairs:
        new += _fitting(where, _arrays(saved, budget), variables, skip_mismatch)
    K.batch_set_value(new)
    for layer in model.layers:
        if hasattr(layer, "finalize_state") and _weights_of(layer):
            layer.finalize_state()


Pairs = Iterator[tuple[str, Group, list[K.Variable]]]


def _by_place(group: Group, model: Any) -> Pairs:
    """Yield what is saved for each layer with weights, in order, and its weights."""
    layers = [layer for layer in model.layers if _weights_of(layer)]
    names = [n for n in _names(group, "layer_names") if _has_weights(group, n)]
    if len(names) != len(layers):
        raise ValueError(
            "Layer count mismatch when loading weights from file. Model expected "
            f"{len(layers)} layers, found {len(names)} saved layers."
        )
    for i, (name, layer) in enumerate(zip(names, layers, strict=True)):
        where = f"layer #{i} (named {layer.name} in the current model, {name} in the "
        yield where + "save file)", group_at(group, name), _weights_of(layer)
    yield from _top(group, model)


def _by_name(group: Group, model: Any) -> Pairs:
    """Yield what is saved for each layer whose name is in the file, and its weights."""
    for i, name in enumerate(_names(group, "layer_names")):
        for layer in model.layers:
            if layer.name == name:
                where = f"layer #{i} (named {name})"
                yield where, group_at(group, name), _weights_of(layer)
    yield from _top(group, model)


def _top(group: Group, model: Any) -> Pairs:
    if TOP in group:
        yield (
            "top-level weights of the model",
            group_at(group, TOP),
            _own_weights(model),
        )


def _fitting(
    where: str,
    values: Arrays,
    variables: list[K.Variable],
    skip_mismatch: bool,
) -> list[tuple[K.Variable, Any]]:
    """Return variables with the values to set.

    Raises:
        ValueError: if they do not fit, unless those that do not are to be skipped.
    """
    found: list[tuple[K.Variable, Any]] = []
    wrong: list[str] = []
    if len(values) != len(variables):
        wrong.append(
            f"Weight count mismatch for {where}. Layer expects {len(variables)} "
            f"weight(s). Received {len(values)} saved weight(s)"
        )
    else:
        for variable, value in zip(variables, values, strict=True):
            if variable.shape == value.shape:
                found.append((variable, value))
            else:
                wrong.append(
                    f"Shape mismatch in {where} for weight {variable.path}. Weight "
                    f"expects shape {variable.shape}. Received saved weight with shape "
                    f"{value.shape}"
                )
    if wrong and not skip_mismatch:
        raise ValueError(wrong[0])
    for message in wrong:
        warnings.warn(f"Skipping loading weights: {message}", stacklevel=5)
    return found


def _weights_of(layer: Any) -> list[K.Variable]:
    """Return the weights of a layer in the order of these files."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _own_weights(model: Any) -> list[K.Variable]:
    below = {id(w) for layer in model.layers for w in layer.weights}
    return [w for w in model._own_variables if id(w) not in below]


# -- lists and arrays of a group -------------------------------------------------------


def _arrays(group: Group, budget: Budget) -> Arrays:
    try:
        return [array_at(group, name, budget) for name in _names(group, "weight_names")]
    except KeyError as error:
        raise ModelFileError(f"{budget.name}: there is no weight {error}") from error


def _has_weights(group: Group, name: str) -> bool:
    found = find(group, name)
    if found is None:
        raise ModelFileError(f"there is no layer '{name}' in the file, but in its list")
    return bool(_names(found, "weight_names"))


def _names(group: Group, key: str) -> list[str]:
    """Return a list of names, which may be one attribute or several."""
    attributes = Attributes(group)
    parts = [attributes[key]] if key in attributes else []
    while f"{key}{len(parts)}" in attributes:
        parts.append(attributes[f"{key}{len(parts)}"])
    return [n.decode() if isinstance(n, bytes) else str(n) for p in parts for n in p]


@contextmanager
def _opened(filepath: Any) -> Iterator[tuple[Any, Budget]]:
    name = str(filepath)
    with closing(opened(filepath, name)) as file:
        yield file, Budget(size_on_disk(filepath), name)
