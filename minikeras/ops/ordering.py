"""What the order of elements tells: partitions, distinct ones; Keras 3's names."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.eager import eager

__all__ = ["argpartition", "unique"]


@eager
def argpartition(x: Any, kth: int, axis: int | None = -1) -> Any:
    """Return indices that bring the `kth` smallest element to its place.

    Those of smaller elements come before it, and all are in order here.

    Args:
        x: the elements.
        kth: the place, from 0; negative ones count from the end.
        axis: along which; None makes `x` flat first.

    Raises:
        ValueError: if there is no such place.
    """
    if not isinstance(kth, int):
        raise ValueError(f"kth must be an integer. Received:kth = {kth}")
    order = K.argsort(x, axis)
    n = K.known_shape(order)[-1 if axis is None else axis]
    if n is not None and not (K.is_symbolic(order) or -n <= kth < n):
        raise ValueError(f"argpartition: kth {kth} is out of bounds for {n} elements")
    return order


@eager
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Return the distinct elements of `x`, or its distinct slices along `axis`.

    Args:
        x: the elements; NaN equals nothing.
        sorted: accepted; the result is always in rising order.
        return_index: whether to return where each is first, too.
        return_inverse: whether to return, for each element, its number among them.
        return_counts: whether to return how often each is there.
        axis: along which slices are compared; None makes `x` flat first.
        size: how many to return, so that the shape is known; some are left out if
            there are more, and the first is repeated, with count 0, if there are fewer.
        fill_value: what to repeat in place of the first.
    """
    lines = K.reshape(x, (-1,)) if axis is None else K.convert_to_tensor(x)
    along = axis or 0
    first, inverse, counts = engine.unique_places(lines, along)
    there = None
    if size is not None:
        there = K.less(K.arange(size), K.shape(first)[0])
        place = K.where(there, K.arange(size), 0)
        first, counts = K.take(first, place), K.where(there, K.take(counts, place), 0)
    values = K.take(lines, first, along)
    if there is not None and fill_value is not None:
        behind = range(1, K.rank(lines) - along % K.rank(lines))
        fill = K.cast(fill_value, K.dtype(x))
        values = K.where(K.expand_dims(there, behind), values, fill)
    if axis is None:
        inverse = K.reshape(inverse, K.shape(x))
    chosen = zip(
        (return_index, return_inverse, return_counts),
        (first, inverse, counts),
        strict=True,
    )
    found = (values, *(more for wanted, more in chosen if wanted))
    return found if len(found) > 1 else values
