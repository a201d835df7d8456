"""Values along an axis taken together: differences, integrals, powers."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.ops.eager import eager

__all__ = [
    "diff",
    "trapezoid",
    "vander",
]


@eager
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbors along `axis`, `n` times over."""
    a = K.moveaxis(a, axis, -1)
    for _ in range(n):
        later, earlier = a[..., 1:], a[..., :-1]
        different = K.not_equal if K.dtype(a) == "bool" else K.subtract
        a = different(later, earlier)
    return K.moveaxis(a, -1, axis)


@eager
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return the integral of `y` along `axis` by the trapezoidal rule.

    Args:
        y: values.
        x: where they are taken; by default `dx` apart.
        dx: distance of neighbors.
        axis: along which.
    """
    y = K.moveaxis(y, axis, -1)
    width = dx if x is None else diff(x if K.rank(x) == 1 else K.moveaxis(x, axis, -1))
    means = K.divide(K.add(y[..., 1:], y[..., :-1]), 2)
    return K.sum(K.multiply(means, width), -1)


@eager
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the powers of each element, from `N` - 1 down to 0, or up.

    Shapes:
        x: (n)
        returns: (n, N), by default (n, n)
    """
    powers = K.arange(K.shape(x)[0] if N is None else N)
    y = K.power(K.expand_dims(x, -1), K.cast(powers, K.dtype(x)))
    return y if increasing else K.flip(y, -1)
