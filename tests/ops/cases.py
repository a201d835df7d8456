"""The table of calls: what `minikeras.ops` must return is what `keras.ops` does.

Arrays in a call stand for tensors; everything else is passed as it is.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["CASES", "Case", "words"]

numbers = np.random.default_rng(7)


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes:
        name: of the function.
        args: its arguments, arrays among them.
        kwargs: more of them.
        tolerance: allowed error, relative and absolute.
        unknown: whether it can be built on tensors of unknown sizes.
        lazy: whether it can be built on tensors at all.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    tolerance: float = 2e-5
    unknown: bool = True
    lazy: bool = True

    def __str__(self) -> str:
        rest = [
            *map(_brief, self.args),
            *(f"{k}={_brief(v)}" for k, v in self.kwargs.items()),
        ]
        return f"{self.name}({', '.join(rest)})"


def _brief(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return f"{x.dtype.kind}{x.shape}".replace(" ", "")
    if isinstance(x, (list, tuple)):
        return f"[{', '.join(map(_brief, x))}]"
    return getattr(x, "__name__", repr(x))


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    return numbers.uniform(low, high, shape).astype("float32")


def positive(*shape: int) -> np.ndarray:
    return floats(*shape, low=0.1, high=3.0)


def integers(*shape: int, low: int = -4, high: int = 5) -> np.ndarray:
    return numbers.integers(low, high, shape).astype("int32")


def regular(*shape: int) -> np.ndarray:
    """Make matrices that are far from singular ones."""
    return floats(*shape) + 5 * np.eye(shape[-1], dtype="float32")


def positive_definite(*shape: int) -> np.ndarray:
    x = floats(*shape, shape[-1])
    return x @ x.swapaxes(-1, -2) + np.eye(shape[-1], dtype="float32")


def booleans(*shape: int) -> np.ndarray:
    return numbers.random(shape) < 0.5


def chances(*shape: int) -> np.ndarray:
    weights = positive(*shape)
    return weights / weights.sum(-1, keepdims=True)


def distinct(*shape: int) -> np.ndarray:
    count = int(np.prod(shape))
    line = np.linspace(-3, 3, count, dtype="float32")
    return numbers.permutation(line).reshape(shape)


X, Y = floats(3, 4), floats(3, 4)
SPECIAL = np.array([1.0, np.nan, np.inf, -np.inf, 0.0, -2.5], "float32")
HOLES = np.array([[1.0, np.nan, 3.0], [np.nan, -5.0, 2.0]], "float32")
GAPS = np.where(booleans(2, 5, 4), distinct(2, 5, 4), np.float32(np.nan))


def words(text: str) -> list[str]:
    return text.split()


def each(names: str, *args: Any, **kwargs: Any) -> list[Case]:
    """Return the same call of several functions."""
    return [Case(name, args, kwargs) for name in words(names)]


ELEMENTWISE = [
    *each(
        "abs absolute arcsinh arctan ceil cos cosh deg2rad erf exp exp2 expm1 fabs "
        "floor negative rad2deg reciprocal round sign sin sinh square tan tanh trunc",
        X,
    ),
    *each("log log10 log1p log2 rsqrt sqrt", positive(3, 4)),
    *each("arccos arcsin arctanh", floats(3, 4, low=-0.9, high=0.9)),
    *each("arccosh", floats(3, 4, low=1.1, high=3)),
    *each("isfinite isinf isnan isneginf isposinf nan_to_num", SPECIAL),
    *each("logical_not bitwise_not bitwise_invert", booleans(5)),
    Case("round", (floats(6) * 100,), {"decimals": -1}),
    Case("round", (floats(6),), {"decimals": 1}),
    Case("nan_to_num", (SPECIAL,), {"nan": 7.0, "posinf": 1.0, "neginf": -1.0}),
    *each(
        "add arctan2 divide equal greater greater_equal heaviside hypot less "
        "less_equal logaddexp logaddexp2 maximum minimum multiply "
        "not_equal subtract true_divide",
        X,
        Y[1],
    ),
    *each("floor_divide mod", floats(3, 4) * 5, positive(4)),
    *each("floor_divide mod", integers(3, 4), integers(4, low=1)),
    *each("power", positive(3, 4), Y),
    *each("power", integers(3, low=0), 2),
    *each("divide_no_nan", X, np.array([0, 1, 2, 0], "float32")),
    *each("divide_no_nan divide", integers(3), integers(3, low=1)),
    *each("ldexp", X, integers(4)),
    *each("logical_and logical_or logical_xor", booleans(4), booleans(3, 4)),
    *each("bitwise_and bitwise_or bitwise_xor", integers(4), integers(3, 4)),
    *each(
        "left_shift right_shift bitwise_left_shift bitwise_right_shift",
        integers(4, low=0),
        integers(4, low=0),
    ),
    *each("equal maximum heaviside", integers(4), integers(3, 4)),
    *each("clip", X, -1.0, 0.5),
    *each("clip", integers(3, 4), -1, 2),
    *each("isclose allclose", X, X + np.float32(1e-7)),
    *each("isclose", SPECIAL, SPECIAL, equal_nan=True),
    Case("saturate_cast", (floats(5) * 400, "uint8")),
    Case("saturate_cast", (integers(5) * 100, "int8")),
    # Python's numbers and lists
    *each("add multiply subtract maximum", X, 2),
    *each("add multiply subtract maximum power", integers(3), 2.5),
    *each("divide", integers(3), 2),
    *each("add less", [1, 2, 3], [1.5, 0.5, 3.0]),
    *each("exp square sqrt tanh", [1, 2, 3]),
]

REDUCTIONS = [
    Case(name, (x,), {"axis": axis, "keepdims": keepdims})
    for name in words("sum mean max min prod var std logsumexp amax amin ptp median")
    for x in [distinct(2, 3, 4)]
    for axis, keepdims in [(None, False), (1, False), ((0, -1), True), (-1, True)]
]
REDUCTIONS += [
    *each("sum mean max min prod", integers(3, 4), axis=0),
    *each("sum mean max prod", booleans(3, 4)),
    *each("any all", booleans(3, 4), axis=1),
    *each("any all", X, keepdims=True),
    *each("count_nonzero", integers(3, 4), axis=1),
    *each("argmax argmin", distinct(3, 4)),
    *each("argmax argmin", distinct(3, 4), axis=1, keepdims=True),
    *each("cumsum cumprod", X),
    *each("cumsum cumprod", X, axis=1),
    *each("cumsum", booleans(4), axis=0, dtype="float32"),
    *each("prod", integers(3), dtype="float32"),
    *each("max min", X, initial=0.5),
    *each("average", X, axis=1),
    *each("average", X, axis=1, weights=positive(4)),
    *each("average", X, weights=positive(3, 4)),
    *each("average", X, axis=0, weights=positive(3)),
    *each("nansum nanmean nanmax nanmin nanprod nanvar nanstd", HOLES),
    *each("nansum nanmean nanmax nanmin nanprod nanvar nanstd", HOLES, axis=0),
    *each("nanmax nanmean", HOLES, axis=1, keepdims=True),
    *each("median", distinct(4)),
    *(
        Case("quantile", (distinct(3, 4, 2), 0.3), {"axis": 1, "method": method})
        for method in words("linear lower higher midpoint nearest")
    ),
    *each("quantile", distinct(3, 4), np.array([0.1, 0.6], "float32"), axis=0),
    *each("quantile", distinct(3, 4, 2), 0.7, axis=(0, 2), keepdims=True),
    *each("percentile", distinct(3, 4), 30.0),
    *each("quantile", HOLES, 0.5, axis=0),
    *each("nanmedian", HOLES),
    *each("median", SPECIAL[[0, 2, 2, 3, 5]]),
    *each("nanmedian", np.float32([[1, np.inf, -np.inf], [np.nan] * 3]), axis=0),
    *each("nanmedian", HOLES, axis=1, keepdims=True),
    *(
        Case("nanquantile", (GAPS, 0.3), {"axis": 1, "method": method})
        for method in words("linear lower higher midpoint nearest")
    ),
    *each("nanquantile", GAPS, np.array([0.1, 0.6], "float32"), axis=(0, 2)),
    *each("nanpercentile", GAPS, 30.0, keepdims=True),
    *each("nanargmax nanargmin", HOLES),
    *each("nanargmax nanargmin", GAPS, axis=1, keepdims=True),
    *each("nanargmax nanargmin", np.full((2, 2), np.nan, "float32"), axis=0),
    *each("nancumsum nancumprod", HOLES),
    *each("nancumsum nancumprod", HOLES, axis=1, dtype="float16"),
    *each("nancumsum nansum", integers(4)),
    *each("corrcoef", floats(3, 8)),
    *each("corrcoef", integers(9)),
    *(
        Case("correlate", pair, {"mode": mode})
        for mode in words("valid same full")
        for pair in [
            (floats(5), floats(3)),
            (floats(2), floats(7)),
            (integers(4), floats(4)),
        ]
    ),
    *each("histogram", floats(40)),
    *each("histogram", integers(40), bins=4),
    *each("histogram", SPECIAL[[0, 1, 4, 5]], bins=3, range=(-2.5, 1.5)),
    *each("histogram", np.ones(3, "float32"), bins=3),
    *each("histogram", floats(0), bins=3, range=(0.0, 2.0)),
]

CUBE = floats(2, 3, 4)
RESHAPING = [
    *each("reshape", CUBE, (3, -1)),
    *each("reshape", CUBE, (4, 6)),
    *each("ravel flipud fliplr transpose squeeze", CUBE),
    *each("transpose", CUBE, (1, 2, 0)),
    *each("transpose", CUBE, axes=(0, 2, 1)),
    *each("swapaxes", CUBE, 0, -1),
    *each("moveaxis", CUBE, 0, -1),
    *each("moveaxis", CUBE, (0, 1), (1, 2)),
    *each("expand_dims", CUBE, 1),
    *each("expand_dims", CUBE, (0, -1)),
    *each("squeeze", CUBE[:, :1], 1),
    *each("squeeze", CUBE[:1, :, :1], axis=(0, 2)),
    *each("broadcast_to", floats(3, 1), (2, 3, 4)),
    *each("flip", CUBE),
    *each("flip", CUBE, axis=1),
    *each("roll", CUBE, 2),
    *each("roll", CUBE, 1, axis=1),
    *each("rot90", CUBE),
    *each("rot90", CUBE, k=3, axes=(0, 2)),
    *each("rot90", CUBE, k=-2, axes=(1, 2)),
    *each("tile", CUBE, 2),
    *each("tile", X, (2, 1, 3)),
    *each("repeat", CUBE, 2),
    *each("repeat", CUBE, 3, axis=1),
    *each("pad", X, 1),
    *each("pad", X, (1, 2)),
    *each("pad", X, ((1, 0), (2, 2)), constant_values=5.0),
    *each("pad", X, ((1, 0), (2, 2)), mode="reflect"),
    *each("pad", X, ((1, 0), (2, 2)), mode="symmetric"),
    *each("stack", [X, Y]),
    *each("stack", [X, Y], axis=-1),
    *each("concatenate", [X, Y]),
    *each("concatenate", [X, integers(3, 2)], axis=1),
    *each("append", X, Y),
    *each("append", X, Y, axis=1),
    *each("vstack hstack dstack", [X, Y]),
    *each("vstack hstack dstack", [X[0], Y[0]]),
    *each("vstack hstack dstack", [CUBE, CUBE]),
    *each("meshgrid", X[0], Y[1]),
    *each("meshgrid", X[0], Y[1], indexing="ij"),
    Case("unstack", (CUBE,), {"axis": 1}, unknown=False),
    *each("split", CUBE, 2),
    *each("split", CUBE, [1, 3], axis=-1),
    Case("array_split", (CUBE, 3), {"axis": -1}, unknown=False),
    *each("vsplit hsplit", CUBE, [1]),
    *each("dsplit", CUBE, 2),
    *each("depth_to_space", floats(2, 3, 2, 8), 2),
    *each("depth_to_space", floats(2, 8, 3, 2), 2, data_format="channels_first"),
    *each("space_to_depth", floats(2, 4, 6, 3), 2),
    *each("space_to_depth", floats(2, 3, 4, 6), 2, data_format="channels_first"),
]

PLACES = np.array([[0, 2], [1, 1]], "int32")
PLACES_TOO = {f"return_{name}": True for name in words("index inverse counts")}
INDEXING = [
    *each("sort argsort", distinct(3, 4)),
    *each("sort argsort", distinct(3, 4), axis=0),
    *each("top_k", distinct(3, 4), 2),
    *each("unique", integers(9)),
    *each("unique", integers(3, 4), **PLACES_TOO),
    *each("unique", floats(2, 3)[[0, 1, 0]], axis=0, **PLACES_TOO),
    *each("unique", integers(2, 3)[:, [0, 1, 0, 0]], axis=-1, size=4, **PLACES_TOO),
    *each("unique", integers(9), size=12, fill_value=7, **PLACES_TOO),
    *each("unique", integers(9), size=2, **PLACES_TOO),
    *each("in_top_k", np.array([1, 0, 3]), distinct(3, 4), 2),
    *each("searchsorted", np.sort(distinct(5)), floats(3)),
    *each("searchsorted", np.sort(distinct(5)), floats(3), side="right"),
    *each("digitize", floats(5), np.array([-1.0, 0.0, 1.0], "float32")),
    *each("take", X, PLACES),
    *each("take", X, PLACES, axis=1),
    *each("take", X, 1, axis=0),
    *each("take_along_axis", X, np.argsort(X, 1), axis=1),
    *each("take_along_axis", X, np.array([3, 1, 7])),
    *each("get_item", CUBE, (slice(None), 1)),
    *each("get_item", CUBE, (Ellipsis, slice(0, 4, 2))),
    *each("slice", CUBE, (0, 1, 1), (2, 2, 3)),
    *each("slice_update", CUBE, (0, 1, 2), floats(1, 2, 2)),
    *each("diag diagflat", X[0]),
    *each("diag diagonal trace tril triu", floats(4, 4)),
    *each("diag tril triu", floats(4, 5), k=1),
    *each("diagonal trace", CUBE, offset=1, axis1=1, axis2=2),
    *each("where", X > 0, X, Y),
    *each("where", X > 0, X, 0.0),
    *each("where", X > 0, integers(3, 4), 0.5),
    Case("where", (X > 0,), lazy=False),
    Case("nonzero", (integers(3, 4),), lazy=False),
    *each("select", [X > 1, X > 0], [X, Y], 5.0),
    *each("isin", integers(3, 4), np.array([1, 2, -3])),
    *each("isin", integers(3, 4), np.array([1, 2, -3]), invert=True),
    *each("one_hot", np.array([[0, 3], [-1, 2]]), 4),
    *each("one_hot", np.array([0, 3, 1]), 4, axis=0, dtype="int32"),
    *each("multi_hot", np.array([[0, 3], [1, 2]]), 4),
    *each("bincount", np.array([0, 3, 1, 3])),
    *each("bincount", np.array([0, 3, 1, 3]), minlength=6),
    *each("bincount", np.array([[0, 3, 1, 3]]), weights=floats(1, 4)),
    *each("unravel_index", np.int32([0, 5, 11]), (3, 4)),
    *each("scatter", PLACES, floats(2), (3, 4)),
    *each("scatter_update", X, PLACES, floats(2)),
    *(
        case
        for reduction in ("add", "max", "min", "mul")
        for case in each("scatter_update", X, PLACES, floats(2), reduction=reduction)
    ),
    *each("segment_sum", X, np.array([0, 1, 0]), num_segments=3),
]

FILLING = [
    *each("zeros ones", (2, 3)),
    *each("zeros ones", (2, 3), dtype="int32"),
    *each("zeros_like ones_like empty_like", integers(2, 3)),
    *each("zeros_like ones_like", X, dtype="bool"),
    *each("full", (2, 3), 7),
    *each("full", (2, 3), 7, dtype="int32"),
    *each("full_like", X, 2),
    *each("full_like", integers(3), 2.5, dtype="float16"),
    *each("eye identity", 3),
    *each("eye tri", 3, 4, 1),
    *each("eye", 3, dtype="int32"),
    *each("tri", 3),
    *each("arange", 5),
    *each("arange", 1, 7, 2),
    *each("arange", 0.5, 3),
    *each("arange", 0.1, 1.1, 0.1),  # ten numbers, which float32 would make eleven
    *each("arange", 5, dtype="float32"),
    *each("linspace", 0, 1, 5),
    *each("linspace", 0.0, 2.0, num=4, endpoint=False),
    *each("linspace", X[0], Y[0], num=4, axis=1),
    *each("linspace", 0.0, 2.0, num=5, retstep=True),
    *each("logspace", 0, 2, num=3),
    *each("logspace", 0.0, 2.0, num=4, base=2.0),
    *each("geomspace", 1, 1000, num=4),
    *each("geomspace", -1.0, -8.0, num=3, endpoint=False, dtype="float16"),
    *each("geomspace", positive(3), positive(2, 3), num=4, axis=-1),
    *each("array copy", X),
    *each("array", [1, 2], dtype="float16"),
    *each("convert_to_tensor", [1, 2]),
    *each("convert_to_tensor", [1.5, 2]),
    *each("convert_to_tensor", X, dtype="float16"),
    *each("cast", X, "int32"),
    *each("cast", integers(3), "bool"),
    *each("stop_gradient", X),
]

LINALG = [
    *each("matmul dot", X, floats(4, 5)),
    *each("matmul dot", CUBE, floats(2, 4, 5)[0]),
    *each("matmul", CUBE, floats(2, 4, 5)),
    *each("matmul", X, floats(4)),
    *each("matmul", floats(3), X),
    *each("matmul dot inner vdot", X[0], Y[0]),
    *each("matmul", integers(2, 3), integers(3, 2)),
    *each("dot", CUBE, floats(5, 4, 2)),
    *each("dot inner", X, 2.0),
    *each("inner", X, floats(5, 4)),
    *each("outer", floats(2, 3), floats(4)),
    *each("vdot", X, Y),
    *each("tensordot", CUBE, floats(3, 4, 5)),
    *each("tensordot", CUBE, floats(5, 3), axes=((1,), (1,))),
    Case("einsum", ("ij,jk->ik", X, floats(4, 2))),
    Case("einsum", ("bij,bkj->bik", CUBE, CUBE)),
    Case("einsum", ("...i->...", CUBE)),
    *each("kron", floats(2, 3), floats(3, 2)),
    *each("cross", floats(5, 3), floats(5, 3)),
    *each("cross", floats(3, 5), floats(3, 5), axis=0),
    Case("cross", (floats(5, 3), floats(4, 1, 2)), unknown=False),
    Case("cross", (floats(5, 2), floats(4, 1, 3)), unknown=False),
    Case("qr", (floats(4, 3),), unknown=False),
    Case("qr", (floats(2, 3, 4),), unknown=False),
    Case("qr", (floats(4, 3),), {"mode": "complete"}, unknown=False),
    *each("det inv slogdet lu_factor", whole := integers(3, 3)),
    Case("qr", (whole,), unknown=False),
    *each("det inv slogdet logdet lu_factor", regular(3, 3)),
    *each("det inv slogdet logdet lu_factor", regular(2, 4, 4)),
    *each("lu_factor pinv svd matrix_rank", floats(4, 3)),
    *each("lu_factor pinv svd matrix_rank", floats(2, 3, 5)),
    *each("cholesky cholesky_inverse eigh matrix_rank", positive_definite(3)),
    *each("cholesky cholesky_inverse", positive_definite(4), upper=True),
    *each("cholesky eigh", positive_definite(2, 3)),
    *each("svd", floats(4, 3), full_matrices=False),
    *each("svd", floats(2, 4, 3), compute_uv=False),
    *each("pinv", floats(4, 3), rcond=0.3),
    *each("matrix_rank", floats(4, 3), tol=1.5),
    *each("solve solve_triangular", regular(3, 3), floats(3)),
    *each("solve solve_triangular", regular(3, 3), floats(3, 2)),
    *each("solve solve_triangular", regular(2, 3, 3), floats(2, 3, 4)),
    *each("solve_triangular", regular(2, 3, 3), floats(2, 3, 4), lower=True),
    *each("solve lstsq", integers(3, 3, low=1), integers(3)),
    *each("lstsq", floats(5, 3), floats(5)),
    *each("lstsq", floats(3, 5), floats(3, 2)),
    *each("lstsq", floats(5, 3), floats(5, 2), rcond=0.5),
    *each("norm", X),
    *each("norm", X, axis=1),
    *each("norm", X, axis=0, ord=1, keepdims=True),
    *each("norm", X, axis=-1, ord=3),
    *each("norm", X, axis=-1, ord=np.inf),
    *each("norm", X, axis=-1, ord=0),
    *each("norm", X, ord="fro"),
    *each("norm", X, ord=1),
    *each("norm", CUBE, ord=-np.inf, axis=(1, 2), keepdims=True),
    *each("norm", integers(3)),
    *(
        Case("norm", (X,), {"ord": order, "keepdims": keepdims})
        for order in ("nuc", 2, -2, -1, np.inf)
        for keepdims in (False, True)
    ),
    *each("norm", CUBE, ord="nuc", axis=(2, 0), keepdims=True),
    *each("norm", CUBE, ord=2, axis=(0, -1)),
    *each("norm", CUBE, ord="fro", axis=(0, -1)),
    *each("rearrange", CUBE, "a b c -> c (b a)"),
    *each("rearrange", CUBE, "a b (c d) -> (a c) d b", c=2),
    *each("rearrange", CUBE, "(a e) b (c d)->a (d b) e c", d=2, e=1),
    *each("normalize", X),
    *each("normalize", X, axis=0, order=1),
    *each("cdist", floats(3, 4), floats(5, 4)),
    *each("diff", X),
    *each("diff", integers(3, 4), n=2, axis=0),
    *each("trapezoid", X),
    *each("trapezoid", X, np.sort(distinct(4))),
    *each("trapezoid", X, dx=0.5, axis=0),
    *each("vander", floats(3)),
    *each("vander", integers(3), N=2, increasing=True),
]

IMAGES = floats(2, 7, 6, 4)
ATTENTION = floats(2, 5, 4, 3), floats(2, 6, 4, 3), floats(2, 6, 4, 3)
NN = [
    *each(
        "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh "
        "leaky_relu log_sigmoid log_softmax relu relu6 selu sigmoid silu "
        "soft_shrink softmax "
        "softplus softsign sparse_plus sparse_sigmoid squareplus swish "
        "tanh_shrink glu",
        floats(3, 4) * 4,
    ),
    *each("softmax log_softmax glu", CUBE * 3, axis=-1),
    *each("softmax log_softmax", CUBE * 3, axis=(0, 2)),
    *each("celu elu", X, alpha=0.5),
    *each("gelu", X, approximate=False),
    *each("leaky_relu", X, negative_slope=0.1),
    *each("hard_shrink soft_shrink", X, threshold=1.0),
    *each("squareplus", X, b=1.0),
    *each("threshold", X, 0.5, 9.0),
    *each("conv", IMAGES, floats(3, 3, 4, 5)),
    *each("conv", IMAGES, floats(3, 2, 4, 5), strides=2, padding="same"),
    *each("conv", IMAGES, floats(3, 2, 4, 5), dilation_rate=2),
    Case("conv", (IMAGES, floats(3, 3, 2, 6), 1, "same"), unknown=False),
    *each("conv", floats(2, 4, 7, 6), floats(3, 3, 4, 5), data_format="channels_first"),
    *each("conv", floats(2, 7, 4), floats(3, 4, 5), strides=2),
    *each("conv", floats(1, 4, 5, 4, 2), floats(2, 2, 2, 2, 3), padding="same"),
    *each("depthwise_conv", IMAGES, floats(3, 3, 4, 2), padding="same"),
    *each("depthwise_conv", floats(2, 7, 4), floats(3, 4, 2)),
    *each("separable_conv", IMAGES, floats(3, 3, 4, 2), floats(1, 1, 8, 5)),
    *each("conv_transpose", IMAGES, floats(3, 3, 5, 4), strides=2),
    *each("conv_transpose", IMAGES, floats(3, 2, 5, 4), strides=2, padding="same"),
    Case(
        "conv_transpose",
        (floats(2, 7, 4), floats(3, 5, 4)),
        {"strides": 2, "padding": "same", "output_padding": 1},
        unknown=False,
    ),
    *each("max_pool average_pool", IMAGES, 2, strides=2),
    *each("max_pool average_pool", IMAGES, 3, strides=2, padding="same"),
    *each("max_pool average_pool", floats(2, 4, 7, 6), 2, 1, "valid", "channels_first"),
    *each("max_pool average_pool", floats(2, 7, 4), 3, strides=1),
    *each("max_pool average_pool", floats(1, 4, 4, 4, 2), (2, 1, 2), 2),
    *each("categorical_crossentropy", chances(3, 4), chances(3, 4)),
    *each("categorical_crossentropy", chances(3, 4), X * 3, from_logits=True),
    *each("categorical_crossentropy", positive(3, 4, 2), positive(3, 4, 2), axis=1),
    *each("categorical_crossentropy", CUBE, CUBE[::-1] * 3, from_logits=True, axis=1),
    *each("sparse_categorical_crossentropy", np.array([1, 0, 3]), chances(3, 4)),
    *each("sparse_categorical_crossentropy", np.array([[1], [0], [3]]), chances(3, 4)),
    *each("sparse_categorical_crossentropy", np.array([1, 0, 3]), X, from_logits=True),
    *each("binary_crossentropy", booleans(3, 4), chances(3, 4)),
    *each("binary_crossentropy", chances(3, 4), X * 5, from_logits=True),
    *each("binary_crossentropy", np.float32([0, 1, 1]), np.float32([0, 1, 0])),
    *each(
        "ctc_loss",
        np.array([[1, 2, 1, 3], [2, 2, 0, 0], [3, 1, 2, 2]]),
        floats(3, 9, 5),
        np.array([4, 2, 0]),
        np.array([9, 7, 8]),
    ),
    *each(
        "ctc_loss",
        np.array([[1, 0, 1], [2, 2, 3]]),
        floats(2, 6, 5),
        np.array([2, 3]),
        np.array([6, 5]),
        mask_index=4,
    ),
    *(
        Case("ctc_decode", (floats(3, 9, 5), np.array([9, 7, 2])), kwargs)
        for kwargs in [
            {},
            {"merge_repeated": False, "mask_index": None},
            {"strategy": "beam_search", "beam_width": 4, "top_paths": 3},
            {"strategy": "beam_search", "mask_index": 2},
        ]
    ),
    *each("unfold", floats(2, 3, 7, 6), 3),
    *each("unfold", floats(2, 3, 7, 6), (3, 2), (1, 2), (0, 1), (2, 1)),
    *each("fold", floats(2, 12, 12), (4, 5), 2),
    *each("fold", floats(2, 12, 9), 5, (2, 2), dilation=2, padding=1, stride=2),
    *(
        Case(name, args)
        for name in words("adaptive_average_pool adaptive_max_pool")
        for args in [
            (IMAGES, (3, 4)),
            (IMAGES, (8, 2)),
            (floats(2, 3, 10), (7,), "channels_first"),
            (floats(1, 4, 5, 4, 2), (2, 3, 1)),
        ]
    ),
    *each("moments", X, axes=(0,)),
    *each("moments", CUBE, axes=(0, 2), keepdims=True),
    *each("batch_normalization", X, floats(4), positive(4), axis=-1),
    *each(
        "batch_normalization",
        CUBE,
        floats(3),
        positive(3),
        axis=1,
        offset=floats(3),
        scale=floats(3),
        epsilon=0.1,
    ),
    *each("layer_normalization", CUBE),
    *each("layer_normalization", CUBE, floats(4), floats(4), epsilon=0.1),
    *each("layer_normalization", CUBE, floats(3, 4), floats(3, 4), axis=(1, 2)),
    *each("rms_normalization", CUBE),
    *each("rms_normalization", CUBE, floats(4), epsilon=0.1),
    *each("psnr", chances(3, 4), chances(3, 4), 1.0),
    *(
        Case("dot_product_attention", args, kwargs)
        for args, kwargs in [
            (ATTENTION, {}),
            (ATTENTION, {"scale": 0.3, "is_causal": True}),
            (ATTENTION, {"mask": booleans(2, 1, 5, 6)}),
            (ATTENTION, {"bias": floats(2, 4, 5, 6)}),
        ]
    ),
    Case(
        "dot_product_attention",
        (ATTENTION[0], floats(2, 6, 2, 3), floats(2, 6, 2, 3)),
        unknown=False,
    ),
]

CASES: list[Case] = list(
    itertools.chain(ELEMENTWISE, REDUCTIONS, RESHAPING, INDEXING, FILLING, LINALG, NN)
)
