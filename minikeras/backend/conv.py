"""Convolutions, under Keras's names: `conv` for any number of spatial axes.

    conv, depthwise_conv, separable_conv, conv_transpose    one to three spatial axes
    conv1d, conv2d, conv3d, conv2d_transpose, ...           Keras 2's names

Kernels have the axes (taps ..., channels, filters), whatever the data format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.backend.config import standardize_data_format
from minikeras.backend.introspection import int_shape, known_shape
from minikeras.engine import ops as engine
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.shapes import compatible

__all__ = [
    "conv",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "conv_transpose",
    "depthwise_conv",
    "depthwise_conv1d",
    "depthwise_conv2d",
    "separable_conv",
    "separable_conv1d",
    "separable_conv2d",
]

Sizes = int | Sequence[int]


def conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Return the convolution of `inputs` with `kernel`.

    Args:
        inputs: the images, or signals, or volumes.
        kernel: the weights; if it is for fewer channels than `inputs` has, channels and
            filters are divided into groups.
        strides: elements from one window's start to the next one's.
        padding: "valid": windows stay inside; "same": a window for every stride;
            "causal": the same, with all padding before the first element.
        data_format: "channels_last" or "channels_first".
        dilation_rate: elements from one tap of a window to the next.

    Shapes:
        inputs: (batch, spatial ..., channels)
        kernel: (taps ..., channels / groups, filters)
        returns: (batch, windows ..., filters)

    Raises:
        ShapeError: if the channels do not fit, or `inputs` is too small for a window.
    """
    layout = standardize_data_format(data_format)
    channels, seen = _channels(inputs, layout), known_shape(kernel)[-2]
    if channels and seen and channels % seen:
        raise ShapeError(
            _MISFIT.format(channels, seen)
            + " It must be evenly divisible by kernel's in_channels."
        )
    groups = channels // seen if channels and seen else 1
    return engine.conv(inputs, kernel, strides, padding, dilation_rate, groups, layout)


def _channels(x: Any, layout: str) -> int | None:
    shape = int_shape(x)
    if shape is None:
        return None
    return shape[-1 if layout == "channels_last" else 1]


_MISFIT = (
    "The number of input channels must match the kernel's input channels. Received: "
    "input channels={}, kernel input channels={}."
)


def _check_channels(x: Any, seen: int | None, layout: str) -> None:
    channels = _channels(x, layout)
    if not compatible(channels, seen):
        raise ShapeError(_MISFIT.format(channels, seen))


conv1d = conv2d = conv3d = conv


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Return the convolution of each channel of `inputs` with filters of its own.

    Shapes:
        inputs: (batch, spatial ..., channels)
        kernel: (taps ..., channels, multiplier)
        returns: (batch, windows ..., channels · multiplier)

    The other arguments are those of `conv`.
    """
    layout = standardize_data_format(data_format)
    _check_channels(inputs, known_shape(kernel)[-2], layout)
    return engine.depthwise_conv(
        inputs, kernel, strides, padding, dilation_rate, layout
    )


depthwise_conv1d = depthwise_conv2d = depthwise_conv


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Return a depthwise convolution, followed by one that mixes the channels.

    Shapes:
        inputs: (batch, spatial ..., channels)
        depthwise_kernel: (taps ..., channels, multiplier)
        pointwise_kernel: (1 ..., channels · multiplier, filters)
        returns: (batch, windows ..., filters)

    The other arguments are those of `conv`.
    """
    layout = standardize_data_format(data_format)
    _check_channels(inputs, known_shape(depthwise_kernel)[-2], layout)
    return engine.separable_conv(
        inputs,
        depthwise_kernel,
        pointwise_kernel,
        strides,
        padding,
        dilation_rate,
        layout,
    )


separable_conv1d = separable_conv2d = separable_conv


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Return the transpose of a convolution: from its output's shape to its input's.

    Args:
        inputs: the images, or signals, or volumes.
        kernel: the weights of that convolution.
        strides: elements from one window's start to the next one's.
        padding: "valid" or "same".
        output_padding: added to the size of the result; fewer than `strides`.
        data_format: "channels_last" or "channels_first".
        dilation_rate: elements from one tap of a window to the next.

    Shapes:
        inputs: (batch, windows ..., channels)
        kernel: (taps ..., filters, channels)
        returns: (batch, spatial ..., filters)
    """
    layout = standardize_data_format(data_format)
    _check_channels(inputs, known_shape(kernel)[-1], layout)
    return engine.conv_transpose(
        inputs, kernel, strides, padding, output_padding, dilation_rate, layout
    )


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Sequence[Any],
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """Return the transpose of a convolution, of the shape that is given.

    Args:
        x: the input.
        kernel: the weights, (taps ..., filters, channels).
        output_shape: of the result, in the data format; the batch may be None.
        strides: elements from one window's start to the next one's.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
        dilation_rate: elements from one tap of a window to the next.

    Raises:
        ShapeError: if a convolution of that shape would not give that of `x`.
    """
    layout = standardize_data_format(data_format)
    batch, *sizes = output_shape
    batch = engine.shape(x)[0] if batch is None else batch
    if layout == "channels_first":
        sizes = [*sizes[1:], sizes[0]]
    return engine.conv_backprop_input(
        [batch, *sizes], kernel, x, strides, padding, dilation_rate, data_format=layout
    )


conv3d_transpose = conv2d_transpose
