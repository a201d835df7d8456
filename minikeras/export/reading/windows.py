"""Convolution, pooling, normalization, resizing: channels come second in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minikeras.engine import ops
from minikeras.engine.ops.conv import Conv, ConvBackpropInput
from minikeras.engine.ops.pooling import AvgPool, MaxPool
from minikeras.export.emission import UnsupportedError
from minikeras.export.reading.elementwise import rank, size_along
from minikeras.export.reading.program import Step, enter, known

__all__: list[str] = []


def _paddings(n: Step, x: Any, taps: Sequence[int]) -> list[tuple[int, int]]:
    """Return the padding before and after each spatial axis."""
    mode = n.get("auto_pad", "NOTSET")
    axes = len(taps)
    if mode == "VALID":
        return [(0, 0)] * axes
    if mode == "NOTSET":
        pads = n.get("pads") or [0] * 2 * axes
        return list(zip(pads[:axes], pads[axes:], strict=True))
    found = []
    strides, dilations = _each(n, "strides", axes), _each(n, "dilations", axes)
    for size, k, s, d in zip(x.shape[2:], taps, strides, dilations, strict=True):
        span = (k - 1) * d + 1
        if size is None and s > 1:
            raise UnsupportedError(f"auto_pad={mode} of an axis of unknown size")
        total = max((-(-(size or 1) // s) - 1) * s + span - (size or 1), 0)
        low, high = total // 2, total - total // 2
        found.append((low, high) if mode == "SAME_UPPER" else (high, low))
    return found


def _each(n: Step, name: str, axes: int) -> tuple[int, ...]:
    return tuple(n.get(name) or [1] * axes)


def _last(x: Any) -> Any:
    """Return x with its channels last."""
    return ops.moveaxis(x, 1, -1)


def _second(x: Any) -> Any:
    """Return x with its channels second again."""
    return ops.moveaxis(x, -1, 1)


def _along_channels(v: Any, x: Any) -> Any:
    """Return one value for each channel, such that they broadcast with x."""
    return (
        ops.expand_dims(v, [-1 - i for i in range(rank(x) - 2)]) if rank(x) > 2 else v
    )


@enter("Conv")
def conv(n: Step, x: Any, w: Any, bias: Any = None) -> Any:
    """y = the sums of windows of x, weighted by w."""
    taps = [int(k) for k in w.shape[2:]]
    op = Conv(
        _each(n, "strides", len(taps)),
        tuple(_paddings(n, x, taps)),
        _each(n, "dilations", len(taps)),
        n.get("group", 1),
    )
    axes = range(2, len(taps) + 2)
    y = op(_last(x), ops.transpose(w, [*axes, 1, 0]))
    return _second(y if bias is None else y + bias)


@enter("ConvTranspose")
def conv_transpose(n: Step, x: Any, w: Any, bias: Any = None) -> Any:
    """y = the transpose of a convolution with w."""
    taps = [int(k) for k in w.shape[2:]]
    axes, groups = len(taps), n.get("group", 1)
    strides, dilations = _each(n, "strides", axes), _each(n, "dilations", axes)
    extra = n.get("output_padding") or [0] * axes
    spans = [(k - 1) * d + 1 for k, d in zip(taps, dilations, strict=True)]
    reached = [
        (size_along(x, i + 2) - 1) * s + span
        for i, (s, span) in enumerate(zip(strides, spans, strict=True))
    ]
    pads = _transposed_paddings(n, strides, spans, reached, extra)
    if n.get("output_shape"):
        sizes: list[Any] = n.get("output_shape")[-axes:]
    else:
        sizes = [r + e - sum(p) for r, e, p in zip(reached, extra, pads, strict=True)]
    op = ConvBackpropInput(strides, tuple(pads), dilations, groups)
    channels = int(w.shape[1]) * groups
    kernel = ops.transpose(w, [*range(2, axes + 2), 1, 0])
    y = op([size_along(x, 0), *sizes, channels], kernel, _last(x))
    return _second(y if bias is None else y + bias)


def _zip(a: Any, b: Any) -> Any:
    return zip(a, b, strict=True)


def _transposed_paddings(
    n: Step, strides: Any, spans: Any, reached: Any, extra: Any
) -> list[tuple[int, int]]:
    """Return what is cut off at both ends of each axis."""
    axes = len(spans)
    mode, shape = n.get("auto_pad", "NOTSET"), n.get("output_shape")
    if shape is None and mode in ("NOTSET", "VALID"):
        pads = (mode == "NOTSET" and n.get("pads")) or [0] * 2 * axes
        return list(_zip(pads[:axes], pads[axes:]))
    found = []
    for i in range(axes):
        total = spans[i] - strides[i] if shape is None else 0
        if shape is not None:
            total = int(reached[i]) + extra[i] - shape[-axes:][i]
        low, high = max(total, 0) // 2, max(total, 0) - max(total, 0) // 2
        found.append((low, high) if mode == "SAME_UPPER" else (high, low))
    return found


# -- pooling ---------------------------------------------------------------------------


def _pooled(kind: Any, n: Step, x: Any, pads: Sequence[tuple[int, int]]) -> Any:
    taps = n.get("kernel_shape")
    fields = (_each(n, "strides", len(taps)), tuple(pads))
    op = kind(*fields, _each(n, "dilations", len(taps)), tuple(taps))
    return _second(op(_last(x)))


def _rounded_up(n: Step, x: Any, pads: Any) -> list[tuple[int, int]]:
    """Return padding that makes room for a last window which is not full."""
    if not n.get("ceil_mode"):
        return pads
    taps = n.get("kernel_shape")
    strides, found = _each(n, "strides", len(taps)), []
    dilations = _each(n, "dilations", len(taps))
    for i, (low, high) in enumerate(pads):
        size = x.shape[i + 2]
        if size is None:
            raise UnsupportedError("ceil_mode for an axis of unknown size")
        free = size + low + high - ((taps[i] - 1) * dilations[i] + 1)
        count = -(-free // strides[i])
        if count * strides[i] >= size + low:  # it would lie in the padding altogether
            count -= 1
        found.append((low, high + max(count * strides[i] - free, 0)))
    return found


@enter("MaxPool")
def max_pool(n: Step, x: Any) -> Any:
    """y = the maximum of each window."""
    if len(n.outputs) > 1 and n.outputs[1]:
        raise UnsupportedError("the places of maxima, its second output")
    pads = _rounded_up(n, x, _paddings(n, x, n.get("kernel_shape")))
    return _pooled(MaxPool, n, x, pads)


@enter("AveragePool")
def average_pool(n: Step, x: Any) -> Any:
    """y = the mean of each window, of which padding may be a part."""
    pads = _paddings(n, x, n.get("kernel_shape"))
    rounded = _rounded_up(n, x, pads)
    if n.get("count_include_pad"):  # but not what a last window has beyond it
        if any(map(any, pads)):
            x = ops.pad(x, [(0, 0), (0, 0), *pads])
        rounded = [(0, b - high) for (_, b), (_, high) in _zip(rounded, pads)]
    return _pooled(AvgPool, n, x, rounded)


@enter("GlobalAveragePool")
def global_average_pool(n: Step, x: Any) -> Any:
    """y = the mean over all spatial axes."""
    return ops.mean(x, tuple(range(2, rank(x))), True)


@enter("GlobalMaxPool")
def global_max_pool(n: Step, x: Any) -> Any:
    """y = the maximum over all spatial axes."""
    return ops.max(x, tuple(range(2, rank(x))), True)


# -- normalization ---------------------------------------------------------------------


@enter("BatchNormalization")
def batch_normalization(
    n: Step, x: Any, scale: Any, offset: Any, mean: Any, variance: Any
) -> Any:
    """y = scale (x - mean) / √(variance + epsilon) + offset, for each channel."""
    epsilon = n.get("epsilon", 1e-5)
    return ops.batch_normalization(x, mean, variance, 1, offset, scale, epsilon)


@enter("InstanceNormalization")
def instance_normalization(n: Step, x: Any, scale: Any, offset: Any) -> Any:
    """y = scale (x - mean) / √(variance + epsilon) + offset, over the spatial axes."""
    axes = tuple(range(2, rank(x)))
    y = ops.layer_normalization(x, axis=axes, epsilon=n.get("epsilon", 1e-5))
    return y * _along_channels(scale, x) + _along_channels(offset, x)


@enter("GroupNormalization")
def group_normalization(n: Step, x: Any, scale: Any, offset: Any) -> Any:
    """y = scale (x - mean) / √(variance + epsilon) + offset, over groups."""
    groups, channels = n.get("num_groups"), int(x.shape[1])
    sizes = [size_along(x, i) for i in range(rank(x))]
    parted = ops.reshape(x, [sizes[0], groups, channels // groups, *sizes[2:]])
    axes = tuple(range(2, rank(x) + 1))
    y = ops.layer_normalization(parted, axis=axes, epsilon=n.get("epsilon", 1e-5))
    if n.opset < 21:  # one factor a group, not a channel
        scale, offset = (ops.repeat(v, channels // groups, 0) for v in (scale, offset))
    y = ops.reshape(y, sizes)
    return y * _along_channels(scale, x) + _along_channels(offset, x)


@enter("LayerNormalization")
def layer_normalization(n: Step, x: Any, scale: Any, offset: Any = None) -> Any:
    """y = scale (x - mean) / √(variance + epsilon) + offset, from an axis on."""
    if len([name for name in n.outputs if name]) > 1:
        raise UnsupportedError("its outputs besides the first")
    axes = tuple(range(n.get("axis", -1) % rank(x), rank(x)))
    y = ops.layer_normalization(x, axis=axes, epsilon=n.get("epsilon", 1e-5)) * scale
    return y if offset is None else y + offset


@enter("RMSNormalization")
def rms_normalization(n: Step, x: Any, scale: Any) -> Any:
    """y = scale x / √(mean of x² + epsilon), from an axis on."""
    axes = tuple(range(n.get("axis", -1) % rank(x), rank(x)))
    return ops.rms_normalization(x, axis=axes, epsilon=n.get("epsilon", 1e-5)) * scale


@enter("LRN")
def lrn(n: Step, x: Any) -> Any:
    """y = x / (bias + alpha times the mean of x² over channels nearby)^beta."""
    size = n.get("size")
    squares = ops.pad(
        x * x, [(0, 0), ((size - 1) // 2, size // 2)] + [(0, 0)] * (rank(x) - 2)
    )
    count = int(x.shape[1])
    total = sum(squares[:, i : i + count] for i in range(size))
    alpha, beta, bias = n.get("alpha", 1e-4), n.get("beta", 0.75), n.get("bias", 1.0)
    return x / ops.power(bias + alpha / size * total, beta)


@enter("LpNormalization")
def lp_normalization(n: Step, x: Any) -> Any:
    """y = x / its norm along an axis."""
    axis = n.get("axis", -1)
    if n.get("p", 2) == 1:
        return x / ops.sum(ops.absolute(x), axis, True)
    return x / ops.sqrt(ops.sum(x * x, axis, True))


# -- products --------------------------------------------------------------------------


@enter("Gemm")
def gemm(n: Step, a: Any, b: Any, c: Any = None) -> Any:
    """y = alpha a b + beta c."""
    y = ops.matmul(a, b, bool(n.get("transA", 0)), bool(n.get("transB", 0)))
    y = _scaled(y, n.get("alpha", 1.0))
    return y if c is None else y + _scaled(c, n.get("beta", 1.0))


def _scaled(x: Any, factor: float) -> Any:
    return x if factor == 1 else x * factor


# -- resizing --------------------------------------------------------------------------


@enter("Resize", "Upsample")
def resize(
    n: Step, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None
) -> Any:
    """y = x, in another size along some axes, one after the other."""
    if n.kind == "Upsample":
        roi, scales = None, roi if n.get("scales") is None else n.get("scales")
    factors, wanted = (None if v is None else _entries(v) for v in (scales, sizes))
    axes = n.get("axes") or range(rank(x))
    for i, axis in enumerate(axes):
        size = x.shape[axis]
        factor = factors[i] if factors else None
        if size is None and (factor == 1 or (wanted and wanted[i] is None)):
            continue  # as it is
        if size is None:
            raise UnsupportedError("resizing an axis of unknown size")
        new = wanted[i] if wanted else int(np.floor(size * (factor or 1)))
        if new is None:
            raise UnsupportedError("resizing to a size that only the run tells")
        if new != size:
            x = _resized(n, x, axis, new, factor or new / size)
    return x


def _entries(v: Any) -> list[Any]:
    """Return the elements of a vector, None for those that only the run tells."""
    value = known(v)
    if value is not None:
        return value.tolist()
    found = v.spec.value if hasattr(v, "spec") else None
    return list(found or [None] * int(v.shape[0]))


def _resized(n: Step, x: Any, axis: int, new: int, factor: float) -> Any:
    """Return x with `new` elements along an axis, by a matrix of weights."""
    size = int(x.shape[axis])
    mode = n.get("mode", "nearest")
    places = _places(n, size, new, factor)
    if mode == "nearest":
        return ops.take(x, np.clip(_nearest(n, places), 0, size - 1), axis)
    if mode != "linear" or n.get("antialias"):
        raise UnsupportedError(f"resizing in the mode {mode!r}, or with antialias")
    places = np.clip(places, 0, size - 1)
    low = np.minimum(np.floor(places).astype(np.int64), size - 1)
    high = np.minimum(low + 1, size - 1)
    share = (places - low).astype(np.float32)
    share = share.reshape([-1 if i == axis else 1 for i in range(rank(x))])
    share = ops.cast(share, x.dtype)
    return ops.take(x, low, axis) * (1 - share) + ops.take(x, high, axis) * share


def _places(n: Step, size: int, new: int, factor: float) -> Any:
    """Return where along an axis the new elements lie."""
    i = np.arange(new, dtype="float32")  # places at edges are a matter of rounding
    default = "half_pixel" if n.opset >= 11 else "asymmetric"
    mode = n.get("coordinate_transformation_mode", default)
    if mode == "asymmetric":
        return i / factor
    if mode == "align_corners":
        return i * (size - 1) / max(new - 1, 1)
    if mode == "pytorch_half_pixel" and new == 1:
        return i * 0
    if mode in ("half_pixel", "pytorch_half_pixel"):
        return (i + 0.5) / factor - 0.5
    raise UnsupportedError(f"coordinate_transformation_mode {mode!r}")


def _nearest(n: Step, places: Any) -> Any:
    default = "round_prefer_floor" if n.opset >= 11 else "floor"
    mode = n.get("nearest_mode", default)
    rounded = {
        "round_prefer_floor": lambda p: np.ceil(p - 0.5),
        "round_prefer_ceil": lambda p: np.floor(p + 0.5),
        "floor": np.floor,
        "ceil": np.ceil,
    }[mode]
    return rounded(places).astype(np.int64)
