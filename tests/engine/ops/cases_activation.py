"""Cases of activation functions; the oracles are formulas, or SciPy's."""

from __future__ import annotations

import numpy as np
from scipy import special

from minikeras.engine import ops
from minikeras.engine.ops.activation import ReluGrad
from tests.engine.ops.cases import Case, integers, uniform

X, WIDE = (3, 4), uniform((40,), -30, 30)


def leaky(x, negative_slope=0.2):
    return np.where(x > 0, x, negative_slope * x)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def gelu(x, approximate=True):
    if approximate:
        u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
        return x * (1 + np.tanh(u)) / 2
    return x * special.ndtr(x)


def hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


def relu_grad(g, x, negative_slope=0.0):
    return np.where(x > 0, 1, negative_slope) * g


# Name of the op, the function, what it must return.
FORMULAS = {
    "relu": ("relu", lambda x: np.maximum(x, 0)),
    "leaky_relu": ("leaky_relu", leaky),
    "elu": ("elu", elu),
    "selu": ("elu", lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    "sigmoid": ("sigmoid", special.expit),
    "softplus": ("softplus", lambda x: np.logaddexp(x, 0)),
    "softsign": ("softsign", lambda x: x / (1 + np.abs(x))),
    "log_sigmoid": ("softplus", special.log_expit),
    "silu": ("sigmoid", lambda x: x * special.expit(x)),
    "mish": ("softplus", lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "gelu": ("sigmoid", gelu),
    "relu6": ("relu", lambda x: np.clip(x, 0, 6)),
    "hard_tanh": ("clip", lambda x: np.clip(x, -1, 1)),
    "hard_sigmoid": ("clip", hard_sigmoid),
    "hard_silu": ("clip", lambda x: x * hard_sigmoid(x)),
}

CASES = [
    *(
        Case(op, getattr(ops, name), oracle, (X,), note=name)
        for name, (op, oracle) in FORMULAS.items()
    ),
    *(
        Case(op, getattr(ops, name), oracle, (WIDE,), note=f"{name} wide")
        for name, (op, oracle) in FORMULAS.items()
    ),
    *(
        Case(op, getattr(ops, name), oracle, (integers((7,)),), note=f"{name} integers")
        for name, (op, oracle) in FORMULAS.items()
    ),
    Case("leaky_relu", ops.leaky_relu, leaky, (X,), {"negative_slope": 1.5}),
    Case("elu", ops.elu, elu, (X,), {"alpha": 0.3}),
    Case("erf", ops.gelu, gelu, (WIDE,), {"approximate": False}),
    Case("relu_grad", ReluGrad(), relu_grad, (X, X), wrt=(0,)),
    Case(
        "relu_grad",
        ReluGrad(0.2),
        lambda g, x: relu_grad(g, x, 0.2),
        (X, X),
        wrt=(0,),
        note="leaky",
    ),
]
