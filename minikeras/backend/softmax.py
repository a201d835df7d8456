"""Softmax, and the losses that compare predicted probabilities with true ones.

Probabilities are kept `epsilon` away from 0 and 1, so that their logarithms are finite;
from logits the losses are computed directly, which is exact. Where a tensor is itself
the result of softmax or sigmoid, these are what that was taken of, as they are in Keras
on TensorFlow: then even a model that is quite sure of what is wrong can still learn.
"""

from __future__ import annotations

from typing import Any

from minikeras.backend.config import epsilon
from minikeras.backend.introspection import int_shape, ndim
from minikeras.engine import ops as engine
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops import log_softmax, softmax
from minikeras.engine.ops.activation import Sigmoid
from minikeras.engine.ops.softmax import Softmax
from minikeras.engine.shapes import merge, show

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "log_softmax",
    "softmax",
    "sparse_categorical_crossentropy",
]


def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return ``-sum(target * log(output))`` over the classes, in nats.

    Args:
        target: the true probabilities, or one-hot.
        output: the predicted ones, brought to a sum of 1; or logits.
        from_logits: whether `output` are logits, of which softmax is to be taken.
        axis: the axis of the classes.

    Shapes:
        target, output: (..., classes)
        returns: (...)

    Raises:
        ShapeError: if the shapes differ.
    """
    logits = output if from_logits else _logits_of(output, Softmax((axis,)))
    if logits is not None:
        return engine.softmax_cross_entropy(target, logits, axis)
    _check_same(target, output)
    terms = engine.multiply(target, _log_probabilities(output, axis))
    return engine.negative(engine.sum(terms, axis))


def sparse_categorical_crossentropy(
    target: Any,
    output: Any,
    from_logits: bool = False,
    axis: int = -1,
    ignore_class: int | None = None,
) -> Tensor:
    """Return ``-log(output[target])``, in nats.

    Args:
        target: the number of the true class.
        output: the predicted probabilities, brought to a sum of 1; or logits.
        from_logits: whether `output` are logits, of which softmax is to be taken.
        axis: the axis of the classes.
        ignore_class: a class whose examples have a loss of 0.

    Shapes:
        target: (...) or (..., 1)
        output: (..., classes)
        returns: (...)

    Raises:
        ShapeError: if the shapes do not fit.
        ExecutionError: if a target is not the number of a class (not on a GPU).
    """
    target = engine.cast(target, "int32")
    shape = int_shape(target)
    if shape and len(shape) == ndim(output) and shape[-1] in (1, None):
        target = engine.squeeze(target, -1)
    logits = output if from_logits else _logits_of(output, Softmax((axis,)))
    values = output if logits is None else logits
    if axis != -1:
        values = engine.moveaxis(values, axis, -1)
    valid = None if ignore_class is None else engine.not_equal(target, ignore_class)
    if valid is not None:
        target = engine.where(valid, target, 0)
    if logits is not None:
        loss = engine.sparse_softmax_cross_entropy(target, values)
    else:
        _check_same(target, values, classes=True)
        picked = engine.pick_class(target, _log_probabilities(values, -1))
        loss = engine.negative(picked)
    return loss if valid is None else engine.where(valid, loss, 0)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Return ``-target * log(output) - (1 - target) * log(1 - output)``, in nats.

    Args:
        target: true probabilities, or 0 and 1.
        output: the predicted ones, or logits.
        from_logits: whether `output` are logits, of which sigmoid is to be taken.

    Raises:
        ShapeError: if the shapes differ.
    """
    logits = output if from_logits else _logits_of(output, Sigmoid())
    if logits is not None:
        return engine.sigmoid_cross_entropy(target, logits)
    _check_same(target, output)
    p = _inside(output)
    hit = engine.multiply(target, engine.log(p))
    miss = engine.multiply(engine.subtract(1.0, target), engine.log(1.0 - p))
    return engine.negative(engine.add(hit, miss))


def _logits_of(output: Any, function: Op) -> Tensor | None:
    """Return what `function` was taken of, if it was `output` that it gave."""
    node = output.node if isinstance(output, Tensor) else None
    return node.inputs[0] if node is not None and node.op == function else None


def _inside(output: Any) -> Tensor:
    """Return probabilities that keep away from 0 and 1."""
    return engine.clip(output, epsilon(), 1.0 - epsilon())


def _log_probabilities(output: Any, axis: int) -> Tensor:
    total = engine.sum(output, axis, keepdims=True)
    return engine.log(_inside(engine.divide(output, total)))


def _check_same(target: Any, output: Any, classes: bool = False) -> None:
    """Demand one shape of both; with `classes`, output has one more axis."""
    given, shape = int_shape(target), int_shape(output)
    try:
        merge(given, shape[:-1] if shape and classes else shape)
    except ShapeError:
        how = (
            "the same shape up until the last dimension"
            if classes
            else "the same shape"
        )
        raise ShapeError(
            f"Arguments `target` and `output` must have {how}. Received: "
            f"target.shape={show(given)}, output.shape={show(shape)}"
        ) from None
