"""Element by element, and reductions."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minikeras.engine import ops
from minikeras.export.emission import UnsupportedError
from minikeras.export.library import dtype_of_element
from minikeras.export.reading.program import RULES, Step, enter, known

__all__ = ["rank", "size_along"]

# What the engine has under another name, with the same meaning.
SAME: dict[str, Callable[..., Any]] = {
    "Abs": ops.absolute,
    "Acos": ops.arccos,
    "Acosh": ops.arccosh,
    "And": ops.logical_and,
    "Asin": ops.arcsin,
    "Asinh": ops.arcsinh,
    "Atan": ops.arctan,
    "Atanh": ops.arctanh,
    "BitwiseAnd": ops.bitwise_and,
    "BitwiseNot": ops.bitwise_not,
    "BitwiseOr": ops.bitwise_or,
    "BitwiseXor": ops.bitwise_xor,
    "Ceil": ops.ceil,
    "Cos": ops.cos,
    "Cosh": ops.cosh,
    "Det": ops.det,
    "Equal": ops.equal,
    "Erf": ops.erf,
    "Exp": ops.exp,
    "Floor": ops.floor,
    "Greater": ops.greater,
    "GreaterOrEqual": ops.greater_equal,
    "IsNaN": ops.isnan,
    "Less": ops.less,
    "LessOrEqual": ops.less_equal,
    "Log": ops.log,
    "MatMul": ops.matmul,
    "Neg": ops.negative,
    "Not": ops.logical_not,
    "Or": ops.logical_or,
    "Reciprocal": ops.reciprocal,
    "Relu": ops.relu,
    "Round": ops.round,
    "Sigmoid": ops.sigmoid,
    "Sign": ops.sign,
    "Sin": ops.sin,
    "Sinh": ops.sinh,
    "Softplus": ops.softplus,
    "Softsign": ops.softsign,
    "Sqrt": ops.sqrt,
    "Tan": ops.tan,
    "Tanh": ops.tanh,
    "Where": ops.where,
    "Xor": ops.logical_xor,
}

ARITHMETIC = {"Add": ops.add, "Sub": ops.subtract, "Mul": ops.multiply}
FOLDED = {"Max": ops.maximum, "Min": ops.minimum, "Sum": ops.add}


def rank(x: Any) -> int:
    """Return how many axes a value has.

    Raises:
        UnsupportedError: if that is not known.
    """
    shape = np.shape(x) if not hasattr(x, "shape") else x.shape
    if shape is None:
        raise UnsupportedError("the number of axes of an input must be known")
    return len(shape)


def size_along(x: Any, axis: int) -> Any:
    """Return the size of a value along an axis: a number, or else a tensor."""
    known = x.shape[axis]
    return ops.shape(x, "int64")[axis] if known is None else known


def _same(function: Callable[..., Any], n: Step, *xs: Any) -> Any:
    return function(*xs)


def _folded(function: Callable[..., Any], n: Step, *xs: Any) -> Any:
    return functools.reduce(function, xs)


RULES.update({k: functools.partial(_same, f) for k, f in SAME.items()})
RULES.update({k: functools.partial(_folded, f) for k, f in FOLDED.items()})


def _arithmetic(function: Callable[..., Any], n: Step, x: Any, y: Any) -> Any:
    """Return the result, of operands that old versions broadcast by an attribute."""
    if n.get("broadcast") and n.get("axis") is not None:
        missing = rank(x) - n.get("axis") - rank(y)
        y = ops.expand_dims(y, [-1 - i for i in range(missing)]) if missing else y
    return function(x, y)


RULES.update({k: functools.partial(_arithmetic, f) for k, f in ARITHMETIC.items()})


@enter("Div")
def div(n: Step, x: Any, y: Any) -> Any:
    """z = x / y; of integers without the fraction."""
    quotient = _arithmetic(ops.divide, n, x, y)
    kinds = {str(v.dtype) for v in (x, y)}
    if any("float" in kind for kind in kinds):
        return quotient
    exact = (
        ops.floor_divide(ops.absolute(x), ops.absolute(y)) * ops.sign(x) * ops.sign(y)
    )
    return ops.cast(exact, x.dtype)


@enter("Pow")
def power(n: Step, x: Any, y: Any) -> Any:
    """z = x^y, of the kind of x."""
    return ops.cast(ops.power(x, y), x.dtype)


@enter("Mod")
def mod(n: Step, x: Any, y: Any) -> Any:
    """z = x mod y, with the sign of y, or of x if `fmod`."""
    return ops.fmod(x, y) if n.get("fmod") else ops.mod(x, y)


@enter("Mean")
def mean_of(n: Step, *xs: Any) -> Any:
    """y = the mean of all inputs."""
    return functools.reduce(ops.add, xs) / len(xs)


@enter("IsInf")
def isinf(n: Step, x: Any) -> Any:
    """y = whether x is infinite, in the directions that count."""
    up = ops.greater(x, 0) if not n.get("detect_negative", 1) else True
    down = ops.less(x, 0) if not n.get("detect_positive", 1) else True
    return ops.logical_and(ops.isinf(x), ops.logical_and(up, down))


@enter("Identity", "Dropout")
def identity(n: Step, x: Any, *others: Any) -> Any:
    """y = x: nothing is dropped in inference."""
    if len(n.outputs) > 1:
        return x, ops.ones_like(x, dtype="bool")
    return x


@enter("Cast")
def cast(n: Step, x: Any) -> Any:
    """y = x in another dtype."""
    return ops.cast(x, dtype_of_element(n.get("to")))


@enter("CastLike")
def cast_like(n: Step, x: Any, like: Any) -> Any:
    """y = x in the dtype of another."""
    return ops.cast(x, like.dtype)


@enter("Clip")
def clip(n: Step, x: Any, low: Any = None, high: Any = None) -> Any:
    """y = min(max(x, low), high); a bound may be missing."""
    low = n.get("min") if low is None else low
    high = n.get("max") if high is None else high
    x = x if low is None else ops.maximum(x, _of_kind(low, x))
    return x if high is None else ops.minimum(x, _of_kind(high, x))


def _of_kind(value: Any, x: Any) -> Any:
    return ops.cast(np.asarray(value) if isinstance(value, float) else value, x.dtype)


# -- activations -----------------------------------------------------------------------


@enter("Elu")
def elu(n: Step, x: Any) -> Any:
    """y = x where x > 0, else alpha (e^x - 1)."""
    return ops.elu(x, n.get("alpha", 1.0))


@enter("Celu")
def celu(n: Step, x: Any) -> Any:
    """y = x where x > 0, else alpha (e^(x / alpha) - 1)."""
    alpha = n.get("alpha", 1.0)
    return alpha * ops.elu(x / alpha)


@enter("Selu")
def selu(n: Step, x: Any) -> Any:
    """y = gamma x where x > 0, else gamma alpha (e^x - 1)."""
    alpha, gamma = n.get("alpha", 1.6732632423543772), n.get("gamma", 1.05070102214813)
    return gamma * ops.elu(x, alpha)


@enter("LeakyRelu")
def leaky_relu(n: Step, x: Any) -> Any:
    """y = x where x > 0, else alpha x."""
    return ops.leaky_relu(x, n.get("alpha", 0.01))


@enter("PRelu")
def prelu(n: Step, x: Any, slope: Any) -> Any:
    """y = x where x > 0, else slope x."""
    return ops.where(ops.greater(x, 0), x, x * slope)


@enter("ThresholdedRelu")
def thresholded_relu(n: Step, x: Any) -> Any:
    """y = x where x > alpha, else 0."""
    return ops.where(ops.greater(x, n.get("alpha", 1.0)), x, ops.zeros_like(x))


@enter("HardSigmoid")
def hard_sigmoid(n: Step, x: Any) -> Any:
    """y = alpha x + beta, between 0 and 1."""
    return ops.clip(n.get("alpha", 0.2) * x + n.get("beta", 0.5), 0.0, 1.0)


@enter("HardSwish")
def hard_swish(n: Step, x: Any) -> Any:
    """y = x (x / 6 + 1/2), the latter between 0 and 1."""
    return x * ops.clip(x / 6 + 0.5, 0.0, 1.0)


@enter("Gelu")
def gelu(n: Step, x: Any) -> Any:
    """y = x times the normal distribution at x, or an approximation by tanh."""
    if n.get("approximate", "none") == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1 + ops.tanh(inner))
    return 0.5 * x * (1 + ops.erf(x * math.sqrt(0.5)))


@enter("Mish")
def mish(n: Step, x: Any) -> Any:
    """y = x tanh(softplus(x))."""
    return x * ops.tanh(ops.softplus(x))


@enter("Swish")
def swish(n: Step, x: Any) -> Any:
    """y = x sigmoid(alpha x)."""
    return x * ops.sigmoid(n.get("alpha", 1.0) * x)


def _softmax(function: Callable[..., Any], n: Step, x: Any) -> Any:
    if n.opset >= 13:
        return function(x, n.get("axis", -1))
    axis = n.get("axis", 1) % rank(x)  # all axes from there on are one
    return function(x, tuple(range(axis, rank(x))))


RULES["Softmax"] = functools.partial(_softmax, ops.softmax)
RULES["LogSoftmax"] = functools.partial(_softmax, ops.log_softmax)


# -- reductions ------------------------------------------------------------------------


def _norm1(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.sum(ops.absolute(x), axis, keepdims)


def _sum_of_squares(x: Any, axis: Any, keepdims: bool) -> Any:
    return ops.sum(x * x, axis, keepdims)


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "ReduceL1": _norm1,
    "ReduceL2": lambda *args: ops.sqrt(_sum_of_squares(*args)),
    "ReduceLogSum": lambda *args: ops.log(ops.sum(*args)),
    "ReduceLogSumExp": ops.logsumexp,
    "ReduceMax": ops.max,
    "ReduceMean": ops.mean,
    "ReduceMin": ops.min,
    "ReduceProd": ops.prod,
    "ReduceSum": ops.sum,
    "ReduceSumSquare": _sum_of_squares,
}


def _reduced(function: Callable[..., Any], n: Step, *given: Any) -> Any:
    axes = n.integers("axes", given, 1)
    if not axes and n.get("noop_with_empty_axes"):
        return given[0]
    chosen = tuple(axes) if axes else None
    return function(given[0], chosen, bool(n.get("keepdims", 1)))


RULES.update({k: functools.partial(_reduced, f) for k, f in REDUCTIONS.items()})


def _extreme_place(function: Callable[..., Any], n: Step, x: Any) -> Any:
    axis, keepdims = n.get("axis", 0), bool(n.get("keepdims", 1))
    if not n.get("select_last_index"):
        return function(x, axis, keepdims, "int64")
    last = size_along(x, axis) - 1
    return last - function(ops.flip(x, (axis,)), axis, keepdims, "int64")


RULES["ArgMax"] = functools.partial(_extreme_place, ops.argmax)
RULES["ArgMin"] = functools.partial(_extreme_place, ops.argmin)


@enter("TopK")
def top_k(n: Step, x: Any, k: Any = None) -> Any:
    """Return the k largest or smallest elements along an axis, and their places."""
    count = n.get("k") if k is None else ops.reshape(k, [])
    fixed = None if count is None else known(count)
    axis, largest = n.get("axis", -1) % rank(x), n.get("largest", 1)
    x = ops.moveaxis(x, axis, -1)
    if largest and fixed is not None:
        values, places = ops.top_k(x, int(fixed))
    else:
        order = ops.argsort(ops.negative(x) if largest else x, -1)
        places = ops.getitem(order, (..., slice(count)))
        values = ops.take_along_axis(x, places, -1)
    back = (ops.moveaxis(v, -1, axis) for v in (values, ops.cast(places, "int64")))
    return tuple(back)


@enter("CumSum")
def cumsum(n: Step, x: Any, axis: Any) -> Any:
    """y[i] = x[0] + ... + x[i]."""
    along = int(n.constant(axis, "the axis"))
    flags = (bool(n.get("exclusive", 0)), bool(n.get("reverse", 0)))
    return ops.cast(ops.cumsum(x, along, *flags), x.dtype)


@enter("Einsum")
def einsum(n: Step, *xs: Any) -> Any:
    """Multiply and sum as an equation says."""
    return ops.einsum(n.get("equation"), *xs)
