"""TensorFlow 1's functions of tensors, as one table: its name, our function.

Each line gives TensorFlow's name to a function of `minikeras.engine.ops`, with
TensorFlow's names of the arguments. Where TensorFlow 1 means something else, the
difference is written out below, in a function of a few lines.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Sequence
from typing import Any

from minikeras.engine import ops
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.facade import graph_function
from minikeras.engine.graph import Tensor, is_symbolic
from minikeras.engine.op import as_tensor

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "add_n",
    "argmax",
    "argmin",
    "argsort",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "boolean_mask",
    "broadcast_to",
    "cast",
    "ceil",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "concat",
    "convert_to_tensor",
    "cos",
    "cosh",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "diag",
    "diag_part",
    "div",
    "div_no_nan",
    "divide",
    "einsum",
    "equal",
    "erf",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "fill",
    "floor",
    "floor_div",
    "floordiv",
    "floormod",
    "gather",
    "gather_nd",
    "global_norm",
    "greater",
    "greater_equal",
    "identity",
    "is_finite",
    "is_inf",
    "is_nan",
    "less",
    "less_equal",
    "lin_space",
    "linspace",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "maximum",
    "meshgrid",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "norm",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "pow",
    "qr",
    "range",
    "rank",
    "realdiv",
    "reciprocal",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "reshape",
    "reverse",
    "rint",
    "round",
    "rsqrt",
    "scatter_nd",
    "segment_sum",
    "sequence_mask",
    "shape",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size",
    "slice",
    "sort",
    "split",
    "sqrt",
    "square",
    "squared_difference",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "subtract",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "to_double",
    "to_float",
    "to_int32",
    "to_int64",
    "trace",
    "transpose",
    "truediv",
    "unsorted_segment_sum",
    "unstack",
    "where",
    "zeros",
    "zeros_like",
]

_REDUCTION = {
    "input_tensor": "x",
    "reduction_indices": "axis",
    "keep_dims": "keepdims",
}
_PAIR = {"x": "x1", "y": "x2"}

# -- arithmetic ------------------------------------------------------------------------

add = graph_function(ops.add)
subtract = graph_function(ops.subtract)
multiply = graph_function(ops.multiply)
divide = graph_function(ops.divide)
truediv = realdiv = divide
div_no_nan = graph_function(ops.divide_no_nan)
floordiv = floor_div = graph_function(ops.floor_divide)
mod = floormod = graph_function(ops.mod)
pow = graph_function(ops.power)
squared_difference = graph_function(ops.squared_difference)
maximum = graph_function(ops.maximum, **_PAIR)
minimum = graph_function(ops.minimum, **_PAIR)
add_n = graph_function(ops.add_n)

# -- elementwise -----------------------------------------------------------------------

abs = graph_function(ops.absolute)
negative = graph_function(ops.negative)
sign = graph_function(ops.sign)
square = graph_function(ops.square)
sqrt = graph_function(ops.sqrt)
rsqrt = graph_function(ops.rsqrt)
reciprocal = graph_function(ops.reciprocal)
exp = graph_function(ops.exp)
expm1 = graph_function(ops.expm1)
log = graph_function(ops.log)
log1p = graph_function(ops.log1p)
erf = graph_function(ops.erf)
floor = graph_function(ops.floor)
ceil = graph_function(ops.ceil)
round = graph_function(ops.round)
rint = round
sin = graph_function(ops.sin)
cos = graph_function(ops.cos)
tan = graph_function(ops.tan)
asin = graph_function(ops.arcsin)
acos = graph_function(ops.arccos)
atan = graph_function(ops.arctan)
atan2 = graph_function(ops.arctan2, y="x1", x="x2")
sinh = graph_function(ops.sinh)
cosh = graph_function(ops.cosh)
tanh = graph_function(ops.tanh)
asinh = graph_function(ops.arcsinh)
acosh = graph_function(ops.arccosh)
atanh = graph_function(ops.arctanh)
sigmoid = graph_function(ops.sigmoid)
clip_by_value = graph_function(
    ops.clip, t="x", clip_value_min="x_min", clip_value_max="x_max"
)

# -- comparison and logic --------------------------------------------------------------

equal = graph_function(ops.equal, **_PAIR)
not_equal = graph_function(ops.not_equal, **_PAIR)
less = graph_function(ops.less, **_PAIR)
less_equal = graph_function(ops.less_equal, **_PAIR)
greater = graph_function(ops.greater, **_PAIR)
greater_equal = graph_function(ops.greater_equal, **_PAIR)
logical_and = graph_function(ops.logical_and, **_PAIR)
logical_or = graph_function(ops.logical_or, **_PAIR)
logical_xor = graph_function(ops.logical_xor, **_PAIR)
logical_not = graph_function(ops.logical_not)
is_nan = graph_function(ops.isnan)
is_inf = graph_function(ops.isinf)
is_finite = graph_function(ops.isfinite)

# -- reductions ------------------------------------------------------------------------

reduce_sum = graph_function(ops.sum, **_REDUCTION)
reduce_max = graph_function(ops.max, **_REDUCTION)
reduce_min = graph_function(ops.min, **_REDUCTION)
reduce_prod = graph_function(ops.prod, **_REDUCTION)
reduce_all = graph_function(ops.all, **_REDUCTION)
reduce_any = graph_function(ops.any, **_REDUCTION)
reduce_logsumexp = graph_function(ops.logsumexp, **_REDUCTION)

# -- shapes ----------------------------------------------------------------------------

shape = graph_function(ops.shape, input="x", out_type="dtype")
rank = graph_function(ops.rank, input="x")
reshape = graph_function(ops.reshape, tensor="x", shape="newshape")
transpose = graph_function(ops.transpose, a="x", perm="axes")
expand_dims = graph_function(ops.expand_dims, input="x", dim="axis")
squeeze = graph_function(ops.squeeze, input="x", squeeze_dims="axis")
broadcast_to = graph_function(ops.broadcast_to, input="x")
concat = graph_function(ops.concatenate, values="xs", concat_dim="axis")
stack = graph_function(ops.stack, values="xs")
unstack = graph_function(ops.unstack, value="x")
split = graph_function(ops.split, value="x", num_or_size_splits="sizes")
tile = graph_function(ops.tile, input="x", multiples="repeats")
slice = graph_function(ops.slice, input_="x", begin="start")
reverse = graph_function(ops.flip, tensor="x")
gather_nd = graph_function(ops.gather_nd, params="x")
scatter_nd = graph_function(ops.scatter_nd)
boolean_mask = graph_function(ops.boolean_mask, tensor="x")
meshgrid = graph_function(ops.meshgrid)
sort = graph_function(ops.sort, values="x")
argsort = graph_function(ops.argsort, values="x")
unsorted_segment_sum = graph_function(ops.segment_sum, data="x")

# -- products --------------------------------------------------------------------------

matmul = graph_function(ops.matmul)
tensordot = graph_function(ops.tensordot, a="x1", b="x2")
einsum = graph_function(ops.einsum)
trace = graph_function(ops.trace)
diag = graph_function(ops.diag, diagonal="x")
diag_part = graph_function(ops.diagonal, input="x")
qr = graph_function(ops.qr, input="x")

# -- new tensors -----------------------------------------------------------------------

zeros = graph_function(ops.zeros)
ones = graph_function(ops.ones)
zeros_like = graph_function(ops.zeros_like, tensor="x")
ones_like = graph_function(ops.ones_like, tensor="x")
fill = graph_function(ops.full, dims="shape", value="fill_value")
range = graph_function(ops.arange, limit="stop", delta="step")
linspace = lin_space = graph_function(ops.linspace)

# -- identities ------------------------------------------------------------------------

identity = graph_function(ops.identity, input="x")
stop_gradient = graph_function(ops.stop_gradient, input="x")


# -- where TensorFlow 1 differs --------------------------------------------------------


@graph_function
def convert_to_tensor(value: Any, dtype: Any = None) -> Tensor:
    """Return `value` as a tensor: itself, a variable's value, or a constant."""
    return as_tensor(value, None if dtype is None else as_dtype(dtype))


