"""How much building may take: a limit for what a file asks for."""

from __future__ import annotations

from collections.abc import Sequence

from minikeras.engine.allowance import allocation_limit, check_values
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.spec import Spec

__all__ = ["allocation_limit", "check_size"]


def check_size(what: str, shape: Sequence[int]) -> None:
    """Demand that numbers which are about to be made keep within the limit, if any.

    Raises:
        MemoryError: if they do not.
    """
    check_values(what, Spec(tuple(shape), as_dtype("float64")))
