"""NASNet: two cells, found by search, repeated; each sees the two outputs before it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from minikeras import backend as K
from minikeras.applications.assembly import (
    Request,
    assemble,
    chain,
    documented,
    image_shape,
    only_channels_last,
)
from minikeras.applications.imagenet_utils import (
    correct_pad,
    decode_predictions,
    preprocessor,
)
from minikeras.applications.releases import KERAS, Release
from minikeras.layers import (
    Activation,
    Add,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Cropping2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
)
from minikeras.models import Functional

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

_conv = partial(Conv2D, use_bias=False, kernel_initializer="he_normal")


class Term(NamedTuple):
    """One side of a sum: what is done to which source.

    The sources are ``h``, the last output; ``p``, the one before; ``padded``, the last
    with zeros around it; and the sums before, by number.
    """

    source: str
    kind: str = "same"
    name: str = ""
    size: int = 3
    stride: int = 1


class Cell(NamedTuple):
    """A cell: sums, each with its name, and which of all that is joined."""

    kind: str
    sums: tuple[tuple[str | None, Term, Term], ...]
    joined: tuple[str, ...]


NORMAL = Cell(
    "normal",
    (
        (
            "normal_add_1",
            Term("h", "separable", "normal_left1", 5),
            Term("p", "separable", "normal_right1"),
        ),
        (
            "normal_add_2",
            Term("p", "separable", "normal_left2", 5),
            Term("p", "separable", "normal_right2"),
        ),
        ("normal_add_3", Term("h", "average", "normal_left3"), Term("p")),
        (
            "normal_add_4",
            Term("p", "average", "normal_left4"),
            Term("p", "average", "normal_right4"),
        ),
        ("normal_add_5", Term("h", "separable", "normal_left5"), Term("h")),
    ),
    ("p", "1", "2", "3", "4", "5"),
)
REDUCTION = Cell(
    "reduction",
    (
        (
            "reduction_add_1",
            Term("h", "separable", "reduction_left1", 5, 2),
            Term("p", "separable", "reduction_right1", 7, 2),
        ),
        (
            "reduction_add_2",
            Term("padded", "max", "reduction_left2", 3, 2),
            Term("p", "separable", "reduction_right2", 7, 2),
        ),
        (
            "reduction_add3",
            Term("padded", "average", "reduction_left3", 3, 2),
            Term("p", "separable", "reduction_right3", 5, 2),
        ),
        (None, Term("2"), Term("1", "average", "reduction_left4")),
        (
            "reduction_add4",
            Term("1", "separable", "reduction_left4"),
            Term("padded", "max", "reduction_right5", 3, 2),
        ),
    ),
    ("2", "3", "4", "5"),
)


def _norm(name: str) -> BatchNormalization:
    return BatchNormalization(axis=-1, momentum=0.9997, epsilon=1e-3, name=name)


def _relu(name: str | None = None) -> Activation:
    return Activation("relu", name=name)


def _separable(x: Any, filters: int, size: int, name: str, stride: int = 1) -> Any:
    """Apply two separable convolutions; the first may halve the images."""
    with K.name_scope(f"separable_conv_block_{name}"):
        x, padding = _relu()(x), "same"
        if stride == 2:
            pad, padding = correct_pad(x, size), "valid"
            x = ZeroPadding2D(pad, name=f"separable_conv_1_pad_{name}")(x)
        conv = partial(SeparableConv2D, filters, size, use_bias=False)
        return chain(
            x,
            conv(stride, padding, name=f"separable_conv_1_{name}"),
            _norm(f"separable_conv_1_bn_{name}"),
            _relu(),
            conv(padding="same", name=f"separable_conv_2_{name}"),
            _norm(f"separable_conv_2_bn_{name}"),
        )


def _halved(p: Any, filters: int, block: str) -> Any:
    """Return every second pixel, from two grids side by side."""
    with K.name_scope(f"adjust_reduction_block_{block}"):
        p = _relu(f"adjust_relu_1_{block}")(p)
        shifted = (ZeroPadding2D(((0, 1), (0, 1))), Cropping2D(((1, 0), (1, 0))))
        grids = []
        for i, shift in ((1, ()), (2, shifted)):
            pool = AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{i}_{block}")
            name = f"adjust_conv_{i}_{block}"
            conv = _conv(filters // 2, 1, padding="same", name=name)
            grids.append(chain(p, *shift, pool, conv))
        return _norm(f"adjust_bn_{block}")(Concatenate(axis=-1)(grids))


def _adjusted(p: Any, x: Any, filters: int, block: str) -> Any:
    """Return the output before the last in the last one's size, with `filters`."""
    with K.name_scope("adjust_block"):
        if p is None:
            return x
        if p.shape[-2] != x.shape[-2]:
            return _halved(p, filters, block)
        if p.shape[-1] == filters:
            return p
        name = f"adjust_conv_projection_{block}"
        with K.name_scope(f"adjust_projection_block_{block}"):
            conv = _conv(filters, 1, padding="same", name=name)
            return chain(p, _relu(), conv, _norm(f"adjust_bn_{block}"))


