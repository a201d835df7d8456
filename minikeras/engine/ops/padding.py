"""Borders and order along axes: pad, flip, roll."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.reduction import Axes, frozen_axes
from minikeras.engine.ops.reshaping import operand
from minikeras.engine.ops.selection import Selection, overlaid
from minikeras.engine.ops.slicing import getitem
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["flip", "pad", "roll"]

Widths = tuple[tuple[int, int], ...]

# For each mode, by how much a border must be narrower than its axis is long.
MODES = {"reflect": 1, "symmetric": 0, "edge": None}


def _padded(x: Spec, widths: Widths) -> Shape:
    """Return the shape of `x` with borders of these widths."""
    if len(widths) != len(x.known) or min(map(min, widths), default=0) < 0:
        raise ShapeError(f"pad: widths {widths} for shape {shapes.show(x.shape)}")
    return tuple(
        None if n is None else a + n + b
        for n, (a, b) in zip(x.known, widths, strict=True)
    )


def _inner(widths: Widths) -> tuple[slice, ...]:
    """Return the index of what lies inside the borders."""
    return tuple(slice(a, -b if b else None) for a, b in widths)


class Pad(Op, name="pad"):
    """y = x with a border of `value`, widths[i] before and behind along axis i."""

    widths: Widths
    value: float

    def infer(self, x: Spec) -> Spec:
        return Spec(_padded(x, self.widths), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        sizes = [a + n + b for n, (a, b) in zip(x.shape, self.widths, strict=True)]
        return overlaid(xp, x, sizes, _inner(self.widths), self.value)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (getitem(g, _inner(self.widths)),)


class MirrorPad(Selection, name="mirror_pad"):
    """y = x with a border of x's own elements, mirrored or repeated."""

    widths: Widths
    mode: str

    def infer(self, x: Spec) -> Spec:
        found, margin = _padded(x, self.widths), MODES[self.mode]
        for n, border in zip(x.known, self.widths, strict=True):
            if None not in (n, margin) and max(border) > n - margin:
                raise ShapeError(
                    f"pad: a border of {max(border)} cannot {self.mode} an axis of "
                    f"size {n}"
                )
        return Spec(found, x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        for axis, (before, behind) in enumerate(self.widths):
            n, skip = x.shape[axis], MODES[self.mode] or 0
            edges = (skip, skip + before), (n - skip - behind, n - skip)
            if self.mode == "edge":
                edges = (0, 1), (n - 1, n)
            first, last = (
                _border(xp, x, axis, slice(*edge), width)
                for edge, width in zip(edges, (before, behind), strict=True)
            )
            x = xp.concatenate([y for y in (first, x, last) if y.shape[axis]], axis)
        return x


def _border(xp: ModuleType, x: Array, axis: int, taken: slice, width: int) -> Array:
    """Return what is `taken` of x along `axis`, backwards, or one row so often."""
    rows = xp.flip(x[(*(slice(None),) * axis, taken)], axis)
    sizes = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    return xp.broadcast_to(rows, sizes)


def pad(
    x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0
) -> Tensor:
    """Return `x` with a border.

    Args:
        x: what to pad.
        pad_width: for each axis how many elements to put before and behind; or one such
            pair, or one number, for all axes.
        mode: ``"constant"``; ``"reflect"``, which mirrors without repeating the edge
            itself; ``"symmetric"``, which repeats it; ``"edge"``, which repeats nothing
            else.
        constant_values: the border's value in constant mode.

    Raises:
        ShapeError: if there are not as many pairs as axes, or a mirrored border is
            wider than what it mirrors.
        ValueError: if there is no such mode.
    """
    if mode != "constant" and mode not in MODES:
        raise ValueError(f"pad: mode {mode!r} is none of constant, {', '.join(MODES)}")
    x = operand(x)
    given = np.asarray(pad_width)
    if x.ndim is not None and given.size <= 2:
        given = np.broadcast_to(given, (x.ndim, 2))
    widths = tuple((int(a), int(b)) for a, b in given)
    op = Pad(widths, constant_values) if mode == "constant" else MirrorPad(widths, mode)
    return op(x)


class Reverse(Op, name="flip"):
    """y is x backwards along the axes."""

    axis: tuple[int, ...] | None
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        if x.shape is not None:
            shapes.axes_of(self.axis, len(x.shape))
        return Spec(x.shape, x.dtype, x.value and x.value[::-1])

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return xp.flip(x, self.axis)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (flip(g, self.axis),)


def flip(x: Any, axis: Axes = None) -> Tensor:
    """Return `x` backwards along `axis`, or along all axes."""
    return Reverse(frozen_axes(axis))(x)


class Roll(Op, name="roll"):
    """y[i] = x[i - shift], where what leaves at one end comes in at the other."""

    shift: tuple[int, ...]
    axis: tuple[int, ...] | None
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        if x.shape is not None:
            shapes.axes_of(self.axis, len(x.shape))
        return Spec(x.shape, x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        y = x if self.axis else x.reshape(-1)
        for shift, axis in zip(self.shift, self.axis or (0,), strict=True):
            before = (slice(None),) * shapes.axis_of(axis, y.ndim)
            n = y.shape[axis]
            cut = n - shift % n if n else 0
            parts = y[(*before, slice(cut, None))], y[(*before, slice(cut))]
            y = xp.concatenate(parts, axis)
        return y.reshape(x.shape)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (Roll(tuple(-n for n in self.shift), self.axis)(g),)


def roll(x: Any, shift: int | Sequence[int], axis: Axes = None) -> Tensor:
    """Return `x` shifted in a circle.

    Args:
        x: what to shift.
        shift: by how many places; one number for each axis.
        axis: along which; None for `x` made flat, and put back in shape.
    """
    axes = frozen_axes(axis)
    places = (shift,) if isinstance(shift, int) else tuple(shift)
    return Roll(places * len(axes) if axes and len(places) == 1 else places, axes)(x)
