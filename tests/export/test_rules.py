"""Operations that no layer uses in inference, exported: ONNX Runtime agrees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest

from minikeras import ops, tree
from minikeras.engine import ops as engine
from minikeras.export.emission import UnsupportedError
from minikeras.export.imported import from_onnx
from minikeras.export.writing import model_proto
from minikeras.layers import InputSpec

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
POSITIVE = np.abs(X) + 0.1
WHOLE = np.random.default_rng(1).integers(-5, 6, (3, 4)).astype("int32")
ABOVE_0 = np.abs(WHOLE) + 1
TRUTH = X > 0

UNARY = [
    "absolute",
    "arcsinh",
    "arctan",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "exp",
    "expm1",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "log1p",
    "logical_not",
    "negative",
    "rint",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "softplus",
    "softsign",
    "square",
    "tan",
    "tanh",
    "trunc",
    "relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "hard_sigmoid",
    "hard_swish",
    "log_sigmoid",
    "leaky_relu",
    "relu6",
    "celu",
    "glu",
    "softmax",
    "log_softmax",
    "sort",
    "argsort",
    "flip",
    "any",
    "all",
    "argmax",
    "argmin",
    "max",
    "min",
    "mean",
    "sum",
    "prod",
    "std",
    "var",
    "logsumexp",
    "cumsum",
    "median",
    "count_nonzero",
    "nonzero",
    "transpose",
    "ravel",
    "tril",
    "triu",
    "zeros_like",
    "ones_like",
    "size",
]

CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    **{name: (getattr(ops, name), (X,)) for name in UNARY if hasattr(ops, name)},
    "log2": (ops.log2, (POSITIVE,)),
    "log10": (ops.log10, (POSITIVE,)),
    "rsqrt": (ops.rsqrt, (POSITIVE,)),
    "reciprocal": (ops.reciprocal, (POSITIVE,)),
    "arctan2": (ops.arctan2, (X, X[::-1].copy())),
    "hypot": (engine.hypot, (X, X[::-1].copy())),
    "logaddexp": (ops.logaddexp, (X, X[::-1].copy())),
    "isclose": (ops.isclose, (X, X + np.float32(1e-9))),
    "divide_no_nan": (ops.divide_no_nan, (X, np.where(TRUTH, X, 0).astype("float32"))),
    "mod of reals": (ops.mod, (X, POSITIVE)),
    "mod": (ops.mod, (WHOLE, ABOVE_0)),
    "floor_divide": (ops.floor_divide, (WHOLE, ABOVE_0)),
    "floor_divide of reals": (ops.floor_divide, (X, POSITIVE)),
    "power": (ops.power, (POSITIVE, X)),
    "clip": (lambda x: ops.clip(x, -0.5, 0.5), (X,)),
    "round": (lambda x: ops.round(x, 2), (X,)),
    "bitwise_and": (ops.bitwise_and, (WHOLE, ABOVE_0)),
    "bitwise_xor": (ops.bitwise_xor, (WHOLE, ABOVE_0)),
    "logical_xor": (ops.logical_xor, (TRUTH, TRUTH[::-1].copy())),
    "maximum of truths": (lambda x, y: engine.logical_or(x, y), (TRUTH, ~TRUTH)),
    "where": (ops.where, (TRUTH, X, -X)),
    "not_equal": (ops.not_equal, (WHOLE, ABOVE_0)),
    "top_k": (lambda x: ops.top_k(x, 2), (X,)),
    "searchsorted": (
        lambda x: ops.searchsorted(np.array([-1.0, 0, 1], "float32"), x),
        (X[0],),
    ),
    "bincount": (lambda x: ops.bincount(x, minlength=7), (ABOVE_0,)),
    "roll": (lambda x: ops.roll(x, 2, 1), (X,)),
    "roll flat": (lambda x: ops.roll(x, 1), (X,)),
    "pad": (lambda x: ops.pad(x, ((0, 0), (1, 2)), constant_values=3.0), (X,)),
    "symmetric": (lambda x: ops.pad(x, ((0, 0), (2, 1)), mode="symmetric"), (X,)),
    "reflect": (lambda x: ops.pad(x, ((0, 0), (2, 1)), mode="reflect"), (X,)),
    "repeat": (lambda x: ops.repeat(x, 3, 1), (X,)),
    "repeat unevenly": (lambda x: ops.repeat(x, [1, 0, 2, 3], 1), (X,)),
    "tile": (lambda x: ops.tile(x, (1, 2)), (X,)),
    "unstack": (lambda x: ops.unstack(x, 4, 1), (X,)),
    "split": (lambda x: ops.split(x, [1, 3], 1), (X,)),
    "meshgrid": (lambda x, y: ops.meshgrid(x, y), (X[0], X[1])),
    "linspace": (lambda x: ops.linspace(x, 2 * x, 5), (X,)),
    "eye": (lambda x: ops.eye(ops.shape(x)[0], 5, 1) + x[:, :1], (X,)),
    "arange": (lambda x: ops.arange(ops.shape(x)[0]), (X,)),
    "take_along_axis": (
        lambda x, i: ops.take_along_axis(x, i, 1),
        (X, np.abs(WHOLE) % 4),
    ),
    "one_hot": (lambda i: ops.one_hot(i, 4), (WHOLE,)),
    "scatter": (
        lambda i, u: ops.scatter(i, u, (6, 2)),
        (np.array([[1], [3], [1]], "int32"), X[:, :2].copy()),
    ),
    "scatter_update": (
        lambda x, i, u: ops.scatter_update(x, i, u),
        (X, np.array([[1, 2], [0, 0]], "int32"), np.ones(2, "float32")),
    ),
    "slice_update": (
        lambda x, u: ops.slice_update(x, (0, 1), u),
        (X, np.ones((2, 2), "float32")),
    ),
    "diagonal": (lambda x: ops.diagonal(ops.reshape(x, (3, 4)), 1), (X,)),
    "diag": (lambda x: ops.diag(x[0], -1), (X,)),
    "slice": (lambda x: ops.slice(x, (1, 1), (2, 2)), (X,)),
    "index": (lambda x: (x[..., None, 1:], x[-1], x[::-2, 3], x[None, 1, None]), (X,)),
    "index by arrays": (
        lambda x: (x[np.array([1, 0])], x[:, np.array([2, -1])]),
        (X,),
    ),
    "index by pairs": (lambda x: x[np.array([0, 1]), np.array([2, 3])], (X,)),
    "index by a mask": (lambda x: x[x > 0], (X,)),
    "index by a number": (lambda x, i: x[i], (X, np.array(2, "int32"))),
    "einsum": (lambda x, y: ops.einsum("ij,kj->ik", x, y), (X, 2 * X)),
    "tensordot": (lambda x, y: ops.tensordot(x, y, [[0], [0]]), (X, X)),
    "det": (lambda x: ops.det(ops.reshape(x, (3, 4))[:, :3]), (X,)),
    "fft": (lambda x: ops.rfft(x), (X,)),
    "cond": (lambda x: ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x - 1), (X,)),
    "while": (
        lambda x: ops.while_loop(
            lambda i, y: ops.sum(y) < 100, lambda i, y: (i + 1, y * 2), (0, ops.abs(x))
        ),
        (X,),
    ),
    "scan": (lambda x: ops.scan(lambda c, r: (c + r, c * r), x[0], x), (X,)),
    "scan back": (
        lambda x: ops.scan(lambda c, r: (c + r, c * r), x[0], x, reverse=True),
        (X,),
    ),
    "scan of a number of steps": (
        lambda x: ops.scan(lambda c, _: (c * 2, c + 1), x, None, length=4),
        (X,),
    ),
    "fori_loop": (lambda x: ops.fori_loop(0, 3, lambda i, y: y * 2 + i, x), (X,)),
    "inverse of a constant": (
        lambda x: x @ ops.inv(np.eye(4, dtype="float32") * 2),
        (X,),
    ),
}


def exported(function: Callable[..., Any], arrays: tuple[Any, ...]) -> bytes:
    signature = [
        InputSpec(shape=(None, *x.shape[1:]) if x.ndim else (), dtype=str(x.dtype))
        for x in arrays
    ]
    return model_proto(function, signature).SerializeToString()


def agree(found: Any, wanted: Any) -> None:
    wanted = [np.asarray(y) for y in tree.flatten(wanted)]
    for x, y in zip(found, wanted, strict=True):
        assert np.asarray(x).dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_onnxruntime_computes_what_the_function_does(name: str) -> None:
    function, arrays = CASES[name]
    data = exported(function, arrays)
    session = onnxruntime.InferenceSession(data)
    feeds = {x.name: v for x, v in zip(session.get_inputs(), arrays, strict=True)}
    wanted = function(*arrays)
    agree(session.run(None, feeds), wanted)


@pytest.mark.parametrize("name", sorted(CASES.keys() - {"index by a number"}))
def test_and_so_does_what_is_read_back(name: str) -> None:
    function, arrays = CASES[name]
    model = from_onnx(exported(function, arrays))
    given = dict(zip(model.input_names, arrays, strict=True))
    found = model(given if len(arrays) > 1 else arrays[0])
    agree(tree.flatten(found), function(*arrays))


def test_what_has_no_counterpart_is_named() -> None:
    with pytest.raises(UnsupportedError, match="Erfinv cannot be exported to ONNX"):
        exported(ops.erfinv, (X,))


def test_random_numbers_are_refused_rather_than_frozen() -> None:
    from minikeras import random

    with pytest.raises(UnsupportedError, match="no random state"):
        exported(lambda x: x + random.normal(ops.shape(x)), (X,))
