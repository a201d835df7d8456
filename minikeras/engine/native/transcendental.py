"""Exponentials, logarithms and what is made of them, as formulas on `Value`.

Each is written once for float32 and float64; what differs is a table of numbers. The
errors are below 2 units in the last place, everywhere; infinities, NaN, zeros and
denormal numbers come out as NumPy's functions give them.

Coefficients: minimax polynomials by the algorithm of Remez, made with 60 digits. The
error of each is below a quarter of a unit in the last place.

Source: for the reductions, W. J. Cody and W. Waite 1980, "Software Manual for the
Elementary Functions"; for the logarithm's ``s = f / (2 + f)``, FDLIBM, Sun 1993.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import NamedTuple

import numpy as np

from minikeras.engine.kernels.erf import DENOMINATOR, NUMERATOR, POLYNOMIAL
from minikeras.engine.native.values import Value, fma, where

__all__ = [
    "cosh",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "power",
    "sinh",
    "tanh",
]


class Format(NamedTuple):
    """What the functions must know of a floating format.

    Attributes:
        mantissa: bits stored after the point.
        bias: of the exponent.
        magic: added to a number and taken away again, rounds it to an integer; the
            lowest bits of the sum are those of that integer.
        log2_high, log2_low: log 2 in two parts; products of the first with the
            exponents that occur are exact.
        exp_range: below it exp is 0, above it infinite, to the last bit.
        exp_terms: p of ``exp(r) = 1 + r + r² p(r)``, for abs(r) <= log(2) / 2.
        exp2_terms: p of ``2 ** r = 1 + r p(r)``, for abs(r) <= 1 / 2.
        log_terms: p of ``log((1 + s) / (1 - s)) = 2 s + s³ p(s²)``, for numbers
            between sqrt(1 / 2) and sqrt(2).
        one: a number from which on tanh, and from minus which down expm1, is 1, -1.
        tiny: a number below which x is tanh(x) and expm1(x), to the last bit.
    """

    mantissa: int
    bias: int
    magic: float
    log2_high: float
    log2_low: float
    exp_range: tuple[float, float]
    exp_terms: tuple[float, ...]
    exp2_terms: tuple[float, ...]
    log_terms: tuple[float, ...]
    one: float
    tiny: float


SINGLE = Format(
    mantissa=23,
    bias=127,
    magic=1.5 * 2.0**23,
    log2_high=float.fromhex("0x1.62e3p-1"),
    log2_low=float.fromhex("0x1.2fefa2p-17"),
    exp_range=(-105.0, 89.0),
    exp_terms=(
        0.4999999701976776,
        0.16666541993618011,
        0.04166720435023308,
        0.008366645313799381,
        0.001388251781463623,
    ),
    exp2_terms=(
        0.6931471824645996,
        0.24022650718688965,
        0.055503569543361664,
        0.009618030861020088,
        0.0013390866806730628,
        0.00015469717618543655,
    ),
    log_terms=(0.6666677594184875, 0.3997744917869568, 0.298744261264801),
    one=20.0,
    tiny=2.0**-13,
)
DOUBLE = Format(
    mantissa=52,
    bias=1023,
    magic=1.5 * 2.0**52,
    log2_high=float.fromhex("0x1.62e42feep-1"),
    log2_low=float.fromhex("0x1.a39ef35793c76p-33"),
    exp_range=(-746.0, 710.6),
    exp_terms=(
        0.5,
        0.16666666666666677,
        0.041666666666666505,
        0.008333333333321515,
        0.0013888888888963402,
        0.00019841269886474244,
        2.4801587171244754e-05,
        2.7557243806905e-06,
        2.7557403118065374e-07,
        2.5109194278973526e-08,
        2.087537458377462e-09,
    ),
    exp2_terms=(
        0.6931471805599453,
        0.24022650695910072,
        0.055504108664821625,
        0.009618129107628487,
        0.0013333558146406469,
        0.0001540353039335478,
        1.5252733841558266e-05,
        1.3215486823291205e-06,
        1.0178057087050934e-07,
        7.054891470334292e-09,
        4.4558180194401075e-10,
        2.5737809739203516e-11,
    ),
    log_terms=(
        0.6666666666666735,
        0.3999999999940746,
        0.28571428744146815,
        0.2222219837799192,
        0.18183575188690485,
        0.15313755192007486,
        0.14799071684193016,
    ),
    one=40.0,
    tiny=2.0**-27,
)
FLOAT64, INT32 = np.dtype(np.float64), np.dtype(np.int32)
INFINITY = math.inf


def _format(x: Value) -> Format:
    return SINGLE if x.dtype.itemsize == 4 else DOUBLE


def _integer_like(x: Value) -> np.dtype[np.signedinteger]:
    return np.dtype(f"i{x.dtype.itemsize}")


def polynomial(x: Value, terms: Sequence[float]) -> Value:
    """Return ``terms[0] + terms[1] x + terms[2] x² ...``, by Horner's rule."""
    total = x.like(terms[-1])
    for term in reversed(terms[:-1]):
        total = fma(total, x, term)
    return total


