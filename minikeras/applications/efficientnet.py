"""EfficientNet: one network, scaled in width, depth and size of images at once."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minikeras.applications.assembly import (
    Application,
    Request,
    application,
    assemble,
    chain,
    channel_axis,
    image_shape,
)
from minikeras.applications.imagenet_utils import (
    MODES,
    correct_pad,
    decode_predictions,
    preprocessor,
)
from minikeras.applications.mobile import divisible
from minikeras.applications.releases import Release
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
from minikeras.layers import DepthwiseConv2D, Normalization, Rescaling, ZeroPadding2D
from minikeras.models import Functional

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

MOMENTUM = 0.99
DROPPED = 0.2  # share of samples for which the last block is dropped


class Stage(NamedTuple):
    """Blocks of one size: kernel, how many, filters before and after, widening."""

    kernel: int
    repeats: int
    before: int
    after: int
    expansion: int
    stride: int


STAGES = (
    Stage(3, 1, 32, 16, 1, 1),
    Stage(3, 2, 16, 24, 6, 2),
    Stage(5, 2, 24, 40, 6, 2),
    Stage(3, 3, 40, 80, 6, 2),
    Stage(5, 3, 80, 112, 6, 1),
    Stage(5, 4, 112, 192, 6, 2),
    Stage(3, 1, 192, 320, 6, 1),
)


def _halving(x: Any, kernel: int, stride: int, name: str) -> tuple[Any, str]:
    """Return images with zeros around them if a stride halves them, and the padding."""
    if stride == 1:
        return x, "same"
    return ZeroPadding2D(correct_pad(x, kernel), name=f"{name}_pad")(x), "valid"


def _block(x: Any, stage: Stage, rate: float, name: str) -> Any:
    """Widen, convolve each channel, weight them, narrow; add the input."""
    y = x
    if stage.expansion != 1:
        wide = stage.before * stage.expansion
        y = chain(
            y,
            conv(wide, 1, use_bias=False, name=f"{name}expand_conv"),
            *norm_swish(f"{name}expand_", MOMENTUM),
        )
    y, padding = _halving(y, stage.kernel, stage.stride, f"{name}dwconv")
    by_channel = DepthwiseConv2D(
        stage.kernel,
        stage.stride,
        padding,
        use_bias=False,
        depthwise_initializer=CONV,
        name=f"{name}dwconv",
    )
    y = chain(y, by_channel, *norm_swish(name, MOMENTUM))
    y = weighted(y, max(1, stage.before // 4), name)
    y = chain(
        y,
        conv(stage.after, 1, use_bias=False, name=f"{name}project_conv"),
        norm(f"{name}project_", MOMENTUM),
    )
    same = stage.stride == 1 and stage.before == stage.after
    return skipped(y, x, rate, name) if same else y


def _blocks(width: float, depth: float) -> list[tuple[str, Stage]]:
    """Return all blocks of a scaled network, with the names that theirs begin with."""
    found = []
    for i, stage in enumerate(STAGES, 1):
        stage = stage._replace(
            before=divisible(stage.before * width), after=divisible(stage.after * width)
        )
        # After its first block a stage keeps the size and the number of channels.
        rest = stage._replace(before=stage.after, stride=1)
        repeated = [stage] + [rest] * (math.ceil(depth * stage.repeats) - 1)
        found += [(f"block{i}{letter(j)}_", one) for j, one in enumerate(repeated)]
    return found


def _stem(x: Any, filters: int, pretrained: bool) -> Any:
    x = chain(x, Rescaling(1 / 255), Normalization(axis=channel_axis()))
    if pretrained:
        # The weights were trained on pixels divided by their variance, not deviation.
        x = Rescaling([1 / math.sqrt(s) for s in MODES["torch"].deviation])(x)
    x, padding = _halving(x, 3, 2, "stem_conv")
    first = conv(
        filters, 3, strides=2, padding=padding, use_bias=False, name="stem_conv"
    )
    return chain(x, first, *norm_swish("stem_", MOMENTUM))


def _efficientnet(
    variant: str,
    width: float,
    depth: float,
    size: int,
    dropout: float,
    hashes: tuple[str, str],
) -> Application:
    title = f"EfficientNet{variant}"
    release = Release(
        title.lower(),
        hashes,
        folder="https://storage.googleapis.com/keras-applications/",
    )

    def build(request: Request) -> Functional:
        def body(x: Any) -> Any:
            x = _stem(x, divisible(32 * width), request.pretrained)
            blocks = _blocks(width, depth)
            for i, (name, stage) in enumerate(blocks):
                x = _block(x, stage, DROPPED * i / len(blocks), name)
            last = conv(divisible(1280 * width), 1, use_bias=False, name="top_conv")
            return chain(x, last, *norm_swish("top_", MOMENTUM))

        shape = image_shape(request, size)
        return assemble(request, shape, body, release, top=top(dropout))

    summary = f"a network scaled as a whole, images of {size} by {size}"
    source = "Tan and Le 2019, arXiv:1905.11946"
    return application(title, build, summary, source)


EfficientNetB0 = _efficientnet(
    "B0",
    1.0,
    1.0,
    224,
    0.2,
    ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
)
EfficientNetB1 = _efficientnet(
    "B1",
    1.0,
    1.1,
    240,
    0.2,
    ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
)
EfficientNetB2 = _efficientnet(
    "B2",
    1.1,
    1.2,
    260,
    0.3,
    ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
)
EfficientNetB3 = _efficientnet(
    "B3",
    1.2,
    1.4,
    300,
    0.3,
    ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
)
EfficientNetB4 = _efficientnet(
    "B4",
    1.4,
    1.8,
    380,
    0.4,
    ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
)
EfficientNetB5 = _efficientnet(
    "B5",
    1.6,
    2.2,
    456,
    0.4,
    ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
)
EfficientNetB6 = _efficientnet(
    "B6",
    1.8,
    2.6,
    528,
    0.5,
    ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
)
EfficientNetB7 = _efficientnet(
    "B7",
    2.0,
    3.1,
    600,
    0.5,
    ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
)
preprocess_input = preprocessor(None)
