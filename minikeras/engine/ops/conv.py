"""Convolution and its transpose, of one to three spatial axes.

    L = sum of g[n, o, f] x[n, i, c] w[t, c, f], with i = stride o + dilation t - before

over examples n, windows o, taps t, channels c and filters f. Each of the three ops is
the derivative of L by one of its three factors: `Conv` that by g, `ConvBackpropInput`
that by x, `ConvBackpropFilter` that by w. So the gradients of each are the other two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from minikeras.engine import native, shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels import convolution, patches, taps, winograd
from minikeras.engine.kernels.windows import Grid
from minikeras.engine.op import promoted
from minikeras.engine.ops.extremes import maximum
from minikeras.engine.ops.joining import concatenate
from minikeras.engine.ops.reshaping import as_sizes, operand, reshape, shape, sizes_of
from minikeras.engine.ops.state import cast
from minikeras.engine.ops.windows import (
    Paddings,
    Sizes,
    Windowed,
    listed,
    padding_rule,
    positive,
    with_channels_last,
)
from minikeras.engine.spec import Array, Shape, Spec

__all__ = [
    "conv",
    "conv_backprop_input",
    "conv_transpose",
    "depthwise_conv",
    "separable_conv",
]


class Convolution(Windowed):
    """What the three ops share: that x and w decide the shape of y, and so of g.

    Each says what shape its result has, and by which calls it is written.
    """

    groups: int | None = 1
    binds = True

    sized: ClassVar[Callable[..., Sequence[int]]]
    calls: ClassVar[Callable[..., convolution.Calls]]

    def kernel(self, xp: ModuleType, *inputs: Array) -> Array:
        result = xp.empty(self.sized(*inputs), inputs[-1].dtype)
        for call in self.calls(xp, result, *inputs):
            call()
        return result

    def bind(self, result: Array, *inputs: Array) -> Callable[[], Any]:
        """Return the call that writes the result for these arrays."""
        calls = self.calls(np, result, *inputs)

        def make() -> None:
            for call in calls:
                call()

        return make

    def parted(self, channels: Any, seen: Any) -> Any:
        """Return the number of groups, given the channels of x and those a filter sees.

        If the op leaves it open, it is None where these are not both known.
        """
        if self.groups is not None or None in (channels, seen):
            return self.groups
        return channels // max(seen, 1)

    def convolved(self, x: Shape, w: Shape) -> Shape:
        """Return the shape of the convolution of x with w.

        Raises:
            ShapeError: if they do not fit each other.
        """
        if len(x) != len(w) or not 3 <= len(x) <= 5:
            raise self.misfit("x and the kernel need one rank, 3 to 5", x, w)
        *taps, channels, filters = w
        groups = self.parted(x[-1], channels)
        if groups is not None:
            if groups < 1 or (filters is not None and filters % groups):
                raise self.misfit(
                    f"{groups} groups do not divide {filters} filters", x, w
                )
            if not shapes.compatible(x[-1], channels and channels * groups):
                seen = f"{channels} in each of {groups} groups"
                raise self.misfit(f"{x[-1]} channels for a kernel of {seen}", x, w)
        return (x[0], *self.counts(taps, x[1:-1]), filters)

    def way(
        self, grid: Grid, x: Sequence[int], w: Sequence[int], dtype: Any
    ) -> ModuleType:
        """Return a way to convolve that is a few loops and products, given the shapes.

        Raises:
            TypeError: if it is better called as a whole.
        """
        # Sums of taps are for loops in machine code; NumPy has einsum for them.
        ways = [winograd, patches, taps] if native.available() else [winograd, patches]
        suited = (way for way in ways if way.suits(grid, x, w))
        way = next(suited, None) if dtype in ("float32", "float64") else None
        if way is None:
            raise TypeError("a convolution to be called as a whole")
        return way

    def misfit(self, problem: str, x: Shape, w: Shape) -> ShapeError:
        """Return the error which says that x and w do not fit."""
        return ShapeError(
            f"{self.name}: {problem}; x has shape {shapes.show(x)} and the kernel "
            f"{shapes.show(w)}"
        )

    def check_above(self, x: Shape | None, w: Shape | None, g: Shape | None) -> None:
        """Demand that g, the gradient of y, has the shape of y.

        Raises:
            ShapeError: if it has another one.
        """
        if x is None or w is None or g is None:
            return
        wanted = self.convolved(x, w)
        if len(g) != len(wanted) or not all(map(shapes.compatible, g, wanted)):
            made = f"they make {shapes.show(wanted)}, not {shapes.show(g)}"
            raise self.misfit(made, x, w)


class Conv(Convolution, name="conv"):
    """y[n, o, f] = sum over t and c of x[n, i, c] w[t, c, f].

    With groups, each group of filters sees its own group of channels.
    """

    promotes = True

    def infer(self, x: Spec, kernel: Spec) -> Spec:
        return Spec(self.convolved(x.known, kernel.known), x.dtype)

    def sized(self, x: Array, w: Array) -> Sequence[int]:
        grid = self.grid(w.shape[:-2], x.shape[1:-1])
        return (len(x), *grid.counts, w.shape[-1])

    def calls(self, xp: ModuleType, y: Array, x: Array, w: Array) -> convolution.Calls:
        grid = self.grid(w.shape[:-2], x.shape[1:-1])
        groups = self.parted(x.shape[-1], w.shape[-2])
        return convolution.convolve(xp, y, x, w, grid, groups)

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return _flops(inputs[1], outputs[0])

    def traced(self, xp: ModuleType, x: Array, w: Array) -> Array:
        grid = self.grid(w.shape[:-2], x.shape[1:-1])
        return self.way(grid, x.shape, w.shape, x.dtype).convolve(xp, x, w, grid)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        to_x, to_w = self.turned(ConvBackpropInput), self.turned(ConvBackpropFilter)
        return to_x(shape(x), w, g), to_w(x, shape(w), g)


class ConvBackpropInput(Convolution, name="conv_backprop_input"):
    """dx[n, i, c] = sum over the o and t that make i, and f, of g[n, o, f] w[t, c, f].

    The first input is the shape of x, which g and w leave open.
    """

    any_rank = True

    def infer(self, sizes: Spec, kernel: Spec, g: Spec) -> Spec:
        found = sizes_of(sizes)
        self.check_above(found, kernel.shape, g.shape)
        return Spec(found, g.dtype)

    def sized(self, sizes: Array, w: Array, g: Array) -> Sequence[int]:
        return sizes.tolist()

    def calls(
        self, xp: ModuleType, dx: Array, sizes: Array, w: Array, g: Array
    ) -> convolution.Calls:
        grid = self.grid(w.shape[:-2], dx.shape[1:-1])
        groups = self.parted(dx.shape[-1], w.shape[-2])
        return convolution.backprop_input(xp, dx, w, g, grid, groups)

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return _flops(inputs[1], inputs[2])

    def traced(self, xp: ModuleType, sizes: Array, w: Array, g: Array) -> Array:
        x = sizes.tolist()
        grid = self.grid(w.shape[:-2], x[1:-1])
        way = self.way(grid, x, w.shape, g.dtype)
        return way.backprop_input(xp, w, g, grid, x[-1])

    def vjp(
        self, h: Tensor, dx: Tensor, sizes: Tensor, w: Tensor, g: Tensor
    ) -> tuple[None, Tensor, Tensor]:
        to_w, to_g = self.turned(ConvBackpropFilter), self.turned(Conv)
        return None, to_w(h, shape(w), g), to_g(h, w)


class ConvBackpropFilter(Convolution, name="conv_backprop_filter"):
    """dw[t, c, f] = sum over n and o of x[n, i, c] g[n, o, f].

    The second input is the shape of w, which x and g leave open.
    """

    any_rank = True

    def infer(self, x: Spec, sizes: Spec, g: Spec) -> Spec:
        found = sizes_of(sizes)
        self.check_above(x.shape, found, g.shape)
        return Spec(found, g.dtype)

    def sized(self, x: Array, sizes: Array, g: Array) -> Sequence[int]:
        return sizes.tolist()

    def calls(
        self, xp: ModuleType, dw: Array, x: Array, sizes: Array, g: Array
    ) -> convolution.Calls:
        grid = self.grid(dw.shape[:-2], x.shape[1:-1])
        groups = self.parted(x.shape[-1], dw.shape[-2])
        return convolution.backprop_filter(xp, dw, x, g, grid, groups)

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        return _flops(outputs[0], inputs[2])

    def traced(self, xp: ModuleType, x: Array, sizes: Array, g: Array) -> Array:
        w = sizes.tolist()
        grid = self.grid(w[:-2], x.shape[1:-1])
        return self.way(grid, x.shape, w, g.dtype).backprop_filter(xp, x, g, grid)

    def vjp(
        self, h: Tensor, dw: Tensor, x: Tensor, sizes: Tensor, g: Tensor
    ) -> tuple[Tensor, None, Tensor]:
        to_x, to_g = self.turned(ConvBackpropInput), self.turned(Conv)
        return to_x(shape(x), h, g), None, to_g(x, h)


def _flops(w: Sequence[int], y: Sequence[int]) -> int:
    """Return how many operations a convolution takes by its formula."""
    return 2 * math.prod(y) * math.prod(w[:-1])


def _fields(strides: Sizes, padding: Paddings, dilation: Sizes) -> tuple[Any, Any, Any]:
    """Return a function's arguments as the fields of an op."""
    return (
        positive("strides", strides),
        padding_rule(padding),
        positive("dilation", dilation),
    )


