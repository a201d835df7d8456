"""Inception, the third version: large convolutions are split into small ones."""

from __future__ import annotations

from typing import Any

from minikeras.applications.assembly import (
    Request,
    application,
    assemble,
    averaged,
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
)
from minikeras.applications.releases import Release
from minikeras.models import Functional

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

Branches = tuple[tuple[Step, ...], ...]


def _small(pooled: int) -> Branches:
    """Return the branches of a block for images of 35 by 35."""
    return (
        ((64, 1),),
        ((48, 1), (64, 5)),
        ((64, 1), (96, 3), (96, 3)),
        (AVERAGE, (pooled, 1)),
    )


def _split(inner: int) -> Branches:
    """Return the branches of a block for 17 by 17: 7 by 7 as 1 by 7 and 7 by 1."""
    wide, tall = (1, 7), (7, 1)
    double = ((inner, tall), (inner, wide)) * 2
    return (
        ((192, 1),),
        ((inner, 1), (inner, wide), (192, tall)),
        ((inner, 1), *double[:3], (192, wide)),
        (AVERAGE, (192, 1)),
    )


# Blocks mixed0 to mixed8.
MIXED: tuple[Branches, ...] = (
    _small(32),
    _small(64),
    _small(64),
    (((384, 3, *HALVED),), ((64, 1), (96, 3), (96, 3, *HALVED)), (MAXIMUM,)),
    _split(128),
    _split(160),
    _split(160),
    _split(192),
    (
        ((192, 1), (320, 3, *HALVED)),
        ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, *HALVED)),
        (MAXIMUM,),
    ),
)


def _forked(x: Any, steps: tuple[Step, ...], name: str | None) -> Any:
    """Apply steps, then 1 by 3 and 3 by 1 side by side."""
    x = branch(x, *steps)
    return join([branch(x, (384, size)) for size in ((1, 3), (3, 1))], name)


def _widest(x: Any, i: int) -> Any:
    """Apply a block for images of 8 by 8, mixed9 or mixed10."""
    branches = [
        branch(x, (320, 1)),
        _forked(x, ((384, 1),), f"mixed9_{i}"),
        _forked(x, ((448, 1), (384, 3)), None),
        branch(x, AVERAGE, (192, 1)),
    ]
    return join(branches, f"mixed{9 + i}")


def _body(x: Any) -> Any:
    x = branch(x, *STEM)
    for i, branches in enumerate(MIXED):
        x = join([branch(x, *steps) for steps in branches], f"mixed{i}")
    return _widest(_widest(x, 0), 1)


def _build(request: Request) -> Functional:
    shape = image_shape(request, 299, least=75)
    return assemble(
        request, shape, _body, _RELEASE, top=averaged("avg_pool"), named=False
    )


_RELEASE = Release.of_kernels(
    "inception_v3",
    "9a0d58056eeedaa3f26cb7ebd46da564",
    "bcbd6486424b2319ff4ef7d526e38f63",
)
InceptionV3 = application(
    "InceptionV3",
    _build,
    "convolutions of several sizes side by side, images of 299 by 299",
    "Szegedy et al. 2015, arXiv:1512.00567",
    "inception_v3",
)
preprocess_input = preprocessor("tf")
