"""Masks that values carry: of a tensor an attribute, of an array an entry in a table.

Arrays take no attributes and cannot be hashed: their masks are kept under the identity
of the array, for as long as it lives.
"""

from __future__ import annotations

import weakref
from typing import Any

from minikeras.engine.graph import Tensor

__all__ = ["any_array_masked", "mask_of", "set_mask"]

_of_arrays: dict[int, Any] = {}


def mask_of(x: Any) -> Any:
    """Return the mask that `x` carries, None if it has none."""
    if isinstance(x, Tensor):
        return getattr(x, "_keras_mask", None)
    return _of_arrays.get(id(x))


def set_mask(x: Any, mask: Any) -> None:
    """Let a tensor or an array carry `mask`, or none if it is None."""
    if isinstance(x, Tensor):
        x._keras_mask = mask  # type: ignore[attr-defined]
    elif mask is None:
        _of_arrays.pop(id(x), None)
    else:
        if id(x) not in _of_arrays:
            weakref.finalize(x, _of_arrays.pop, id(x), None)
        _of_arrays[id(x)] = mask


def any_array_masked() -> bool:
    """Whether any array that lives carries a mask."""
    return bool(_of_arrays)
