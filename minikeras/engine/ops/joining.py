"""Arrays joined, cut apart, repeated: concatenate and split, stack and unstack, tile.

Each pair is adjoint: what is joined on the way forward is cut apart by the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops import reduction
from minikeras.engine.ops.filling import zeros_like
from minikeras.engine.ops.reshaping import (
    Sizes,
    as_sizes,
    elements,
    operand,
    reshape,
)
from minikeras.engine.ops.selection import Selection
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["concatenate", "meshgrid", "repeat", "split", "stack", "tile", "unstack"]


def _complete(gs: Sequence[Tensor | None], ys: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients of all outputs: zeros where an output is not used."""
    return [zeros_like(y) if g is None else g for g, y in zip(gs, ys, strict=True)]


# -- along an axis that is there -------------------------------------------------------


class Concat(Op, name="concatenate"):
    """y = the inputs, one after the other along `axis`."""

    axis: int
    promotes = True
    any_rank = True

    def infer(self, *xs: Spec) -> Spec:
        others: Shape | None = None
        for x in xs:
            if x.shape is not None:
                others = shapes.merge(others, self.with_size(x.shape, None))
        if others is None:
            return Spec(None, xs[0].dtype)
        i = shapes.axis_of(self.axis, len(others))
        total: int | None = 0
        for x in xs:
            n = None if x.shape is None else x.shape[i]
            total = None if total is None or n is None else total + n
        return Spec(
            self.with_size(others, total), xs[0].dtype, _values(xs, len(others))
        )

    def with_size(self, shape: Shape, n: int | None) -> Shape:
        """Return `shape` with another size along the axis."""
        i = shapes.axis_of(self.axis, len(shape))
        return (*shape[:i], n, *shape[i + 1 :])

    def kernel(self, xp: ModuleType, *xs: Array) -> Array:
        return xp.concatenate(xs, self.axis)

    def vjp(self, g: Tensor, y: Tensor, *xs: Tensor) -> Sequence[Tensor]:
        return SplitLike(self.axis)(g, *xs)


def _values(xs: Sequence[Spec], rank: int) -> tuple[int | None, ...] | None:
    """Return what is known of a vector that integer vectors, or scalars, make up."""
    if rank != 1 or not xs[0].dtype.is_integer:
        return None
    vectors = [elements(x) if x.rank else x.value or (None,) for x in xs]
    known = [v for v in vectors if v is not None]
    return tuple(n for v in known for n in v) if len(known) == len(xs) else None


