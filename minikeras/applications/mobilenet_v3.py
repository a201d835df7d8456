"""MobileNet, the third version: found by search, with weights for channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minikeras import backend as K
from minikeras.applications.assembly import (
    Request,
    assemble,
    chain,
    channel_axis,
    check_activation,
    check_weights,
    documented,
)
from minikeras.applications.imagenet_utils import (
    correct_pad,
    decode_predictions,
    preprocessor,
)
from minikeras.applications.mobile import (
    check_tensor,
    check_width,
    divisible,
    norm,
    rows_and_columns,
    rows_of_weights,
)
from minikeras.applications.releases import KERAS, Release
from minikeras.layers import (
    Activation,
    Add,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Multiply,
    ReLU,
    Rescaling,
    ZeroPadding2D,
)
from minikeras.models import Functional

__all__ = [
    "MobileNetV3Large",
    "MobileNetV3Small",
    "decode_predictions",
    "preprocess_input",
]

# Of the weights, with the classifier and without.
HASHES = {
    "large_224_0.75_float": (
        "765b44a33ad4005b3ac83185abf1d0eb",
        "40af19a13ebea4e2ee0c676887f69a2e",
    ),
    "large_224_1.0_float": (
        "59e551e166be033d707958cf9e29a6a7",
        "07fb09a5933dd0c8eaafa16978110389",
    ),
    "large_minimalistic_224_1.0_float": (
        "675e7b876c45c57e9e63e6d90a36599c",
        "ec5221f64a2f6d1ef965a614bdae7973",
    ),
    "small_224_0.75_float": (
        "cb65d4e5be93758266aa0a7f2c6708b7",
        "ebdb5cc8e0b497cd13a7c275d475c819",
    ),
    "small_224_1.0_float": (
        "8768d4c2e7dee89b9d02b2d03d65d862",
        "d3e8ec802a04aa4fc771ee12a9a9b836",
    ),
    "small_minimalistic_224_1.0_float": (
        "99cd97fb2fcdad2bf028eb838de69e37",
        "cde8136e733e811080d9fcd8a252f7e4",
    ),
}
# A block: expansion, filters, whether its kernel is the larger one, stride, whether
# channels are weighted, whether the activation is hard swish.
Row = tuple[float, int, bool, int, bool, bool]
SMALL: tuple[Row, ...] = (
    (1, 16, False, 2, True, False),
    (72 / 16, 24, False, 2, False, False),
    (88 / 24, 24, False, 1, False, False),
    (4, 40, True, 2, True, True),
    (6, 40, True, 1, True, True),
    (6, 40, True, 1, True, True),
    (3, 48, True, 1, True, True),
    (3, 48, True, 1, True, True),
    (6, 96, True, 2, True, True),
    (6, 96, True, 1, True, True),
    (6, 96, True, 1, True, True),
)
LARGE: tuple[Row, ...] = (
    (1, 16, False, 1, False, False),
    (4, 24, False, 2, False, False),
    (3, 24, False, 1, False, False),
    (3, 40, True, 2, True, False),
    (3, 40, True, 1, True, False),
    (3, 40, True, 1, True, False),
    (6, 80, False, 2, False, True),
    (2.5, 80, False, 1, False, True),
    (2.3, 80, False, 1, False, True),
    (2.3, 80, False, 1, False, True),
    (6, 112, False, 1, True, True),
    (6, 112, False, 1, True, True),
    (6, 160, True, 2, True, True),
    (6, 160, True, 1, True, True),
    (6, 160, True, 1, True, True),
)


MORE = """
        alpha: width of the network: the share of the channels that it has.
        minimalistic: whether it does without weights for channels, hard swish, and
            kernels of 5 by 5.
        dropout_rate: share of features dropped before the classifier, in training.
        include_preprocessing: whether images in [0, 255] are scaled by the model; if
            not they are to be in [-1, 1].
    """


def _conv(filters: int, name: str, bias: bool = False) -> Conv2D:
    return Conv2D(filters, 1, padding="same", use_bias=bias, name=name)


def _weighted(x: Any, channels: int, name: str) -> Any:
    """Weight each channel by a function of the means of all channels."""
    y = chain(
        x,
        GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool"),
        _conv(divisible(channels / 4), f"{name}_conv", bias=True),
        ReLU(name=f"{name}_relu"),
        _conv(channels, f"{name}_conv_1", bias=True),
    )
    # The hard sigmoid, written out.
    y = ReLU(6.0)(y + 3.0) * (1.0 / 6.0)
    return Multiply(name=f"{name}_mul")([x, y])


@dataclass(frozen=True)
class Style:
    """What all blocks of a network have in common.

    Args:
        alpha: share of the channels that it has.
        minimalistic: whether it does without what phones are slow at.
    """

    alpha: float
    minimalistic: bool

    def activation(self, hard: bool = True) -> Callable[[Any], Any]:
        """Return a new layer: hard swish, or where that is not wanted ReLU."""
        return Activation("hard_swish") if hard and not self.minimalistic else ReLU()

    def block(self, x: Any, row: Row, i: int) -> Any:
        """Widen, convolve each channel, weight them, narrow; add the input."""
        expansion, filters, large, stride, weighted, hard = row
        filters = divisible(filters * self.alpha)
        channels = x.shape[channel_axis(-1)]
        wide = divisible(channels * expansion)
        name = f"expanded_conv_{i}" if i else "expanded_conv"
        kernel = 5 if large and not self.minimalistic else 3
        y = x
        if i:
            conv = _conv(wide, f"{name}_expand")
            y = chain(y, conv, norm(f"{name}_expand_bn"), self.activation(hard))
        padding = "same"
        if stride == 2:
            pad, padding = correct_pad(y, kernel), "valid"
            y = ZeroPadding2D(pad, name=f"{name}_depthwise_pad")(y)
        by_channel = DepthwiseConv2D(
            kernel, stride, padding, use_bias=False, name=f"{name}_depthwise"
        )
        y = chain(y, by_channel, norm(f"{name}_depthwise_bn"), self.activation(hard))
        if weighted and not self.minimalistic:
            y = _weighted(y, wide, f"{name}_squeeze_excite")
        y = chain(y, _conv(filters, f"{name}_project"), norm(f"{name}_project_bn"))
        if stride == 1 and channels == filters:
            return Add(name=f"{name}_add")([x, y])
        return y

    def body(self, x: Any, rows: tuple[Row, ...]) -> Any:
        """Apply the network up to its last feature maps."""
        conv = Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")
        x = chain(x, conv, norm("conv_bn"), self.activation())
        for i, row in enumerate(rows):
            x = self.block(x, row, i)
        last = divisible(x.shape[channel_axis(-1)] * 6)
        return chain(x, _conv(last, "conv_1"), norm("conv_1_bn"), self.activation())

    def top(self, channels: int, dropout: float) -> Callable[[Any, Request], Any]:
        """Return the classifier, of two convolutions."""
        wide = divisible(channels * self.alpha) if self.alpha > 1 else channels

        def top(x: Any, request: Request) -> Any:
            check_activation(request)
            return chain(
                x,
                GlobalAveragePooling2D(keepdims=True),
                _conv(wide, "conv_2", bias=True),
                self.activation(),
                *([Dropout(dropout)] if dropout > 0 else []),
                _conv(request.classes, "logits", bias=True),
                Flatten(),
                Activation(request.classifier_activation, name="predictions"),
            )

        return top

    def release(self, size: str) -> Release:
        """Return the weights of a network of this style."""
        check_width(self.alpha, (1.0,) if self.minimalistic else (0.75, 1.0))
        kind = f"{size}_minimalistic" if self.minimalistic else size
        model = f"{kind}_224_{float(self.alpha)}_float"
        return Release(
            f"weights_mobilenet_v3_{model}",
            HASHES[model],
            (".h5", "_no_top_v2.h5"),
            f"{KERAS}mobilenet_v3/",
        )


def _image_shape(request: Request) -> tuple[int | None, ...]:
    """Return the shape of one image; it may be unknown with a classifier, too."""
    check_weights(request)
    check_tensor(request)
    first = K.image_data_format() == "channels_first"
    shape = request.input_shape
    if shape is None and K.is_keras_tensor(request.input_tensor):
        rows, columns = rows_and_columns(tuple(request.input_tensor.shape[1:]))
        shape = (3, rows, columns) if first else (rows, columns, 3)
    shape = shape or ((3, None, None) if first else (None, None, 3))
    if all(rows_and_columns(shape)) and min(rows_and_columns(shape)) < 32:  # type: ignore[type-var]
        raise ValueError(
            f"Input size must be at least 32x32; Received `input_shape={shape}`"
        )
    return shape


def _application(title: str, size: str, rows: tuple[Row, ...], channels: int) -> Any:
    def make(
        input_shape: tuple[int | None, ...] | None = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Any = None,
        classes: int = 1000,
        pooling: str | None = None,
        dropout_rate: float = 0.2,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str = title,
    ) -> Functional:
        request = Request(
            include_top,
            weights,
            input_tensor,
            input_shape,
            pooling,
            classes,
            classifier_activation,
            name,
        )
        shape = _image_shape(request)
        style, release = Style(alpha, minimalistic), None
        if request.pretrained:
            release = style.release(size)
            rows_of_weights(shape, (224,))

        def body(x: Any) -> Any:
            if include_preprocessing:
                x = Rescaling(1 / 127.5, -1.0)(x)
            return style.body(x, rows)

        top = style.top(channels, dropout_rate)
        return assemble(request, shape, body, release, top=top)

    summary = "a network for mobile phones, found by search, images of 224 by 224"
    source = "Howard et al. 2019, arXiv:1905.02244"
    return documented(make, title, __name__, summary, source, MORE)


MobileNetV3Small = _application("MobileNetV3Small", "small", SMALL, 1024)
MobileNetV3Large = _application("MobileNetV3Large", "large", LARGE, 1280)
preprocess_input = preprocessor(None)
