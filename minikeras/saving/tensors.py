"""Weights alone in ``.safetensors`` files, which other frameworks read as well.

Such a file is a list of arrays by name. A weight's name is its variable's path, without
the name of the model: ``dense/kernel``. Names that layers were given automatically are
counted anew, from the model's first layer of each kind, so that a second model of the
same build, whose layers are called ``dense_2`` and on, has the same names.
"""

from __future__ import annotations

import functools
import importlib
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.saving.durable import atomic_write
from minikeras.saving.files import require_built
from minikeras.saving.limits import CorruptFileError

__all__ = ["ENDING", "load_tensors", "save_tensors", "weight_names"]

ENDING = ".safetensors"
METADATA = {"format": "np", "producer": "minikeras"}

# Where a weight is found: by what name, and what is done to the array.
Place = str | tuple[str, Callable[[Any], Any]]
Names = Mapping[str, Place] | Callable[[str], Place]


@functools.cache
def library() -> Any:
    """Return the library that reads and writes these files.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        importlib.import_module("safetensors.numpy")
        return importlib.import_module("safetensors")
    except ImportError as error:
        raise ImportError(
            "Files in the format of safetensors need the library: "
            "pip install 'minikeras[safetensors]'"
        ) from error


def weight_names(model: Any) -> dict[str, K.Variable]:
    """Return the weights of a model by their names in a file.

    Raises:
        ValueError: if two have one name.
    """
    renamed = _counted_anew(model)
    found: dict[str, K.Variable] = {}
    for v in model.weights:
        parts = v.path.split("/")
        parts = parts[1:] if parts[0] == model.name and len(parts) > 1 else parts
        name = "/".join(str(renamed.get(part, part)) for part in parts)
        if name in found:
            raise ValueError(
                f"Two weights of '{model.name}' have the path '{name}', and a file has "
                "one array of a name: give the layers names of their own."
            )
        found[name] = v
    return found


def _counted_anew(model: Any) -> dict[str, str]:
    """Return what stands for names of layers that were given automatically."""
    counts: Counter[str] = Counter()
    renamed: dict[str, str] = {}
    for layer in model._flatten_layers(include_self=False):
        base = K.to_snake_case(type(layer).__name__)
        if layer.name not in renamed and re.fullmatch(rf"{base}(_\d+)?", layer.name):
            count = counts[base]
            renamed[layer.name] = f"{base}_{count}" if count else base
            counts[base] += 1
    return renamed


def save_tensors(model: Any, path: Any) -> None:
    """Write the weights of a model, without the state of its optimizer.

    Raises:
        ValueError: if the model is not built, or two weights have one name.
    """
    require_built(model, "saving")
    named = weight_names(model)
    values = dict(zip(named, K.batch_get_value(list(named.values())), strict=True))
    arrays = {name: np.asarray(value, order="C") for name, value in values.items()}
    library()
    save = importlib.import_module("safetensors.numpy").save
    data = save(arrays, METADATA)
    with atomic_write(path) as file:
        file.write(data)


def load_tensors(
    model: Any, path: Any, skip_mismatch: bool = False, names: Names | None = None
) -> None:
    """Load the weights of a model: all, or in case of an error none.

    Args:
        model: the model; it is built.
        path: of the file.
        skip_mismatch: whether to pass over what does not fit, with a warning.
        names: from the name of a weight to that in the file, or to that and a function
            of the array, such as `numpy.transpose`; a dict may leave out names that
            are the same.

    Raises:
        CorruptFileError: if the file is broken.
        ValueError: if a weight is missing, has another shape, or there are more.
    """
    require_built(model, "loading weights into")
    try:
        opened = library().safe_open(str(path), "np")
    except library().SafetensorError as error:
        raise CorruptFileError(f"{path} is no file of safetensors: {error}") from error
    with opened as file:
        problems, pairs = _matched(file, weight_names(model), names)
    _report(problems, path, skip_mismatch)
    K.batch_set_value(pairs)


def _matched(
    file: Any, weights: Mapping[str, K.Variable], names: Names | None
) -> tuple[list[str], list[tuple[K.Variable, Any]]]:
    """Return what does not fit, and the values of the weights that do."""
    stored = set(file.keys())
    problems, pairs, used = [], [], set()
    for name, v in weights.items():
        key, change = _place(names, name)
        used.add(key)
        value = _fitting(file, key, change, v) if key in stored else None
        if value is not None:
            pairs.append((v, value))
        elif key in stored:
            shape = tuple(file.get_slice(key).get_shape())
            problems.append(f"shape: {name} is {tuple(v.shape)}, in the file {shape}")
        else:
            problems.append(f"missing: {key}")
    problems += [f"unexpected: {name}" for name in sorted(stored - used)]
    return problems, pairs


def _place(names: Names | None, name: str) -> tuple[str, Callable[[Any], Any]]:
    """Return the name in the file of a weight, and what is done to its array."""
    if names is None:
        found: Place = name
    elif callable(names):
        found = names(name)
    else:
        found = names.get(name, name)
    return (found, _same) if isinstance(found, str) else found


def _same(array: Any) -> Any:
    return array


def _fitting(file: Any, key: str, change: Any, v: K.Variable) -> Any:
    """Return an array of a file if it has the shape of a variable, else None."""
    shape = tuple(v.shape)
    if sorted(file.get_slice(key).get_shape()) != sorted(shape) and change is _same:
        return None  # nothing is made of an array that cannot fit
    value = change(file.get_tensor(key))
    return value if value.shape == shape else None


def _report(problems: list[str], path: Any, skip_mismatch: bool) -> None:
    """Raise what does not fit, or warn of it."""
    if not problems:
        return
    shown = problems[:10] + ["..."] * (len(problems) > 10)
    message = f"{path} does not fit the model:\n" + "\n".join(shown)
    if not skip_mismatch:
        raise ValueError(message)
    warnings.warn(message, stacklevel=5)
