"""Elements picked by position, rank or condition, under Keras 3's names."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = [
    "argsort",
    "bincount",
    "diag",
    "diagflat",
    "diagonal",
    "digitize",
    "get_item",
    "in_top_k",
    "isin",
    "multi_hot",
    "nonzero",
    "one_hot",
    "scatter",
    "scatter_update",
    "searchsorted",
    "select",
    "slice",
    "slice_update",
    "sort",
    "take",
    "take_along_axis",
    "top_k",
    "tril",
    "triu",
    "unravel_index",
    "where",
]

diag = eager(K.diag)
diagonal = eager(K.diagonal)
searchsorted = eager(K.searchsorted)
sort = eager(K.sort)
top_k = eager(K.top_k)
tril = eager(K.tril)
triu = eager(K.triu)


@eager
def get_item(x: Any, key: Any) -> Any:
    """Return ``x[key]``."""
    return engine.getitem(x, key)


@eager
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """Return the block of `inputs` of a shape that begins at `start_indices`.

    A size of -1 is that of all that follows.

    Raises:
        ValueError: if there is no such block.
    """
    n = K.rank(inputs)
    wanted = (("inputs", "shape", shape), ("start_indices", "inputs", start_indices))
    for one, other, sizes in wanted:
        if isinstance(sizes, (list, tuple)) and len(sizes) != n:
            raise ValueError(
                f"The number of dimensions in `{one}` must match the number of "
                f"dimensions in `{other}`. Received inputs.shape="
                f"{K.known_shape(inputs)} and {sizes}"
            )
    return K.slice(inputs, start_indices, shape)


@eager
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """Return `inputs` with the block that begins at `start_indices` replaced.

    Raises:
        ValueError: if there is no such block.
    """
    return K.slice_update(inputs, _places(start_indices), updates)


def _places(indices: Any) -> Any:
    """Return indices; those that are symbolic may be of another dtype."""
    return K.as_integers(indices) if K.is_symbolic(indices) else indices


@eager
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the elements of `x` at `indices` along `axis`, in the place of that axis.

    Args:
        x: what to take from.
        indices: integers of any shape; negative ones count from the end.
        axis: that is indexed; None for `x` made flat.

    Shapes:
        x: (*before, n, *after)
        indices: (*picks)
        returns: (*before, *picks, *after)
    """
    return K.take(x, _places(indices), axis)


@eager
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return, for each position in the other axes, its own picks along `axis`."""
    return K.take_along_axis(x, _places(indices), axis)


@eager
def argsort(x: Any, axis: int | None = -1) -> Any:
    """Return the indices that bring `x` into rising order, made flat if it is None."""
    return K.argsort(x, axis if K.rank(x) else None)


@eager
def diagflat(x: Any, k: int = 0) -> Any:
    """Return the matrix that has the elements of `x` on its diagonal."""
    return K.diag(K.reshape(x, (-1,)), k)


# -- conditions ------------------------------------------------------------------------


@eager
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return `x1` where `condition` holds, else `x2`; without them, see `nonzero`.

    Raises:
        ValueError: if one of them alone is given.
    """
    if (x1 is None) != (x2 is None):
        raise ValueError(
            "`x1` and `x2` either both should be `None` or both should have non-None "
            "value."
        )
    return nonzero(condition) if x1 is None else K.where(condition, x1, x2)


@eager
def nonzero(x: Any) -> tuple[Any, ...]:
    """Return where the elements are that are not 0: a vector of indices by axis."""
    places = engine.argwhere(x)
    return tuple(places[:, i] for i in range(K.rank(x)))


@eager
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Return the choice of the first condition that holds, else `default`."""
    pairs = zip(reversed(condlist), reversed(choicelist), strict=True)
    return functools.reduce(lambda rest, pair: K.where(*pair, rest), pairs, default)


@eager
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Return whether each element of `x1` is (with `invert`: is not) one of `x2`."""
    found = K.any(K.equal(K.expand_dims(x1, -1), K.reshape(x2, (-1,))), -1)
    return K.logical_not(found) if invert else found


# -- classes and bins ------------------------------------------------------------------


@eager
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Return whether each target is among the `k` classes predicted most.

    All classes that tie for the last place count as among them.

    Shapes:
        targets: (batch)
        predictions: (batch, classes)
        returns: (batch)
    """
    return engine.in_top_k(K.as_integers(targets), predictions, k)


def _demand_dense(sparse: bool) -> None:
    if sparse:
        raise ValueError(f"Unsupported value `sparse=True` with {K.backend()} backend")


@eager
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Return 1 at each index, 0 elsewhere, along a new axis; see `backend.one_hot`.

    Raises:
        ValueError: if it is to be sparse: there are no sparse tensors here.
    """
    _demand_dense(sparse)
    return K.one_hot(K.as_integers(x), num_classes, axis, dtype)


