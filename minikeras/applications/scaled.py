"""What both families of EfficientNets share: bottlenecks, scaled in width and depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from minikeras.applications.assembly import (
    Request,
    chain,
    channel_axis,
    scores,
)
from minikeras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    Layer,
    Multiply,
    Reshape,
)

__all__ = ["CONV", "conv", "letter", "norm", "norm_swish", "skipped", "top", "weighted"]

CONV = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
DENSE = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0 / 3.0, "mode": "fan_out", "distribution": "uniform"},
}
# A convolution as all of them are initialized.
conv = partial(Conv2D, padding="same", kernel_initializer=CONV)


def norm(name: str, momentum: float) -> BatchNormalization:
    """Return a normalization."""
    return BatchNormalization(axis=channel_axis(), momentum=momentum, name=f"{name}bn")


def norm_swish(name: str, momentum: float) -> list[Layer]:
    """Return a normalization and the activation that follows it."""
    return [norm(name, momentum), Activation("swish", name=f"{name}activation")]


def weighted(x: Any, squeezed: int, name: str) -> Any:
    """Weight each channel by a function of the means of all channels.

    Args:
        x: feature maps.
        squeezed: number of values between the means and the weights.
        name: with which the names of the layers begin.
    """
    channels = x.shape[channel_axis()]
    shape = (channels, 1, 1) if channel_axis() == 1 else (1, 1, channels)
    y = chain(
        x,
        GlobalAveragePooling2D(name=f"{name}se_squeeze"),
        Reshape(shape, name=f"{name}se_reshape"),
        conv(squeezed, 1, activation="swish", name=f"{name}se_reduce"),
        conv(channels, 1, activation="sigmoid", name=f"{name}se_expand"),
    )
    return Multiply(name=f"{name}se_excite")([x, y])


def skipped(y: Any, x: Any, rate: float, name: str) -> Any:
    """Add what a block was given to what it returns, dropped now and then.

    Args:
        y: what it returns.
        x: what it was given.
        rate: share of samples whose `y` is dropped in training.
        name: with which the names of the layers begin.
    """
    if rate > 0:
        y = Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(y)
    return Add(name=f"{name}add")([y, x])


def top(dropout: float, **config: Any) -> Callable[[Any, Request], Any]:
    """Return the classifier.

    Args:
        dropout: share of features dropped in training.
        config: of the dense layer.
    """

    def classify(x: Any, request: Request) -> Any:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dropout(dropout, name="top_dropout")(x)
        return scores(x, request, kernel_initializer=DENSE, **config)

    return classify


def letter(i: int) -> str:
    """Return the letter of a block within its stage, a for the first."""
    return chr(ord("a") + i)
