"""Convolutions channel by channel, with or without a mixing of the channels after them.

DepthwiseConv   each channel has filters of its own
SeparableConv   the same, then filters of size 1 that see all channels
"""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.arguments import positive
from minikeras.layers.conv import Convolution, Sizes
from minikeras.layers.signatures import rules, takes

__all__ = [
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
]


# -- depthwise -------------------------------------------------------------------------


@takes(
    "kernel_size strides padding depth_multiplier data_format dilation_rate activation",
    "use_bias",
    rules("depthwise", "bias"),
)
class _DepthwiseConv(Convolution):
    """Base of convolutions in which each channel has filters of its own."""

    def __init__(
        self,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        *,
        depthwise_initializer: Any = "glorot_uniform",
        depthwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            **kwargs,
        )
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier")
        depthwise = depthwise_initializer, depthwise_regularizer, depthwise_constraint
        self.weight_rule("depthwise", *depthwise)

    def build_kernels(self, channels: int) -> int:
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self.add_ruled_weight("kernel", shape, rule="depthwise")
        return channels * self.depth_multiplier

    def convolve(self, x: K.Tensor) -> K.Tensor:
        return K.depthwise_conv(
            x,
            self.kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )


class DepthwiseConv1D(_DepthwiseConv):
    """Convolution of each channel of sequences by itself; see `DepthwiseConv2D`."""

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """Convolution of each channel of images by itself.

    Args:
        kernel_size: height and width of a window.
        strides: pixels from one window's start to the next one's.
        padding: "valid" or "same".
        depth_multiplier: how many filters each channel has.
        data_format: where the channels are.
        dilation_rate: pixels from one tap of a window to the next.
        activation: a name or a function.
        use_bias: whether to add a bias.
        kwargs: ``depthwise_initializer`` and so on, and those of the bias.

    Shapes:
        inputs: (batch, height, width, channels)
        returns: (batch, rows, columns, channels · depth_multiplier)
    """

    rank = 2


# -- separable -------------------------------------------------------------------------


@takes(
    "filters kernel_size strides padding data_format dilation_rate depth_multiplier",
    "activation use_bias",
    rules("depthwise", "pointwise", "bias"),
)
class _SeparableConv(Convolution):
    """Base of depthwise convolutions with a mixing of the channels after them."""

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        *,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            **kwargs,
        )
        self.filters = positive(filters, "filters")
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier")
        depthwise = depthwise_initializer, depthwise_regularizer, depthwise_constraint
        pointwise = pointwise_initializer, pointwise_regularizer, pointwise_constraint
        self.weight_rule("depthwise", *depthwise)
        self.weight_rule("pointwise", *pointwise)

    def build_kernels(self, channels: int) -> int:
        depthwise = (*self.kernel_size, channels, self.depth_multiplier)
        pointwise = (1,) * self.rank
        pointwise += (channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self.add_ruled_weight(
            "depthwise_kernel", depthwise, rule="depthwise"
        )
        self.pointwise_kernel = self.add_ruled_weight(
            "pointwise_kernel", pointwise, rule="pointwise"
        )
        return self.filters

    def convolve(self, x: K.Tensor) -> K.Tensor:
        return K.separable_conv(
            x,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )


class SeparableConv1D(_SeparableConv):
    """Depthwise convolution of sequences, then across; see `SeparableConv2D`."""

    rank = 1


class SeparableConv2D(_SeparableConv):
    """Depthwise convolution of images, then one of size 1 across the channels.

    Args:
        filters: the channels of the output.
        kernel_size: height and width of a window.
        strides: pixels from one window's start to the next one's.
        padding: "valid" or "same".
        data_format: where the channels are.
        dilation_rate: pixels from one tap of a window to the next.
        depth_multiplier: how many filters each channel has in the first step.
        activation: a name or a function.
        use_bias: whether to add a bias.
        kwargs: ``depthwise_initializer``, ``pointwise_initializer`` and so on, and
            those of the bias.

    Source: Chollet 2016, arXiv:1610.02357.
    """

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