def _term(term: Term, given: dict[str, Any], filters: int, suffix: str) -> Any:
    """Return what a term's operation makes of its source."""
    x, name = given[term.source], f"{term.name}_{suffix}"
    if term.kind == "same":
        return x
    if term.kind == "separable":
        return _separable(x, filters, term.size, name, term.stride)
    pool = MaxPooling2D if term.kind == "max" else AveragePooling2D
    padding = "same" if term.stride == 1 else "valid"
    return pool(3, strides=term.stride, padding=padding, name=name)(x)


def _cell(cell: Cell, x: Any, p: Any, filters: int, block: str) -> tuple[Any, Any]:
    """Apply a cell.

    Args:
        cell: which.
        x: the last output.
        p: the one before it, None if there is none.
        filters: number of channels of each sum.
        block: in the names of all layers.

    Returns:
        The cell's output and the last one.
    """
    kind = cell.kind
    with K.name_scope(f"{kind}_A_block_{block}"):
        p = _adjusted(p, x, filters, block)
        conv = _conv(filters, 1, padding="same", name=f"{kind}_conv_1_{block}")
        h = chain(x, _relu(), conv, _norm(f"{kind}_bn_1_{block}"))
        given = {"h": h, "p": p}
        if kind == "reduction":
            pad = ZeroPadding2D(correct_pad(h, 3), name=f"reduction_pad_1_{block}")
            given["padded"] = pad(h)
        for i, (name, *terms) in enumerate(cell.sums, 1):
            with K.name_scope(f"block_{i}"):
                parts = [_term(term, given, filters, block) for term in terms]
                given[str(i)] = Add(name=name and f"{name}_{block}")(parts)
        joined = [given[source] for source in cell.joined]
        return Concatenate(axis=-1, name=f"{kind}_concat_{block}")(joined), x


class Size(NamedTuple):
    """What tells two networks apart.

    Args:
        repeats: normal cells in each of the three stages.
        filters: of the first stage.
        stem: filters of the first convolution.
        skips: whether a stage's first cell sees the output before the reduction.
        side: height and width of the images, in pixels.
        fixed: whether that is so without a classifier, too.
    """

    repeats: int
    filters: int
    stem: int
    skips: bool
    side: int
    fixed: bool


def _body(x: Any, size: Size) -> Any:
    stem = _conv(size.stem, 3, strides=2, name="stem_conv1")
    x, p = chain(x, stem, _norm("stem_bn1")), None
    for i, share in enumerate((4, 2), 1):
        x, p = _cell(REDUCTION, x, p, size.filters // share, f"stem_{i}")
    for stage in range(3):
        filters, first = size.filters * 2**stage, stage * size.repeats
        if stage:
            x, reduced = _cell(REDUCTION, x, p, filters, f"reduce_{first}")
            p = p if size.skips else reduced
            first += 1
        for i in range(first, first + size.repeats):
            x, p = _cell(NORMAL, x, p, filters, str(i))
    return _relu()(x)


def _application(title: str, name: str, size: Size, release: Release) -> Any:
    default = name

    def make(
        input_shape: tuple[int | None, ...] | None = None,
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = default,
    ) -> Functional:
        only_channels_last("NASNet")
        if size.fixed and input_shape is None and not include_top:
            input_shape = (size.side, size.side, 3)
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
        if request.pretrained and None in (input_shape or ()):
            raise ValueError(
                "When specifying the input shape of a NASNet and loading `ImageNet` "
                "weights, the input_shape argument must be static (no None entries). "
                f"Got: `input_shape={input_shape}`."
            )
        shape = image_shape(request, size.side)
        body = partial(_body, size=size)
        return assemble(request, shape, body, release, named=False)

    summary = f"cells found by search, images of {size.side} by {size.side}"
    source = "Zoph et al. 2017, arXiv:1707.07012"
    return documented(make, title, __name__, summary, source)


def _release(size: str, top: str, notop: str) -> Release:
    return Release(
        f"NASNet-{size}",
        (top, notop),
        (".h5", "-no-top.h5"),
        f"{KERAS}nasnet/",
        (f"nasnet_{size}.h5", f"nasnet_{size}_no_top.h5"),
    )


NASNetMobile = _application(
    "NASNetMobile",
    "nasnet_mobile",
    Size(4, 44, 32, False, 224, True),
    _release(
        "mobile", "020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"
    ),
)
NASNetLarge = _application(
    "NASNetLarge",
    "nasnet_large",
    Size(6, 168, 96, True, 331, False),
    _release(
        "large", "11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"
    ),
)
preprocess_input = preprocessor("tf")
