"""A layer's methods that take shapes: called with those of a call's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import BoundArguments, Parameter
from typing import Any

from minikeras import backend as K
from minikeras.layers.context import signature, tensor_arguments
from minikeras.layers.operation import shapes_of

__all__ = ["on_shapes", "stand_ins"]

_NAMED = (
    Parameter.POSITIONAL_OR_KEYWORD,
    Parameter.POSITIONAL_ONLY,
    Parameter.KEYWORD_ONLY,
)


def on_shapes(layer: Any, method: Callable[..., Any], bound: BoundArguments) -> Any:
    """Call a method of a layer with the shapes of what its `call` is given.

    A method with one argument gets the shape of the first one; the others get each
    shape under its argument's name, as in ``query_shape``.

    Raises:
        ValueError: if the method has arguments whose names fit none of `call`.
    """
    given = tensor_arguments(bound)
    shapes = {f"{name}_shape": shapes_of(given[name]) for name in given}
    for name in ("mask_shape", "args_shape", "kwargs_shape"):
        shapes.pop(name, None)
    parameters = inspect.signature(method).parameters.values()
    names = [p.name for p in parameters if p.kind in _NAMED]
    if len(names) == 1:
        return method(next(iter(shapes.values()), None))
    for name in names:
        _check_name(layer, method.__name__, name)
    return method(**{name: shapes[name] for name in names if name in shapes})


def _check_name(layer: Any, method: str, name: str) -> None:
    rule = (
        f"For a `{method}()` method with more than one argument, all arguments should "
        "have a `_shape` suffix and match an argument from `call()`. E.g. "
        f"`{method}(self, foo_shape, bar_shape)` "
    )
    received = f"eceived `{method}()` argument `{name}`,"
    subject, of_call = type(layer).__name__, name.removesuffix("_shape")
    if of_call == name:
        raise ValueError(
            f"{rule} For layer '{subject}', R{received} which does not end in `_shape`."
        )
    if of_call not in signature(type(layer)).parameters:
        raise ValueError(
            f"{rule} For layer '{subject}', r{received} but `call()` does not have "
            f"argument `{of_call}`."
        )


def stand_ins(shape: Any, dtype: str) -> Any:
    """Return a placeholder of this shape, or a nesting of them for several shapes."""
    if all(n is None or isinstance(n, int) for n in shape):
        return K.placeholder(tuple(shape), dtype=dtype)
    if isinstance(shape, dict):
        return {k: stand_ins(s, dtype) for k, s in shape.items()}
    return type(shape)(stand_ins(s, dtype) for s in shape)
