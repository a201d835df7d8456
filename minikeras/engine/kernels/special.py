"""Special functions which NumPy and CuPy's core lack: erfc, erfinv, Bessel's.

They are elementwise, in steps that any array library has, so that plans can fuse them.
"""

from __future__ import annotations

import math
from types import ModuleType

from minikeras.engine.kernels.erf import erf
from minikeras.engine.spec import Array

__all__ = ["bessel_i", "erfc", "erfinv", "spherical_bessel"]

# (1 + 2x) exp(x²) erfc(x), highest power first of t = (x - 3.75) / (x + 3.75), which
# runs from -1 to 1: interpolated at Chebyshev's nodes, with 60 digits. What is left of
# the series is below 1e-16. The map of x to t is Schonfelder's, 1978.
TAIL = (
    -2.623107347133476e-09,
    -1.9551358868985616e-09,
    3.197926671666804e-08,
    1.879082322370048e-08,
    -2.4857126248016745e-07,
    -5.084465378687302e-08,
    1.7419821586224816e-06,
    -9.792625707303523e-07,
    -1.1438048033346894e-05,
    2.2387565714911816e-05,
    5.164652974177416e-05,
    -0.00029015535246077655,
    0.000293714378044958,
    0.0017556261651970652,
    -0.009746579683265262,
    0.02836227737211114,
    -0.05869339857664934,
    0.09230432116428125,
    -0.10880393014244462,
    0.08227673848999506,
    0.0035854154854790257,
    -0.14024059858554525,
    1.2375126308378275,
)


def _wide(xp: ModuleType, x: Array) -> Array:
    return x.astype(xp.result_type(x.dtype, "float32"), copy=False)


def erfc(xp: ModuleType, x: Array) -> Array:
    """Return 1 - erf(x), with all its digits where that is small."""
    wide = _wide(xp, x)
    size = xp.minimum(xp.abs(wide), 30.0)  # where it is 0
    t = (size - 3.75) / (size + 3.75)
    total = TAIL[0] * t + TAIL[1]
    for c in TAIL[2:]:
        total = total * t + c
    # exp(-x²) of two parts: the square of the first has few digits, so it is exact.
    coarse = xp.round(size * 16) / 16
    decay = xp.exp(-coarse * coarse) * xp.exp((coarse - size) * (coarse + size))
    tail = decay * total / (1 + 2 * size)
    return xp.where(wide < 0, 2 - tail, tail).astype(x.dtype, copy=False)


def erfinv(xp: ModuleType, x: Array) -> Array:
    """Return the number whose erf is x: infinite at -1 and 1, NaN beyond.

    A guess, which is right to 0.2% (Winitzki 2008), and two steps of Halley's method.
    """
    wide = _wide(xp, x)
    size = xp.abs(wide)
    log = xp.log1p(-size * size) / 2
    middle = 2 / (math.pi * 0.147) + log
    root = xp.sqrt(middle * middle - log * (2 / 0.147))
    y = xp.sqrt(-log * (2 / 0.147) / (root + middle))
    for _ in range(2):
        excess = xp.where(size < 0.5, erf(xp, y) - size, 1 - size - erfc(xp, y))
        step = excess * (math.sqrt(math.pi) / 2) * xp.exp(y * y)
        y = y - step / (1 + step * y)
    y = xp.where(size == 1, xp.full_like(y, math.inf), y)
    return xp.copysign(y, wide).astype(x.dtype, copy=False)


def bessel_i(xp: ModuleType, x: Array, order: int) -> Array:
    """Return the modified Bessel function of the first kind, of a small order.

    Up to 20 by its power series, whose terms are all positive, beyond by Hankel's
    expansion in powers of 1/x. Source: DLMF 10.25.2 and 10.40.1.
    """
    wide = _wide(xp, x)
    size = xp.abs(wide)
    near = xp.minimum(size, 20.0)
    far = xp.minimum(xp.maximum(size, 20.0), 2000.0)  # where it is infinite
    quarter = near * near / 4
    series = xp.ones_like(near)
    for k in range(48, 0, -1):
        series = 1 + series * quarter / (k * (k + order))
    series = series * (near / 2) ** order / math.factorial(order)
    hankel = xp.ones_like(far)
    for k in range(24, 0, -1):
        factor = ((2 * k - 1) ** 2 - 4 * order * order) / (8 * k)
        hankel = 1 + hankel * factor / far
    half = xp.exp(far / 2)  # its square may overflow where the result does not
    hankel = half / xp.sqrt(2 * math.pi * far) * hankel * half
    y = xp.where(size < 20, series, hankel)
    y = xp.copysign(y, wide) if order % 2 else y
    return y.astype(x.dtype, copy=False)


def spherical_bessel(xp: ModuleType, x: Array, order: int) -> Array:
    """Return the spherical Bessel function of the first kind, of a small order.

    Up to order + 1 by its power series, beyond by recurrence from the two of order -1
    and 0, cos(x)/x and sin(x)/x. Source: DLMF 10.53.1 and 10.51.1.
    """
    wide = _wide(xp, x)
    size = xp.abs(wide)
    near, far = xp.minimum(size, order + 1.0), xp.maximum(size, order + 1.0)
    half = near * near / 2
    series = xp.ones_like(near)
    for k in range(12 + order, 0, -1):
        series = 1 - series * half / (k * (2 * order + 2 * k + 1))
    series = series * near**order / math.prod(range(1, 2 * order + 2, 2))
    before, last = xp.cos(far) / far, xp.sin(far) / far
    for k in range(order):
        before, last = last, (2 * k + 1) / far * last - before
    y = xp.where(size < order + 1, series, last)
    y = xp.copysign(xp.ones_like(wide), wide) * y if order % 2 else y
    return y.astype(x.dtype, copy=False)
