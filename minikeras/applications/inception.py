"""Inception's branches: convolutions of several sizes side by side, then joined.

A branch is a tuple of steps; a step is the arguments of `unit`.
"""

from __future__ import annotations

from typing import Any

from minikeras.applications.assembly import chain, channel_axis
from minikeras.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    MaxPooling2D,
)

__all__ = ["AVERAGE", "HALVED", "MAXIMUM", "STEM", "Step", "branch", "join", "unit"]

Size = int | tuple[int, int]
# The arguments of `unit`, or one of the two poolings.
Step = tuple[Any, ...] | str

AVERAGE, MAXIMUM = "average", "maximum"
HALVED = (2, "valid")  # stride and padding of what halves the images
# With which both Inceptions begin.
STEM: tuple[Step, ...] = (
    (32, 3, *HALVED),
    (32, 3, 1, "valid"),
    (64, 3),
    MAXIMUM,
    (80, 1, 1, "valid"),
    (192, 3, 1, "valid"),
    MAXIMUM,
)


def unit(
    x: Any,
    filters: int,
    size: Size,
    strides: int = 1,
    padding: str = "same",
    name: str | None = None,
) -> Any:
    """Apply a convolution without bias, a normalization without scale, a ReLU."""
    return chain(
        x,
        Conv2D(
            filters, size, strides=strides, padding=padding, use_bias=False, name=name
        ),
        BatchNormalization(
            axis=channel_axis(), scale=False, name=name and f"{name}_bn"
        ),
        Activation("relu", name=name and f"{name}_ac"),
    )


def branch(x: Any, *steps: Step) -> Any:
    """Apply steps, one after the other."""
    for step in steps:
        if isinstance(step, tuple):
            x = unit(x, *step)
        elif step == AVERAGE:
            x = AveragePooling2D(3, strides=1, padding="same")(x)
        else:
            x = MaxPooling2D(3, strides=2)(x)
    return x


def join(branches: list[Any], name: str | None = None) -> Any:
    """Return the channels of all branches, one after the other."""
    return Concatenate(axis=channel_axis(), name=name)(branches)
