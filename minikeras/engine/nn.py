"""``tf.nn``: activations, convolutions and what else neural networks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.engine import ops
from minikeras.engine.facade import graph_function
from minikeras.engine.graph import Tensor
from minikeras.engine.op import as_tensor

__all__ = [
    "avg_pool",
    "batch_normalization",
    "bias_add",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "crelu",
    "depthwise_conv2d",
    "dropout",
    "elu",
    "embedding_lookup",
    "in_top_k",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "log_softmax",
    "max_pool",
    "moments",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "tanh",
    "top_k",
    "xw_plus_b",
    "zero_fraction",
]

# -- activations -----------------------------------------------------------------------

relu = graph_function(ops.relu, features="x")
relu6 = graph_function(ops.relu6, features="x")
leaky_relu = graph_function(ops.leaky_relu, features="x", alpha="negative_slope")
elu = graph_function(ops.elu, features="x")
selu = graph_function(ops.selu, features="x")
sigmoid = graph_function(ops.sigmoid)
tanh = graph_function(ops.tanh)
softplus = graph_function(ops.softplus, features="x")
softsign = graph_function(ops.softsign, features="x")
softmax = graph_function(ops.softmax, logits="x", dim="axis")
log_softmax = graph_function(ops.log_softmax, logits="x", dim="axis")
top_k = graph_function(ops.top_k, input="x")
l2_normalize = graph_function(ops.l2_normalize, dim="axis")
moments = graph_function(ops.moments, keep_dims="keepdims")


@graph_function
def crelu(features: Any, axis: int = -1) -> Tensor:
    """Return relu of `features` and of their negatives, one after the other."""
    return ops.concatenate([ops.relu(features), ops.relu(-features)], axis)


# -- losses, one number for each example -----------------------------------------------


def _cross_entropy(labels: Any, logits: Any, axis: int = -1) -> Tensor:
    if labels is None or logits is None:
        raise ValueError("softmax_cross_entropy_with_logits: name labels= and logits=")
    return ops.softmax_cross_entropy(labels, logits, axis)


@graph_function
def softmax_cross_entropy_with_logits(
    _sentinel: Any = None, *, labels: Any = None, logits: Any = None, dim: int = -1
) -> Tensor:
    """Return the cross-entropy between `labels` and softmax of `logits`, in nats.

    No gradient flows into `labels`.

    Shapes:
        labels: (..., classes), probabilities
        logits: (..., classes)
        returns: (...)
    """
    constant = labels if labels is None else ops.stop_gradient(labels)
    return _cross_entropy(constant, logits, dim)


@graph_function
def softmax_cross_entropy_with_logits_v2(
    _sentinel: Any = None, *, labels: Any = None, logits: Any = None, axis: int = -1
) -> Tensor:
    """Return the same as without v2; gradients flow into `labels` too."""
    return _cross_entropy(labels, logits, axis)


@graph_function
def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, *, labels: Any, logits: Any
) -> Tensor:
    """Return the cross-entropy between numbered classes and softmax of `logits`.

    Shapes:
        labels: (...), integers
        logits: (..., classes)
        returns: (...), in nats
    """
    return ops.sparse_softmax_cross_entropy(labels, logits)


@graph_function
def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, *, labels: Any, logits: Any
) -> Tensor:
    """Return the cross-entropy between `labels` and sigmoid of `logits`, for each."""
    return ops.sigmoid_cross_entropy(labels, logits)


@graph_function
def l2_loss(t: Any) -> Tensor:
    """Return half the sum of the squares of `t`."""
    return ops.sum(ops.square(t)) / 2


# -- layers' formulas ------------------------------------------------------------------


@graph_function
def bias_add(value: Any, bias: Any, data_format: str = "NHWC") -> Tensor:
    """Return `value` with `bias` added along its channels."""
    value = as_tensor(value)
    bias = as_tensor(bias, value.dtype)
    if _is_first(data_format):
        bias = ops.reshape(bias, (-1, *(1,) * (value.ndim - 2)))
    return ops.add(value, bias)


@graph_function
def xw_plus_b(x: Any, weights: Any, biases: Any) -> Tensor:
    """Return the matrix product of `x` and `weights`, plus `biases`."""
    return ops.add(ops.matmul(x, weights), biases)


@graph_function
def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    rate: Any = None,
) -> Tensor:
    """Return `x` with elements kept at random and scaled up, the others set to 0.

    Args:
        x: what to thin out.
        keep_prob: probability with which an element is kept, in (0, 1]; the others'
            sum stays the same on average. A number, or a scalar tensor.
        noise_shape: elements along an axis of size 1 here are kept or dropped together.
        seed: of the choice.
        rate: 1 - keep_prob, which may be given instead.

    Raises:
        ValueError: if there is neither, or it is out of range.

    Source: Srivastava et al. 2014, jmlr.org/papers/v15/srivastava14a.
    """
    if keep_prob is None and rate is None:
        raise ValueError("dropout: give keep_prob, or rate")
    kept = 1 - rate if keep_prob is None else keep_prob
    if isinstance(kept, (int, float)):
        if not 0 < kept <= 1:
            raise ValueError(f"dropout: keep_prob must be in (0, 1]; got {kept}")
        if kept == 1:
            return ops.identity(x)
    else:
        kept = ops.reshape(kept, ())  # a placeholder's shape may be unknown
    x = as_tensor(x)
    sizes = ops.shape(x) if noise_shape is None else noise_shape
    mask = ops.random_bernoulli(ops.next_key(seed), sizes, kept, x.dtype)
    return x / kept * mask


@graph_function
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any
) -> Tensor:
    """Return scale (x - mean) / sqrt(variance + variance_epsilon) + offset.

    All broadcast to `x`; `offset` and `scale` may be None.
    """
    inverse = ops.rsqrt(ops.add(variance, variance_epsilon))
    factor = inverse if scale is None else inverse * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    return x * factor + shift


@graph_function
def embedding_lookup(params: Any, ids: Any, partition_strategy: str = "mod") -> Tensor:
    """Return the rows of `params` that the integers `ids` name.

    Shapes:
        params: (rows, ...)
        ids: any
        returns: (*ids, ...)
    """
    pieces = params if isinstance(params, (list, tuple)) else [params]
    if len(pieces) != 1:
        raise ValueError("embedding_lookup: params must be in one piece")
    return ops.take(pieces[0], ids, 0)


@graph_function
def in_top_k(predictions: Any, targets: Any, k: int) -> Tensor:
    """Return for each example whether its class is among the `k` predicted most.

    Shapes:
        predictions: (batch, classes)
        targets: (batch)
        returns: (batch)
    """
    return ops.in_top_k(targets, predictions, k)


@graph_function
def zero_fraction(value: Any) -> Tensor:
    """Return which share of the elements of `value` is 0."""
    return ops.mean(ops.cast(ops.equal(value, 0), "float32"))


# -- convolution and pooling -----------------------------------------------------------


def _is_first(data_format: str | None) -> bool:
    """Whether a format such as "NCHW" has the channels in front."""
    return (data_format or "NHWC").startswith("NC")


def _spatial(sizes: int | Sequence[int], data_format: str | None) -> Any:
    """Return the sizes of spatial axes, out of one for each axis ([1, 2, 2, 1])."""
    if isinstance(sizes, int) or len(sizes) < 3:
        return sizes
    return tuple(sizes[2:] if _is_first(data_format) else sizes[1:-1])


def _keras(data_format: str | None) -> str:
    return "channels_first" if _is_first(data_format) else "channels_last"


def _convolution(
    x: Any, filters: Any, strides: Any, padding: str, data_format: str, dilations: Any
) -> Tensor:
    return ops.conv(
        x,
        filters,
        _spatial(strides, data_format),
        padding.lower(),
        1 if dilations is None else _spatial(dilations, data_format),
        data_format=_keras(data_format),
    )


@graph_function
def conv1d(
    value: Any,
    filters: Any,
    stride: int,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NWC",
) -> Tensor:
    """Return the convolution along one axis.

    Shapes:
        value: (batch, steps, channels)
        filters: (taps, channels, filters)
        returns: (batch, windows, filters)
    """
    return _convolution(value, filters, stride, padding, data_format, None)


@graph_function
def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: str = "VALID",
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of images.

    Args:
        input: the images.
        filter: the weights.
        strides: for each axis of `input`, as in [1, 2, 2, 1].
        padding: ``SAME`` or ``VALID``.
        use_cudnn_on_gpu: accepted.
        data_format: ``NHWC``, or ``NCHW`` with the channels in front.
        dilations: for each axis, distance of a window's taps.

    Shapes:
        input: (batch, rows, columns, channels)
        filter: (taps, taps, channels, filters)
        returns: (batch, rows', columns', filters)
    """
    return _convolution(input, filter, strides, padding, data_format, dilations)


