"""Reductions of rows by number, under Keras's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras.backend.introspection import as_integers, known_shape
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops.reshaping import operand
from minikeras.engine.shapes import compatible

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]


def segment_sum(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
) -> Tensor:
    """Return the sums of the rows of `data` that have the same number.

    Args:
        data: rows along the first axis.
        segment_ids: a number for each row. Rows with a number below 0, or not below
            `num_segments`, are left out.
        num_segments: how many there are; by default the largest number and one.
        sorted: accepted; it makes no difference here.

    Shapes:
        data: (rows, *row)
        segment_ids: (rows)
        returns: (num_segments, *row)

    Raises:
        ValueError: if there are not as many numbers as rows.
    """
    return _reduced(engine.segment_sum, data, segment_ids, num_segments)


def segment_max(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
) -> Tensor:
    """Return the largest of the rows with the same number; see `segment_sum`.

    That of no rows is minus infinity, or the least integer.
    """
    return _reduced(engine.segment_max, data, segment_ids, num_segments)


def segment_min(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
) -> Tensor:
    """Return the smallest of the rows with the same number; see `segment_sum`.

    That of no rows is infinity, or the largest integer.
    """
    return _reduced(engine.segment_min, data, segment_ids, num_segments)


def segment_prod(
    data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
) -> Tensor:
    """Return the products of the rows with the same number; see `segment_sum`."""
    return _reduced(engine.segment_prod, data, segment_ids, num_segments)


def _reduced(reduce: Callable[..., Tensor], data: Any, ids: Any, count: Any) -> Tensor:
    data, ids = operand(data), operand(ids)
    rows, numbers = known_shape(data), known_shape(ids)
    if len(numbers) != 1:
        raise ValueError(
            "Argument `segment_ids` should be an 1-D vector, got shape: "
            f"{len(numbers)}. Flatten it, and the axes of `data` that it numbers."
        )
    if not (rows and compatible(rows[0], numbers[0])):
        raise ValueError(
            "Argument `segment_ids` and `data` should have same leading dimension. "
            f"Got {numbers} v.s. {rows}."
        )
    ids = as_integers(ids)
    return reduce(data, ids, engine.max(ids) + 1 if count is None else count)
