"""The tensors among arguments, which alone reach the other library as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["tensors_among"]


def tensors_among(
    leaves: Sequence[Any],
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    """Return the tensors in a list, and a function to put others in their places.

    Example:
        >>> tensors, filled = tensors_among(["mean", np.ones(2), None])
        >>> filled(["x"])
        ['mean', 'x', None]
    """
    places = [i for i, x in enumerate(leaves) if hasattr(x, "dtype")]

    def filled(others: Sequence[Any]) -> list[Any]:
        given = dict(zip(places, others, strict=True))
        return [given.get(i, x) for i, x in enumerate(leaves)]

    return [leaves[i] for i in places], filled
