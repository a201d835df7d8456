"""Functions of each element, under Keras 3's names."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from minikeras import backend as K
from minikeras.ops.eager import eager

__all__ = [
    "abs",
    "absolute",
    "add",
    "allclose",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "deg2rad",
    "divide",
    "divide_no_nan",
    "equal",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "ldexp",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nan_to_num",
    "negative",
    "not_equal",
    "power",
    "rad2deg",
    "reciprocal",
    "right_shift",
    "round",
    "rsqrt",
    "saturate_cast",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
]

_PAIR = {"x1": "x", "x2": "y"}

# -- arithmetic ------------------------------------------------------------------------

add = eager(K.add, **_PAIR)
subtract = eager(K.subtract, **_PAIR)
multiply = eager(K.multiply, **_PAIR)
divide = true_divide = eager(K.divide, **_PAIR)
divide_no_nan = eager(K.divide_no_nan, **_PAIR)
floor_divide = eager(K.floor_divide, **_PAIR)
mod = eager(K.mod, **_PAIR)
power = eager(K.power, **_PAIR)
maximum = eager(K.maximum)
minimum = eager(K.minimum)
clip = eager(K.clip, x_min="min_value", x_max="max_value")
negative = eager(K.negative)
abs = absolute = eager(K.absolute)
sign = eager(K.sign)
reciprocal = eager(K.reciprocal)

# -- powers and logarithms -------------------------------------------------------------

square = eager(K.square)
sqrt = eager(K.sqrt)
rsqrt = eager(K.rsqrt)
hypot = eager(K.hypot)
exp = eager(K.exp)
exp2 = eager(K.exp2)
expm1 = eager(K.expm1)
log = eager(K.log)
log1p = eager(K.log1p)
log2 = eager(K.log2)
log10 = eager(K.log10)
logaddexp = eager(K.logaddexp, **_PAIR)
erf = eager(K.erf)

# -- angles ----------------------------------------------------------------------------

sin = eager(K.sin)
cos = eager(K.cos)
tan = eager(K.tan)
arcsin = eager(K.arcsin)
arccos = eager(K.arccos)
arctan = eager(K.arctan)
arctan2 = eager(K.arctan2)
sinh = eager(K.sinh)
cosh = eager(K.cosh)
tanh = eager(K.tanh)
arcsinh = eager(K.arcsinh)
arccosh = eager(K.arccosh)
arctanh = eager(K.arctanh)
deg2rad = eager(K.deg2rad)
rad2deg = eager(K.rad2deg)

# -- rounding --------------------------------------------------------------------------

ceil = eager(K.ceil)
floor = eager(K.floor)
round = eager(K.round)
trunc = eager(K.trunc)
nan_to_num = eager(K.nan_to_num)

# -- comparison and logic --------------------------------------------------------------


def _of_bits(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of integers; symbolic ones may be of another dtype."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = K.tree.map_structure(
            lambda x: K.as_integers(x) if _is_of_floats(x) else x, (args, kwargs)
        )
        return function(*args, **kwargs)

    return eager(call)


def _is_of_floats(x: Any) -> bool:
    return K.is_symbolic(x) and K.is_float_dtype(K.dtype(x))


equal = eager(K.equal)
not_equal = eager(K.not_equal)
less = eager(K.less)
less_equal = eager(K.less_equal)
greater = eager(K.greater)
greater_equal = eager(K.greater_equal)
heaviside = eager(K.heaviside)
isclose = eager(K.isclose)
isfinite = eager(K.isfinite)
isinf = eager(K.isinf)
isnan = eager(K.isnan)
isposinf = eager(K.isposinf)
isneginf = eager(K.isneginf)
logical_and = eager(K.logical_and)
logical_or = eager(K.logical_or)
logical_xor = eager(K.logical_xor)
logical_not = eager(K.logical_not)
bitwise_and = _of_bits(K.bitwise_and)
bitwise_or = _of_bits(K.bitwise_or)
bitwise_xor = _of_bits(K.bitwise_xor)
bitwise_not = bitwise_invert = _of_bits(K.bitwise_not)
left_shift = bitwise_left_shift = _of_bits(K.left_shift)
right_shift = bitwise_right_shift = _of_bits(K.right_shift)


# -- made of the others ----------------------------------------------------------------


@eager
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Return whether all elements are equal within the tolerances of `isclose`."""
    return K.all(K.isclose(x1, x2, rtol, atol, equal_nan))


@eager
def fabs(x: Any) -> Any:
    """Return the absolute value as a floating-point number."""
    return K.absolute(K.divide(x, 1))


@eager
def ldexp(x1: Any, x2: Any) -> Any:
    """Return `x1` times 2 to the power of `x2`."""
    x1, x2 = K.in_one_dtype(x1, x2)
    return K.multiply(x1, K.power(2.0, x2))


@eager
def logaddexp2(x1: Any, x2: Any) -> Any:
    """Return the logarithm to base 2 of ``2**x1 + 2**x2``."""
    high = K.multiply(K.maximum(x1, x2), 1.0)
    low = K.multiply(K.minimum(x1, x2), 1.0)
    ratio = K.exp2(K.subtract(low, high))
    return K.add(high, K.divide(K.log1p(ratio), math.log(2.0)))


@eager
def saturate_cast(x: Any, dtype: Any) -> Any:
    """Return `x` converted to `dtype`, what lies outside of its range moved there."""
    low, high = K.limits(dtype)
    return K.cast(K.clip(x, low, high), dtype)
