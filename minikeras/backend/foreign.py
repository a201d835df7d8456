"""Functions of other libraries in a graph, differentiated by those libraries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras.engine.ops import foreign

__all__ = ["foreign", "specs_by_trial"]

Specs = Sequence[tuple[Any, str]]

# What stands for sizes that are not known: two numbers that no layer has by chance.
_SIZES = (83, 89)


def specs_by_trial(run: Callable[[Specs], Specs], inputs: Specs) -> Specs:
    """Return shapes and dtypes of a function's results, by trying it on known sizes.

    Sizes that are not known are tried as one number, and as another. Where the results'
    sizes differ as well, they are not known either.

    Args:
        run: returns shape and dtype of each result, given those of the arguments.
        inputs: shape and dtype of each argument.

    Example:
        >>> def doubled(inputs):
        ...     ((rows, columns), dtype), = inputs
        ...     return [((rows, 2 * columns), dtype)]
        >>> specs_by_trial(doubled, [((None, 4), "float32")])
        [((None, 8), 'float32')]
    """
    known = all(n is not None for shape, _ in inputs for n in shape)
    first, *others = (
        run([(_filled(shape, size), dtype) for shape, dtype in inputs])
        for size in (_SIZES[:1] if known else _SIZES)
    )
    if not others:
        return first
    return [
        (_agreed(one, other), dtype)
        for (one, dtype), (other, _) in zip(first, others[0], strict=True)
    ]


def _filled(shape: Any, size: int) -> tuple[int, ...]:
    return tuple(size if n is None else n for n in shape)


def _agreed(one: Any, other: Any) -> tuple[int | None, ...]:
    return tuple(n if n == m else None for n, m in zip(one, other, strict=True))
