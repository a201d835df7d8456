"""Activations: K's functions by the names that layers know them by, in one table.

An activation is any function of a tensor; those here are K's, but for four whose name,
arguments or defaults differ.
"""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.backend import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def linear(x: Any) -> Any:
    """Return `x`."""
    return x


def exponential(x: Any) -> Any:
    """Return e to the power of `x`."""
    return K.exp(x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """Return `x` times the share of a standard normal that lies below it.

    Args:
        x: the input.
        approximate: whether a hyperbolic tangent stands for the normal's integral.

    Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """
    return K.gelu(x, approximate)


def relu(
    x: Any,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Any:
    """Return `x` above the threshold, ``negative_slope * (x - threshold)`` below it.

    Args:
        x: the input.
        negative_slope: slope below the threshold.
        max_value: upper bound of the result; None for no bound.
        threshold: where the slope becomes 1.

    Example:
        >>> relu([-10.0, 0.0, 5.0], max_value=4.0)
        array([0., 0., 4.], dtype=float32)
    """
    return K.relu(x, negative_slope, max_value, threshold)


swish, hard_swish = silu, hard_silu

_ROOM = ("deserialize", "get", "serialize")
# Those whose operations, in a model that they are called on, have other names.
_OPERATIONS = {"exponential": "exp", "relu": "re_lu"}
_ACTIVATIONS = {
    name: K.followed(globals()[name], _OPERATIONS.get(name, ""))
    for name in __all__
    if name not in _ROOM
}
globals().update(_ACTIVATIONS)
for _function in _ACTIVATIONS.values():
    _function.__module__ = __name__  # where pickle finds it

_registry = K.Registry(
    "keras.activations",
    "activation function",
    _ACTIVATIONS.values(),
    aliases=_ACTIVATIONS,
    default=linear,
    also=["keras.layers"],
)
get, deserialize = _registry.get, _registry.deserialize


def serialize(activation: Any) -> Any:
    """Return the name of an activation from this room, the config of any other."""
    if activation in _ACTIVATIONS.values():
        return activation.__name__
    return K.serialize_keras_object(activation)
