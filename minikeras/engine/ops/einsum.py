"""Products of tensors along chosen axes, and Einstein's notation for them.

All are made of one op, a product of two operands in which letters label the axes. Its
kernel lays it out as a product of matrices.
"""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.filling import eye
from minikeras.engine.ops.reduction import sum, sum_like
from minikeras.engine.ops.reshaping import operand, reshape, shape, transpose
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["einsum", "outer", "tensordot"]


class Einsum(Op, name="einsum"):
    """c[out] = sum of a[left] * b[right] over the labels that `out` lacks.

    Every letter labels an axis, and is found in two of the three terms at least, in
    each no more than once. So the gradients are products of the same kind.
    """

    left: str
    right: str
    out: str
    promotes = True
    any_rank = True

    def infer(self, a: Spec, b: Spec) -> Spec:
        sizes = self._sized(self.left, a)
        for k, n in self._sized(self.right, b).items():
            m = sizes.get(k, n)
            if k in self.out:
                sizes[k] = (shapes.broadcast((m,), (n,)) or (None,))[0]
            elif not shapes.compatible(m, n):
                raise ShapeError(
                    f"einsum: inner sizes differ, {m} against {n}, along {k!r} of "
                    f"{self.left},{self.right}->{self.out}"
                )
        return Spec(tuple(sizes[k] for k in self.out), a.dtype)

    def _sized(self, labels: str, x: Spec) -> dict[str, int | None]:
        given = (None,) * len(labels) if x.shape is None else x.shape
        if len(given) != len(labels):
            raise ShapeError(
                f"einsum: {labels!r} labels {len(labels)} axes, the operand has shape "
                f"{shapes.show(given)}"
            )
        return dict(zip(labels, given, strict=True))

    def kernel(self, xp: ModuleType, a: Array, b: Array) -> Array:
        both = [k for k in self.left if k in self.right]
        batch = [k for k in both if k in self.out]
        inner = [k for k in both if k not in self.out]
        rows = [k for k in self.left if k not in self.right]
        columns = [k for k in self.right if k not in self.left]
        left = _as_matrices(a, self.left, batch, rows, inner)
        right = _as_matrices(b, self.right, batch, inner, columns)
        c = xp.matmul(left, right) if inner else xp.multiply(left, right)
        first = [a.shape[self.left.index(k)] for k in rows]
        second = [b.shape[self.right.index(k)] for k in columns]
        c = c.reshape((*c.shape[:-2], *first, *second))
        found = [*batch, *rows, *columns]
        return c.transpose([found.index(k) for k in self.out])

    def vjp(self, g: Tensor, c: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        to_a = Einsum(self.out, self.right, self.left)(g, b)
        to_b = Einsum(self.left, self.out, self.right)(a, g)
        return sum_like(to_a, a), sum_like(to_b, b)


def _as_matrices(
    x: Array, labels: str, batch: list[str], rows: list[str], columns: list[str]
) -> Array:
    """Return `x` as a matrix for each index of the axes `batch`."""
    x = x.transpose([labels.index(k) for k in (*batch, *rows, *columns)])
    n, m = len(batch), len(batch) + len(rows)
    return x.reshape((*x.shape[:n], math.prod(x.shape[n:m]), math.prod(x.shape[m:])))


def tensordot(
    x1: Any, x2: Any, axes: int | Sequence[int | Sequence[int]] = 2
) -> Tensor:
    """Contract some axes of `x1` with as many of `x2`; the rest follow in order.

    Args:
        x1: the left operand.
        x2: the right operand.
        axes: two lists of axes that belong together, or a number: so many axes at the
            end of `x1` with the first ones of `x2`.

    Raises:
        ShapeError: if sizes of axes that belong together differ, or a rank is unknown.
    """
    x, y = operand(x1), operand(x2)
    n, m = (len(_known_shape("tensordot", z)) for z in (x, y))
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    of_x, of_y = ([a] if isinstance(a, int) else a for a in axes)
    count, other = len(shapes.axes_of(of_x, n)), len(shapes.axes_of(of_y, m))
    if count != other:
        raise ShapeError(f"tensordot: {count} axes against {other}")
    left, right = string.ascii_letters[:n], list(string.ascii_letters[n : n + m])
    for i, j in zip(of_x, of_y, strict=True):
        right[j] = left[i]
    out = _without(left, right) + _without(right, left)
    return Einsum(left, "".join(right), out)(x, y)


def _without(labels: Iterable[str], others: Iterable[str]) -> str:
    return "".join(k for k in labels if k not in others)


def _known_shape(op: str, x: Any) -> Shape:
    if x.shape is None:
        raise ShapeError(f"{op}: the rank of {x} must be known")
    return x.shape


def outer(x1: Any, x2: Any) -> Tensor:
    """Return ``z[i, j] = x1[i] * x2[j]``; operands of several axes are flattened."""
    return Einsum("i", "j", "ij")(reshape(x1, -1), reshape(x2, -1))


# -- Einstein's notation ---------------------------------------------------------------


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
        kept = _shared(dict.fromkeys(left + right), later) if rest else out
        x, left = Einsum(left, right, kept)(x, y), kept
    x, left = _summed(x, left, out)
    return x if left == out else transpose(x, [left.index(k) for k in out])


def _shared(labels: Iterable[str], others: str) -> str:
    return "".join(k for k in labels if k in others)


def _summed(x: Any, labels: str, kept: str) -> tuple[Any, str]:
    """Sum the axes of `x` whose labels are not in `kept`."""
    axes = [i for i, k in enumerate(labels) if k not in kept]
    return (sum(x, axes) if axes else x), _shared(labels, kept)


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
    width = len(_known_shape("einsum", x)) - len(term) + len("...")
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
