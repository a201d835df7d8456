"""Functions of each element: arithmetic, comparison, logic, powers, angles.

Most are the engine's own, under Keras's names; they broadcast as NumPy's do.
"""

from __future__ import annotations

import math
from typing import Any

from minikeras.backend.introspection import (
    dtype,
    is_float_dtype,
    limits,
    long_as_float,
    rank,
)
from minikeras.engine import ops as engine
from minikeras.engine.dtypes import to_float
from minikeras.engine.graph import Tensor
from minikeras.engine.op import promoted
from minikeras.engine.ops import (
    absolute,
    add,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    ceil,
    cos,
    cosh,
    divide,
    divide_no_nan,
    equal,
    erf,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    hypot,
    isclose,
    isfinite,
    isinf,
    isnan,
    left_shift,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    right_shift,
    round,
    rsqrt,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    squared_difference,
    subtract,
    tan,
    tanh,
    trunc,
)

__all__ = [
    "abs",
    "absolute",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "bias_add",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
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
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
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
    "pow",
    "power",
    "rad2deg",
    "reciprocal",
    "right_shift",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "squared_difference",
    "subtract",
    "tan",
    "tanh",
    "trunc",
]

abs = absolute
pow = power


def clip(x: Any, min_value: Any, max_value: Any) -> Tensor:
    """Return `x` with its elements raised to `min_value` and lowered to `max_value`.

    Args:
        x: what to clip.
        min_value: lower bound; None for no bound.
        max_value: upper bound; None for no bound.
    """
    return engine.clip(x, min_value, max_value)


def exp2(x: Any) -> Tensor:
    """Return 2 to the power of `x`."""
    return engine.exp(engine.multiply(x, math.log(2.0)))


def deg2rad(x: Any) -> Tensor:
    """Return angles in radians, given in degrees."""
    return engine.multiply(long_as_float(x), math.pi / 180.0)


def rad2deg(x: Any) -> Tensor:
    """Return angles in degrees, given in radians."""
    return engine.multiply(long_as_float(x), 180.0 / math.pi)


def isposinf(x: Any) -> Tensor:
    """Return whether each element is plus infinity."""
    return engine.equal(x, math.inf)


def isneginf(x: Any) -> Tensor:
    """Return whether each element is minus infinity."""
    return engine.equal(x, -math.inf)


def heaviside(x1: Any, x2: Any) -> Tensor:
    """Return 0 where `x1` is negative, 1 where it is positive, `x2` where it is 0."""
    step = engine.where(engine.equal(x1, 0), x2, engine.greater(x1, 0))
    return engine.cast(step, to_float(promoted((x1, x2))))


def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Return `x` with what is not finite replaced.

    Args:
        x: what may have such elements.
        nan: in place of NaN.
        posinf: in place of infinity; by default the largest number of the dtype.
        neginf: in place of minus infinity; by default the smallest.
    """
    kind = dtype(x)
    if not is_float_dtype(kind):
        return engine.identity(x)
    low, high = limits(kind)
    above = high if posinf is None else posinf
    below = low if neginf is None else neginf
    x = engine.where(isposinf(x), above, engine.where(isneginf(x), below, x))
    return engine.where(engine.isnan(x), nan, x)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Tensor:
    """Return `x` with `bias` added to its channels.

    Args:
        x: the input.
        bias: one number for each channel, or for each place and channel.
        data_format: "channels_last" or "channels_first"; None means the last axis.

    Example:
        >>> bias_add(np.zeros((1, 2, 3)), np.array([1, 2]), "channels_first")
        array([[[1., 1., 1.],
                [2., 2., 2.]]])
    """
    if data_format == "channels_first":
        channels = bias if rank(bias) == 1 else engine.moveaxis(bias, -1, 0)
        bias = engine.expand_dims(channels, range(rank(bias), rank(x) - 1))
    return engine.add(x, bias)
