"""Einstein's notation for products and sums: an equation over letters for axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.ops.filling import eye
from minikeras.engine.ops.linalg import labeled_product, ordered, within
from minikeras.engine.ops.reduction import sum
from minikeras.engine.ops.reshaping import operand, shape

__all__ = ["einsum"]


def einsum(equation: str, *operands: Any) -> Tensor:
    """Multiply and sum as the `equation` says, as in ``"bij,bjk->bik"``.

    A letter stands for an axis. Those that the right side lacks are summed; a letter
    found twice in one operand takes its diagonal; ``...`` stands for any other axes,
    which broadcast. Without ``->``, the letters found once are kept, in alphabetical
    order. Operands are multiplied from left to right.

    Raises:
        ShapeError: if sizes with one letter differ, `equation` does not fit the
            operands, or it has ``...`` for one of unknown rank.

    Example:
        >>> einsum("ii->i", [[1, 2], [3, 4]])
        array([1, 4], dtype=int32)
    """
    terms, out = _parsed(equation, [operand(x) for x in operands])
    (x, left), *rest = terms
    while rest:
        (y, right), *rest = rest
        later = out + "".join(labels for _, labels in rest)
        x, left = _summed(x, left, right + later)
        y, right = _summed(y, right, left + later)
        kept = within(dict.fromkeys(left + right), later) if rest else out
        x, left = labeled_product(x, y, left, right, kept), kept
    x, left = _summed(x, left, out)
    return ordered(x, left, out)


def _summed(x: Any, labels: str, kept: str) -> tuple[Any, str]:
    """Sum the axes of `x` whose labels are not in `kept`."""
    axes = [i for i, k in enumerate(labels) if k not in kept]
    return (sum(x, axes) if axes else x), within(labels, kept)


def _parsed(equation: str, operands: list[Any]) -> tuple[list[tuple[Any, str]], str]:
    """Return the operands with a label for each axis, and the labels of the result.

    Axes under ``...`` get labels of their own, and no operand has a label twice.
    """
    given, arrow, out = equation.replace(" ", "").partition("->")
    terms = given.split(",")
    if len(terms) != len(operands):
        raise ShapeError(
            f"einsum: {equation!r} has {len(terms)} terms for {len(operands)} operands"
        )
    greek = map(chr, itertools.count(ord("α")))
    fresh = (k for k in greek if k not in equation)
    widths = [_dotted(x, term) for x, term in zip(operands, terms, strict=True)]
    dots = "".join(itertools.islice(fresh, max(widths)))
    if not arrow:
        once = sorted(k for k in given if given.count(k) == 1 and k.isalpha())
        out = "..." + "".join(once)
    out = out.replace("...", dots)
    labeled: list[tuple[Any, str]] = []
    for x, term, width in zip(operands, terms, widths, strict=True):
        labels = term.replace("...", dots[len(dots) - width :])
        labeled += _without_diagonals(x, labels, fresh)
    known = {k for _, labels in labeled for k in labels}
    if (
        not known.issuperset(out)
        or len(set(out)) < len(out)
        or not all(map(str.isalpha, known))
    ):
        raise ShapeError(f"einsum: {equation!r} cannot be read")
    return labeled, out


def _dotted(x: Any, term: str) -> int:
    """Return for how many axes of `x` the three dots in its term stand."""
    if "..." not in term:
        return 0
    if x.ndim is None:
        raise ShapeError(f"einsum: the rank of {x} must be known")
    width = x.ndim - len(term) + len("...")
    if width < 0:
        raise ShapeError(f"einsum: {term!r} labels more axes than {x.ndim}")
    return width


def _without_diagonals(
    x: Any, labels: str, fresh: Iterator[str]
) -> Iterator[tuple[Any, str]]:
    """Yield `x`, and for a label that it has twice an identity matrix to go with it."""
    own = ""
    for axis, k in enumerate(labels):
        if k in own:
            own += next(fresh)
            n = None if x.shape is None else x.shape[axis]
            size = shape(x)[axis] if n is None else n
            yield eye(size, dtype=x.dtype), k + own[-1]
        else:
            own += k
    yield x, own
