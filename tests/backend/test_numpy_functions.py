"""NumPy's own functions take variables and values, and refuse what has no value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, ops

X = np.array([[3.0, 1.0, 2.0], [0.5, -1.0, 4.0]], "float32")
ROW = np.array([1.0, 2.0, 4.0], "float32")

PLAIN = (
    *("abs", "all", "amax", "amin", "any", "argmax", "argsort", "asarray", "average"),
    *("copy", "count_nonzero", "cumsum", "exp", "flip", "isfinite", "isnan", "max"),
    *("mean", "median", "min", "ndim", "nonzero", "ones_like", "prod", "ptp", "ravel"),
    *("round", "shape", "size", "sort", "squeeze", "std", "sum", "tanh", "transpose"),
    *("unique", "var", "zeros_like"),
)
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np, name) for name in PLAIN},
    "add": lambda x: np.add(x, 1),
    "add.reduce": np.add.reduce,
    "add.outer": lambda x: np.add.outer(x, ROW),
    "allclose": lambda x: np.allclose(x, X),
    "array_equal": lambda x: np.array_equal(x, X),
    "clip": lambda x: np.clip(x, 0, 2),
    "concatenate": lambda x: np.concatenate([x, X]),
    "dot": lambda x: np.dot(x, ROW),
    "maximum": lambda x: np.maximum(x, ROW),
    "norm": np.linalg.norm,
    "percentile": lambda x: np.percentile(x, 30),
    "repeat": lambda x: np.repeat(x, 2),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "stack": lambda x: np.stack([x, x]),
    "sum of rows": lambda x: np.sum(x, axis=1, keepdims=True),
    "where": lambda x: np.where(x > 1, x, 0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", [K.Variable, ops.convert_to_tensor])
def test_they_compute_what_they_compute_of_arrays(kind: Any, name: str) -> None:
    want, found = FUNCTIONS[name](X), FUNCTIONS[name](kind(X))
    for a, b in zip(
        want if isinstance(want, tuple) else [want],
        found if isinstance(found, tuple) else [found],
        strict=True,
    ):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(b, a)


@pytest.mark.parametrize("name", ["exp", "max", "mean", "sum", "tanh", "median"])
def test_there_is_no_value_to_compute_with(name: str) -> None:
    with pytest.raises(ValueError, match="KerasTensor is symbolic"):
        FUNCTIONS[name](layers.Input((3,)))


def test_operators_of_arrays_are_left_to_tensors() -> None:
    x, v = layers.Input((3,)), K.Variable(X)
    assert (ROW * x).shape == (x > ROW).shape == (None, 3)
    assert K.is_keras_tensor(ROW + x)
    assert K.is_keras_tensor(np.float32(2) - x)
    np.testing.assert_array_equal(ROW - v, ROW - X)
    np.testing.assert_array_equal(v > ROW, ROW < X)
    np.testing.assert_array_equal(v == ROW, ROW == X)
    np.testing.assert_array_equal(ROW @ K.Variable(X.T), ROW @ X.T)


def test_an_array_is_changed_in_its_place() -> None:
    x = X.copy()
    same = x
    same += K.Variable(X)
    np.testing.assert_array_equal(x, 2 * X)
