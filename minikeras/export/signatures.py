"""What an exported function is called with: shapes, dtypes and names of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras import tree
from minikeras.layers import InputSpec

__all__ = ["as_specs", "input_names", "signature_of"]


def as_specs(signature: Any) -> Any:
    """Return a signature, whatever it is made of, as one of `InputSpec`s.

    Args:
        signature: `InputSpec`s, symbolic tensors, or arrays of which the number of
            examples does not count; in a list with one item for each argument.

    Raises:
        TypeError: if it is made of something else.
        ValueError: if a shape or a dtype is missing.
    """
    return tree.map_structure(_spec, signature)


def _spec(x: Any) -> InputSpec:
    if isinstance(x, InputSpec):
        if x.shape is None or x.dtype is None:
            raise ValueError(
                f"The `shape` and `dtype` must be provided. Received: x={x}"
            )
        return x
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if dtype is None:
        raise TypeError(
            f"Unsupported x={x} of the type ({type(x)}). Supported types are: "
            "`keras.InputSpec`, `keras.KerasTensor` and backend tensor."
        )
    if shape is None:
        raise ValueError(f"The `shape` and `dtype` must be provided. Received: x={x}")
    given = K.is_keras_tensor(x) or type(x).__name__ == "TensorSpec"
    sizes = tuple(shape) if given else (None, *tuple(shape)[1:])
    if K.is_keras_tensor(x):
        sizes = (None, *sizes[1:])
    name = getattr(x, "name", None) if given else None
    return InputSpec(dtype=K.standardize_dtype(dtype), shape=sizes, name=name)


def signature_of(model: Any) -> list[Any]:
    """Return what a model is called with, as far as it knows.

    Raises:
        TypeError: if it is no model or layer.
        ValueError: if it was not built, or has never been called.
    """
    if not hasattr(model, "built"):
        raise TypeError(
            "The model must be a `keras.Model`. "
            f"Received: model={model} of the type {type(model)}"
        )
    if not model.built:
        raise ValueError(
            "The model provided has not yet been built. It must be built before export."
        )
    inputs = getattr(model, "_inputs_struct", None)
    if inputs is None:
        inputs = _inputs_of(model)
    if inputs is not None:
        return [as_specs(inputs)]
    shapes = model._build_shapes
    if not shapes:
        raise ValueError(
            "The model provided has never called. It must be called at least once "
            "before export."
        )
    return [_of_shapes(shape, model.input_dtype) for shape in shapes.values()]


def _inputs_of(model: Any) -> Any:
    """Return the symbolic inputs of a `Sequential`, None of what has none."""
    try:
        inputs = model.inputs
    except (AttributeError, ValueError):
        return None
    return inputs[0] if isinstance(inputs, list) and len(inputs) == 1 else inputs


def _of_shapes(structure: Any, dtype: str) -> Any:
    """Return the specs of inputs that have these shapes, but any number of examples."""
    if isinstance(structure, dict):
        return {key: _of_shapes(value, dtype) for key, value in structure.items()}
    if all(n is None or isinstance(n, int) for n in structure):
        return InputSpec(dtype=dtype, shape=(None, *tuple(structure)[1:]))
    return type(structure)(_of_shapes(value, dtype) for value in structure)


def input_names(specs: Sequence[InputSpec]) -> list[str]:
    """Return what the inputs are called, each by another name."""
    names: list[str] = []
    for i, spec in enumerate(specs):
        name = spec.name or f"input_{i}"
        names.append(name if name not in names else f"{name}_{i}")
    return names