@eager
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """Return 1 at all indices of an example, 0 elsewhere.

    An older name of `num_classes` is ``num_tokens``.

    Raises:
        ValueError: if `num_classes` is not given, or the result is to be sparse.

    Shapes:
        inputs: (batch, indices), or (indices)
        returns: (batch, num_classes)
    """
    _demand_dense(sparse)
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None:
        raise ValueError("Argument `num_classes` must be specified.")
    hot = one_hot(inputs, num_classes, axis, dtype)
    return K.max(hot, 1 if K.rank(inputs) > 1 else 0)


@eager
def bincount(
    x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False
) -> Any:
    """Return how often each integer from 0 on is there.

    Args:
        x: integers, (n) or (batch, n).
        weights: what each of them counts, 1 by default.
        minlength: number of bins, more if the largest integer needs them.
        sparse: accepted; there are no sparse tensors here.
    """
    bins = K.maximum(K.max(x) + 1, minlength)
    hit = K.equal(K.expand_dims(x, -1), K.arange(bins))
    if weights is None:
        return K.sum(K.cast(hit, "int32"), -2)
    weights = K.convert_to_tensor(weights)
    total = K.sum(K.where(hit, K.expand_dims(weights, -1), 0), -2)
    return K.cast(total, K.dtype(weights))


@eager
def digitize(x: Any, bins: Any) -> Any:
    """Return the number of the bin of each element: of how many bounds it reaches."""
    return K.searchsorted(K.convert_to_tensor(bins, K.dtype(x)), x, "right")


@eager
def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """Return positions in an array of `shape`, given those in the same made flat."""
    places = []
    for n in reversed(shape):
        places.append(K.mod(indices, n))
        indices = K.floor_divide(indices, n)
    return tuple(reversed(places))


# -- scattering ------------------------------------------------------------------------


@eager
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    """Return zeros of `shape` with `values` added at the positions in `indices`."""
    return K.scatter_nd(K.as_integers(indices), values, shape)


# What rows with the same index make together, and that with the row that was there.
_REDUCTIONS = {
    "add": (K.segment_sum, K.add),
    "max": (K.segment_max, K.maximum),
    "min": (K.segment_min, K.minimum),
    "mul": (K.segment_prod, K.multiply),
}


@eager
def scatter_update(
    inputs: Any, indices: Any, updates: Any, reduction: str | None = None
) -> Any:
    """Return `inputs` with the rows at `indices` replaced by `updates`, or changed.

    Args:
        inputs: the array to begin with.
        indices: positions, along the last axis, in the leading axes of `inputs`.
        updates: a row of `inputs` for each position.
        reduction: "add", "max", "min" or "mul", of the row that is there and all of its
            updates. By default one of these takes its place.

    Shapes:
        inputs: (d_1, ..., d_k, *row)
        indices: (positions, k)
        updates: (positions, *row)
        returns: (d_1, ..., d_k, *row)

    Raises:
        ValueError: if there is no such `reduction`.
    """
    indices = K.as_integers(K.convert_to_tensor(indices))
    if reduction is None:
        return K.scatter_update(inputs, indices, updates)
    if reduction not in _REDUCTIONS:
        raise ValueError(
            "`reduction` must be one of None, 'add', 'max', 'min' or 'mul'. "
            f"Received: reduction={reduction}"
        )
    together, joined = _REDUCTIONS[reduction]
    inputs = K.convert_to_tensor(inputs)
    within = K.rank(updates) - K.rank(indices) + 1  # the axes of a row
    depth = K.rank(inputs) - within
    sizes, row = shape(inputs)[:depth], shape(inputs)[depth:]
    count = functools.reduce(operator.mul, sizes, 1)
    updates = K.reshape(K.cast(updates, K.dtype(inputs)), (-1, *row))
    changes = together(updates, _flat_places(indices, sizes), count)
    return joined(inputs, K.reshape(changes, shape(inputs)))


def _flat_places(indices: Any, sizes: Sequence[Any]) -> Any:
    """Return positions, along the last axis of `indices`, in an array made flat."""
    flat = K.zeros_like(indices[..., 0])
    for i, n in enumerate(sizes):
        place = indices[..., i]
        flat = flat * n + K.where(place < 0, place + n, place)
    return K.reshape(flat, (-1,))
