"""From what a graph model is called with to the values of its inputs, in order."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from minikeras import backend as K
from minikeras.layers import InputLayer
from minikeras.layers.history import history_of
from minikeras.layers.input_spec import known_shape
from minikeras.layers.masks import mask_of, with_mask

__all__ = ["fitted", "input_name", "is_input", "values_in_order"]


def is_input(tensor: K.Tensor) -> bool:
    """Whether a tensor comes from `Input`."""
    history = history_of(tensor)
    return history is not None and isinstance(history.operation, InputLayer)


def input_name(tensor: K.Tensor) -> str:
    """Return the name of the layer that an input comes from."""
    return history_of(tensor).operation.name  # type: ignore[union-attr]


def values_in_order(form: Any, given: Any, model: str) -> list[Any]:
    """Return the values given for the inputs, in the order of the leaves of `form`.

    Args:
        form: the model's inputs, in the nesting that the model was made with.
        given: values in the same nesting; or a dict of them by the inputs' names; or,
            with a warning, another nesting of as many.
        model: the model's name.

    Raises:
        ValueError: if inputs are missing, or it cannot be told which is which.
    """
    if isinstance(given, Mapping) and not isinstance(form, dict):
        return _by_name(form, given)
    chosen = _without_others(form, given)
    values = K.tree.flatten(chosen)
    wanted = len(K.tree.flatten(form))
    if len(values) != wanted:
        keys = (
            f" named input(s) with keys {list(form)}" if isinstance(form, dict) else ""
        )
        raise ValueError(
            f'Layer "{model}" expects {wanted}{keys or " input(s)"}, but it '
            f"received {len(values)} input tensors. Inputs received: {given}"
        )
    if wanted > 1 or isinstance(form, dict):
        _compare(form, given)
    return values


def _by_name(form: Any, given: Mapping[str, Any]) -> list[Any]:
    inputs = list(form) if K.tree.is_nested(form) else [form]
    if any(map(K.tree.is_nested, inputs)):
        raise ValueError(_mismatch(form, given))
    names = [input_name(x) for x in inputs]
    if not given.keys() >= set(names):
        raise ValueError(_mismatch(form, given))
    return [given[name] for name in names]


def _without_others(form: Any, given: Any) -> Any:
    """Return what was given, without what `form` has no name for.

    Raises:
        ValueError: if a name is missing.
    """
    if isinstance(form, dict) and isinstance(given, Mapping):
        for key in form:
            if key not in given:
                raise ValueError(
                    f'Missing data for input "{key}". You passed a data dictionary '
                    f"with keys {list(given)}. Expected the following keys: "
                    f"{list(form)}"
                )
        return {key: _without_others(form[key], given[key]) for key in form}
    sequences = all(isinstance(part, (list, tuple)) for part in (form, given))
    if sequences and len(form) == len(given):
        return [_without_others(*pair) for pair in zip(form, given, strict=True)]
    return given


def _compare(form: Any, given: Any) -> None:
    """Warn of another nesting than that of the inputs.

    Raises:
        ValueError: if the order of its leaves could be any.
    """
    if _nesting(form) == _nesting(given):
        return
    message = _mismatch(form, given)
    by_key = isinstance(form, dict) and not isinstance(given, Mapping)
    if by_key and list(form) != sorted(form):
        raise ValueError(message)
    trace = K.current_trace()
    if trace is None or not trace.is_symbolic:  # models of models do not repeat it
        warnings.warn(message, stacklevel=2)


def _nesting(structure: Any) -> Any:
    """Return a structure without its leaves, comparable to others."""
    if isinstance(structure, Mapping):
        return {key: _nesting(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_nesting(part) for part in structure]
    return None


def _mismatch(form: Any, given: Any) -> str:
    shown = K.tree.map_structure(
        lambda x: None if x is None else f"Tensor(shape={known_shape(x)})", given
    )
    return (
        "The structure of `inputs` doesn't match the expected structure.\nExpected: "
        f"{K.tree.map_structure(input_name, form)}\nReceived: inputs={shown}"
    )


def fitted(x: Any, own: K.Tensor, path: str, any_sizes: bool = False) -> Any:
    """Return `x` as the model's input `own` is: of its rank, and of its dtype.

    A last axis of size 1 comes or goes.

    Args:
        x: a value, None for an input that is optional.
        own: the input.
        path: where in the nesting of the inputs it is.
        any_sizes: whether only the rank counts, as nobody said what `own` is.

    Raises:
        ValueError: if its shape is another, or it is None and must not be.
    """
    if x is None:
        if is_input(own) and not history_of(own).operation.optional:  # type: ignore[union-attr]
            raise ValueError(
                f"The input '{input_name(own)}' is not optional, but None was passed. "
                "Please provide a valid tensor."
            )
        return None
    adjusted = x if any_sizes else _with_dtype(x, K.standardize_dtype(own.dtype))
    want, got = own.shape, x.shape
    if want is not None and got is not None:
        if len(got) == len(want) + 1 and got[-1] == 1:
            adjusted = K.squeeze(adjusted, -1)
        elif len(got) == len(want) - 1 and want[-1] == 1:
            adjusted = K.expand_dims(adjusted, -1)
        _check_shape(adjusted.shape, own, path, any_sizes)
    return with_mask(adjusted, mask_of(x))


def _with_dtype(x: Any, dtype: str) -> Any:
    got = K.standardize_dtype(x.dtype)
    return x if dtype == got or "string" in (dtype, got) else K.cast(x, dtype)


def _check_shape(got: Any, own: K.Tensor, path: str, any_sizes: bool) -> None:
    want = known_shape(own)
    known = () if any_sizes else zip(want[1:], got[1:], strict=False)
    if len(got) != len(want) or any(None not in (a, b) and a != b for a, b in known):
        raise ValueError(
            f"Input with name '{input_name(own)}' and path '{path}' is incompatible "
            f"with the model: expected shape={(None, *want[1:])}, found "
            f"shape={tuple(got)}"
        )
