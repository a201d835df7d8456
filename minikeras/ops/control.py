"""Branches, loops and conversions, under Keras 3's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.ops.eager import eager

__all__ = [
    "cast",
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "fori_loop",
    "is_tensor",
    "map",
    "ndim",
    "scan",
    "shape",
    "size",
    "stop_gradient",
    "switch",
    "vectorized_map",
    "while_loop",
]

# -- conversions -----------------------------------------------------------------------

cast = eager(K.cast)
convert_to_numpy = K.convert_to_numpy
dtype = K.dtype
is_tensor = K.is_tensor
ndim = K.ndim
size = eager(K.size)
stop_gradient = eager(K.stop_gradient, variable="variables")


@eager
def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """Return `x` as a tensor if it is symbolic, else as an array."""
    return K.convert_to_tensor(x, dtype)


def shape(x: Any) -> tuple[Any, ...]:
    """Return the sizes of `x`: integers, and tensors where they are not known yet."""
    known = K.known_shape(x)
    if None not in known:
        return known
    sizes = K.shape(x)
    return tuple(sizes[i] if n is None else n for i, n in enumerate(known))


# -- branches --------------------------------------------------------------------------

cond = eager(K.cond)


@eager
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Return ``branches[index](*operands)``; beyond the last, the last."""

    def choose(first: int) -> Any:
        if first == len(branches) - 1:
            return branches[first](*operands)
        here = K.less_equal(index, first)
        return K.cond(
            here, lambda: branches[first](*operands), lambda: choose(first + 1)
        )

    return choose(0)


# -- loops -----------------------------------------------------------------------------

fori_loop = eager(K.fori_loop)
map = eager(K.map)
while_loop = eager(K.while_loop)


@eager
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: Any = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """Return the last carry and the stacked outputs of ``carry, y = f(carry, x)``."""
    return K.scan(f, init, xs, length, reverse)


@eager
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Return `function` of each slice of `elements` along their first axis, stacked."""
    return K.map(function, elements)
