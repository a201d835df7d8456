"""Random numbers of further distributions: gamma, beta, binomial.

No gradients reach their parameters.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from minikeras.engine import dtypes
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels import laws
from minikeras.engine.ops.reshaping import Sizes, as_sizes
from minikeras.engine.ops.sampling import FLOAT64, Sampler, fold_in
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array

__all__ = ["random_beta", "random_binomial", "random_gamma"]


class RandomGamma(Sampler, name="random_gamma"):
    """y has the density y^(alpha - 1) exp(-y) / Gamma(alpha), for y > 0.

    Source: Marsaglia and Tsang 2000, "A simple method for generating gamma variables",
    doi:10.1145/358407.358414; section 6 for alpha < 1.
    """

    def kernel(self, xp: ModuleType, key: Array, shape: Array, alpha: Array) -> Array:
        sizes = shape.tolist()
        count = math.prod(sizes)
        a = xp.broadcast_to(alpha.astype("float64"), sizes).reshape(-1)
        # Below 1, Gamma(a) is Gamma(a + 1) times a uniform number to the power 1 / a.
        u = laws.draw(xp, laws.uniform, key, count, FLOAT64)
        shrink = xp.where(a < 1, u ** (1 / a), 1)
        d = xp.where(a < 1, a + 1, a) - 1 / 3
        y = xp.zeros(count)
        stream = 1
        while count and not y.all():
            x = laws.draw(xp, laws.normal, key, count, FLOAT64, stream)
            u = laws.draw(xp, laws.uniform, key, count, FLOAT64, stream + 1)
            v = xp.maximum(1 + x / xp.sqrt(9 * d), 0) ** 3
            accepted = xp.log(u) < x * x / 2 + d - d * v + d * xp.log(v)
            y = xp.where((y == 0) & accepted & (v > 0), d * v, y)
            stream += 2
        return (y * shrink).reshape(sizes).astype(self.dtype.as_numpy_dtype)


def random_gamma(key: Any, shape: Sizes, alpha: Any, dtype: Any = None) -> Tensor:
    """Return gamma-distributed numbers, of scale 1.

    Args:
        key: two words of uint32.
        shape: of the result.
        alpha: the distribution's shape parameter, above 0; broadcasts to `shape`.
        dtype: of the result, floating-point; the default float if None.
    """
    wanted = dtypes.floatx() if dtype is None else dtypes.as_dtype(dtype)
    return RandomGamma(wanted)(key, as_sizes(shape), alpha)


def random_beta(
    key: Any, shape: Sizes, alpha: Any, beta: Any, dtype: Any = None
) -> Tensor:
    """Return beta-distributed numbers: the share of one gamma number in two.

    Args:
        key: two words of uint32.
        shape: of the result.
        alpha: first parameter, above 0; broadcasts to `shape`.
        beta: second parameter, above 0; broadcasts to `shape`.
        dtype: of the result, floating-point; the default float if None.
    """
    wanted = dtypes.floatx() if dtype is None else dtypes.as_dtype(dtype)
    x = random_gamma(fold_in(key, 0), shape, alpha, "float64")
    y = random_gamma(fold_in(key, 1), shape, beta, "float64")
    return cast(x / (x + y), wanted)


class RandomBinomial(Sampler, name="random_binomial"):
    """y is how many of n independent events happen, each with probability p."""

    def kernel(
        self, xp: ModuleType, key: Array, shape: Array, n: Array, p: Array
    ) -> Array:
        sizes = shape.tolist()
        count = math.prod(sizes)
        y = xp.zeros(sizes, "int64")
        for trial in range(int(n.max()) if n.size else 0):
            u = laws.draw(xp, laws.uniform, key, count, FLOAT64, trial).reshape(sizes)
            y += (u < p) & (trial < n)
        return y.astype(self.dtype.as_numpy_dtype)


def random_binomial(
    key: Any, shape: Sizes, n: Any, p: Any, dtype: Any = None
) -> Tensor:
    """Return numbers of events that happen, in time proportional to the largest `n`.

    Args:
        key: two words of uint32.
        shape: of the result.
        n: number of trials; broadcasts to `shape`.
        p: probability of each, in [0, 1]; broadcasts to `shape`.
        dtype: of the result; the default float if None.
    """
    wanted = dtypes.floatx() if dtype is None else dtypes.as_dtype(dtype)
    return RandomBinomial(wanted)(key, as_sizes(shape), n, p)
