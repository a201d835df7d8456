"""Static shapes as users write them: checked, and brought to one form."""

from __future__ import annotations

from typing import Any

__all__ = ["shape_equal", "standardize_shape"]


def standardize_shape(shape: Any) -> tuple[int | None, ...]:
    """Return `shape` as a plain tuple of integers, None where a size is unknown.

    Raises:
        ValueError: if it is no shape, or a size is negative or no integer.

    Example:
        >>> standardize_shape([None, np.int64(3)])
        (None, 3)
    """
    if shape is None:
        raise ValueError("Undefined shapes are not supported.")
    if not hasattr(shape, "__iter__"):
        raise ValueError(f"Cannot convert '{shape}' to a shape.")
    sizes = tuple(_size(n, shape) for n in shape)
    if any(n is not None and n < 0 for n in sizes):
        raise ValueError(
            f"Cannot convert '{shape}' to a shape. Negative dimensions are not allowed."
        )
    return sizes


def _size(n: Any, shape: Any) -> int | None:
    try:
        if n is None or not isinstance(n, (str, float)):
            return None if n is None else int(n)
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"Cannot convert '{shape}' to a shape. Found invalid dimension '{n}' of type "
        f"'{type(n)}'. "
    )


def shape_equal(a_shape: Any, b_shape: Any) -> bool:
    """Whether two shapes may be the same: an unknown size is like any other."""
    return len(a_shape) == len(b_shape) and all(
        None in pair or pair[0] == pair[1]
        for pair in zip(a_shape, b_shape, strict=True)
    )
