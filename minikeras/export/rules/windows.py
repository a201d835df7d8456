"""Convolution and pooling. Here channels come last, in ONNX they come second."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from minikeras.engine.graph import Node
from minikeras.engine.kernels.windows import Window
from minikeras.engine.spec import Shape
from minikeras.export.emission import Emission, Ref, UnsupportedError, whole
from minikeras.export.registry import RULES, rank, rule

__all__: list[str] = []


def _channels_second(e: Emission, x: Ref, n: int) -> Ref:
    return e.transpose(x, [0, n - 1, *range(1, n - 1)])


def _channels_last(e: Emission, x: Ref, n: int) -> Ref:
    return e.transpose(x, [0, *range(2, n), 1])


def _filters_first(e: Emission, w: Ref, n: int) -> Ref:
    """Return a kernel with filters and channels before its taps."""
    return e.transpose(w, [n - 1, n - 2, *range(n - 2)])


def _fields(windows: Sequence[Window], sizes: Shape) -> dict[str, Any]:
    """Return strides, dilations and padding as ONNX has them."""
    fields: dict[str, Any] = {
        "kernel_shape": [w.size for w in windows],
        "strides": [w.stride for w in windows],
        "dilations": [w.dilation for w in windows],
    }
    pads = [_pads(w, n) for w, n in zip(windows, sizes, strict=True)]
    if None not in pads:
        fields["pads"] = [p[side] for side in (0, 1) for p in pads]  # type: ignore[index]
    elif all(w.padding == "same" and w.dilation == 1 for w in windows):
        fields["auto_pad"] = "SAME_UPPER"
    else:
        raise UnsupportedError(
            "padding 'same' with dilation of an axis whose size is not known"
        )
    return fields


def _pads(window: Window, size: int | None) -> tuple[int, int] | None:
    """Return the padding before and after an axis; None if only the run can tell."""
    if size is None and window.padding == "same" and window.stride > 1:
        return None
    return window.pads(window.span if size is None else size)


@rule("conv")
def conv(e: Emission, node: Node, x: Ref, w: Ref) -> Ref:
    """y[n, o, f] = sum over t and c of x[n, i, c] w[t, c, f]."""
    op: Any = node.op
    n, shape = rank(node.inputs[0]), node.inputs[0].spec.known
    kernel = whole(node.inputs[1].spec.shape, "a convolution's kernel")
    groups = op.parted(shape[-1], kernel[-2]) or 1
    fields = _fields(op.windows(kernel[:-2]), shape[1:-1])
    images, filters = _channels_second(e, x, n), _filters_first(e, w, n)
    return _channels_last(e, e("Conv", images, filters, group=groups, **fields), n)


@rule("conv_backprop_input")
def conv_backprop_input(e: Emission, node: Node, sizes: Ref, w: Ref, g: Ref) -> Ref:
    """dx[n, i, c] = sum over the o and t that make i, and f, of g[n, o, f] w[t, c, f].

    ONNX counts what is cut off at both ends, and adds what no window reaches.
    """
    op: Any = node.op
    what = "a transposed convolution"
    n, kernel = rank(node.inputs[2]), whole(node.inputs[1].spec.shape, what)
    counts = whole(node.inputs[2].spec.known[1:-1], what)
    spatial = whole(node.outputs[0].spec.known[1:-1], what)
    windows = op.windows(kernel[:-2])
    before, behind = [], []
    for window, size, count in zip(windows, spatial, counts, strict=True):
        first = window.pads(size)[0]
        reached = (count - 1) * window.stride + window.span
        before.append(first)
        behind.append(reached - first - size)
    fields = {
        "kernel_shape": list(kernel[:-2]),
        "strides": [w.stride for w in windows],
        "dilations": [w.dilation for w in windows],
        "pads": [*before, *(max(k, 0) for k in behind)],
        "output_padding": [max(-k, 0) for k in behind],
        "group": op.parted(node.outputs[0].spec.known[-1], kernel[-2]) or 1,
    }
    windowed, filters = _channels_second(e, g, n), _filters_first(e, w, n)
    return _channels_last(e, e("ConvTranspose", windowed, filters, **fields), n)


def _pooled(kind: str, e: Emission, node: Node, x: Ref) -> Ref:
    op: Any = node.op
    n, shape = rank(node.inputs[0]), node.inputs[0].spec.known
    fields = _fields(op.windows(op.taps(n - 2)), shape[1:-1])
    if kind == "AveragePool" and set(fields.pop("dilations")) != {1}:
        raise UnsupportedError("average pooling with dilation")
    return _channels_last(e, e(kind, _channels_second(e, x, n), **fields), n)


RULES.update(
    max_pool=partial(_pooled, "MaxPool"), average_pool=partial(_pooled, "AveragePool")
)