def conv(
    x: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: Paddings = "valid",
    dilation: Sizes = 1,
    groups: int | None = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Return the convolution (not mirrored: a cross-correlation) of `x` with `kernel`.

    Args:
        x: the input.
        kernel: the weights of all filters.
        strides: elements from one window's start to the next one's.
        padding: "valid": windows stay inside x; "same": one window for every stride,
            x padded with zeros on both ends, an odd one at the end, as in TensorFlow;
            "causal": as many, all padding at the start; or for each spatial axis the
            zeros (before, after).
        dilation: elements from one tap of a window to the next.
        groups: into which channels and filters are divided; a group of filters sees
            only its own group of channels; None for as many as the channels of x
            and of the kernel ask for.
        data_format: "channels_last", or "channels_first" for x and the result.

    Shapes:
        x: (examples, spatial ..., channels), one to three spatial axes
        kernel: (taps ..., channels / groups, filters)
        returns: (examples, windows ..., filters)

    Raises:
        ShapeError: if ranks or channels do not fit, groups do not divide the filters,
            or x is too small for a window.

    Example:
        >>> x = placeholder("float32", (None, 28, 28, 1))
        >>> conv(x, np.zeros((3, 3, 1, 32)), strides=2, padding="same").shape
        (None, 14, 14, 32)
    """
    op = Conv(*_fields(strides, padding, dilation), groups)
    return with_channels_last(lambda x: op(x, kernel), x, data_format)


def conv_backprop_input(
    sizes: Any,
    kernel: Any,
    g: Any,
    strides: Sizes = 1,
    padding: Paddings = "valid",
    dilation: Sizes = 1,
    groups: int | None = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Return the gradient of the x of `conv`, of shape `sizes`, given its result's.

    The other arguments are those of that `conv`.

    Shapes:
        sizes: (rank,), holding (examples, spatial ..., channels) in either data format
        kernel: (taps ..., channels / groups, filters)
        g: (examples, windows ..., filters)
        returns: (examples, spatial ..., channels)

    Raises:
        ShapeError: if an x of that shape would not give one of the shape of `g`.
    """
    op = ConvBackpropInput(*_fields(strides, padding, dilation), groups)
    w, g = matched(kernel, g)
    return with_channels_last(lambda g: op(as_sizes(sizes), w, g), g, data_format)


def conv_transpose(
    x: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    dilation: Sizes = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Return the transpose of a convolution: from its output's shape to its input's.

    This is how `conv` with the same arguments hands its gradient on. Of m windows with
    stride s it makes m s elements ("same"), or (m - 1) s + max(span, s) ("valid"),
    where a window spans so many elements from its first tap to its last.

    Args:
        x: the input.
        kernel: the weights, with the axes of the kernel of that convolution.
        strides: elements from one window's start to the next one's.
        padding: "valid" or "same".
        output_padding: fewer than strides; the size is then this much more than
            (m - 1) s + span ("valid"), or than (m - 1) s + span mod 2 ("same").
        dilation: elements from one tap of a window to the next.
        data_format: "channels_last", or "channels_first" for x and the result.

    Shapes:
        x: (examples, windows ..., channels), one to three spatial axes
        kernel: (taps ..., filters, channels)
        returns: (examples, spatial ..., filters)

    Raises:
        ShapeError: if ranks or channels do not fit, or an output padding is too large.

    Example:
        >>> x = placeholder("float32", (None, 7, 7, 64))
        >>> kernel = np.zeros((3, 3, 32, 64))
        >>> conv_transpose(x, kernel, strides=2, padding="same").shape
        (None, 14, 14, 32)

    Source: sizes as in Keras 3.
    """
    op = ConvBackpropInput(*_fields(strides, padding, dilation))
    if op.padding not in ("valid", "same"):
        raise ShapeError(f"conv_transpose: padding is valid or same; got {padding!r}")
    extra = None if output_padding is None else _below_strides(op, output_padding)
    return with_channels_last(
        lambda x: _transposed(op, x, kernel, extra), x, data_format
    )


def _below_strides(op: Convolution, output_padding: Sizes) -> tuple[int, ...]:
    """Return output paddings as a tuple, if they are in range."""
    extra = listed(output_padding)
    axes = max(len(extra), len(op.strides))
    strides = op.each("strides", op.strides, axes)
    paddings = op.each("output paddings", extra, axes)
    if not all(0 <= n < s for n, s in zip(paddings, strides, strict=True)):
        raise ShapeError(
            f"conv_transpose: output_padding is 0 or more and below strides "
            f"{op.strides}; got {output_padding}"
        )
    return extra


def _transposed(
    op: ConvBackpropInput, x: Any, kernel: Any, extra: tuple[int, ...] | None
) -> Tensor:
    """Return `op` on the shape that its windows, x, are to come from."""
    span = (shape(kernel)[:-2] - 1) * op.dilation + 1
    if extra is None:
        last = op.strides if op.padding == "same" else maximum(span, op.strides)
    elif op.padding == "valid":
        last = span + extra
    else:
        last = span % 2 + extra
        op = op.replaced(padding=_padding(op, operand(kernel).shape, extra))
    spatial = (shape(x)[1:-1] - 1) * op.strides + last
    sizes = concatenate([shape(x)[:1], spatial, shape(kernel)[-2:-1]])
    return op(sizes, *matched(kernel, x))


def matched(x: Any, y: Any) -> tuple[Any, Any]:
    """Return two operands in the dtype in which they meet."""
    dtype = promoted((x, y))
    return cast(x, dtype), cast(y, dtype)


def _padding(
    op: ConvBackpropInput, kernel: Shape | None, extra: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """Return what "same" pads a convolution with whose size is off by `extra`."""
    if kernel is None or None in kernel[:-2]:
        raise ShapeError(
            "conv_transpose: output_padding with padding 'same' needs a kernel of "
            f"known size; its shape is {shapes.show(kernel)}"
        )
    windows = op.windows(kernel[:-2])
    more = op.each("output paddings", extra, len(windows))
    totals = (
        max(w.span - w.span % 2 - n, 0) for w, n in zip(windows, more, strict=True)
    )
    return tuple((total // 2, total - total // 2) for total in totals)


def depthwise_conv(
    x: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: Paddings = "valid",
    dilation: Sizes = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Return the convolution of each channel of `x` with filters of its own.

    Shapes:
        x: (examples, spatial ..., channels), one to three spatial axes
        kernel: (taps ..., channels, multiplier)
        returns: (examples, windows ..., channels · multiplier), by channel

    Raises:
        ShapeError: if ranks or channels do not fit, or x is too small for a window.

    The other arguments are those of `conv`.
    """
    given = operand(kernel).shape
    groups = None if given is None else given[-2]
    one_a_group = reshape(kernel, concatenate([shape(kernel)[:-2], [1, -1]]))
    return conv(x, one_a_group, strides, padding, dilation, groups, data_format)


def separable_conv(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: Paddings = "valid",
    dilation: Sizes = 1,
    data_format: str = "channels_last",
) -> Tensor:
    """Return a convolution in two steps: along space in each channel, then across.

    Shapes:
        x: (examples, spatial ..., channels), one to three spatial axes
        depthwise_kernel: (taps ..., channels, multiplier)
        pointwise_kernel: (1 ..., channels · multiplier, filters)
        returns: (examples, windows ..., filters)

    Raises:
        ShapeError: as `depthwise_conv` and `conv`, whose arguments the others are.
    """
    along = depthwise_conv(x, depthwise_kernel, strides, padding, dilation, data_format)
    return conv(along, pointwise_kernel, data_format=data_format)
