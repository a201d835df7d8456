"""How numbers are distributed, and how they vary together, under Keras 3's names."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.eager import eager

__all__ = ["corrcoef", "correlate", "histogram"]


@eager
def corrcoef(x: Any) -> Any:
    """Return the correlation of each pair of rows, in [-1, 1].

    Shapes:
        x: (variables, observations), or (observations)
        returns: (variables, variables), or ()
    """
    x = K.divide(K.long_as_float(x), 1)
    rows = K.expand_dims(x, 0) if K.rank(x) == 1 else x
    apart = K.subtract(rows, K.mean(rows, -1, keepdims=True))
    together = K.matmul(apart, K.transpose(apart))
    spread = K.sqrt(K.diag(together))
    found = K.divide(together, K.multiply(K.expand_dims(spread, 1), spread))
    found = K.clip(found, -1.0, 1.0)
    return K.reshape(found, ()) if K.rank(x) == 1 else found


@eager
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Return the sums of products of two vectors, one moved along the other.

    Args:
        x1: a vector.
        x2: another one.
        mode: "full": all sums with a term, m + n - 1 of them; "same": as many as the
            longer vector has, from their middle; "valid": those in which all elements
            of the shorter one take part.

    Raises:
        ValueError: if there is no such mode, or an argument is not a vector.
    """
    modes = ("valid", "same", "full")
    if mode not in modes:
        raise ValueError(
            f"`mode` must be either `valid`, `same`, or `full`, but received: {mode}"
        )
    for name, x in (("x1", x1), ("x2", x2)):
        if K.rank(x) != 1:
            raise ValueError(
                f"`{name}` must be a 1-dimensional tensor, but received shape "
                f"{K.known_shape(x)}"
            )
    y = engine.correlate(x1, x2)
    (m,), (n,) = K.known_shape(x1), K.known_shape(x2)
    if mode == "full":
        return y
    if m is None or n is None:
        m, n = K.shape(x1)[0], K.shape(x2)[0]
        less, more, before = K.minimum(m, n), K.maximum(m, n), K.cast(m >= n, "int32")
    else:
        less, more, before = min(m, n), max(m, n), int(m >= n)
    if mode == "valid":
        return y[less - 1 : more]
    start = (less - before) // 2
    return y[start : start + more]


@eager
def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> Any:
    """Return how many numbers lie in each of some bins of equal width, and their edges.

    Args:
        x: a vector; NaN is in no bin.
        bins: how many.
        range: the outermost edges; by default the smallest and the largest number.

    Shapes:
        x: (n)
        returns: (bins) and (bins + 1)

    Raises:
        TypeError: if `bins` is no integer.
        ValueError: if it is negative, `range` is no pair of rising numbers, or `x` no
            vector.
    """
    _check_bins(bins, range)
    if K.rank(x) > 1:
        raise ValueError(
            f"Input tensor must be 1-dimensional. Received: input.shape={x.shape}"
        )
    ordered = K.sort(K.divide(x, 1))
    if range or K.known_shape(ordered) == (0,):
        # The ends are as lazy as the numbers are.
        low, high = (K.full_like(K.sum(ordered), end) for end in range or (0, 1))
    else:
        low, high = ordered[0], ordered[-1]
    half = K.where(K.equal(low, high), K.cast(0.5, ordered.dtype), 0)
    edges = K.linspace(low - half, high + half, bins + 1, dtype=ordered.dtype)
    below = K.searchsorted(ordered, edges[:-1])
    ends = K.searchsorted(ordered, edges[-1:], "right")
    places = K.concatenate([below, ends], 0)
    return K.cast(places[1:] - places[:-1], ordered.dtype), edges


def _check_bins(bins: Any, range: Any) -> None:
    if not isinstance(bins, int):
        raise TypeError(f"Argument `bins` must be of type `int`. Received: bins={bins}")
    if bins < 0:
        raise ValueError(
            f"Argument `bins` should be a non-negative integer. Received: bins={bins}"
        )
    if range and (len(range) < 2 or not isinstance(range, tuple)):
        raise ValueError(
            f"Argument `range` must be a tuple of two elements. Received: range={range}"
        )
    if range and range[1] < range[0]:
        raise ValueError(
            "The second element of `range` must be greater than the first. "
            f"Received: range={range}"
        )
