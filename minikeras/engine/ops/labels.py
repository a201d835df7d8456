"""Numbered classes: whether a label is one, what stands at it, and labels one-hot.

What all classes of an example pass through anyway, such as a softmax, finds the label
by comparing it with the number of each: so it can be had in the same loop.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import shapes
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.errors import ExecutionError, ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.ops.reduction import broadcast_like
from minikeras.engine.ops.reshaping import operand, shape
from minikeras.engine.ops.selection import check_integers
from minikeras.engine.ops.slicing import getitem
from minikeras.engine.spec import Array, Shape, Spec

__all__ = ["class_numbers", "pick_class"]


class IsOutside(Op, name="is_outside"):
    """y = whether a label is below 0, or not below the number of `classes`."""

    any_rank = True
    vjp = no_gradient

    def infer(self, labels: Spec, classes: Spec) -> Spec:
        check_integers(self.name, labels)
        return Spec((), as_dtype("bool"))

    def kernel(self, xp: ModuleType, labels: Array, classes: Array) -> Array:
        return xp.any((labels < 0) | (labels >= classes))


class ClassNumbers(Op, name="class_numbers"):
    """y = labels, none of which `is_outside` of the number of `classes`.

    On a GPU this is not looked at, for looking would mean to wait.
    """

    any_rank = True
    binds = True
    vjp = no_gradient

    def infer(self, labels: Spec, classes: Spec, is_outside: Spec) -> Spec:
        return labels

    def kernel(
        self, xp: ModuleType, labels: Array, classes: Array, is_outside: Array
    ) -> Array:
        if xp is np and is_outside:
            below = labels.min()
            raise ExecutionError(
                f"there are {classes} classes, so a label is from 0 to {classes - 1}; "
                f"got {below if below < 0 else labels.max()}"
            )
        return labels

    def bind(self, y: Array, *inputs: Array) -> Callable[[], object]:
        """Return the call that copies the labels to `y`, unless one is no class."""
        labels, _, is_outside = inputs

        def call() -> None:
            if is_outside:
                self.kernel(np, *inputs)
            np.copyto(y, labels)

        return call


def class_numbers(labels: Any, x: Any) -> Tensor:
    """Return `labels`, having made sure that they are numbers of classes.

    Args:
        labels: integers.
        x: whose last axis is that of the classes.

    Raises:
        DTypeError: if the labels are not integers.
        ExecutionError: if a label is below 0 or not below the number of classes (not
            on a GPU).
    """
    x = operand(x)
    classes = x.shape[-1] if x.shape else None
    classes = getitem(shape(x), -1) if classes is None else classes
    return ClassNumbers()(labels, classes, IsOutside()(labels, classes))


# Among so few classes a fused loop finds the one wanted faster than a call.
_FEW = 64


class PickClass(Op, name="pick_class"):
    """y[...] = x[..., labels[...]]."""

    any_rank = True
    binds = True

    def infer(self, labels: Spec, x: Spec) -> Spec:
        check_integers(self.name, labels)
        if x.shape is None:
            return Spec(labels.shape, x.dtype)
        examples = Spec(x.shape[:-1], x.dtype)
        return Spec(common_shape(self, labels, examples), x.dtype)

    def kernel(self, xp: ModuleType, labels: Array, x: Array) -> Array:
        return xp.take_along_axis(x, labels[..., None], -1)[..., 0]

    def traced(self, xp: ModuleType, labels: Array, x: Array) -> Array:
        """Return the same by comparisons, if the classes are few."""
        if x.shape[-1] > _FEW:
            raise TypeError(f"of {x.shape[-1]} classes one is picked by a call")
        return found(xp, labels, x)

    def bind(self, y: Array, labels: Array, x: Array) -> Callable[[], None]:
        """Return the call that picks from the flattened `x`."""
        places = np.empty(y.shape, np.intp)
        starts = np.arange(y.size).reshape(y.shape) * x.shape[-1]

        def call() -> None:
            np.add(labels, starts, places)
            x.take(places, None, y, "wrap")

        return call

    def vjp(
        self, g: Tensor, y: Tensor, labels: Tensor, x: Tensor
    ) -> tuple[None, Tensor]:
        g = broadcast_like(g, x, -1, keepdims=False)
        return None, g * OneHotLike()(labels, x)


def pick_class(labels: Any, x: Any) -> Tensor:
    """Return for each example the element of `x` at its label, which must be a class.

    Shapes:
        labels: (...)
        x: (..., classes)
        returns: (...)

    Raises:
        ShapeError: if the shapes do not fit.
        ExecutionError: if a label is not the number of a class (not on a GPU).
    """
    return PickClass()(class_numbers(labels, x), x)


class OneHotLike(Op, name="one_hot_like"):
    """y[..., i] = 1 if labels[...] = i, else 0, for as many i as logits have."""

    any_rank = True
    vjp = no_gradient

    def infer(self, labels: Spec, logits: Spec) -> Spec:
        return logits

    def kernel(self, xp: ModuleType, labels: Array, logits: Array) -> Array:
        return is_label(xp, labels, logits.shape[-1]).astype(logits.dtype)


def found(xp: ModuleType, labels: Array, x: Array) -> Array:
    """Return the element of x at each label, found by comparisons.

    It is the largest that is left when those of all other classes are left out.
    """
    if x.dtype.kind != "f":
        raise TypeError(f"no {x.dtype} is below all others")
    others_out = xp.where(is_label(xp, labels, x.shape[-1]), x, x.dtype.type(-np.inf))
    return xp.max(others_out, -1)


def is_label(xp: ModuleType, labels: Array, classes: int) -> Array:
    """Return for each class whether it is the label."""
    numbers = xp.arange(classes)
    if classes - 1 <= np.iinfo(labels.dtype).max:
        numbers = numbers.astype(labels.dtype)
    return labels[..., None] == numbers


def common_shape(op: Op, labels: Spec, logits: Spec) -> Shape | None:
    """Return what labels and logits together know of their shape, which must be one."""
    try:
        return shapes.merge(labels.shape, logits.shape)
    except ShapeError:
        raise ShapeError(
            f"{op.name}: labels of shape {shapes.show(labels.shape)} for examples of "
            f"shape {shapes.show(logits.shape)}"
        ) from None
