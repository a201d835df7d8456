"""Which kind of classification it is: one name, `accuracy`, stands for three."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

__all__ = ["by_kind"]

T = TypeVar("T")


def by_kind(choices: Mapping[str, T], y_true: Any, y_pred: Any) -> T:
    """Return the choice for ``"binary"``, ``"sparse"`` or ``"categorical"`` targets.

    Binary: one prediction per sample. Sparse: the number of the class, where there is a
    prediction for each class. Categorical: a value for each class.
    """
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if len(pred) < 2 or pred[-1] == 1:
        return choices["binary"]
    is_number = len(true) < len(pred) or true[-1] == 1
    return choices["sparse" if is_number else "categorical"]