def _clamp(x: Value, low: float, high: float) -> Value:
    """Return x within bounds; a NaN, which no comparison holds of, stays."""
    x = where(x > high, high, x)
    return where(x < low, low, x)


def _computed_in_double(function: Callable[..., Value]) -> Callable[..., Value]:
    """Make a function of float64 serve float32 too: rounded once, and without worry."""

    @wraps(function)
    def wide(*inputs: Value) -> Value:
        result = function(*(x.cast(FLOAT64) for x in inputs))
        return result.cast(inputs[0].dtype)

    return wide


# ------------------------------------------------------------------ exponentials


def _reduce(x: Value) -> tuple[Value, Value]:
    """Return an integer n and ``x - n log 2``, the latter no larger than log(2) / 2."""
    f = _format(x)
    n = fma(x, 1 / math.log(2), f.magic) - f.magic
    return n, fma(n, -f.log2_low, fma(n, -f.log2_high, x))


def _power_of_two(n: Value) -> Value:
    """Return ``2**n`` for an integer, not so large or small that this is no number."""
    f = _format(n)
    return ((n + (f.magic + f.bias)).bits() << f.mantissa).bits()


def _scale(x: Value, n: Value) -> Value:
    """Return ``x * 2**n``, also where ``2**n`` itself is too large or too small."""
    if x.code.host.scales:
        return x.scaled(n.cast(INT32))
    f = _format(x)
    half = fma(n, 0.5, f.magic) - f.magic
    return x * _power_of_two(half) * _power_of_two(n - half)


def exp(x: Value) -> Value:
    """Return e to the x."""
    f = _format(x)
    n, r = _reduce(_clamp(x, *f.exp_range))
    return _scale(fma(r * r, polynomial(r, f.exp_terms), r) + 1.0, n)


def exp2(x: Value) -> Value:
    """Return 2 to the x."""
    f = _format(x)
    x = _clamp(x, -f.bias - f.mantissa - 2.0, f.bias + 2.0)
    n = x + f.magic - f.magic
    r = x - n
    return _scale(fma(r, polynomial(r, f.exp2_terms), 1.0), n)


def _quarter_expm1(x: Value) -> Value:
    """Return ``(exp(x) - 1) / 4``: a quarter, as exp(x) may be too large."""
    f = _format(x)
    n, r = _reduce(_clamp(x, -f.one, f.exp_range[1]))
    p = fma(r * r, polynomial(r, f.exp_terms), r)
    quarter = _power_of_two(n - 2.0)
    return fma(p, quarter, quarter - 0.25)


def expm1(x: Value) -> Value:
    """Return e to the x, minus 1, exact for small x as well."""
    y = _quarter_expm1(x) * 4.0
    # What a quarter would do to denormal numbers, and the sum to a zero's sign.
    return where(x.intrinsic("fabs") < _format(x).tiny ** 2, x, y)


