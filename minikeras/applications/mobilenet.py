"""MobileNet: each convolution is split into one by channel and one across channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minikeras.applications.assembly import (
    Request,
    assemble,
    chain,
    channel_axis,
    check_activation,
    documented,
    image_shape,
)
from minikeras.applications.imagenet_utils import decode_predictions, preprocessor
from minikeras.applications.mobile import (
    check_width,
    rows_and_columns,
    rows_of_weights,
    standard_size,
)
from minikeras.applications.releases import KERAS, Release
from minikeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Layer,
    ReLU,
    Reshape,
    ZeroPadding2D,
)
from minikeras.models import Functional

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

SIZES = (128, 160, 192, 224)
# The widths with trained weights, as their files name them.
WIDTHS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}
# Filters and strides of the blocks.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)


def _norm_relu(name: str) -> list[Layer]:
    norm = BatchNormalization(axis=channel_axis(-1), name=f"{name}_bn")
    return [norm, ReLU(6.0, name=f"{name}_relu")]


def _block(x: Any, filters: int, multiplier: int, strides: int, i: int) -> Any:
    padding = "same"
    if strides == 2:
        x, padding = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{i}")(x), "valid"
    by_channel, across = f"conv_dw_{i}", f"conv_pw_{i}"
    return chain(
        x,
        DepthwiseConv2D(
            3,
            strides,
            padding,
            depth_multiplier=multiplier,
            use_bias=False,
            name=by_channel,
        ),
        *_norm_relu(by_channel),
        Conv2D(filters, 1, padding="same", use_bias=False, name=across),
        *_norm_relu(across),
    )


def _top(dropout: float) -> Any:
    def top(x: Any, request: Request) -> Any:
        check_activation(request)
        return chain(
            x,
            GlobalAveragePooling2D(keepdims=True),
            Dropout(dropout, name="dropout"),
            Conv2D(request.classes, 1, padding="same", name="conv_preds"),
            Reshape((request.classes,), name="reshape_2"),
            Activation(request.classifier_activation, name="predictions"),
        )

    return top


def _body(x: Any, alpha: float, multiplier: int) -> Any:
    first = int(32 * alpha)
    conv = Conv2D(first, 3, strides=2, padding="same", use_bias=False, name="conv1")
    x = chain(x, conv, *_norm_relu("conv1"))
    for i, (filters, strides) in enumerate(BLOCKS, 1):
        x = _block(x, int(filters * alpha), multiplier, strides, i)
    return x


def _mobilenet(
    input_shape: tuple[int | None, ...] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
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
    shape = image_shape(request, standard_size(input_shape, SIZES))
    rows, release = rows_and_columns(shape)[0], None
    if request.pretrained:
        _check_multiplier(depth_multiplier)
        check_width(alpha, list(WIDTHS))
        rows = rows_of_weights(shape, SIZES)
        release = _release(alpha, rows)

    def body(x: Any) -> Any:
        return _body(x, alpha, depth_multiplier)

    request = request.named(name or f"mobilenet_{alpha:0.2f}_{rows}")
    return assemble(request, shape, body, release, top=_top(dropout), named=False)


def _check_multiplier(depth_multiplier: int) -> None:
    if depth_multiplier != 1:
        raise ValueError(
            "If imagenet weights are being loaded, depth multiplier must be 1.  "
            f"Received depth_multiplier={depth_multiplier}"
        )


def _release(alpha: float, rows: int | None) -> Release:
    return Release(
        f"mobilenet_{WIDTHS[alpha]}_{rows}_tf",
        suffixes=(".h5", "_no_top.h5"),
        folder=f"{KERAS}mobilenet/",
    )


MobileNet = documented(
    _mobilenet,
    "MobileNet",
    __name__,
    "separable convolutions throughout, images of 224 by 224",
    "Howard et al. 2017, arXiv:1704.04861",
    """
        alpha: width of the network: the share of the channels that it has.
        depth_multiplier: outputs of a convolution by channel, for each channel.
        dropout: share of features dropped before the classifier, in training.
    """,
)
preprocess_input = preprocessor("tf")
