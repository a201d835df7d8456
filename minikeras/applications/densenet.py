"""Densely connected networks: each block is joined to all that came before."""

from __future__ import annotations

from typing import Any

from minikeras.applications.assembly import (
    Application,
    Request,
    application,
    assemble,
    chain,
    image_shape,
    only_channels_last,
)
from minikeras.applications.imagenet_utils import decode_predictions, preprocessor
from minikeras.applications.releases import Release
from minikeras.applications.residual import norm_relu
from minikeras.layers import (
    AveragePooling2D,
    Concatenate,
    Conv2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from minikeras.models import Functional

__all__ = [
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "decode_predictions",
    "preprocess_input",
]

GROWTH = 32  # channels that a block adds


def _block(x: Any, name: str) -> Any:
    y = chain(
        x,
        *norm_relu(f"{name}_0_"),
        Conv2D(4 * GROWTH, 1, use_bias=False, name=f"{name}_1_conv"),
        *norm_relu(f"{name}_1_"),
        Conv2D(GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv"),
    )
    return Concatenate(axis=3, name=f"{name}_concat")([x, y])


def _transition(x: Any, name: str) -> Any:
    """Halve the channels, then height and width."""
    return chain(
        x,
        *norm_relu(f"{name}_"),
        Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv"),
        AveragePooling2D(2, strides=2, name=f"{name}_pool"),
    )


def _densenet(title: str, depths: tuple[int, ...], top: str, notop: str) -> Application:
    release = Release.of_kernels(title.lower(), top, notop, folder="densenet")

    def body(x: Any) -> Any:
        x = chain(
            x,
            ZeroPadding2D(3),
            Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv"),
            *norm_relu("conv1_"),
            ZeroPadding2D(1),
            MaxPooling2D(3, strides=2, name="pool1"),
        )
        for stage, blocks in enumerate(depths, 2):
            if stage > 2:
                x = _transition(x, f"pool{stage - 1}")
            for i in range(1, blocks + 1):
                x = _block(x, f"conv{stage}_block{i}")
        return chain(x, *norm_relu(""))

    def build(request: Request) -> Functional:
        only_channels_last("DenseNet")
        return assemble(request, image_shape(request, 224), body, release)

    summary = "a densely connected network, images of 224 by 224"
    source = "Huang et al. 2016, arXiv:1608.06993"
    return application(title, build, summary, source)


DenseNet121 = _densenet(
    "DenseNet121",
    (6, 12, 24, 16),
    "9d60b8095a5708f2dcce2bca79d332c7",
    "30ee3e1110167f948a6b9946edeeb738",
)
DenseNet169 = _densenet(
    "DenseNet169",
    (6, 12, 32, 32),
    "d699b8f76981ab1b30698df4c175e90b",
    "b8c4d4c20dd625c148057b9ff1c1176b",
)
DenseNet201 = _densenet(
    "DenseNet201",
    (6, 12, 48, 32),
    "1ceb130c1ea1b78c3bf6114dbdfd8807",
    "c13680b51ded0fb44dff2d8f86ac8bb1",
)
preprocess_input = preprocessor("torch")
