"""Gradients of Python functions, as functions: `grad` and `value_and_grad`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minikeras.backend.filling import identity, zeros_like
from minikeras.backend.function import TracedFunction, gradients
from minikeras.backend.introspection import convert_to_tensor, int_shape
from minikeras.backend.tracing import current_trace
from minikeras.backend.variables import Variable
from minikeras.engine import tree
from minikeras.engine.graph import is_symbolic

__all__ = ["grad", "value_and_grad"]


def value_and_grad(
    fn: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function of what `fn` returns, and of its gradient.

    It is traced once for each set of argument shapes, and compiled; what `fn` assigns
    to variables is assigned. As it can be traced itself, it has gradients too.

    Args:
        fn: returns a single number; takes arrays, in any nesting, or variables.
        argnums: the number of the argument to differentiate by, or of several.
        has_aux: whether `fn` returns a pair, of which the first is differentiated.

    Raises:
        ValueError: in a call, if `fn` returns no single number.

    Example:
        >>> value, slopes = value_and_grad(lambda x: x[0] ** 2 + 3 * x[1])([1.0, 3.0])
        >>> float(value), [float(slope) for slope in slopes]
        (10.0, [2.0, 3.0])
    """
    numbers = tree.flatten(argnums)

    def both(*args: Any, **kwargs: Any) -> Any:
        given = [
            tree.map_structure(_watched, x) if i in numbers else x
            for i, x in enumerate(args)
        ]
        result = fn(*given, **kwargs)
        value = result[0] if has_aux else result
        if int_shape(value) != ():
            raise ValueError(
                "the gradient is of a function that returns a single number; it "
                f"returned one of shape {int_shape(value)}"
            )
        chosen = tree.map_structure(given.__getitem__, argnums)
        leaves = tree.flatten(chosen)
        found = zip(leaves, gradients(value, leaves), strict=True)
        slopes = [zeros_like(x) if g is None else g for x, g in found]
        return result, tree.pack_sequence_as(chosen, slopes)

    compiled = TracedFunction(both)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        within = current_trace() is not None
        if within or any(map(is_symbolic, tree.flatten((args, kwargs)))):
            return both(*args, **kwargs)
        return compiled(*tree.map_structure(_as_array, args), **kwargs)

    return call


def _as_array(x: Any) -> Any:
    """Return a number as an array, so that another number needs no other trace."""
    return convert_to_tensor(x) if isinstance(x, float) else x


def _watched(x: Any) -> Any:
    """Return a tensor apart from `x`, which only the function computes with."""
    return x if isinstance(x, Variable) else identity(x)


def grad(
    fn: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the gradient of `fn`, as a function of the same arguments.

    Args:
        fn: see `value_and_grad`.
        argnums: see there.
        has_aux: whether `fn` returns a pair; the gradient comes with its second then.

    Example:
        >>> float(grad(lambda x: x**3)(5.0)), float(grad(grad(lambda x: x**3))(5.0))
        (75.0, 30.0)
    """
    both = value_and_grad(fn, argnums, has_aux)

    @functools.wraps(fn)
    def slope(*args: Any, **kwargs: Any) -> Any:
        result, found = both(*args, **kwargs)
        return (found, result[1]) if has_aux else found

    return slope
