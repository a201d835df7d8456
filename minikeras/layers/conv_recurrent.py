"""Recurrent layers on sequences of images: an LSTM whose products are convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.layers.arguments import one_of, sizes
from minikeras.layers.cells import LSTMCell
from minikeras.layers.input_spec import InputSpec, known_shape
from minikeras.layers.recurrent import WithCell
from minikeras.layers.signatures import rules, takes

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]

Sizes = int | Sequence[int]
Shape = Sequence[int | None]


class ConvLSTMCell(LSTMCell):
    """A step of long short-term memory on images: see `LSTMCell` and `ConvLSTM2D`.

    Args:
        rank: the number of spatial axes.
        filters: the channels of the output, and of both states.
        kernel_size: taps of a window along each spatial axis, in both convolutions.
        strides: of the inputs' convolution; that of the state has none.
        padding: of the inputs' convolution; that of the state is "same".
        data_format: where the channels are.
        dilation_rate: of the inputs' convolution.
        activation: in place of tanh.
        recurrent_activation: in place of sigmoid.
        use_bias: whether to add a bias.
        kwargs: see `LSTMCell`.

    Shapes:
        inputs: (batch, spatial ..., channels)
        states: [(batch, windows ..., filters), the same], h and c
        returns: the output (batch, windows ..., filters), and the new states
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(filters, activation, recurrent_activation, use_bias, **kwargs)
        self.rank = rank
        self.filters = filters
        self.kernel_size = sizes(kernel_size, rank, "kernel_size")
        self.strides = sizes(strides, rank, "strides")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.data_format = K.standardize_data_format(data_format)
        self.dilation_rate = sizes(dilation_rate, rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )

    @property
    def unit_axis(self) -> int:
        """The axis of the channels, counted from the end."""
        return -1 if self.data_format == "channels_last" else -1 - self.rank

    def build(self, input_shape: Shape) -> None:
        sample = list(input_shape[1:])
        channels = sample[self.unit_axis]
        if channels is None:
            raise ValueError(
                "The channel dimension of the inputs (last axis) should be defined. "
                f"Found None. Full input shape received: input_shape={input_shape}"
            )
        if None in sample:
            raise ValueError(
                "ConvLSTM layers only support static input shapes for the spatial "
                f"dimension. Received invalid input shape: input_shape={input_shape}"
            )
        width = self.gates * self.units
        self.kernel = self.add_ruled_weight(
            "kernel", (*self.kernel_size, channels, width)
        )
        self.recurrent_kernel = self.add_ruled_weight(
            "recurrent_kernel", (*self.kernel_size, self.units, width), rule="recurrent"
        )
        self.bias = self.build_bias(width) if self.use_bias else None
        with K.tracing():
            y = self.convolve(K.placeholder((1, *sample), dtype=self.variable_dtype))
        state = list(known_shape(y)[1:])
        state[self.unit_axis] = self.units
        self.sample_shapes = tuple(sample), tuple(state)

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the states before the first step: zeros."""
        shape = (batch_size, *self.sample_shapes[1])
        return [K.zeros(shape, self.compute_dtype) for _ in range(2)]

    def project(self, x: Any, training: Any = None) -> Any:
        """Return the inputs' convolution, of one step or of all steps."""
        x = self.without_dropped(x, 0, training)
        sizes = K.known_shape(x)
        sample = sizes[-self.rank - 1 :]
        whole = K.shape(x)
        y = self.convolve(K.reshape(x, (-1, *sample)))
        if self.use_bias:
            y = K.bias_add(y, self.bias, self.data_format)
        before = (whole[i] for i in range(len(sizes) - len(sample)))
        return K.reshape(y, (*before, *known_shape(y)[1:]))

    def convolve(self, x: Any) -> Any:
        """Return what all gates make of inputs."""
        return K.conv(
            x,
            self.kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )

    def recur(self, h: Any) -> Any:
        return K.conv(h, self.recurrent_kernel, 1, "same", self.data_format)


@takes(
    "filters kernel_size strides padding data_format dilation_rate activation",
    "recurrent_activation use_bias",
    rules("kernel", "recurrent", "bias", between="unit_forget_bias"),
    "dropout recurrent_dropout seed return_sequences return_state go_backwards",
    "stateful",
)
class _ConvLSTM(WithCell):
    """Base of the three: see `ConvLSTM2D`."""

    cell_class = ConvLSTMCell
    rank: ClassVar[int]

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            self.rank,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            recurrent_activation,
            use_bias,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {k: v for k, v in config.items() if k not in ("rank", "units")}


class ConvLSTM1D(_ConvLSTM):
    """Long short-term memory on sequences of signals; see `ConvLSTM2D`.

    Shapes:
        sequences: (batch, steps, length, channels)
        returns: (batch, windows, filters), or with the steps if return_sequences
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """Long short-term memory on sequences of images.

    It is an `LSTM` in whose formula convolutions stand for the products, x * W with
    padding and strides, h * U with as many windows as there are pixels in h.

    Args:
        filters: the channels of the output, and of both states; above 0.
        kernel_size: height and width of a window, in both convolutions.
        strides: pixels from one window's start to the next one's.
        padding: "valid" or "same".
        data_format: where the channels are.
        dilation_rate: pixels from one tap of a window to the next.
        activation: tanh by default.
        recurrent_activation: of the gates; sigmoid by default.
        use_bias: whether to add a bias.
        kwargs: those of `LSTM`.

    Shapes:
        sequences: (batch, steps, height, width, channels), of known height and width
        mask: (batch, steps)
        returns: (batch, rows of windows, columns of windows, filters), or with the
            steps if return_sequences

    Source: Shi et al. 2015, arXiv:1506.04214, without the peepholes.
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """Long short-term memory on sequences of volumes; see `ConvLSTM2D`.

    Shapes:
        sequences: (batch, steps, depth, height, width, channels)
        returns: (batch, windows ..., filters), or with the steps if return_sequences
    """

    rank = 3