def tanh(x: Value) -> Value:
    """Hyperbolic tangent: ``(1 - t) / (1 + t)`` where ``t = exp(-2 abs(x))``.

    With ``t = 2**n (1 + p)``, both sums are exact but for p, and rounded once.
    """
    f = _format(x)
    size = x.intrinsic("fabs")
    n, r = _reduce(_clamp(size, 0.0, f.one) * -2.0)
    power = _power_of_two(n)
    p = fma(r * r, polynomial(r, f.exp_terms), r)
    y = fma(p, power, power - 1.0) / fma(p, power, power + 1.0)
    return where(size < f.tiny, x, y.intrinsic("copysign", x))


@_computed_in_double
def sinh(x: Value) -> Value:
    """Hyperbolic sine: ``2 (q + q / (4 q + 1))`` where ``q = expm1(abs(x)) / 4``."""
    size = x.intrinsic("fabs")
    q = _quarter_expm1(size)
    y = (q + q / fma(q, 4.0, 1.0)) * 2.0
    return where(size < DOUBLE.tiny, x, y.intrinsic("copysign", x))


@_computed_in_double
def cosh(x: Value) -> Value:
    """Hyperbolic cosine: ``2 q + 1 / (8 q)`` where ``q = exp(abs(x)) / 4``."""
    q = _quarter_expm1(x.intrinsic("fabs")) + 0.25
    return fma(q, 2.0, q.like(0.125) / q)


def erf(x: Value) -> Value:
    """The error function, ``2/sqrt(pi)`` times the integral of exp(-t²) from 0 to x.

    As in `minikeras.engine.kernels.erf`: ``1 - exp(-x S(x))`` for positive x.
    """
    single = x.dtype.itemsize == 4
    size = _clamp(x.intrinsic("fabs"), 0.0, 4.0 if single else 6.0)
    if single:
        slope = polynomial(size, POLYNOMIAL[::-1])
    else:
        below = polynomial(size, DENOMINATOR[::-1])
        slope = polynomial(size, NUMERATOR[::-1]) / below
    return expm1(-size * slope).intrinsic("copysign", x)


# -------------------------------------------------------------------- logarithms


def _mantissa(x: Value) -> tuple[Value, Value]:
    """Return k, as a float, and m between sqrt(1/2) and sqrt(2): ``x = 2**k m``.

    For positive normal numbers.
    """
    f = _format(x)
    least = int(np.array(math.sqrt(0.5), x.dtype).view(_integer_like(x)))
    k = (x.bits() - least) >> f.mantissa
    m = (x.bits() - (k << f.mantissa)).bits()
    return (k + x.like(f.magic).bits()).bits() - f.magic, m


def _normal(x: Value) -> tuple[Value, Value]:
    """Return k and m as `_mantissa` does, also for denormal numbers."""
    f = _format(x)
    denormal = x < 2.0 ** (1 - f.bias)
    shift = f.mantissa + 2
    k, m = _mantissa(where(denormal, x * 2.0**shift, x))
    return k - where(denormal, k.like(float(shift)), 0.0), m


def _log_terms(f: Value) -> tuple[Value, Value]:
    """Return ``f²/2`` and c, such that ``log(1 + f) = f - f²/2 + c``."""
    s = f / (f + 2.0)
    half = f * f * 0.5
    z = s * s
    return half, s * fma(z, polynomial(z, _format(f).log_terms), half)


def _log_of_sum(f: Value, k: Value, rest: Value | float = 0.0) -> Value:
    """Return ``log(1 + f) + k log(2) + rest``, the last of which is small."""
    c = _format(f)
    half, correction = _log_terms(f)
    small = fma(k, c.log2_low, correction + rest)
    return fma(k, c.log2_high, f - (half - small))


