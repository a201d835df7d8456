"""Convolutions: four families, each for one to three spatial axes.

Conv            every filter sees all channels (of its group)
ConvTranspose   the other way round: from the windows to the image
DepthwiseConv   each channel has filters of its own
SeparableConv   the same, then filters of size 1 that mix the channels
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import activations
from minikeras import backend as K
from minikeras.adapters import Adaptable, Filters, Weight
from minikeras.layers.arguments import NUMBER, one_of, positive, sizes
from minikeras.layers.input_spec import InputSpec
from minikeras.layers.signatures import rules, takes
from minikeras.layers.spatial import Spatial

__all__ = [
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
]

Sizes = int | Sequence[int]
Shape = Sequence[int | None]


class Convolution(Spatial):
    """Base of the four families: ``activation(convolve(x) + bias)``.

    Args:
        kernel_size: taps of a window along each spatial axis; a single number for all.
        strides: elements from one window's start to the next one's.
        padding: "valid": windows stay inside the input; "same": as many windows as
            there are strides in it.
        data_format: "channels_last" or "channels_first".
        dilation_rate: elements from one tap of a window to the next; where it is above
            1 the strides must be 1.
        activation: a name or a function; none by default.
        use_bias: whether to add a bias to each filter's output.
        bias_initializer: how the bias starts.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output.
        bias_constraint: a projection of the bias after each update.

    Shapes:
        inputs: (batch, spatial ..., channels)
        returns: (batch, windows ..., filters)

    Raises:
        ValueError: if a size is not positive, or there are strides and dilation.
    """

    paddings = ("valid", "same")
    _shows_penalty = True

    def __init__(
        self,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        *,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = sizes(kernel_size, self.rank, "kernel_size")
        self.strides = sizes(strides, self.rank, "strides")
        self.padding = one_of(padding, self.paddings, "padding")
        self.data_format = K.standardize_data_format(data_format)
        self.dilation_rate = sizes(dilation_rate, self.rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.weight_rule("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise ValueError(
                f"The channels of the inputs of layer '{self.name}' should be defined. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        axes = {self.channel_axis: channels}
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes=axes)
        filters = self.build_kernels(channels)
        self.bias = None
        if self.use_bias:
            self.bias = self.add_ruled_weight("bias", (filters,))

    def build_kernels(self, channels: int) -> int:
        """Make kernels for inputs of so many channels; return how many come out."""
        raise NotImplementedError

    def call(self, inputs: K.Tensor) -> K.Tensor:
        y = self.convolve(inputs)
        if self.use_bias:
            y = K.bias_add(y, self.bias, self.data_format)
        return y if self.activation is None else self.activation(y)

    def convolve(self, x: K.Tensor) -> K.Tensor:
        """Return the convolution of `x`, without bias."""
        raise NotImplementedError


# -- convolution -----------------------------------------------------------------------


@takes(
    "filters kernel_size strides padding data_format dilation_rate groups activation",
    "use_bias",
    rules("kernel", "bias"),
)
class _Conv(Adaptable, Convolution):
    """Base of convolutions: every filter sees all channels of its group.

    Args:
        filters: how many there are: the channels of the output.
        groups: parts in which channels and filters are divided, each on its own.
        kernel_initializer: how the kernel starts.
        kernel_regularizer: a penalty on the kernel.
        kernel_constraint: a projection of the kernel after each update.
        lora_rank: see `enable_lora`, which is called as soon as there is a kernel.
        lora_alpha: see `enable_lora`.

    The other arguments are those of `Convolution`.
    """

    form = Filters()
    kernel = Weight()

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        *,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
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
        self.adapt(lora_rank, lora_alpha)
        self.filters = positive(filters, "filters")
        self.groups = positive(groups, "groups", NUMBER)
        self.weight_rule(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        if filters % groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of "
                f"groups. Received: groups={groups}, filters={filters}."
            )

    def build_kernels(self, channels: int) -> int:
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number "
                f"of groups. Received groups={self.groups}, but the input has "
                f"{channels} channels."
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self.add_ruled_weight("kernel", shape)
        return self.filters

    def convolve(self, x: K.Tensor) -> K.Tensor:
        return self.convolution_op(x, self.kernel)

    def convolution_op(self, inputs: K.Tensor, kernel: Any) -> K.Tensor:
        """Return the convolution alone, for subclasses that change the kernel."""
        return K.conv(
            inputs,
            kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )


class Conv1D(_Conv):
    """Convolution of sequences.

    Args:
        filters: how many there are: the channels of the output.
        kernel_size: steps in a window.
        strides: steps from one window's start to the next one's.
        padding: "valid", "same", or "causal": the same, with all padding at the
            beginning, so that no output depends on later steps.
        data_format: where the channels are.
        dilation_rate: steps from one tap of a window to the next.
        groups: parts in which channels and filters are divided.
        activation: a name or a function.
        use_bias: whether to add a bias.
        kwargs: initializers, regularizers and constraints, as of `Dense`.

    Shapes:
        inputs: (batch, steps, channels)
        returns: (batch, windows, filters)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution of images.

    Args:
        filters: how many there are: the channels of the output.
        kernel_size: height and width of a window.
        strides: pixels from one window's start to the next one's.
        padding: "valid" or "same".
        data_format: where the channels are.
        dilation_rate: pixels from one tap of a window to the next.
        groups: parts in which channels and filters are divided.
        activation: a name or a function.
        use_bias: whether to add a bias.
        kwargs: initializers, regularizers and constraints, as of `Dense`.

    Shapes:
        inputs: (batch, height, width, channels)
        returns: (batch, rows of windows, columns of windows, filters)
    """

    rank = 2


class Conv3D(_Conv):
    """Convolution of volumes; the arguments are those of `Conv2D`.

    Shapes:
        inputs: (batch, depth, height, width, channels)
        returns: (batch, windows ..., filters)
    """

    rank = 3


# -- its transpose ---------------------------------------------------------------------


@takes(
    "filters kernel_size strides padding output_padding data_format dilation_rate",
    "activation use_bias",
    rules("kernel", "bias"),
)
class _ConvTranspose(Convolution):
    """Base of the other way round: from what a convolution gives to what it takes."""

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        output_padding: Sizes | None = None,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        *,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
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
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = _less_than_strides(self, output_padding)
        self.weight_rule(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )

    def build_kernels(self, channels: int) -> int:
        shape = (*self.kernel_size, self.filters, channels)
        self.kernel = self.add_ruled_weight("kernel", shape)
        return self.filters

    def convolve(self, x: K.Tensor) -> K.Tensor:
        return K.conv_transpose(
            x,
            self.kernel,
            self.strides,
            self.padding,
            self.output_padding,
            self.data_format,
            self.dilation_rate,
        )


def _less_than_strides(layer: Convolution, value: Sizes) -> tuple[int, ...]:
    """Return `output_padding` as one size for each axis."""
    found = sizes(value, layer.rank, "output_padding", least=0)
    if any(p >= s for p, s in zip(found, layer.strides, strict=True)):
        raise ValueError(
            "`output_padding` must be strictly less than `strides` for all "
            f"dimensions. Received: output_padding={value}, strides={layer.strides}"
        )
    return found


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution of sequences; see `Conv2DTranspose`."""

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution of images, which enlarges them: "deconvolution".

    Args:
        filters: the channels of the output.
        kernel_size: height and width of a window.
        strides: factors by which the image becomes larger.
        padding: "valid" or "same".
        output_padding: pixels added to the size of the output; fewer than `strides`.
        data_format: where the channels are.
        dilation_rate: pixels from one tap of a window to the next.
        activation: a name or a function.
        use_bias: whether to add a bias.
        kwargs: initializers, regularizers and constraints, as of `Dense`.

    Shapes:
        inputs: (batch, rows, columns, channels)
        returns: (batch, strides · rows, strides · columns, filters) if "same"

    Source: Zeiler et al. 2010, "Deconvolutional networks".
    """

    rank = 2


@takes(
    "filters kernel_size strides padding data_format output_padding dilation_rate",
    "activation use_bias",
    rules("kernel", "bias"),
)
class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution of volumes; see `Conv2DTranspose`."""

    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