def concatenate(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Return `xs` one after the other along `axis`; their other sizes are equal.

    Raises:
        ShapeError: if other sizes differ, or there is no such axis.
    """
    return Concat(axis)(*xs, name="concat")


class SplitLike(Op, name="split_like"):
    """Cut x along `axis` into parts as long as the other inputs are there."""

    axis: int
    any_rank = True

    def infer(self, x: Spec, *likes: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(like.shape, x.dtype) for like in likes)

    def kernel(self, xp: ModuleType, x: Array, *likes: Array) -> tuple[Array, ...]:
        return _parts(x, [like.shape[self.axis] for like in likes], self.axis)

    def vjp(
        self, gs: Sequence[Any], ys: Sequence[Tensor], x: Tensor, *likes: Tensor
    ) -> tuple[Tensor | None, ...]:
        return concatenate(_complete(gs, ys), self.axis), *(None for _ in likes)


def _parts(x: Array, sizes: Sequence[Any], axis: int) -> tuple[Array, ...]:
    """Return `x` cut along `axis`: as xp.split does, at a quarter of the time."""
    before = (slice(None),) * shapes.axis_of(axis, x.ndim)
    ends = accumulate(sizes)
    return tuple(
        x[(*before, slice(end - n, end))] for n, end in zip(sizes, ends, strict=True)
    )


class Split(Op, name="split"):
    """Cut x along `axis` into parts of given sizes, or a number of equal ones."""

    sizes: int | tuple[int, ...]
    axis: int

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        i = shapes.axis_of(self.axis, len(x.known))
        before, after = x.known[:i], x.known[i + 1 :]
        parts = self.parts(x.known[i])
        return tuple(Spec((*before, n, *after), x.dtype) for n in parts)

    def infer_any_rank(self, x: Spec) -> tuple[Spec, ...]:
        return tuple(Spec(None, x.dtype) for _ in self.parts(None))

    def parts(self, total: int | None) -> tuple[int | None, ...]:
        """Return the sizes of the parts of `total` elements.

        Raises:
            ShapeError: if they do not make up the whole.
        """
        n = self.sizes
        if total is None:
            return (None,) * n if isinstance(n, int) else tuple(map(_or_none, n))
        if isinstance(n, int):
            found = (total // n,) * n
        else:
            rest = total - sum(size for size in n if size != -1)
            found = tuple(rest if size == -1 else size for size in n)
        if sum(found) != total or min(found, default=0) < 0:
            raise ShapeError(f"split: {total} elements do not make parts {self.sizes}")
        return found

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, ...]:
        return _parts(x, self.parts(x.shape[self.axis]), self.axis)

    def vjp(
        self, gs: Sequence[Any], ys: Sequence[Tensor], x: Tensor
    ) -> tuple[Tensor | None, ...]:
        return (concatenate(_complete(gs, ys), self.axis),)


def _or_none(size: int) -> int | None:
    return None if size == -1 else size


def split(x: Any, sizes: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Return `x` cut into parts along `axis`.

    Args:
        x: what to cut.
        sizes: of the parts, one of which may be -1 for what the others leave; or the
            number of equal parts.
        axis: along which to cut.

    Raises:
        ShapeError: if the parts do not make up the whole.
    """
    given = sizes if isinstance(sizes, int) else tuple(int(n) for n in sizes)
    return list(Split(given, axis)(x, name="split"))


# -- along a new axis ------------------------------------------------------------------


class Pack(Op, name="stack"):
    """y[..., i, ...] = the i-th input, along the new axis `axis`."""

    axis: int
    promotes = True
    any_rank = True

    def infer(self, *xs: Spec) -> Spec:
        common: Shape | None = None
        for x in xs:
            common = shapes.merge(common, x.shape)
        if common is None:
            return Spec(None, xs[0].dtype)
        i = shapes.axis_of(self.axis, len(common) + 1)
        found = (*common[:i], len(xs), *common[i:])
        return Spec(found, xs[0].dtype, _values(xs, len(found)))

    def kernel(self, xp: ModuleType, *xs: Array) -> Array:
        return xp.stack(xs, self.axis)

    def vjp(self, g: Tensor, y: Tensor, *xs: Tensor) -> Sequence[Tensor]:
        return unstack(g, len(xs), self.axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Return `xs`, all of one shape, side by side along a new axis.

    Raises:
        ShapeError: if their shapes differ.
    """
    return Pack(axis)(*xs, name="stack")


class Unpack(Op, name="unstack"):
    """The i-th output is x[..., i, ...], of `count` along `axis`."""

    count: int
    axis: int

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        i = shapes.axis_of(self.axis, len(x.known))
        if not shapes.compatible(x.known[i], self.count):
            raise ShapeError(
                f"unstack: {self.count} parts of an axis of size {x.known[i]}"
            )
        part = (*x.known[:i], *x.known[i + 1 :])
        values = [x.value and x.value[k : k + 1] for k in range(self.count)]
        return tuple(Spec(part, x.dtype, value) for value in values)

    def infer_any_rank(self, x: Spec) -> tuple[Spec, ...]:
        return (Spec(None, x.dtype),) * self.count

    def kernel(self, xp: ModuleType, x: Array) -> tuple[Array, ...]:
        before = (slice(None),) * shapes.axis_of(self.axis, x.ndim)
        return tuple(x[(*before, i, ...)] for i in range(self.count))

    def vjp(
        self, gs: Sequence[Any], ys: Sequence[Tensor], x: Tensor
    ) -> tuple[Tensor | None, ...]:
        return (stack(_complete(gs, ys), self.axis),)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the parts of `x` along `axis`, each without that axis.

    Args:
        x: what to take apart.
        num: how many parts there are; by default the size of the axis.
        axis: along which to take apart.

    Raises:
        ShapeError: if the number is not given, and unknown when the graph is built.
    """
    x = operand(x)
    if num is None:
        sizes = tuple(x.shape or ())
        num = sizes[shapes.axis_of(axis, len(sizes))]
    if num is None:
        raise ShapeError(
            f"unstack: Cannot infer argument `num` from shape {x.shape}; num must be "
            "given"
        )
    return list(Unpack(num, axis)(x, name="unstack"))


# -- repetition ------------------------------------------------------------------------


class Tile(Selection, name="tile"):
    """y = x, repeats[i] times along axis i."""

    any_rank = True

    def infer(self, x: Spec, repeats: Spec) -> Spec:
        times = elements(repeats)
        if x.shape is None or times is None:
            return Spec(None, x.dtype)
        given, wanted = _one_rank(x.shape, times)
        return Spec(tuple(map(_times, given, wanted)), x.dtype)

    def kernel(self, xp: ModuleType, x: Array, repeats: Array) -> Array:
        given, times = _one_rank(x.shape, tuple(repeats.tolist()))
        apart = [n for size in given for n in (1, size)]
        pairs = [n for pair in zip(times, given, strict=True) for n in pair]
        sizes = tuple(map(_times, given, times))
        return xp.broadcast_to(x.reshape(apart), pairs).reshape(sizes)

    def scatter(
        self, xp: ModuleType, g: Array, shape: Sequence[int], *indices: Array
    ) -> Array:
        given, times = _one_rank(tuple(shape), tuple(indices[0].tolist()))
        pairs = [n for pair in zip(times, given, strict=True) for n in pair]
        return g.reshape(pairs).sum(tuple(range(0, len(pairs), 2))).reshape(shape)


def _one_rank(a: Shape, b: Shape) -> tuple[Shape, Shape]:
    """Return both with 1s in front, so that they are equally long."""
    n = max(len(a), len(b))
    return (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b


def _times(a: int | None, b: int | None) -> int | None:
    return shapes.product((a, b))


def tile(x: Any, repeats: Sizes) -> Tensor:
    """Return `x` repeated as a whole, `repeats[i]` times along axis i.

    Whichever of `repeats` and x's shape is shorter gets 1s in front.
    """
    return Tile()(x, as_sizes(repeats))


class Repeat(Selection, name="repeat"):
    """y = each element of x `repeats` times in a row, along `axis`."""

    repeats: int | tuple[int, ...]
    axis: int

    def infer(self, x: Spec) -> Spec:
        i = shapes.axis_of(self.axis, len(x.known))
        n, times = x.known[i], self.repeats
        if isinstance(times, int):
            total = shapes.product((n, times))
        elif shapes.compatible(n, len(times)):
            total = sum(times)
        else:
            raise ShapeError(f"repeat: {len(times)} numbers for {n} elements")
        return Spec((*x.known[:i], total, *x.known[i + 1 :]), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        if not isinstance(self.repeats, int):
            return xp.repeat(x, list(self.repeats), self.axis)
        i = shapes.axis_of(self.axis, x.ndim) + 1
        before, after = x.shape[:i], x.shape[i:]
        copies = x.reshape((*before, 1, *after))
        copies = xp.broadcast_to(copies, (*before, self.repeats, *after))
        return copies.reshape((*before[:-1], x.shape[i - 1] * self.repeats, *after))

    def depth(self, rank: int, *indices: Array) -> int:
        return shapes.axis_of(self.axis, rank) + 1

    def scatter(
        self, xp: ModuleType, g: Array, shape: Sequence[int], *indices: Array
    ) -> Array:
        if not isinstance(self.repeats, int):
            return super().scatter(xp, g, shape, *indices)
        i = shapes.axis_of(self.axis, len(shape)) + 1
        return g.reshape((*shape[:i], self.repeats, *shape[i:])).sum(i)


def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Return `x` with each element repeated in place.

    Args:
        x: what to repeat.
        repeats: how often, one number for all or one each.
        axis: along which; None for `x` made flat.
    """
    times = repeats if isinstance(repeats, int) else tuple(int(n) for n in repeats)
    return Repeat(times, 0)(reshape(x, -1)) if axis is None else Repeat(times, axis)(x)


class Meshgrid(Op, name="meshgrid"):
    """y_k[..., i_k, ...] = x_k[i_k]: coordinates of all points of a grid."""

    indexing: str
    any_rank = True

    def axes(self, count: int) -> list[int]:
        """Return for each of `count` outputs the axis along which it varies."""
        swapped = [1, 0] if self.indexing == "xy" and count > 1 else []
        return swapped + list(range(len(swapped), count))

    def infer(self, *xs: Spec) -> tuple[Spec, ...]:
        if any(x.rank not in (1, None) for x in xs):
            raise ShapeError("meshgrid: all inputs must be vectors")
        sizes = tuple(x.shape[0] if x.shape else None for x in xs)
        found = tuple(sizes[axis] for axis in self.axes(len(xs)))
        return tuple(Spec(found, x.dtype) for x in xs)

    def kernel(self, xp: ModuleType, *xs: Array) -> tuple[Array, ...]:
        axes = self.axes(len(xs))
        sizes = [len(xs[i]) for i in axes]
        columns = (
            x.reshape(-1, *(1,) * (len(axes) - 1 - i))
            for x, i in zip(xs, axes, strict=True)
        )
        return tuple(xp.broadcast_to(column, sizes) for column in columns)

    def vjp(
        self, gs: Sequence[Any], ys: Sequence[Tensor], *xs: Tensor
    ) -> list[Tensor | None]:
        axes = self.axes(len(xs))
        others = [[i for i in axes if i != axis] for axis in axes]
        return [
            g if g is None else reduction.sum(g, other)
            for g, other in zip(gs, others, strict=True)
        ]


def meshgrid(*x: Any, indexing: str = "xy") -> list[Tensor]:
    """Return the coordinates of all points of the grid that vectors span.

    Args:
        x: the coordinates along each axis.
        indexing: ``"xy"`` if the first vector runs along the second axis, as in a
            picture; ``"ij"`` if each runs along its own.
    """
    return list(Meshgrid(indexing)(*x))