@graph_function
def cast(x: Any, dtype: Any) -> Tensor:
    """Return `x` in another dtype; itself if it has that dtype already."""
    return ops.cast(as_tensor(x), dtype)


to_float = functools.partial(cast, dtype="float32")
to_double = functools.partial(cast, dtype="float64")
to_int32 = functools.partial(cast, dtype="int32")
to_int64 = functools.partial(cast, dtype="int64")


@graph_function
def div(x: Any, y: Any) -> Tensor:
    """Return x / y, rounded down if both are integers, as in Python 2."""
    x, y = as_tensor(x), as_tensor(y)
    whole = x.dtype.is_integer and y.dtype.is_integer
    return ops.floor_divide(x, y) if whole else ops.divide(x, y)


def _mean(x: Any, axis: Any = None, keepdims: bool | None = None) -> Tensor:
    """Return the mean of `x` over `axis`; of integers an integer, rounded to zero."""
    x = as_tensor(x)
    mean = ops.mean(x, axis, bool(keepdims))
    return ops.cast(mean, x.dtype) if x.dtype.is_integer else mean


reduce_mean = graph_function(_mean, **_REDUCTION)


@graph_function
def count_nonzero(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, dtype: Any = "int64"
) -> Tensor:
    """Return how many elements along `axis` are not 0."""
    return ops.cast(ops.count_nonzero(input_tensor, axis, keepdims), dtype)


