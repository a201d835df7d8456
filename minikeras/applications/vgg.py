"""VGG: stacks of 3 by 3 convolutions, each stack followed by pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras.applications.assembly import (
    Application,
    Request,
    application,
    assemble,
    chain,
    image_shape,
    scores,
)
from minikeras.applications.releases import Release
from minikeras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from minikeras.models import Functional

__all__ = ["vgg"]

FILTERS = (64, 128, 256, 512, 512)


def _top(x: Any, request: Request) -> Any:
    x = chain(
        x,
        Flatten(name="flatten"),
        Dense(4096, activation="relu", name="fc1"),
        Dense(4096, activation="relu", name="fc2"),
    )
    return scores(x, request)


def vgg(
    title: str, depths: Sequence[int], module: str, release: Release
) -> Application:
    """Return the architecture with as many convolutions in each stack.

    Args:
        title: its name.
        depths: of the stacks.
        module: where it is to be found.
        release: its trained weights.
    """

    def body(x: Any) -> Any:
        for stack, (depth, filters) in enumerate(zip(depths, FILTERS, strict=True), 1):
            block = f"block{stack}"
            for i in range(1, depth + 1):
                x = Conv2D(
                    filters,
                    3,
                    activation="relu",
                    padding="same",
                    name=f"{block}_conv{i}",
                )(x)
            x = MaxPooling2D(2, strides=2, name=f"{block}_pool")(x)
        return x

    def build(request: Request) -> Functional:
        shape = image_shape(request, 224)
        return assemble(request, shape, body, release, top=_top, named=False)

    build.__module__ = module
    summary = "stacks of small convolutions, images of 224 by 224"
    source = "Simonyan and Zisserman 2014, arXiv:1409.1556"
    return application(title, build, summary, source)
