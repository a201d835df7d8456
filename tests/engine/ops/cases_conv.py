"""Cases of convolution and its gradients; the oracle loops over windows and taps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.conv import ConvBackpropFilter, ConvBackpropInput
from minikeras.engine.ops.windows import listed
from tests.engine.ops.cases import Case
from tests.oracles import windows

# Shapes of x and of the kernel, and how the windows lie.
GEOMETRIES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "line": ((2, 7, 3), (3, 3, 4), {}),
    "same": ((2, 7, 2), (4, 2, 3), {"strides": 2, "padding": "same"}),
    "causal": ((2, 6, 2), (3, 2, 2), {"padding": "causal", "dilation": 2}),
    "causal strides": ((1, 7, 1), (3, 1, 2), {"padding": "causal", "strides": 3}),
    "plane": ((2, 4, 5, 2), (3, 2, 2, 3), {}),
    "plane same": ((2, 5, 4, 2), (2, 3, 2, 2), {"strides": (2, 3), "padding": "same"}),
    "dilated": ((1, 6, 7, 1), (2, 3, 1, 2), {"dilation": (3, 2)}),
    "dilated same": ((1, 5, 4, 1), (3, 2, 1, 2), {"dilation": 2, "padding": "same"}),
    "both": ((1, 9, 2), (3, 2, 2), {"dilation": 2, "strides": 2}),
    "many channels": ((2, 4, 3, 6), (2, 2, 6, 2), {}),
    "one tap": ((2, 3, 3, 5), (1, 1, 5, 2), {}),
    "gaps": ((1, 8, 2), (2, 2, 2), {"strides": 3}),
    "wider than x": ((1, 2, 3, 1), (5, 4, 1, 2), {"padding": "same"}),
    "by hand": (
        (1, 3, 4, 2),
        (3, 2, 2, 2),
        {"padding": ((2, 0), (1, 3)), "strides": 2},
    ),
    "groups": ((2, 4, 3, 6), (2, 2, 2, 6), {"groups": 3}),
    "groups same": ((1, 5, 6), (3, 3, 4), {"groups": 2, "padding": "same"}),
    "space": (
        (1, 3, 4, 3, 2),
        (2, 3, 2, 2, 2),
        {"padding": "same", "strides": (1, 2, 1)},
    ),
    "no examples": ((0, 5, 2), (3, 2, 4), {}),
}

# In these a plan computes in another way than the kernel, and so rounds otherwise.
TWO_WAYS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "depthwise": ((2, 5, 4, 3), (2, 2, 1, 6), {"groups": 3, "padding": "same"}),
    "depthwise line": (
        (2, 7, 3),
        (3, 1, 3),
        {"groups": 3, "strides": 2, "dilation": 2},
    ),
    "depthwise strides": (
        (2, 6, 5, 3),
        (2, 3, 1, 3),
        {"groups": 3, "strides": (2, 3), "padding": "same"},
    ),
    "depthwise gaps": ((1, 8, 2), (2, 1, 4), {"groups": 2, "strides": 3}),
    "fewer products": ((2, 5, 6, 16), (3, 3, 16, 17), {}),
    "fewer products same": ((1, 4, 3, 17), (3, 3, 17, 16), {"padding": "same"}),
    "fewer products by hand": (
        (1, 3, 5, 16),
        (3, 3, 16, 16),
        {"padding": ((0, 3), (2, 0))},
    ),
}


def fields(strides=1, padding="valid", dilation=1, groups=1):
    return listed(strides), padding, listed(dilation), groups


def gradients(note, x, w, how):
    """Return the cases of the two gradients, which have ops of their own."""
    counts, _ = windows.hits(
        x[1:-1], w[:-2], **{k: v for k, v in how.items() if k != "groups"}
    )
    g = (x[0], *counts, w[-1])
    to_x, to_w = ConvBackpropInput(*fields(**how)), ConvBackpropFilter(*fields(**how))
    sizes_x, sizes_w = np.array(x, "int32"), np.array(w, "int32")
    yield Case(
        "conv_backprop_input",
        lambda w, g: to_x(sizes_x, w, g),
        lambda w, g: windows.transpose(x, w, g, **how),
        (w, g),
        note=note,
    )
    yield Case(
        "conv_backprop_filter",
        lambda x, g: to_w(x, sizes_w, g),
        lambda x, g: windows.filter_gradient(x, w, g, **how),
        (x, g),
        note=note,
    )


def all_three(geometries):
    for note, (x, w, how) in geometries.items():
        yield Case("conv", ops.conv, windows.convolve, (x, w), how, note=note)
        yield from gradients(note, x, w, how)


def channels_first(x, w, **how):
    y = windows.convolve(np.moveaxis(x, 1, -1), w, strides=how["strides"])
    return np.moveaxis(y, -1, 1)


def depthwise(x, w, **how):
    return windows.convolve(x, w.reshape(*w.shape[:-2], 1, -1), x.shape[-1], **how)


def separable(x, along, across, **how):
    return depthwise(x, along, **how) @ across[0, 0]


def transposed(x, w, strides=1, padding="valid"):
    """Return the transpose of a convolution, from TensorFlow's rule for its size."""
    taps, spatial = w.shape[:-2], x.shape[1:-1]
    steps = windows.each(strides, len(taps))
    sizes = [
        m * s if padding == "same" else (m - 1) * s + max(k, s)
        for m, s, k in zip(spatial, steps, taps, strict=True)
    ]
    shape = (len(x), *sizes, w.shape[-2])
    return windows.transpose(shape, w, x, strides=strides, padding=padding)


CASES = [
    *all_three(GEOMETRIES),
    *(replace(case, exact=False) for case in all_three(TWO_WAYS)),
    Case(
        "conv",
        ops.conv,
        channels_first,
        ((2, 3, 5, 4), (2, 3, 3, 4)),
        {"data_format": "channels_first", "strides": 2},
        any_rank=False,
    ),
    Case(
        "conv",
        ops.depthwise_conv,
        depthwise,
        ((2, 5, 4, 3), (3, 2, 3, 2)),
        {"padding": "same"},
        note="depthwise function",
    ),
    Case(
        "conv",
        ops.separable_conv,
        separable,
        ((2, 5, 4, 3), (3, 2, 3, 2), (1, 1, 6, 2)),
        {"strides": 2},
        note="separable function",
    ),
    *(
        Case("conv_backprop_input", ops.conv_transpose, transposed, shapes, how)
        for shapes, how in [
            (((2, 3, 3), (4, 2, 3)), {}),
            (((2, 3, 4), (2, 3, 4)), {"strides": 3}),
            (((2, 3, 2, 2), (3, 2, 2, 2)), {"strides": (2, 1), "padding": "same"}),
            (((1, 2, 3, 2, 1), (2, 3, 2, 2, 1)), {"strides": 2, "padding": "same"}),
        ]
    ),
]
