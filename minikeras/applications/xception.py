"""Xception: separable convolutions, each block added to what it was given."""

from __future__ import annotations

from typing import Any

from minikeras.applications.assembly import (
    Request,
    application,
    assemble,
    averaged,
    chain,
    channel_axis,
    image_shape,
)
from minikeras.applications.imagenet_utils import decode_predictions, preprocessor
from minikeras.applications.releases import Release
from minikeras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Layer,
    MaxPooling2D,
    SeparableConv2D,
)
from minikeras.models import Functional

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _norm(name: str | None = None) -> BatchNormalization:
    return BatchNormalization(axis=channel_axis(-1), name=name)


def _relu(name: str) -> Activation:
    return Activation("relu", name=f"{name}_act")


def _unit(filters: int, name: str) -> list[Layer]:
    """Return a separable convolution and its normalization."""
    conv = SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)
    return [conv, _norm(f"{name}_bn")]


def _halving(x: Any, block: int, first: int, second: int) -> Any:
    """Apply a block of two convolutions that halves the images."""
    name = f"block{block}"
    shortcut = Conv2D(second, 1, strides=2, padding="same", use_bias=False)(x)
    shortcut = _norm()(shortcut)
    y = chain(
        x,
        # What comes before the first of them ends in a ReLU.
        *([] if block == 2 else [_relu(f"{name}_sepconv1")]),
        *_unit(first, f"{name}_sepconv1"),
        _relu(f"{name}_sepconv2"),
        *_unit(second, f"{name}_sepconv2"),
        MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool"),
    )
    return Add()([y, shortcut])


def _middle(x: Any, block: int) -> Any:
    y = x
    for i in (1, 2, 3):
        name = f"block{block}_sepconv{i}"
        y = chain(y, _relu(name), *_unit(728, name))
    return Add()([y, x])


def _body(x: Any) -> Any:
    for i, (filters, strides) in enumerate(((32, 2), (64, 1)), 1):
        name = f"block1_conv{i}"
        conv = Conv2D(filters, 3, strides=strides, use_bias=False, name=name)
        x = chain(x, conv, _norm(f"{name}_bn"), _relu(name))
    for block, filters in enumerate((128, 256, 728), 2):
        x = _halving(x, block, filters, filters)
    for block in range(5, 13):
        x = _middle(x, block)
    x = _halving(x, 13, 728, 1024)
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = chain(x, *_unit(filters, name), _relu(name))
    return x


def _build(request: Request) -> Functional:
    shape = image_shape(request, 299, least=71)
    top = averaged("avg_pool")
    return assemble(request, shape, _body, _RELEASE, top=top, named=False)


_RELEASE = Release.of_kernels(
    "xception", "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97"
)
Xception = application(
    "Xception",
    _build,
    "separable convolutions with residual connections, images of 299 by 299",
    "Chollet 2016, arXiv:1610.02357",
)
preprocess_input = preprocessor("tf")
