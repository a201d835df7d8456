"""EfficientNet, the second version: its first stages convolve all channels at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from minikeras.applications.assembly import (
    Request,
    assemble,
    chain,
    channel_axis,
    documented,
    image_shape,
)
from minikeras.applications.imagenet_utils import (
    MODES,
    decode_predictions,
    preprocessor,
)
from minikeras.applications.releases import KERAS, Release
from minikeras.applications.scaled import (
    CONV,
    conv,
    letter,
    norm,
    norm_swish,
    skipped,
    top,
    weighted,
)
from minikeras.initializers import Constant
from minikeras.layers import Activation, DepthwiseConv2D, Normalization, Rescaling
from minikeras.models import Functional

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

MOMENTUM = 0.9
DROPPED = 0.2  # share of samples for which the last blocks are dropped


class Stage(NamedTuple):
    """Blocks of one size: how many, filters before and after, widening, stride.

    A fused block convolves all channels at once, and does not weight them.
    """

    repeats: int
    before: int
    after: int
    expansion: int
    stride: int
    fused: bool


BASE = (
    Stage(1, 32, 16, 1, 1, True),
    Stage(2, 16, 32, 4, 2, True),
    Stage(2, 32, 48, 4, 2, True),
    Stage(3, 48, 96, 4, 2, False),
    Stage(5, 96, 112, 6, 1, False),
    Stage(8, 112, 192, 6, 2, False),
)
SMALL = (
    Stage(2, 24, 24, 1, 1, True),
    Stage(4, 24, 48, 4, 2, True),
    Stage(4, 48, 64, 4, 2, True),
    Stage(6, 64, 128, 4, 2, False),
    Stage(9, 128, 160, 6, 1, False),
    Stage(15, 160, 256, 6, 2, False),
)
MEDIUM = (
    Stage(3, 24, 24, 1, 1, True),
    Stage(5, 24, 48, 4, 2, True),
    Stage(5, 48, 80, 4, 2, True),
    Stage(7, 80, 160, 4, 2, False),
    Stage(14, 160, 176, 6, 1, False),
    Stage(18, 176, 304, 6, 2, False),
    Stage(5, 304, 512, 6, 1, False),
)
LARGE = (
    Stage(4, 32, 32, 1, 1, True),
    Stage(7, 32, 64, 4, 2, True),
    Stage(7, 64, 96, 4, 2, True),
    Stage(10, 96, 192, 4, 2, False),
    Stage(19, 192, 224, 6, 1, False),
    Stage(25, 224, 384, 6, 2, False),
    Stage(7, 384, 640, 6, 1, False),
)


PREPROCESSING = """
        include_preprocessing: whether images in [0, 255] are scaled by the model; if
            not they are to be in [-1, 1].
    """


def _channels(filters: float) -> int:
    """Return the nearest multiple of 8, at least 8."""
    return max(8, int(filters + 4) // 8 * 8)


def _expanded(x: Any, stage: Stage, name: str) -> Any:
    """Widen, in a fused block by the very convolution that looks around."""
    if stage.expansion == 1:
        return x
    size, stride = (3, stage.stride) if stage.fused else (1, 1)
    wide = conv(
        stage.before * stage.expansion,
        size,
        strides=stride,
        use_bias=False,
        name=f"{name}expand_conv",
    )
    return chain(x, wide, *norm_swish(f"{name}expand_", MOMENTUM))


def _by_channel(x: Any, stage: Stage, name: str) -> Any:
    """Convolve each channel, then weight it."""
    layer = DepthwiseConv2D(
        3,
        stage.stride,
        "same",
        use_bias=False,
        depthwise_initializer=CONV,
        name=f"{name}dwconv2",
    )
    x = chain(x, layer, *norm_swish(name, MOMENTUM))
    return weighted(x, max(1, stage.before // 4), name)


def _block(x: Any, stage: Stage, rate: float, name: str) -> Any:
    y = _expanded(x, stage, name)
    size = stride = 1
    if not stage.fused:
        y = _by_channel(y, stage, name)
    elif stage.expansion == 1:
        # Nothing was widened: the one convolution is the last.
        size, stride = 3, stage.stride
    project = conv(
        stage.after, size, strides=stride, use_bias=False, name=f"{name}project_conv"
    )
    y = chain(y, project, norm(f"{name}project_", MOMENTUM))
    if stage.fused and stage.expansion == 1:
        y = Activation("swish", name=f"{name}project_activation")(y)
    same = stage.stride == 1 and stage.before == stage.after
    return skipped(y, x, rate, name) if same else y


def _preprocessed(x: Any, base: bool) -> Any:
    """Scale images in [0, 255] as the first version did, or to [-1, 1]."""
    if not base or x.shape[channel_axis()] != 3:
        return Rescaling(1 / 128, -1)(x)
    mode = MODES["torch"]
    variance = [deviation**2 for deviation in mode.deviation]
    scaled = Normalization(mean=list(mode.mean), variance=variance, axis=channel_axis())
    return chain(x, Rescaling(1 / 255), scaled)


def _body(x: Any, stages: tuple[Stage, ...], width: float, depth: float) -> Any:
    first = _channels(stages[0].before * width)
    stem = conv(first, 3, strides=2, use_bias=False, name="stem_conv")
    x = chain(x, stem, *norm_swish("stem_", MOMENTUM))
    before, total = 0, sum(stage.repeats for stage in stages)
    for i, stage in enumerate(stages, 1):
        stage = stage._replace(
            before=_channels(stage.before * width), after=_channels(stage.after * width)
        )
        # After its first block a stage keeps the size and the number of channels.
        rest = stage._replace(before=stage.after, stride=1)
        for j in range(math.ceil(depth * stage.repeats)):
            rate = DROPPED * before / total
            x = _block(x, rest if j else stage, rate, f"block{i}{letter(j)}_")
            before += 1
    last = conv(_channels(1280 * width), 1, use_bias=False, name="top_conv")
    return chain(x, last, *norm_swish("top_", MOMENTUM))


def _application(
    variant: str,
    stages: tuple[Stage, ...],
    width: float,
    depth: float,
    size: int,
    hashes: tuple[str, str],
) -> Any:
    title, stem = f"EfficientNetV2{variant}", f"efficientnetv2-{variant.lower()}"
    release = Release(stem, hashes, folder=f"{KERAS}efficientnet_v2/")

    def make(
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Any = None,
        input_shape: tuple[int | None, ...] | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str = stem,
    ) -> Functional:
        def body(x: Any) -> Any:
            x = _preprocessed(x, stages is BASE) if include_preprocessing else x
            return _body(x, stages, width, depth)

        request = Request(
            include_top,
            weights,
            input_tensor,
            input_shape,
            pooling,
            classes,
            classifier_activation,
            name,
        )
        shape = image_shape(request, size)
        classifier = top(0.2, bias_initializer=Constant(0.0))
        return assemble(request, shape, body, release, top=classifier)

    summary = f"a network scaled as a whole, images of {size} by {size}"
    source = "Tan and Le 2021, arXiv:2104.00298"
    return documented(make, title, __name__, summary, source, PREPROCESSING)


EfficientNetV2B0 = _application(
    "B0",
    BASE,
    1.0,
    1.0,
    224,
    ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
)
EfficientNetV2B1 = _application(
    "B1",
    BASE,
    1.0,
    1.1,
    240,
    ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
)
EfficientNetV2B2 = _application(
    "B2",
    BASE,
    1.1,
    1.2,
    260,
    ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
)
EfficientNetV2B3 = _application(
    "B3",
    BASE,
    1.2,
    1.4,
    300,
    ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
)
EfficientNetV2S = _application(
    "S",
    SMALL,
    1.0,
    1.0,
    384,
    ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
)
EfficientNetV2M = _application(
    "M",
    MEDIUM,
    1.0,
    1.0,
    480,
    ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
)
EfficientNetV2L = _application(
    "L",
    LARGE,
    1.0,
    1.0,
    480,
    ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
)
preprocess_input = preprocessor(None)
