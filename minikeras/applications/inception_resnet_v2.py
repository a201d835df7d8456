"""Inception with residual connections: scaled branches are added to their input."""

from __future__ import annotations

from typing import Any

from minikeras.applications.assembly import (
    Request,
    application,
    assemble,
    averaged,
    channel_axis,
    image_shape,
)
from minikeras.applications.imagenet_utils import decode_predictions, preprocessor
from minikeras.applications.inception import (
    AVERAGE,
    HALVED,
    MAXIMUM,
    STEM,
    Step,
    branch,
    join,
    unit,
)
from minikeras.applications.releases import Release
from minikeras.applications.scaling import CustomScaleLayer
from minikeras.layers import Activation, Conv2D
from minikeras.models import Functional

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

Branches = tuple[tuple[Step, ...], ...]

# Blocks that change the size of the images or the number of channels, by name.
MIXED: dict[str, Branches] = {
    "mixed_5b": (
        ((96, 1),),
        ((48, 1), (64, 5)),
        ((64, 1), (96, 3), (96, 3)),
        (AVERAGE, (64, 1)),
    ),
    "mixed_6a": (
        ((384, 3, *HALVED),),
        ((256, 1), (256, 3), (384, 3, *HALVED)),
        (MAXIMUM,),
    ),
    "mixed_7a": (
        ((256, 1), (384, 3, *HALVED)),
        ((256, 1), (288, 3, *HALVED)),
        ((256, 1), (288, 3), (320, 3, *HALVED)),
        (MAXIMUM,),
    ),
}
# Blocks that are repeated: branches, how many, scale.
RESIDUAL: dict[str, tuple[Branches, int, float]] = {
    "block35": (
        (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
        10,
        0.17,
    ),
    "block17": (
        (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
        20,
        0.1,
    ),
    "block8": (
        (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
        10,
        0.2,
    ),
}


def _mixed(x: Any, branches: Branches, name: str) -> Any:
    return join([branch(x, *steps) for steps in branches], name)


def _residual(x: Any, kind: str, i: int) -> Any:
    branches, repeats, scale = RESIDUAL[kind]
    last = kind == "block8" and i == repeats  # unscaled, and without a ReLU
    name = f"{kind}_{i}"
    y = _mixed(x, branches, f"{name}_mixed")
    y = Conv2D(x.shape[channel_axis()], 1, padding="same", name=f"{name}_conv")(y)
    x = CustomScaleLayer(1.0 if last else scale)([x, y])
    return x if last else Activation("relu", name=f"{name}_ac")(x)


def _body(x: Any) -> Any:
    x = branch(x, *STEM)
    for mixed, kind in zip(MIXED, RESIDUAL, strict=True):
        x = _mixed(x, MIXED[mixed], mixed)
        for i in range(1, RESIDUAL[kind][1] + 1):
            x = _residual(x, kind, i)
    return unit(x, 1536, 1, name="conv_7b")


def _build(request: Request) -> Functional:
    shape = image_shape(request, 299, least=75)
    top = averaged("avg_pool")
    return assemble(request, shape, _body, _RELEASE, top=top, named=False)


_RELEASE = Release.of_kernels(
    "inception_resnet_v2",
    "e693bd0210a403b3192acc6073ad2e96",
    "d19885ff4a710c122648d3b5c3b684e4",
)
InceptionResNetV2 = application(
    "InceptionResNetV2",
    _build,
    "branches of convolutions as residuals, images of 299 by 299",
    "Szegedy et al. 2016, arXiv:1602.07261",
    "inception_resnet_v2",
)
preprocess_input = preprocessor("tf")
