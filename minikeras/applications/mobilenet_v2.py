"""MobileNet, the second version: bottlenecks that are wide inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minikeras import backend as K
from minikeras.applications.assembly import (
    Request,
    assemble,
    chain,
    channel_axis,
    documented,
    image_shape,
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
    standard_size,
)
from minikeras.applications.releases import KERAS, Release
from minikeras.layers import Add, Conv2D, DepthwiseConv2D, Layer, ReLU, ZeroPadding2D
from minikeras.models import Functional

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

SIZES = (96, 128, 160, 192, 224)
WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
# Filters, and strides of each block with so many.
BLOCKS = (
    (16, (1,)),
    (24, (2, 1)),
    (32, (2, 1, 1)),
    (64, (2, 1, 1, 1)),
    (96, (1, 1, 1)),
    (160, (2, 1, 1)),
    (320, (1,)),
)
EXPANSION = 6


def _norm_relu(name: str) -> list[Layer]:
    return [norm(f"{name}_BN"), ReLU(6.0, name=f"{name}_relu")]


def _block(x: Any, filters: int, stride: int, i: int) -> Any:
    """Widen, convolve each channel, narrow; add the input if it is of that size."""
    channels = x.shape[channel_axis(-1)]
    name = f"block_{i}" if i else "expanded_conv"
    y, padding = x, "same"
    if i:
        wide = EXPANSION * channels
        conv = Conv2D(wide, 1, padding="same", use_bias=False, name=f"{name}_expand")
        y = chain(y, conv, *_norm_relu(f"{name}_expand"))
    if stride == 2:
        y, padding = ZeroPadding2D(correct_pad(y, 3), name=f"{name}_pad")(y), "valid"
    y = chain(
        y,
        DepthwiseConv2D(3, stride, padding, use_bias=False, name=f"{name}_depthwise"),
        *_norm_relu(f"{name}_depthwise"),
        Conv2D(filters, 1, padding="same", use_bias=False, name=f"{name}_project"),
        norm(f"{name}_project_BN"),
    )
    if stride == 1 and channels == filters:
        return Add(name=f"{name}_add")([x, y])
    return y


def _mobilenet_v2(
    input_shape: tuple[int | None, ...] | None = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: str | Path | None = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Functional:
    request = Request(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
    )
    check_tensor(request)
    known = input_shape
    if input_shape is None and K.is_keras_tensor(input_tensor):
        known = input_tensor.shape[1:]
    shape = image_shape(request, standard_size(known, SIZES))
    rows, release = rows_and_columns(shape)[0], None
    if request.pretrained:
        check_width(alpha, WIDTHS)
        rows = rows_of_weights(shape, SIZES)
        release = _release(alpha, rows)

    def body(x: Any) -> Any:
        return _body(x, alpha)

    request = request.named(name or f"mobilenetv2_{alpha:0.2f}_{rows}")
    return assemble(request, shape, body, release, named=False)


def _body(x: Any, alpha: float) -> Any:
    first = divisible(32 * alpha)
    conv = Conv2D(first, 3, strides=2, padding="same", use_bias=False, name="Conv1")
    x = chain(x, conv, norm("bn_Conv1"), ReLU(6.0, name="Conv1_relu"))
    steps = [(filters, stride) for filters, strides in BLOCKS for stride in strides]
    for i, (filters, stride) in enumerate(steps):
        x = _block(x, divisible(int(filters * alpha)), stride, i)
    # The last layer is widened, but as in the paper never narrowed.
    last = divisible(1280 * max(alpha, 1.0))
    conv = Conv2D(last, 1, use_bias=False, name="Conv_1")
    return chain(x, conv, norm("Conv_1_bn"), ReLU(6.0, name="out_relu"))


def _release(alpha: float, rows: int | None) -> Release:
    return Release(
        f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}",
        suffixes=(".h5", "_no_top.h5"),
        folder=f"{KERAS}mobilenet_v2/",
    )


MobileNetV2 = documented(
    _mobilenet_v2,
    "MobileNetV2",
    __name__,
    "bottlenecks that are wide inside, images of 224 by 224",
    "Sandler et al. 2018, arXiv:1801.04381",
    """
        alpha: width of the network: the share of the channels that it has.
    """,
)
preprocess_input = preprocessor("tf")
