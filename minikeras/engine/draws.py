"""Random numbers as in TensorFlow 1: new ones in every run, the same in every program.

The numbers of an operation follow from the graph's seed (`set_random_seed`), its own
seed (or else its place among the graph's random operations), and how many runs the
session has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.engine import ops
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.facade import graph_function
from minikeras.engine.graph import Tensor, current_graph

__all__ = [
    "multinomial",
    "random_gamma",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "set_random_seed",
    "truncated_normal",
]

Size = Sequence[Any] | Any


def set_random_seed(seed: int) -> None:
    """Set the current graph's seed, for random operations that are made from now on."""
    current_graph().seed = seed


@graph_function
def random_normal(
    shape: Size,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:
    """Return normally distributed numbers.

    Args:
        shape: of the result.
        mean: broadcasts to `shape`.
        stddev: standard deviation; broadcasts to `shape`.
        dtype: of the result.
        seed: of this operation.
    """
    return ops.random_normal(ops.next_key(seed), shape, mean, stddev, dtype)


@graph_function
def truncated_normal(
    shape: Size,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:
    """Return normal numbers, of those within two standard deviations of the mean.

    Args:
        shape: of the result.
        mean: broadcasts to `shape`.
        stddev: of the distribution before it is cut; broadcasts to `shape`.
        dtype: of the result.
        seed: of this operation.
    """
    return ops.truncated_normal(ops.next_key(seed), shape, mean, stddev, dtype)


@graph_function
def random_uniform(
    shape: Size,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:
    """Return numbers that are uniform from `minval` up to, not with, `maxval`.

    Args:
        shape: of the result.
        minval: the lowest number; broadcasts to `shape`.
        maxval: 1 by default, for floating-point numbers; integers need it.
        dtype: of the result.
        seed: of this operation.

    Raises:
        ValueError: if integers are wanted and `maxval` is not given.
    """
    key = ops.next_key(seed)
    if as_dtype(dtype).is_integer:
        if maxval is None:
            raise ValueError("random_uniform: integers need a maxval")
        return ops.random_integers(key, shape, minval, maxval, dtype)
    return ops.random_uniform(
        key, shape, minval, 1 if maxval is None else maxval, dtype
    )


@graph_function
def random_gamma(
    shape: Sequence[int],
    alpha: Any,
    beta: Any = None,
    dtype: Any = "float32",
    seed: int | None = None,
) -> Tensor:
    """Return gamma-distributed numbers, `shape` of them for each `alpha`.

    Args:
        shape: in front of that of `alpha`.
        alpha: the shape parameter, above 0.
        beta: the inverse scale, above 0; 1 by default.
        dtype: of the result.
        seed: of this operation.
    """
    alpha = ops.cast(alpha, dtype)
    sizes = (
        ops.concatenate([shape, ops.shape(alpha)]) if len(shape) else ops.shape(alpha)
    )
    draws = ops.random_gamma(ops.next_key(seed), sizes, alpha, dtype)
    return draws if beta is None else draws / ops.cast(beta, dtype)


@graph_function
def random_shuffle(value: Any, seed: int | None = None) -> Tensor:
    """Return `value` with its slices along the first axis in random order."""
    return ops.random_shuffle(ops.next_key(seed), value)


@graph_function
def multinomial(
    logits: Any, num_samples: int, seed: int | None = None, output_dtype: Any = "int64"
) -> Tensor:
    """Return classes, drawn with the probabilities softmax(logits).

    Shapes:
        logits: (batch, classes)
        returns: (batch, num_samples)
    """
    classes = ops.random_categorical(ops.next_key(seed), logits, num_samples)
    return ops.cast(classes, output_dtype)