def _special_logarithm(x: Value, y: Value, pole: float) -> Value:
    """Return y, a logarithm, where x is no special case of it."""
    y = where(x < INFINITY, y, x)
    return where(x > pole, y, where(x.equals(pole), x.like(-INFINITY), math.nan))


def log(x: Value) -> Value:
    """Natural logarithm."""
    k, m = _normal(x)
    return _special_logarithm(x, _log_of_sum(m - 1.0, k), 0.0)


def log1p(x: Value) -> Value:
    """Natural logarithm of 1 + x, exact for small x as well."""
    u = x + 1.0
    back = u - 1.0
    lost = (x - back) + (x.like(1.0) - (u - back))  # 1 + x - u, exactly
    k, m = _mantissa(u)
    y = _special_logarithm(x, _log_of_sum(m - 1.0, k, lost / u), -1.0)
    return where(x.intrinsic("fabs") < _format(x).tiny ** 2, x, y)


class Base(NamedTuple):
    """Of logarithms to a base, those of e and of 2, each in two parts."""

    of_e: tuple[float, float]
    of_2: tuple[float, float]


def _logarithm_to(base: Base) -> Callable[[Value], Value]:
    def logarithm(x: Value) -> Value:
        """Return the logarithm of x to this base."""
        k, m = _normal(x)
        f = m - 1.0
        half, correction = _log_terms(f)
        high = f - half
        low = f - high - half + correction
        product = high * base.of_e[0]
        total = fma(k, base.of_2[0], product)
        lost = fma(k, base.of_2[0], -total) + product
        lost = lost + fma(high, base.of_e[0], -product) + k * base.of_2[1]
        y = total + fma(high, base.of_e[1], fma(low, base.of_e[0], lost))
        return _special_logarithm(x, y, 0.0)

    return _computed_in_double(logarithm)


log2 = _logarithm_to(
    Base(
        of_e=(1.4426950408889634, 2.0355273740931033e-17),
        of_2=(1.0, 0.0),
    )
)
log10 = _logarithm_to(
    Base(
        of_e=(0.4342944819032518, 1.098319650216765e-17),
        of_2=(float.fromhex("0x1.34413509f6p-2"), 3.694239077158931e-13),
    )
)


def logaddexp(x: Value, y: Value) -> Value:
    """log(exp(x) + exp(y)), without leaving the range of floats."""
    difference = (x - y).intrinsic("fabs")
    far = where(x > y, x, y) + log1p(exp(-difference))
    return where(x.equals(y), x + math.log(2), far)  # infinities have no difference


def power(x: Value, y: Value) -> Value:
    """Return x to the y, for float32 only.

    The C library's function does for a single number, for which ours would mainly be
    long to compile.
    """
    powf = x.code.host.powf
    if x.lanes > 1 or not powf:
        return _power(x, y)
    single = [value.part(0, 0) if value.lanes else value for value in (x, y)]
    result = x.code.call(f"inttoptr (i64 {powf} to ptr)", single, single[0])
    return result.splat(x.lanes)


@_computed_in_double
def _power(x: Value, y: Value) -> Value:
    """Return x to the y; float64 has few digits beyond those that float32 needs."""
    size = x.intrinsic("fabs")
    k, m = _mantissa(size)
    logarithm = fma(_log_of_sum(m - 1.0, k.like(0.0)), 1 / math.log(2), k)
    exponent = y * _special_logarithm(size, logarithm, 0.0)
    result = exp2(where(size.equals(1.0), 0.0, exponent))
    half = y * 0.5
    whole = y.intrinsic("rint").equals(y)
    odd = whole & half.intrinsic("rint").differs(half)
    result = where(odd, result.intrinsic("copysign", x), result)
    # A negative number has no root, but an infinite one has a limit.
    real = (x >= 0.0) | whole | x.equals(-INFINITY)
    result = where(real, result, math.nan)
    return where(y.equals(0.0) | x.equals(1.0), 1.0, result)
