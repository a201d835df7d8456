"""Products: of matrices, and along chosen axes, which are laid out as such.

A product along axes whose labels are letters becomes one product of matrices: axes are
brought into order, which costs nothing, those of one role are joined, and `MatMul` does
the rest. So there is one op to make fast, and gradients need no rule of their own.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import dtypes, shapes
from minikeras.engine.blocked.blas import in_one_thread
from minikeras.engine.blocked.threads import together
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels.products import (
    MULTIPLICATIONS,
    bound_product,
    bound_products,
)
from minikeras.engine.loops import processors
from minikeras.engine.op import Op, no_gradient, spec_of
from minikeras.engine.ops.arithmetic import multiply
from minikeras.engine.ops.reduction import sum_like
from minikeras.engine.ops.reshaping import expand_dims, operand, reshape, transpose
from minikeras.engine.registry import register
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["dot", "matmul", "outer", "tensordot"]

# Multiplications that take so long that waking another thread is nothing to it.
WORTH_THREADS = 1 << 24
# Products of fewer OpenBLAS makes in one thread; those of more gain by its threads.
ONE_THREAD, SEVERAL_THREADS = 1 << 17, 1 << 20


# -- matrices --------------------------------------------------------------------------


class MatMul(Op, name="matmul"):
    """c[..., i, k] = sum over j of a[..., i, j] * b[..., j, k]."""

    transpose_a: bool = False
    transpose_b: bool = False
    promotes = True
    binds = True

    def infer(self, a: Spec, b: Spec) -> Spec:
        left, right = a.known, b.known
        if len(left) < 2 or len(right) < 2:
            raise ShapeError(
                "matmul: both operands need two axes or more; got shapes "
                f"{shapes.show(left)} and {shapes.show(right)}"
            )
        rows, inner = left[-2:][:: -1 if self.transpose_a else 1]
        depth, columns = right[-2:][:: -1 if self.transpose_b else 1]
        if not shapes.compatible(inner, depth):
            raise ShapeError(
                f"matmul: inner sizes differ, {inner} against {depth}; the shapes are "
                f"{shapes.show(left)} and {shapes.show(right)}{self._flags()}"
            )
        batch = shapes.broadcast(left[:-2], right[:-2])
        return Spec((*(batch or ()), rows, columns), a.dtype)

    def kernel(self, xp: ModuleType, a: Array, b: Array) -> Array:
        # A transposed view costs nothing: BLAS reads a matrix either way.
        return xp.matmul(*self.turned(a, b))

    def turned(self, a: Array, b: Array) -> tuple[Array, Array]:
        """Return the operands as they are to be multiplied."""
        left = a.swapaxes(-1, -2) if self.transpose_a else a
        return left, b.swapaxes(-1, -2) if self.transpose_b else b

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        inner = inputs[0][-2 if self.transpose_a else -1]
        return 2 * inner * math.prod(outputs[0])

    def bind(self, c: Array, a: Array, b: Array) -> Callable[[], Any]:
        """Return the call that writes the product of these arrays into `c`."""
        left, right = self.turned(a, b)
        if b.ndim == 2 and a.ndim > 2:  # one product for all rows of the batch
            with suppress(ValueError):
                left = left.reshape(-1, left.shape[-1], copy=False)
                c = c.reshape(-1, c.shape[-1], copy=False)
        if left.ndim == right.ndim == 2 and len(left) > 1 and c.dtype.kind == "f":
            call = bound_product(left, right, c)
        elif left.ndim > 2 and right.ndim > 2:
            call = _shared_products(left, right, c)
        else:
            return partial(np.matmul, left, right, c)
        each = left.shape[-2] * left.shape[-1] * c.shape[-1]
        return in_one_thread(call) if ONE_THREAD <= each < SEVERAL_THREADS else call

    def vjp(self, g: Tensor, c: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        # For c = A B: dL/dA = g BT, dL/dB = AT g, and the transpose of that for aT = A.
        ta, tb = self.transpose_a, self.transpose_b
        to_a = MatMul(tb, True)(b, g) if ta else MatMul(False, not tb)(g, b)
        to_b = MatMul(True, ta)(g, a) if tb else MatMul(not ta, False)(a, g)
        # Batch axes that were broadcast are summed back.
        return sum_like(to_a, a), sum_like(to_b, b)

    def _flags(self) -> str:
        flags = {"transpose_a": self.transpose_a, "transpose_b": self.transpose_b}
        return "".join(f", {name}" for name, is_set in flags.items() if is_set)


def _shared_products(left: Array, right: Array, c: Array) -> Callable[[], Any]:
    """Return the call that writes products of stacks, by several threads if that pays.

    BLAS shares a large product among threads itself, but not a stack of small ones.
    """
    rows, inner, columns = *left.shape[-2:], c.shape[-1]
    few = rows * inner * columns > MULTIPLICATIONS or c.size * inner < WORTH_THREADS
    threads = 1 if few else min(processors(), len(c))
    if threads == 1:
        return bound_products(left, right, c)
    size = -(-len(c) // threads)

    def cut(x: Array, start: int) -> Array:
        whole = x.ndim < c.ndim or len(x) < len(c)
        return x if whole else x[start : start + size]

    shares = [[cut(x, i) for x in (left, right, c)] for i in range(0, len(c), size)]
    return partial(together, [[bound_products(*share)] for share in shares])


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False
) -> Tensor:
    """Return the matrix product over the last two axes; leading axes broadcast.

    An operand with one axis counts as a row (`a`) or a column (`b`), and the axis of
    size 1 that this makes is left out of the result.

    Args:
        a: the left operand.
        b: the right operand.
        transpose_a: whether to exchange the last two axes of `a` first.
        transpose_b: whether to exchange the last two axes of `b` first.

    Shapes:
        a: (..., rows, inner)
        b: (..., inner, columns)
        returns: (..., rows, columns)

    Raises:
        ShapeError: if both inner sizes are known and differ, or the leading axes do
            not broadcast.
    """
    n, m = _rank(a), _rank(b)
    if n == 1 or m == 1:
        return dot(a, b)
    if n is not None and n > 2 and m == 2 and not transpose_a:
        # Batches of rows times one matrix: one product, and one for each gradient.
        rows, right = string.ascii_letters[: n - 1], "ZY" if transpose_b else "YZ"
        return labeled_product(operand(a), operand(b), f"{rows}Y", right, f"{rows}Z")
    return MatMul(transpose_a, transpose_b)(a, b)


def _rank(x: Any) -> int | None:
    """Return how many axes an operand has, whatever it is; None if unknown."""
    if isinstance(x, (list, tuple)):
        return operand(x).ndim
    given = getattr(x, "shape", ())
    return None if given is None else len(given)


def dot(x1: Any, x2: Any) -> Tensor:
    """Contract the last axis of `x1` with the last but one of `x2`, by NumPy's rule.

    A number multiplies; of an `x2` with one axis, that axis is contracted.

    Shapes:
        x1: (first..., inner)
        x2: (second..., inner, columns), or (inner)
        returns: (first..., second..., columns)

    Raises:
        ShapeError: if the inner sizes differ, or a rank is unknown.
    """
    x, y = operand(x1), operand(x2)
    if 0 in (x.ndim, y.ndim):
        return multiply(x, y)
    if x.ndim == y.ndim == 2:
        return MatMul()(x, y)
    return tensordot(x, y, ((-1,), (-1 if y.ndim == 1 else -2,)))


register("dot", dot)


# -- chosen axes -----------------------------------------------------------------------


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
    if x.ndim is None or y.ndim is None:
        unknown = x if x.ndim is None else y
        raise ShapeError(f"tensordot: the rank of {unknown} must be known")
    n, m = x.ndim, y.ndim
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    of_x, of_y = ([a] if isinstance(a, int) else a for a in axes)
    count, other = len(shapes.axes_of(of_x, n)), len(shapes.axes_of(of_y, m))
    if count != other:
        raise ShapeError(f"tensordot: {count} axes against {other}")
    left, right = string.ascii_letters[:n], list(string.ascii_letters[n : n + m])
    for i, j in zip(of_x, of_y, strict=True):
        right[j] = left[i]
    out = without(left, right) + without(right, left)
    return labeled_product(x, y, left, "".join(right), out)


def outer(x1: Any, x2: Any) -> Tensor:
    """Return ``z[i, j] = x1[i] * x2[j]``; operands of several axes are flattened."""
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


class LabelSizes(Op, name="label_sizes"):
    """z[i] = the product of the sizes of the axes that have labels in groups[i].

    Each of `terms` labels the axes of one input. Axes with one label have one size; if
    it is in a group they may also have size 1, and broadcast.
    """

    terms: tuple[str, ...]
    groups: tuple[str, ...]
    any_rank = True
    vjp = no_gradient

    def infer(self, *xs: Spec) -> Spec:
        sizes: dict[str, int | None] = {}
        for labels, x in zip(self.terms, xs, strict=True):
            for k, n in zip(labels, _labeled_shape(labels, x), strict=True):
                sizes[k] = self._meeting(k, sizes.get(k, n), n, xs)
        known = tuple(shapes.product(sizes[k] for k in ks) for ks in self.groups)
        return Spec((len(known),), dtypes.as_dtype("int32"), known)

    def _meeting(
        self, k: str, m: int | None, n: int | None, xs: Sequence[Spec]
    ) -> int | None:
        """Return the size of the axes labeled `k`, of which two have sizes m and n."""
        kept = k in "".join(self.groups)
        if not (shapes.compatible(m, n) or (kept and 1 in (m, n))):
            given = " and ".join(shapes.show(x.shape) for x in xs)
            raise ShapeError(
                f"einsum: {'' if kept else 'inner '}sizes differ, {m} against {n}, "
                f"along {k!r} of {','.join(self.terms)}; the shapes are {given}"
            )
        return (shapes.broadcast((m,), (n,)) or (None,))[0]

    def kernel(self, xp: ModuleType, *xs: Array) -> Array:
        return xp.asarray(self.infer(*map(spec_of, xs)).value, "int32")


def _labeled_shape(labels: str, x: Spec) -> Shape:
    given = (None,) * len(labels) if x.shape is None else x.shape
    if len(given) != len(labels):
        raise ShapeError(
            f"einsum: {labels!r} labels {len(labels)} axes, the operand has shape "
            f"{shapes.show(given)}"
        )
    return given


def labeled_product(x: Any, y: Any, left: str, right: str, out: str) -> Tensor:
    """Return z[out] = sum of x[left] * y[right] over the labels that `out` lacks.

    Every letter labels an axis, and is found in two of the three terms at least, in
    each no more than once.

    Raises:
        ShapeError: if axes with one label differ in size.
    """
    both = within(left, right)
    inner, batch = without(both, out), within(both, out)
    sides = [(x, left), (y, right)]
    if out and out[-1] not in right:  # zT = yT xT: so z comes in order
        sides.reverse()
    (a, first), (b, second) = sides
    rows, columns = without(first, second), without(second, first)
    found = batch + rows + columns
    sizes = LabelSizes((left, right), (*found,))(x, y)
    if not inner:
        return multiply(_spread(x, left, out), _spread(y, right, out))
    a, ta = _as_matrices(a, first, batch, rows, inner)
    b, tb = _as_matrices(b, second, batch, inner, columns)
    z = MatMul(ta, tb)(a, b)
    simple = len(rows) == len(columns) == len(inner) == 1
    return ordered(z if simple else reshape(z, sizes), found, out)


def _as_matrices(
    x: Any, labels: str, batch: str, rows: str, columns: str
) -> tuple[Any, bool]:
    """Return `x` as a matrix for each index of `batch`, and whether it is transposed.

    It is if the last axis of `x`, along which memory runs, so remains the last one.
    """
    turned = labels[-1] in rows
    groups = (columns, rows) if turned else (rows, columns)
    order = "".join((batch, *groups))
    x = ordered(x, labels, order)
    if x.ndim is None or len(rows) != 1 or len(columns) != 1:
        x = reshape(x, LabelSizes((order,), (*batch, *groups))(x))
    return x, turned


def _spread(x: Any, labels: str, order: str) -> Any:
    """Return `x` with its axes in another order, and of size 1 where it has none."""
    x = ordered(x, labels, within(order, labels))
    return expand_dims(x, [i for i, k in enumerate(order) if k not in labels])


def ordered(x: Any, labels: str, order: str) -> Any:
    """Return `x`, whose axes have these labels, with its axes in another order."""
    axes = [labels.index(k) for k in order]
    return x if labels == order else transpose(x, axes)


def within(labels: Iterable[str], others: Iterable[str]) -> str:
    """Return the labels that are among others, in order."""
    return "".join(k for k in labels if k in others)


def without(labels: Iterable[str], others: Iterable[str]) -> str:
    """Return the labels that are not among others, in order."""
    return "".join(k for k in labels if k not in others)
