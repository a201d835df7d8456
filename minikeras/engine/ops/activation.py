"""Activation functions: those with a derivative worth writing down, and compositions.

At a kink the derivative is that of the left side, as in TensorFlow: 0 for relu.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from minikeras.engine import dtypes
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.arithmetic import add, divide, multiply
from minikeras.engine.ops.elementwise import FloatUnary, Unary, absolute, erf, square
from minikeras.engine.ops.extremes import clip, minimum
from minikeras.engine.ops.reshaping import operand
from minikeras.engine.ops.state import cast
from minikeras.engine.ops.trigonometry import tanh
from minikeras.engine.spec import Array, Spec

__all__ = [
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
]


def real(x: Any) -> Any:
    """Return `x` as floating-point tensor or array, for Python's operators."""
    x = operand(x)
    return cast(x, dtypes.to_float(dtypes.as_dtype(x.dtype)))


# -- piecewise linear ------------------------------------------------------------------


class Relu(Unary, name="relu"):
    """y = max(x, 0)."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.maximum(x, 0)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        # By y rather than x, which need not be kept then.
        return (ReluGrad()(g, y),)


def relu(x: Any) -> Tensor:
    """Return x where it is positive, else 0."""
    return Relu()(x)


class LeakyRelu(FloatUnary, name="leaky_relu"):
    """y = x where x > 0, else negative_slope x."""

    negative_slope: float

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        # Several times faster than `where`, whose branches no processor can predict.
        return xp.maximum(x, 0) + self.negative_slope * xp.minimum(x, 0)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (ReluGrad(self.negative_slope)(g, x),)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """Return x where it is positive, else `negative_slope` times x.

    Source: Maas, Hannun, Ng 2013, Rectifier nonlinearities improve neural network
    acoustic models.
    """
    return LeakyRelu(negative_slope)(x)


class ReluGrad(Op, name="relu_grad"):
    """z = g where x > 0, else negative_slope g."""

    negative_slope: float = 0.0
    any_rank = True

    def infer(self, g: Spec, x: Spec) -> Spec:
        return Spec(x.shape, g.dtype)

    def kernel(self, xp: ModuleType, g: Array, x: Array) -> Array:
        z = g * (x > 0)
        return z + self.negative_slope * (g - z) if self.negative_slope else z

    def vjp(self, h: Tensor, z: Tensor, g: Tensor, x: Tensor) -> tuple[Tensor, None]:
        return self(h, x), None


def relu6(x: Any) -> Tensor:
    """Return x, limited to 0 from below and to 6 from above."""
    return minimum(relu(x), 6)


def hard_tanh(x: Any) -> Tensor:
    """Return x, limited to -1 from below and to 1 from above."""
    return clip(x, -1, 1)


def hard_sigmoid(x: Any) -> Tensor:
    """Return x / 6 + 1/2, limited to 0 from below and to 1 from above."""
    return clip(add(divide(x, 6), 0.5), 0, 1)


def hard_silu(x: Any) -> Tensor:
    """Return x hard_sigmoid(x).

    Source: Howard et al. 2019, arXiv:1905.02244, as "hard swish".
    """
    return multiply(x, hard_sigmoid(x))


# -- sigmoid and its relatives ---------------------------------------------------------


class Sigmoid(FloatUnary, name="sigmoid"):
    """y = 1 / (1 + e^-x), dy/dx = y (1 - y)."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        # Where e^-x overflows to infinity, the result is 0 as it should be.
        return 1 / (1 + xp.exp(-x))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * y * (1 - y),)


def sigmoid(x: Any) -> Tensor:
    """Return 1 / (1 + e^-x)."""
    return Sigmoid()(x)


class Softplus(FloatUnary, name="softplus"):
    """y = ln(1 + e^x), dy/dx = sigmoid(x)."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        # e^x itself would overflow.
        return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g * sigmoid(x),)


def softplus(x: Any) -> Tensor:
    """Return ln(1 + e^x), a smooth relu."""
    return Softplus()(x)


def log_sigmoid(x: Any) -> Tensor:
    """Return ln of sigmoid(x), exact where that is all but 0."""
    return -softplus(-operand(x))


def silu(x: Any) -> Tensor:
    """Return x sigmoid(x).

    Source: Ramachandran, Zoph, Le 2017, arXiv:1710.05941, as "swish".
    """
    x = real(x)
    return x * sigmoid(x)


def mish(x: Any) -> Tensor:
    """Return x tanh(softplus(x)).

    Source: Misra 2019, arXiv:1908.08681.
    """
    x = real(x)
    return x * tanh(softplus(x))


class Softsign(FloatUnary, name="softsign"):
    """y = x / (1 + |x|), dy/dx = 1 / (1 + |x|)²."""

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return x / (1 + xp.abs(x))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g / square(1 + absolute(x)),)


def softsign(x: Any) -> Tensor:
    """Return x / (1 + |x|)."""
    return Softsign()(x)


# -- exponential and Gaussian units ----------------------------------------------------


class Elu(FloatUnary, name="elu"):
    """y = x where x > 0, else alpha (e^x - 1)."""

    alpha: float

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.maximum(x, 0) + self.alpha * xp.expm1(xp.minimum(x, 0))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        # Below 0 the derivative is alpha e^x, and that is y + alpha.
        above = ReluGrad()(g, x)
        return (above + (g - above) * (y + self.alpha),)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else alpha (e^x - 1).

    Source: Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289.
    """
    return Elu(alpha)(x)


SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def selu(x: Any) -> Tensor:
    """Return elu(x), scaled such that layers keep a mean of 0 and a variance of 1.

    Source: Klambauer et al. 2017, arXiv:1706.02515, equations 2 and 14.
    """
    return multiply(SELU_SCALE, elu(x, SELU_ALPHA))


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """Return x times the probability that a standard normal number is below x.

    Args:
        x: the input.
        approximate: compute that probability by tanh instead of the error function.

    Source: Hendrycks, Gimpel 2016, arXiv:1606.08415.
    """
    x = real(x)
    if approximate:
        # (1 + tanh u) / 2 = sigmoid(2u), which is exact where tanh u is all but -1.
        u = math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
        return multiply(x, cast(sigmoid(2 * u), x.dtype))
    return multiply(x, cast(0.5 * (1 + erf(x / math.sqrt(2))), x.dtype))
