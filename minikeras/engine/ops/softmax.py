"""Softmax and the cross-entropies, each in one step so that no exponential overflows.

With logits z: p_i = e^z_i / sum of e^z. The cross-entropy of labels q is

    - sum of q ln p = sum of q (ln sum of e^z - z),    gradient by z: (sum of q) p - q
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.activation import real, sigmoid
from minikeras.engine.ops.elementwise import FloatUnary
from minikeras.engine.ops.labels import (
    OneHotLike,
    PickClass,
    class_numbers,
    common_shape,
)
from minikeras.engine.ops.reduction import Axes, broadcast_like, frozen_axes, sum
from minikeras.engine.spec import Array, Spec

__all__ = [
    "log_softmax",
    "sigmoid_cross_entropy",
    "softmax",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


# -- probabilities ---------------------------------------------------------------------


class OverAxes(FloatUnary):
    """A function of all elements along some axes that keeps the shape."""

    axis: tuple[int, ...] | None

    def infer(self, x: Spec) -> Spec:
        if x.shape is not None:
            shapes.axes_of(self.axis, len(x.shape))
        return super().infer(x)


class Softmax(OverAxes, name="softmax"):
    """y = e^x / sum of e^x."""

    axis: tuple[int, ...] | None

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        e = xp.exp(x - xp.max(x, self.axis, keepdims=True))
        return e / xp.sum(e, self.axis, keepdims=True)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return ((g - sum(g * y, self.axis, keepdims=True)) * y,)


def softmax(x: Any, axis: Axes = -1) -> Tensor:
    """Return e^x divided by its sum over `axis`: positive numbers that add up to 1."""
    return Softmax(frozen_axes(axis))(x)


class LogSoftmax(OverAxes, name="log_softmax"):
    """y = x - ln sum of e^x."""

    axis: tuple[int, ...] | None

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        z = x - xp.max(x, self.axis, keepdims=True)
        return z - xp.log(xp.sum(xp.exp(z), self.axis, keepdims=True))

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        total = sum(g, self.axis, keepdims=True)
        return (g - softmax(x, self.axis) * total,)


def log_softmax(x: Any, axis: Axes = -1) -> Tensor:
    """Return the logarithm of `softmax`, exact where that is all but 0."""
    return LogSoftmax(frozen_axes(axis))(x)


# -- cross-entropies, one number for each example --------------------------------------


class SoftmaxCrossEntropy(Op, name="softmax_cross_entropy"):
    """y = sum of labels · (ln sum of e^logits - logits)."""

    axis: int
    promotes = True
    floats = True
    any_rank = True

    def infer(self, labels: Spec, logits: Spec) -> Spec:
        shape = common_shape(self, labels, logits)
        if shape is None:
            return Spec(None, logits.dtype)
        classes = shapes.axis_of(self.axis, len(shape))
        return Spec((*shape[:classes], *shape[classes + 1 :]), logits.dtype)

    def kernel(self, xp: ModuleType, labels: Array, logits: Array) -> Array:
        z = logits - xp.max(logits, self.axis, keepdims=True)
        log_total = xp.log(xp.sum(xp.exp(z), self.axis, keepdims=True))
        return xp.sum(labels * (log_total - z), self.axis)

    def vjp(
        self, g: Tensor, y: Tensor, labels: Tensor, logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        g = broadcast_like(g, logits, self.axis, keepdims=False)
        # The labels of an example may well not add up to 1.
        total = sum(labels, self.axis, keepdims=True)
        to_logits = total * softmax(logits, self.axis) - labels
        return -g * log_softmax(logits, self.axis), g * to_logits


def softmax_cross_entropy(labels: Any, logits: Any, axis: int = -1) -> Tensor:
    """Return the cross-entropy between `labels` and softmax of `logits`, in nats.

    Args:
        labels: how much of each class an example has: probabilities, or one-hot.
        logits: unnormalized logarithms of the probabilities predicted.
        axis: the axis of the classes.

    Shapes:
        labels: (..., classes)
        logits: (..., classes)
        returns: (...)

    Raises:
        ShapeError: if the shapes differ.
    """
    return SoftmaxCrossEntropy(axis)(labels, logits)


class SparseSoftmaxCrossEntropy(Op, name="sparse_softmax_cross_entropy"):
    """y = ln sum of e^logits - logits[label], which last is given as `own`."""

    any_rank = True

    def infer(self, labels: Spec, logits: Spec, own: Spec) -> Spec:
        return own

    def kernel(self, xp: ModuleType, labels: Array, logits: Array, own: Array) -> Array:
        top = xp.max(logits, -1, keepdims=True)
        total = xp.sum(xp.exp(logits - top), -1)
        return xp.log(total) - (own - top[..., 0])

    def vjp(
        self, g: Tensor, y: Tensor, labels: Tensor, logits: Tensor, own: Tensor
    ) -> tuple[None, Tensor, None]:
        # The gradient by the logits takes in what comes by way of `own`.
        g = broadcast_like(g, logits, -1, keepdims=False)
        return None, g * (softmax(logits) - OneHotLike()(labels, logits)), None


def sparse_softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return the cross-entropy between numbered classes and softmax of `logits`.

    Args:
        labels: the number of the class of each example.
        logits: unnormalized logarithms of the probabilities predicted.

    Shapes:
        labels: (...)
        logits: (..., classes)
        returns: (...), in nats

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: if the labels are not integers.
        ExecutionError: if a label is not below the number of classes (not on a GPU).
    """
    logits = real(logits)
    labels = class_numbers(labels, logits)
    own = PickClass()(labels, logits)
    return SparseSoftmaxCrossEntropy()(labels, logits, own)


class SigmoidCrossEntropy(Op, name="sigmoid_cross_entropy"):
    """y = ln(1 + e^x) - labels x; its gradient by x is sigmoid(x) - labels."""

    promotes = True
    floats = True
    any_rank = True

    def infer(self, labels: Spec, logits: Spec) -> Spec:
        return Spec(common_shape(self, labels, logits), logits.dtype)

    def kernel(self, xp: ModuleType, labels: Array, logits: Array) -> Array:
        # Softplus in two parts: where x is large, x - labels x must cancel first.
        small = xp.log1p(xp.exp(-xp.abs(logits)))
        return xp.maximum(logits, 0) - logits * labels + small

    def vjp(
        self, g: Tensor, y: Tensor, labels: Tensor, logits: Tensor
    ) -> tuple[Tensor, Tensor]:
        return -g * logits, g * (sigmoid(logits) - labels)


def sigmoid_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return -labels ln p - (1 - labels) ln(1 - p) with p = sigmoid(logits), in nats.

    Args:
        labels: probabilities, or 0 and 1.
        logits: ln(p / (1 - p)) for the probabilities p predicted.

    Raises:
        ShapeError: if the shapes differ.
    """
    return SigmoidCrossEntropy()(labels, logits)
