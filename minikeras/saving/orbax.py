"""Checkpoints in Orbax's form, laid out as Keras's `OrbaxCheckpoint` lays them out.

A folder has one folder for each step, named by its number. Reading and writing is done
by the library ``orbax-checkpoint``; a checkpoint holds arrays and a config, no code.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.saving.files import built_from
from minikeras.saving.limits import read_json
from minikeras.tree import flatten_with_path
from minikeras.utils.extras import required

__all__ = ["is_checkpoint", "library", "load_model", "load_weights", "payload"]

STATE, CONFIG = "pytree", "model_config"
WEIGHTS = ("trainable_variables", "non_trainable_variables")


def library(purpose: str) -> Any:
    """Return Orbax's newer interface.

    Raises:
        ImportError: if it is not installed, or too old.
    """
    orbax = required("orbax.checkpoint", "orbax", purpose)
    try:
        return orbax.v1
    except AttributeError:
        raise ImportError(
            f"{purpose} requires a newer orbax: pip install -U 'minikeras[orbax]'"
        ) from None


def payload(model: Any, weights_only: bool = False) -> dict[str, Any]:
    """Return what a checkpoint of a model holds.

    Args:
        model: the model.
        weights_only: whether to leave out its config, and the state of training.

    Raises:
        ValueError: if a layer has files, such as a vocabulary: they find no place here.
    """
    with_files = [x.name for x in model._flatten_layers() if hasattr(x, "save_assets")]
    if with_files:
        raise ValueError(
            f"Layer '{with_files[0]}' has a file, such as a vocabulary, that Orbax "
            "checkpoints written by minikeras do not hold. Use `ModelCheckpoint`."
        )
    state = model.get_state_tree(value_format="numpy_array")
    state = K.tree.map_structure(_as_number, state)
    if weights_only:
        return {STATE: {group: state[group] for group in WEIGHTS}}
    config = json.dumps(K.serialize_keras_object(model))
    return {STATE: state, CONFIG: {"config": config}}


def _as_number(value: Any) -> Any:
    """Return an array without axes as the number in it, which is what Orbax takes."""
    return value if np.ndim(value) else np.asarray(value).item()


def is_checkpoint(path: str) -> bool:
    """Whether a path is that of a folder with folders that are named by numbers."""
    return os.path.isdir(path) and any(
        name.isdigit() and os.path.isdir(os.path.join(path, name))
        for name in os.listdir(path)
    )


def load_weights(model: Any, path: str) -> None:
    """Give a model what the last checkpoint in a folder holds."""
    _assign(model, _last(path)[STATE], path)


def load_model(
    path: str, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Return the model of the last checkpoint in a folder.

    Raises:
        ValueError: if there are weights alone.
    """
    found = _last(path)
    if CONFIG not in found:
        raise ValueError(
            "Checkpoint does not contain model configuration. This checkpoint may "
            "have been saved with save_weights_only=True."
        )
    config = read_json(found[CONFIG]["config"], path)
    if not compile and isinstance(config, dict):
        config["compile_config"] = None
    size = sum(np.asarray(x).nbytes for x in K.tree.flatten(found[STATE]))
    with K.custom_object_scope(custom_objects):
        model = built_from(config, path, size, safe_mode)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        optimizer.build(model.trainable_variables)
    _assign(model, found[STATE], path)
    return model


def _assign(model: Any, state: dict[str, Any], name: str) -> None:
    """Give variables the values at their paths.

    A model that comes from its config may have paths without its own name in front, or
    another name: that part counts on neither side.

    Raises:
        ValueError: if a weight has no value.
    """
    theirs = list(state.get(WEIGHTS[0], ()))
    stored = theirs[0] if len(theirs) == 1 else ""
    for group, values in state.items():
        variables = getattr(model, group, ())
        if group == "optimizer_variables":
            variables = getattr(getattr(model, "optimizer", None), "variables", ())
        found = {
            _key("/".join(path), stored): value
            for path, value in flatten_with_path(values)
        }
        keys = {_key(variable.path, model.name): variable for variable in variables}
        missing = [keys[key].path for key in keys.keys() - found.keys()]
        if missing and group in WEIGHTS:
            raise ValueError(f"{name}: there is no value for '{sorted(missing)[0]}'")
        known = keys.keys() & found.keys()
        K.batch_set_value([(keys[key], found[key]) for key in known])


def _key(path: str, model: str) -> str:
    """Return a path with one kind of mark between its parts, and without a model's."""
    flat = path.replace("/", "_")
    return flat.replace(f"{model}_", "", 1) if model else flat


def _last(path: str) -> dict[str, Any]:
    """Return the content of the checkpoint of the last step.

    Raises:
        ValueError: if there is none.
    """
    orbax = library("Reading an Orbax checkpoint")
    with orbax.training.Checkpointer(directory=os.path.abspath(path)) as checkpointer:
        latest = checkpointer.latest
        if latest is None:
            raise ValueError(f"No valid checkpoints found in {path}")
        return checkpointer.load_checkpointables(latest.step)