@graph_function
def cumsum(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False
) -> Tensor:
    """Return the running sums along `axis`; `exclusive` ones end before their term."""
    return ops.cumsum(x, axis, exclusive, reverse)


@graph_function
def cumprod(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False
) -> Tensor:
    """Return the running products along `axis`; see `cumsum`."""
    return ops.cumprod(x, axis, exclusive, reverse)


@graph_function
def segment_sum(data: Any, segment_ids: Any) -> Tensor:
    """Return the sums of the rows of `data` whose numbers, which ascend, are equal."""
    return ops.segment_sum(data, segment_ids, ops.max(segment_ids) + 1)


@graph_function
def size(input: Any, out_type: Any = "int32") -> Tensor:
    """Return the number of elements of `input`."""
    return ops.cast(ops.size(input), out_type)


def _first_given(*values: Any) -> Any:
    return next(value for value in values if value is not None)


@graph_function
def argmax(
    input: Any, axis: Any = None, dimension: Any = None, output_type: Any = "int64"
) -> Tensor:
    """Return where along `axis` (the first by default) the largest element is."""
    along = _first_given(axis, dimension, 0)
    return ops.argmax(input, along, dtype=output_type)


@graph_function
def argmin(
    input: Any, axis: Any = None, dimension: Any = None, output_type: Any = "int64"
) -> Tensor:
    """Return where along `axis` (the first by default) the smallest element is."""
    along = _first_given(axis, dimension, 0)
    return ops.argmin(input, along, dtype=output_type)


@graph_function
def where(condition: Any, x: Any = None, y: Any = None) -> Tensor:
    """Return x where `condition` holds, else y; without them, where it holds.

    A vector `condition` beside an `x` of higher rank chooses whole rows.

    Shapes:
        condition: (d_1, ..., d_k)
        returns: (found, k) int64, if `x` and `y` are not given
    """
    if x is None or y is None:
        return ops.cast(ops.argwhere(condition), "int64")
    condition, x = as_tensor(condition), as_tensor(x)
    if condition.ndim == 1 and (x.ndim or 0) > 1:
        condition = ops.reshape(condition, (-1, *(1,) * (x.ndim - 1)))
    return ops.where(condition, x, y)


@graph_function
def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool = False,
    keep_dims: bool = False,
) -> Tensor:
    """Return the norm of vectors along `axis`, of everything if it is None.

    Args:
        tensor: of what.
        ord: ``"euclidean"``, infinity, or p of the p-norm: the root of degree p of the
            sum of all absolute values to the power p.
        axis: along which.
        keepdims: whether the axis stays, with size 1.
        keep_dims: the same by its old name.
    """
    keep = keepdims or keep_dims
    if ord in ("euclidean", 2):
        return ops.sqrt(ops.sum(ops.square(tensor), axis, keep))
    sizes = ops.absolute(tensor)
    if ord == float("inf"):
        return ops.max(sizes, axis, keep)
    return ops.power(ops.sum(ops.power(sizes, ord), axis, keep), 1 / ord)


