"""Residual networks: four stages of bottlenecks, each added to what it was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras.applications.assembly import (
    Application,
    Request,
    application,
    assemble,
    chain,
    channel_axis,
    image_shape,
)
from minikeras.applications.releases import Release
from minikeras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from minikeras.models import Functional

__all__ = ["V1", "V2", "norm", "norm_relu", "residual"]

Block = Callable[..., Any]


def norm(name: str) -> BatchNormalization:
    """Return a normalization."""
    return BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=f"{name}bn")


def norm_relu(name: str) -> tuple[BatchNormalization, Activation]:
    """Return a normalization and the ReLU that follows it."""
    return norm(name), Activation("relu", name=f"{name}relu")


def _block_v1(x: Any, filters: int, stride: int, project: bool, name: str) -> Any:
    """Normalize after each convolution; the sum goes through a ReLU."""
    shortcut = x
    if project:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        shortcut = norm(f"{name}_0_")(shortcut)
    x = chain(
        x,
        Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv"),
        *norm_relu(f"{name}_1_"),
        Conv2D(filters, 3, padding="same", name=f"{name}_2_conv"),
        *norm_relu(f"{name}_2_"),
        Conv2D(4 * filters, 1, name=f"{name}_3_conv"),
        norm(f"{name}_3_"),
    )
    x = Add(name=f"{name}_add")([shortcut, x])
    return Activation("relu", name=f"{name}_out")(x)


def _block_v2(x: Any, filters: int, stride: int, project: bool, name: str) -> Any:
    """Normalize before each convolution; the sum is left as it is."""
    before = chain(x, *norm_relu(f"{name}_preact_"))
    shortcut = x
    if project:
        shortcut = Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(before)
    elif stride > 1:
        shortcut = MaxPooling2D(1, strides=stride)(x)
    y = chain(
        before,
        Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv"),
        *norm_relu(f"{name}_1_"),
        ZeroPadding2D(1, name=f"{name}_2_pad"),
        Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv"),
        *norm_relu(f"{name}_2_"),
        Conv2D(4 * filters, 1, name=f"{name}_3_conv"),
    )
    return Add(name=f"{name}_out")([shortcut, y])


def V1(x: Any, filters: int, blocks: int, stage: int) -> Any:  # noqa: N802 - a version
    """Apply a stage of the first version: its first block halves the images."""
    for i in range(1, blocks + 1):
        stride = 2 if i == 1 and stage > 0 else 1
        x = _block_v1(x, filters, stride, i == 1, f"conv{stage + 2}_block{i}")
    return x


def V2(x: Any, filters: int, blocks: int, stage: int) -> Any:  # noqa: N802 - a version
    """Apply a stage of the second version: its last block halves the images."""
    for i in range(1, blocks + 1):
        stride = 2 if i == blocks and stage < 3 else 1
        x = _block_v2(x, filters, stride, i == 1, f"conv{stage + 2}_block{i}")
    return x


def residual(
    title: str, stage: Block, depths: tuple[int, ...], hashes: tuple[str, str]
) -> Application:
    """Return an architecture.

    Args:
        title: its name.
        stage: `V1` or `V2`.
        depths: number of blocks of each stage.
        hashes: of its trained weights, with the classifier and without.
    """
    before = stage is V2  # normalization comes before convolutions
    release = Release.of_kernels(title.lower(), *hashes, folder="resnet")

    def body(x: Any) -> Any:
        x = ZeroPadding2D(3, name="conv1_pad")(x)
        x = Conv2D(64, 7, strides=2, name="conv1_conv")(x)
        if not before:
            x = chain(x, *norm_relu("conv1_"))
        x = ZeroPadding2D(1, name="pool1_pad")(x)
        x = MaxPooling2D(3, strides=2, name="pool1_pool")(x)
        for i, blocks in enumerate(depths):
            x = stage(x, 64 * 2**i, blocks, i)
        return chain(x, *norm_relu("post_")) if before else x

    def build(request: Request) -> Functional:
        return assemble(request, image_shape(request, 224), body, release)

    build.__module__ = f"{__package__}.resnet{'_v2' if before else ''}"
    summary = "a residual network, images of 224 by 224"
    source = (
        f"He et al. {'2016, arXiv:1603.05027' if before else '2015, arXiv:1512.03385'}"
    )
    return application(title, build, summary, source)
