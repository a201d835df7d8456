"""What networks are made of, under Keras 3's names."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.engine import shapes
from minikeras.lazy import selection
from minikeras.ops.eager import eager

__all__ = [
    "average_pool",
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "celu",
    "conv",
    "conv_transpose",
    "ctc_decode",
    "ctc_loss",
    "depthwise_conv",
    "dot_product_attention",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "layer_normalization",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "max_pool",
    "moments",
    "psnr",
    "relu",
    "relu6",
    "rms_normalization",
    "selu",
    "separable_conv",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_categorical_crossentropy",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
]

# What Keras counts among these as well, and other files have.
_ELSEWHERE = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "depth_to_space",
    "fold",
    "multi_hot",
    "normalize",
    "one_hot",
    "polar",
    "space_to_depth",
    "unfold",
]

__getattr__, __dir__ = selection(__name__, "minikeras.ops", [*__all__, *_ELSEWHERE])

Axes = int | Sequence[int]

# -- activations -----------------------------------------------------------------------

celu = eager(K.celu)
elu = eager(K.elu)
gelu = eager(K.gelu)
glu = eager(K.glu)
hard_shrink = eager(K.hard_shrink)
hard_sigmoid = eager(K.hard_sigmoid)
hard_silu = hard_swish = eager(K.hard_silu)
hard_tanh = eager(K.hard_tanh)
leaky_relu = eager(K.leaky_relu)
log_sigmoid = eager(K.log_sigmoid)
log_softmax = eager(K.log_softmax)
relu = eager(engine.relu)
relu6 = eager(K.relu6)
selu = eager(K.selu)
sigmoid = eager(K.sigmoid)
silu = swish = eager(K.silu)
soft_shrink = eager(K.soft_shrink)
softplus = eager(K.softplus)
softsign = eager(K.softsign)
sparse_plus = eager(K.sparse_plus)
sparse_sigmoid = eager(K.sparse_sigmoid)
sparsemax = eager(K.sparsemax)
squareplus = eager(K.squareplus)
tanh_shrink = eager(K.tanh_shrink)
threshold = eager(K.threshold)


@eager
def softmax(x: Any, axis: Axes = -1) -> Any:
    """Return ``exp(x) / sum(exp(x))`` over `axis`, one or several.

    It warns where there is one element alone, of which that is 1.
    """
    sizes = K.int_shape(x) or ()
    if isinstance(axis, int) and -len(sizes) <= axis < len(sizes) and sizes[axis] == 1:
        warnings.warn(
            f"You are using a softmax over axis {axis} of a tensor of shape {sizes}. "
            "This axis has size 1. The softmax operation will always return the value "
            "1, which is likely not what you intended. Did you mean to use a sigmoid "
            "instead?",
            stacklevel=3,
        )
    return K.softmax(x, axis)


# -- windows ---------------------------------------------------------------------------

conv = eager(K.conv)
conv_transpose = eager(K.conv_transpose)
depthwise_conv = eager(K.depthwise_conv)
separable_conv = eager(K.separable_conv)
average_pool = eager(K.average_pool)
max_pool = eager(K.max_pool)

# -- attention -------------------------------------------------------------------------

dot_product_attention = eager(K.dot_product_attention)

# -- losses ----------------------------------------------------------------------------

binary_crossentropy = eager(K.binary_crossentropy)
categorical_crossentropy = eager(K.categorical_crossentropy)
ctc_decode = eager(K.ctc_decode)
ctc_loss = eager(K.ctc_loss)


@eager
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """Return ``-log(output[target])``, in nats; see the function of this name in K."""
    return K.sparse_categorical_crossentropy(target, output, from_logits, axis)


@eager
def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """Return the peak signal-to-noise ratio of two images, in decibels.

    `max_val` is the range of their pixels: 1 or 255.
    """
    error = K.mean(K.square(K.subtract(x1, x2)))
    return K.subtract(20 * math.log10(max_val), K.multiply(10.0, K.log10(error)))


# -- normalization ---------------------------------------------------------------------


@eager
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """Return ``scale * (x - mean) / sqrt(variance + epsilon) + offset``, by channel."""
    size = K.known_shape(x)[axis]
    vectors = {"mean": mean, "variance": variance, "offset": offset, "scale": scale}
    for name, vector in vectors.items():
        if vector is not None and not shapes.compatible(K.known_shape(vector)[0], size):
            raise ValueError(
                f"Arguments `{name}` must be a vector of length `x.shape[axis]`. "
                f"Expected: `{(size,)}`. Received: `{K.known_shape(vector)}`."
            )
    return engine.batch_normalization(x, mean, variance, axis, offset, scale, epsilon)


@eager
def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: Axes = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Any:
    """Return ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, by example."""
    if kwargs.get("rms_scaling"):
        warnings.warn(
            "You passed `rms_scaling=True`, which is deprecated: it divides by the "
            "standard deviation, not the root mean square. Use "
            "`keras.ops.rms_normalization` instead.",
            stacklevel=3,
        )
    small = K.epsilon() if epsilon is None else epsilon
    return K.layer_normalization(x, gamma, beta, axis, small, **kwargs)


@eager
def rms_normalization(
    x: Any, scale: Any = None, axis: Axes = -1, epsilon: float | None = None
) -> Any:
    """Return ``scale * x / sqrt(mean(x²) + epsilon)``, by example."""
    small = K.epsilon() if epsilon is None else epsilon
    return K.rms_normalization(x, scale, axis, small)


@eager
def moments(
    x: Any, axes: Axes, keepdims: bool = False, synchronized: bool = False
) -> Any:
    """Return the mean and the variance of `x` over `axes`.

    Raises:
        NotImplementedError: if they should be those of several replicas together.
    """
    if synchronized:
        raise NotImplementedError("moments: replicas are not synchronized here")
    return K.moments(x, axes, keepdims)
