"""NumPy's ufuncs as instructions: for each name, its dtypes and its formula.

What IEEE 754 or the integers define comes out to the bit as NumPy's; transcendental
functions come from their own file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minikeras.engine.native import transcendental
from minikeras.engine.native.values import BOOL, DType, Value, where

__all__ = ["UFUNCS", "Ufunc"]

FLOAT64 = np.dtype(np.float64)


class Ufunc(NamedTuple):
    """A ufunc of NumPy.

    Attributes:
        dtypes: kinds of dtypes that its inputs may have (`f`, `i`, `u`, `b`), or
            whole dtypes such as `f4`.
        formula: writes it, given Values of one dtype.
        cost: roughly how many additions take as long.
    """

    dtypes: str
    formula: Callable[..., Value]
    cost: int = 1

    def takes(self, dtype: DType) -> bool:
        """Return whether inputs may be of this dtype."""
        return not {dtype.kind, dtype.str[1:]}.isdisjoint(self.dtypes.split())


def _boolean(x: Value) -> bool:
    return x.dtype == BOOL


def _add(x: Value, y: Value) -> Value:
    return x | y if _boolean(x) else x + y


def _multiply(x: Value, y: Value) -> Value:
    return x & y if _boolean(x) else x * y


def _divide(x: Value, y: Value) -> Value:
    return x / y if x.dtype.kind == "f" else x.cast(FLOAT64) / y.cast(FLOAT64)


def _maximum(x: Value, y: Value) -> Value:
    larger = where(x > y, x, y)  # y if that is not a number, or both are zeros
    return where(x.is_nan(), x, larger) if x.dtype.kind == "f" else larger


def _minimum(x: Value, y: Value) -> Value:
    smaller = where(x < y, x, y)
    return where(x.is_nan(), x, smaller) if x.dtype.kind == "f" else smaller


def _fmax(x: Value, y: Value) -> Value:
    return where((x >= y) | y.is_nan(), x, y)


def _fmin(x: Value, y: Value) -> Value:
    return where((x <= y) | y.is_nan(), x, y)


def _absolute(x: Value) -> Value:
    if x.dtype.kind == "f":
        return x.intrinsic("fabs")
    return where(x < 0, -x, x) if x.dtype.kind == "i" else x


def _sign(x: Value) -> Value:
    below = where(x < 0, x.like(-1), x) if x.dtype.kind != "u" else x
    signed = where(x > 0, x.like(1), below)
    return signed + 0.0 if x.dtype.kind == "f" else signed  # -0.0 has the sign 0.0


def _copy(x: Value) -> Value:
    return x


def _by(factor: float) -> Callable[[Value], Value]:
    return lambda x: x * factor


def _is_infinite(x: Value) -> Value:
    return x.intrinsic("fabs").equals(math.inf)


def _is_finite(x: Value) -> Value:
    return x.intrinsic("fabs") < math.inf


def _heaviside(x: Value, y: Value) -> Value:
    step = where(x.equals(0.0), y, where(x < 0.0, x.like(0.0), 1.0))
    return where(x.is_nan(), x, step)


def _integer_division(x: Value, y: Value) -> tuple[Value, Value]:
    """Return quotient and remainder as Python has them; 0 and 0 for a divisor 0."""
    by_zero = y.equals(0)
    if x.dtype.kind == "u":
        divisor = where(by_zero, y.like(1), y)
        return x.quotient(divisor), x.remainder(divisor)
    # Dividing the least integer by -1 would be a fault: it is negated instead.
    plain = by_zero | y.equals(-1)
    divisor = where(plain, y.like(1), y)
    quotient = where(plain, -x, x.quotient(divisor))
    remainder = where(plain, x.like(0), x.remainder(divisor))
    lower = remainder.differs(0) & ((remainder ^ y) < 0)
    quotient = where(lower, quotient - 1, quotient)
    return quotient, where(lower, remainder + y, remainder)


def _floor_divide(x: Value, y: Value) -> Value:
    quotient, _ = _integer_division(x, y)
    return where(y.equals(0), x.like(0), quotient)


def _remainder(x: Value, y: Value) -> Value:
    _, remainder = _integer_division(x, y)
    return where(y.equals(0), x.like(0), remainder)


def _left_shift(x: Value, y: Value) -> Value:
    in_range = _within(y)
    return where(in_range, x << where(in_range, y, y.like(0)), 0)


def _right_shift(x: Value, y: Value) -> Value:
    in_range = _within(y)
    shifted = x >> where(in_range, y, y.like(0))
    return where(in_range, shifted, x >> (8 * x.dtype.itemsize - 1) >> 1)


def _within(y: Value) -> Value:
    unsigned = y.cast(np.dtype(f"u{y.dtype.itemsize}"))
    return unsigned < 8 * y.dtype.itemsize


def _rounded_to_half(x: Value) -> Value:
    return x.cast(np.dtype(np.float16)).cast(x.dtype)


def _truth(x: Value) -> Value:
    return x.cast(BOOL)


def _intrinsic(name: str) -> Callable[..., Value]:
    return lambda x, *others: x.intrinsic(name, *others)


t = transcendental
UFUNCS = {
    "add": Ufunc("f i u b", _add),
    "subtract": Ufunc("f i u", lambda x, y: x - y),
    "multiply": Ufunc("f i u b", _multiply),
    "divide": Ufunc("f i u", _divide, 4),
    "floor_divide": Ufunc("i u", _floor_divide, 60),
    "remainder": Ufunc("i u", _remainder, 60),
    "negative": Ufunc("f i u", lambda x: -x),
    "positive": Ufunc("f i u", _copy),
    "conjugate": Ufunc("f i u", _copy),
    "absolute": Ufunc("f i u b", _absolute),
    "fabs": Ufunc("f", _absolute),
    "sign": Ufunc("f i u", _sign, 3),
    "square": Ufunc("f i u", lambda x: x * x),
    "sqrt": Ufunc("f", _intrinsic("sqrt"), 6),
    "reciprocal": Ufunc("f", lambda x: x.like(1) / x, 4),
    "maximum": Ufunc("f i u b", _maximum, 2),
    "minimum": Ufunc("f i u b", _minimum, 2),
    "fmax": Ufunc("f i u b", _fmax, 3),
    "fmin": Ufunc("f i u b", _fmin, 3),
    "clip": Ufunc("f i u", lambda x, a, b: _minimum(_maximum(x, a), b), 4),
    "floor": Ufunc("f", _intrinsic("floor")),
    "ceil": Ufunc("f", _intrinsic("ceil")),
    "trunc": Ufunc("f", _intrinsic("trunc")),
    "rint": Ufunc("f", _intrinsic("rint")),
    "copysign": Ufunc("f", _intrinsic("copysign")),
    "heaviside": Ufunc("f", _heaviside, 4),
    "degrees": Ufunc("f", _by(180 / math.pi)),
    "radians": Ufunc("f", _by(math.pi / 180)),
    "isnan": Ufunc("f", lambda x: x.is_nan()),
    "isinf": Ufunc("f", _is_infinite, 2),
    "isfinite": Ufunc("f", _is_finite, 2),
    "signbit": Ufunc("f", lambda x: x.bits() < 0),
    "equal": Ufunc("f i u b", lambda x, y: x.equals(y)),
    "not_equal": Ufunc("f i u b", lambda x, y: x.differs(y)),
    "less": Ufunc("f i u b", lambda x, y: x < y),
    "less_equal": Ufunc("f i u b", lambda x, y: x <= y),
    "greater": Ufunc("f i u b", lambda x, y: x > y),
    "greater_equal": Ufunc("f i u b", lambda x, y: x >= y),
    "logical_and": Ufunc("f i u b", lambda x, y: _truth(x) & _truth(y)),
    "logical_or": Ufunc("f i u b", lambda x, y: _truth(x) | _truth(y)),
    "logical_xor": Ufunc("f i u b", lambda x, y: _truth(x) ^ _truth(y)),
    "logical_not": Ufunc("f i u b", lambda x: ~_truth(x)),
    "bitwise_and": Ufunc("i u b", lambda x, y: x & y),
    "bitwise_or": Ufunc("i u b", lambda x, y: x | y),
    "bitwise_xor": Ufunc("i u b", lambda x, y: x ^ y),
    "invert": Ufunc("i u b", lambda x: ~x),
    "left_shift": Ufunc("i u", _left_shift, 3),
    "right_shift": Ufunc("i u", _right_shift, 3),
    "exp": Ufunc("f", t.exp, 20),
    "exp2": Ufunc("f", t.exp2, 20),
    "expm1": Ufunc("f", t.expm1, 20),
    "log": Ufunc("f", t.log, 30),
    "log1p": Ufunc("f", t.log1p, 35),
    "log2": Ufunc("f", t.log2, 50),
    "log10": Ufunc("f", t.log10, 50),
    "logaddexp": Ufunc("f", t.logaddexp, 60),
    "tanh": Ufunc("f", t.tanh, 40),
    "sinh": Ufunc("f", t.sinh, 50),
    "cosh": Ufunc("f", t.cosh, 50),
    "power": Ufunc("f2 f4", t.power, 100),
    # No ufuncs of NumPy's:
    "erf": Ufunc("f", t.erf, 35),  # as in the engine's kernels
    "half": Ufunc("f4", _rounded_to_half, 2),
}
