"""What networks are made of, under Keras 3's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = [
    "average_pool",
    "batch_normalization",
    "binary_crossentropy",
    "categorical_crossentropy",
    "celu",
    "conv",
    "conv_transpose",
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
softmax = eager(K.softmax)
softplus = eager(K.softplus)
softsign = eager(K.softsign)
sparse_plus = eager(K.sparse_plus)
sparse_sigmoid = eager(K.sparse_sigmoid)
sparsemax = eager(K.sparsemax)
squareplus = eager(K.squareplus)
tanh_shrink = eager(K.tanh_shrink)
threshold = eager(K.threshold)

# -- windows ---------------------------------------------------------------------------

conv = eager(K.conv)
conv_transpose = eager(K.conv_transpose)
depthwise_conv = eager(K.depthwise_conv)
separable_conv = eager(K.separable_conv)
average_pool = eager(K.average_pool)
max_pool = eager(K.max_pool)

# -- losses ----------------------------------------------------------------------------

binary_crossentropy = eager(K.binary_crossentropy)
categorical_crossentropy = eager(K.categorical_crossentropy)


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
    small = K.epsilon() if epsilon is None else epsilon
    return K.layer_normalization(x, gamma, beta, axis, small)


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


# -- attention -------------------------------------------------------------------------


@eager
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """Return the values, averaged by how well their keys match each query.

    Args:
        query: what is looked for.
        key: what it is compared with.
        value: what is averaged.
        bias: added to the logits.
        mask: which keys a query may see, of booleans.
        scale: of the logits; by default 1 / √channels.
        is_causal: whether a query sees only the keys up to its own position.
        flash_attention: accepted; it makes no difference here.
        attn_logits_soft_cap: if given, c of ``c * tanh(logits / c)``.

    Shapes:
        query: (batch, targets, heads, channels)
        key, value: (batch, sources, groups, channels), where groups divide heads
        mask, bias: (batch, heads, targets, sources), or what broadcasts to that
        returns: (batch, targets, heads, channels)

    Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1.
    """
    *_, heads, channels = shape(query)
    groups = shape(key)[2]
    if isinstance(heads, int) and heads != groups:
        key, value = (engine.repeat(x, heads // groups, 2) for x in (key, value))
    factor = K.rsqrt(K.cast(channels, K.dtype(query))) if scale is None else scale
    logits = K.multiply(K.einsum("btnh,bsnh->bnts", query, key), factor)
    if attn_logits_soft_cap is not None:
        cap = attn_logits_soft_cap
        logits = K.multiply(cap, K.tanh(K.divide(logits, cap)))
    if bias is not None:
        logits = K.add(logits, bias)
    logits = _masked(logits, mask, is_causal)
    return K.einsum("bnts,bsnh->btnh", K.softmax(logits), value)


def _masked(logits: Any, mask: Any, is_causal: bool) -> Any:
    """Return `logits`, all but minus infinity where a query may not see a key."""
    least = -1e4 if K.dtype(logits) == "float16" else -1e30
    if is_causal:
        t, s = K.shape(logits)[-2], K.shape(logits)[-1]
        seen = K.greater_equal(K.expand_dims(K.arange(t), -1), K.arange(s))
        logits = K.where(seen, logits, least)
    return logits if mask is None else K.where(K.cast(mask, "bool"), logits, least)
