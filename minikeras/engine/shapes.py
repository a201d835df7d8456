"""Pure arithmetic on static shapes; None is a size only the run will tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minikeras.engine.errors import ShapeError
from minikeras.engine.spec import Shape

__all__ = [
    "axes_of",
    "axis_of",
    "broadcast",
    "compatible",
    "merge",
    "product",
    "show",
]


def show(shape: Shape | None) -> str:
    """Return the shape as people write it: ``(None, 3)`` or ``<unknown>``."""
    return "<unknown>" if shape is None else str(tuple(shape))


def compatible(a: int | None, b: int | None) -> bool:
    """Whether two sizes can be equal."""
    return a is None or b is None or a == b


def product(sizes: Iterable[int | None]) -> int | None:
    """Product of the sizes; None if one is unknown (and none is 0)."""
    total: int | None = 1
    for size in sizes:
        if size == 0:
            return 0
        total = None if total is None or size is None else total * size
    return total


def _broadcast_sizes(a: int | None, b: int | None) -> int | None:
    if a == 1:
        return b
    if b == 1 or a == b:
        return a
    if a is None or b is None:
        # An unknown size against n > 1 must be 1 or n at run time: the result is n.
        return b if a is None else a
    raise ShapeError(f"{a} against {b}")


def broadcast(*shapes: Shape | None) -> Shape | None:
    """Return the shape to which all `shapes` broadcast, by NumPy's rule.

    Raises:
        ShapeError: if two known sizes differ and neither is 1.
    """
    if len(set(shapes)) == 1:  # the usual case, and much faster
        return shapes[0]
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    result: Shape = ()
    for shape in known:
        rank = max(len(result), len(shape))
        left = (1,) * (rank - len(result)) + result
        right = (1,) * (rank - len(shape)) + tuple(shape)
        try:
            result = tuple(map(_broadcast_sizes, left, right))
        except ShapeError as clash:
            listed = " and ".join(map(show, known))
            raise ShapeError(f"shapes {listed} do not broadcast: {clash}") from None
    return result


def merge(a: Shape | None, b: Shape | None) -> Shape | None:
    """Return what two descriptions of one shape say together.

    Raises:
        ShapeError: if they contradict each other.
    """
    if a is None or b is None:
        return b if a is None else a
    if len(a) != len(b) or not all(map(compatible, a, b)):
        raise ShapeError(f"shapes {show(a)} and {show(b)} contradict each other")
    return tuple(
        right if left is None else left for left, right in zip(a, b, strict=True)
    )


def axis_of(axis: int, rank: int) -> int:
    """Return `axis` counted from 0.

    Raises:
        ShapeError: if there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} is out of bounds for a tensor of rank {rank}")
    return axis % rank if rank else axis


def axes_of(axes: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Return `axes` counted from 0 and sorted; None means all.

    Raises:
        ShapeError: if one does not exist or is named twice.
    """
    if axes is None:
        return tuple(range(rank))
    listed = (axes,) if isinstance(axes, int) else tuple(axes)
    found = sorted(axis_of(int(axis), rank) for axis in listed)
    if len(set(found)) < len(found):
        raise ShapeError(f"axes {listed} name an axis twice")
    return tuple(found)
