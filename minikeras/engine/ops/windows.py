"""What convolution and pooling have in common: windows as fields of an op, layouts.

The ops themselves take channels last. Strides, dilations and window sizes may be given
once for all axes, so that an op can be made before the rank of its input is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels.windows import PADDINGS, Grid, Padding, Window
from minikeras.engine.op import Op
from minikeras.engine.ops.reshaping import moveaxis
from minikeras.engine.spec import Shape

__all__: list[str] = []

Sizes = int | Sequence[int]
Paddings = str | Sequence[tuple[int, int]]


Other = TypeVar("Other", bound="Windowed")


class Windowed(Op):
    """An op on windows that slide over the spatial axes of an array.

    The array has the axes (examples, spatial ..., channels).
    """

    strides: tuple[int, ...] = (1,)
    padding: str | tuple[tuple[int, int], ...] = "valid"
    dilation: tuple[int, ...] = (1,)

    def turned(self, kind: type[Other]) -> Other:
        """Return another op, with the fields of this one."""
        return kind(**vars(self))

    def windows(self, taps: Sequence[int | None]) -> tuple[Window, ...]:
        """Return how windows with so many taps lie along each spatial axis."""
        n = len(taps)
        padding = (self.padding,) if isinstance(self.padding, str) else self.padding
        strides = self.each("strides", self.strides, n)
        dilations = self.each("dilations", self.dilation, n)
        paddings: Sequence[Padding] = self.each("paddings", padding, n)
        return tuple(map(Window, taps, strides, dilations, paddings))

    def each(self, what: str, given: Sequence[Any], axes: int) -> Sequence[Any]:
        """Return a field with one entry for each axis.

        Raises:
            ShapeError: if it has another number of entries, and not one for all.
        """
        if len(given) not in (1, axes):
            raise ShapeError(
                f"{self.name}: {len(given)} {what} for {axes} spatial axes; they are "
                f"{tuple(given)}"
            )
        return tuple(given) * axes if len(given) == 1 else tuple(given)

    def counts(self, taps: Sequence[int | None], sizes: Shape) -> Shape:
        """Return the number of windows along each spatial axis.

        Raises:
            ShapeError: if an axis is too short for one.
        """
        windows = self.windows(taps)
        try:
            return tuple(w.count(n) for w, n in zip(windows, sizes, strict=True))
        except ShapeError as error:
            raise ShapeError(
                f"{self.name}: {error}; the spatial sizes are {sizes}"
            ) from None

    def grid(self, taps: Sequence[int], sizes: Sequence[int]) -> Grid:
        """Return the windows over an array whose spatial axes have these `sizes`."""
        return Grid(self.windows(taps), tuple(sizes))


def listed(value: Sizes) -> tuple[int, ...]:
    """Return a number for all axes, or one for each, as a field of an op."""
    if isinstance(value, Sequence):
        return tuple(int(n) for n in value)
    return (int(value),)


def positive(what: str, value: Sizes) -> tuple[int, ...]:
    """Return what `listed` does, of numbers that count something.

    Raises:
        ShapeError: if one is below 1.
    """
    found = listed(value)
    if min(found, default=1) < 1:
        raise ShapeError(f"{what} must be 1 or more; got {value}")
    return found


def padding_rule(padding: Paddings) -> Any:
    """Return padding as a field of an op: a rule's name, or elements for each axis.

    Raises:
        ShapeError: if it is neither.
    """
    if isinstance(padding, str):
        rule = padding.lower()
        if rule in PADDINGS:
            return rule
    elif all(len(pair) == 2 and min(pair) >= 0 for pair in padding):
        return tuple((int(before), int(after)) for before, after in padding)
    raise ShapeError(
        f"padding is one of {', '.join(PADDINGS)}, or for each spatial axis the "
        f"elements (before, after); got {padding!r}"
    )


def with_channels_last(
    function: Callable[[Any], Tensor], x: Any, data_format: str
) -> Tensor:
    """Return `function` of `x`, whose channels are brought last, and back after it.

    Raises:
        ShapeError: if `data_format` is neither "channels_last" nor "channels_first".
    """
    if data_format == "channels_last":
        return function(x)
    if data_format == "channels_first":
        return moveaxis(function(moveaxis(x, 1, -1)), -1, 1)
    raise ShapeError(
        f"data_format is channels_last or channels_first; got {data_format!r}"
    )