@graph_function
def conv3d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    data_format: str = "NDHWC",
    dilations: Any = None,
) -> Tensor:
    """Return the convolution of volumes.

    Shapes:
        input: (batch, depth, rows, columns, channels)
        filter: (taps, taps, taps, channels, filters)
        returns: (batch, depth', rows', columns', filters)
    """
    return _convolution(input, filter, strides, padding, data_format, dilations)


@graph_function
def conv2d_transpose(
    value: Any,
    filter: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NHWC",
) -> Tensor:
    """Return the transpose of `conv2d`: from its output's shape to its input's.

    Shapes:
        value: (batch, rows, columns, channels)
        filter: (taps, taps, filters, channels)
        output_shape: of the result, (batch, rows', columns', filters)
    """
    if _is_first(data_format):
        raise ValueError("conv2d_transpose: data_format must be NHWC")
    steps = _spatial(strides, data_format)
    return ops.conv_backprop_input(output_shape, filter, value, steps, padding.lower())


@graph_function
def depthwise_conv2d(
    input: Any, filter: Any, strides: Any, padding: str, rate: Any = None
) -> Tensor:
    """Return the convolution of each channel with filters of its own.

    Shapes:
        input: (batch, rows, columns, channels)
        filter: (taps, taps, channels, multiplier)
        returns: (batch, rows', columns', channels * multiplier)
    """
    steps = _spatial(strides, None)
    return ops.depthwise_conv(input, filter, steps, padding.lower(), rate or 1)


@graph_function
def max_pool(
    value: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC"
) -> Tensor:
    """Return the largest element of each window, channel by channel.

    Args:
        value: the images.
        ksize: the windows' size for each axis, as in [1, 2, 2, 1].
        strides: for each axis likewise.
        padding: ``SAME`` or ``VALID``.
        data_format: ``NHWC``, or ``NCHW`` with the channels in front.
    """
    sizes, steps = _spatial(ksize, data_format), _spatial(strides, data_format)
    return ops.max_pool(value, sizes, steps, padding.lower(), _keras(data_format))


@graph_function
def avg_pool(
    value: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC"
) -> Tensor:
    """Return the mean of each window, channel by channel; arguments as `max_pool`."""
    sizes, steps = _spatial(ksize, data_format), _spatial(strides, data_format)
    return ops.average_pool(value, sizes, steps, padding.lower(), _keras(data_format))