@graph_function
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Tensor:
    """Return `t`, scaled down where its Euclidean norm is above `clip_norm`."""
    t = as_tensor(t)
    total = ops.sum(ops.square(t), axes, keepdims=True)
    # Where t is 0 the root has no finite gradient: a 1 stands in for it there.
    length = ops.sqrt(ops.where(total > 0, total, ops.ones_like(total)))
    return t * (clip_norm / ops.maximum(length, clip_norm))


@graph_function
def global_norm(t_list: Sequence[Any]) -> Tensor:
    """Return the Euclidean norm of all tensors in the list together; skip None."""
    squares = [ops.sum(ops.square(t)) for t in t_list if t is not None]
    return ops.sqrt(ops.add_n(squares))


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Tensor | None], Tensor]:
    """Return the tensors, scaled down if their common norm is above a limit; the norm.

    Args:
        t_list: tensors, and None, which stays.
        clip_norm: the limit.
        use_norm: the common norm, if it has been computed.
        name: of the norm.
    """
    length = global_norm(t_list, name=name) if use_norm is None else use_norm
    scale = clip_norm / maximum(length, clip_norm)
    return [t if t is None else multiply(t, scale) for t in t_list], length


@graph_function
def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: int = 0
) -> Tensor:
    """Return the slices of `params` that integer `indices` name, along an axis."""
    return ops.take(params, indices, axis)


@graph_function
def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
) -> Tensor:
    """Return vectors with `on_value` at the places `indices`, `off_value` elsewhere.

    Args:
        indices: integers; one outside of 0 to depth - 1 makes a vector without a place.
        depth: length of the vectors.
        on_value: 1 by default.
        off_value: 0 by default.
        axis: along which the vectors lie, by default the last.
        dtype: by default that of `on_value`, or else float32.
    """
    on = 1 if on_value is None else on_value
    off = 0 if off_value is None else off_value
    given = [value for value in (on_value, off_value) if value is not None]
    kind = dtype or (as_tensor(given[0]).dtype if given else "float32")
    place = -1 if axis is None else axis
    if not is_symbolic([depth, on, off]):
        return ops.one_hot(indices, depth, on, off, place, kind)
    hits = ops.equal(ops.expand_dims(indices, -1), ops.arange(depth))
    return ops.moveaxis(
        ops.where(hits, ops.cast(on, kind), ops.cast(off, kind)), -1, place
    )


@graph_function
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0
) -> Tensor:
    """Return `tensor` with a border of (before, behind) elements along each axis.

    Args:
        tensor: what to pad.
        paddings: a pair of sizes for each axis.
        mode: ``CONSTANT``, ``REFLECT`` (the edge is not repeated) or ``SYMMETRIC``.
        constant_values: the border's value in constant mode.
    """
    return ops.pad(tensor, paddings, mode.lower(), constant_values)


@graph_function
def strided_slice(input_: Any, begin: Any, end: Any, strides: Any = None) -> Tensor:
    """Return ``input_[begin[0]:end[0]:strides[0], begin[1]: ...]``."""
    steps = [1] * len(begin) if strides is None else strides
    index = map(builtins.slice, begin, end, steps)
    return as_tensor(input_)[builtins.tuple(index)]


@graph_function
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool") -> Tensor:
    """Return, for each length n, n times true and then false, `maxlen` in all.

    Args:
        lengths: integers of any shape.
        maxlen: by default the largest of them.
        dtype: of the result.

    Shapes:
        lengths: (...)
        returns: (..., maxlen)
    """
    lengths = as_tensor(lengths)
    longest = ops.max(lengths) if maxlen is None else maxlen
    mask = ops.less(ops.arange(longest), ops.expand_dims(lengths, -1))
    return ops.cast(mask, dtype)


@graph_function
def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Sequence[int] | None = None,
    dtype: Any = "float32",
) -> Tensor:
    """Return the identity matrix, or a batch of identity matrices."""
    matrix = ops.eye(num_rows, num_columns, dtype=dtype)
    if not batch_shape:
        return matrix
    return ops.tile(matrix, (*batch_shape, 1, 1))
