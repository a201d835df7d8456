"""``tf.losses``: one number for a batch, weighted, and collected by the graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minikeras.engine import ops, shapes
from minikeras.engine.context import lazily
from minikeras.engine.graph import Tensor, current_graph
from minikeras.engine.op import as_tensor
from minikeras.engine.variables import GraphKeys

__all__ = [
    "Reduction",
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "get_losses",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "huber_loss",
    "log_loss",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]


class Reduction:
    """How the weighted losses of a batch become one number."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS


@contextmanager
def _named(how: dict[str, Any], default: str) -> Iterator[None]:
    """Open the scope asked for in `how`, and leave it there to be continued."""
    name = how.get("scope") or default
    with current_graph().name_scope(name) as how["scope"], lazily():
        yield


def _matched(labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    """Return both in one floating-point dtype.

    Raises:
        ShapeError: if their shapes differ.
    """
    predictions = as_tensor(predictions)
    labels = ops.cast(as_tensor(labels), predictions.dtype)
    shapes.merge(labels.spec.shape, predictions.spec.shape)
    return labels, predictions


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Tensor:
    """Return one number for the `losses` of a batch, and enter it in a collection.

    Args:
        losses: one for each example, or more.
        weights: a factor on each; broadcasts to `losses`.
        scope: of the nodes.
        loss_collection: in which the result is entered; None for none.
        reduction: ``Reduction.SUM_BY_NONZERO_WEIGHTS``: the weighted sum divided by how
            many weights are not 0; ``MEAN``: divided by the sum of the weights;
            ``SUM_OVER_BATCH_SIZE``: divided by the number of losses; ``SUM``; ``NONE``.

    Raises:
        ValueError: if there is no such reduction.
    """
    with _named({"scope": scope}, "weighted_loss"):
        losses = as_tensor(losses)
        weights = ops.broadcast_like(as_tensor(weights, losses.dtype), losses)
        weighted = losses * weights
        match reduction:
            case Reduction.NONE:
                loss = weighted
            case Reduction.SUM:
                loss = ops.sum(weighted)
            case Reduction.MEAN:
                loss = _share(weighted, ops.sum(weights))
            case Reduction.SUM_OVER_BATCH_SIZE:
                loss = _share(weighted, ops.size(weighted))
            case Reduction.SUM_BY_NONZERO_WEIGHTS:
                loss = _share(weighted, ops.count_nonzero(weights))
            case _:
                raise ValueError(f"no such reduction: {reduction!r}")
    if loss_collection:
        add_loss(loss, loss_collection)
    return loss


def _share(weighted: Tensor, count: Tensor) -> Tensor:
    """Return the sum divided by `count`, 0 if that is 0."""
    return ops.divide_no_nan(ops.sum(weighted), ops.cast(count, weighted.dtype))


# -- the losses: `how` is scope, loss_collection and reduction -------------------------


def absolute_difference(
    labels: Any, predictions: Any, weights: Any = 1.0, **how: Any
) -> Tensor:
    """Return |predictions - labels|, weighted as `compute_weighted_loss` does."""
    with _named(how, "absolute_difference"):
        labels, predictions = _matched(labels, predictions)
        return compute_weighted_loss(ops.absolute(predictions - labels), weights, **how)


def mean_squared_error(
    labels: Any, predictions: Any, weights: Any = 1.0, **how: Any
) -> Tensor:
    """Return (predictions - labels)², weighted as `compute_weighted_loss` does."""
    with _named(how, "mean_squared_error"):
        labels, predictions = _matched(labels, predictions)
        return compute_weighted_loss(ops.square(predictions - labels), weights, **how)


def huber_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, delta: float = 1.0, **how: Any
) -> Tensor:
    """Return e² / 2 for errors e up to `delta`, and beyond it a straight line.

    Source: Huber 1964, doi:10.1214/aoms/1177703732.
    """
    with _named(how, "huber_loss"):
        labels, predictions = _matched(labels, predictions)
        error = ops.absolute(predictions - labels)
        bent = ops.minimum(error, delta)
        losses = 0.5 * ops.square(bent) + delta * (error - bent)
        return compute_weighted_loss(losses, weights, **how)


def hinge_loss(labels: Any, logits: Any, weights: Any = 1.0, **how: Any) -> Tensor:
    """Return max(0, 1 - logits) where labels are 1, max(0, 1 + logits) where 0."""
    with _named(how, "hinge_loss"):
        labels, logits = _matched(labels, logits)
        losses = ops.relu(1.0 - (2.0 * labels - 1.0) * logits)
        return compute_weighted_loss(losses, weights, **how)


def log_loss(
    labels: Any, predictions: Any, weights: Any = 1.0, epsilon: float = 1e-7, **how: Any
) -> Tensor:
    """Return -labels ln p - (1 - labels) ln(1 - p) for the probabilities p predicted.

    Args:
        labels: 0 or 1.
        predictions: p.
        weights: a factor on each loss.
        epsilon: added to both probabilities.
        how: as in `compute_weighted_loss`.
    """
    with _named(how, "log_loss"):
        labels, p = _matched(labels, predictions)
        hit = labels * ops.log(p + epsilon)
        miss = (1.0 - labels) * ops.log(1.0 - p + epsilon)
        return compute_weighted_loss(-hit - miss, weights, **how)


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    **how: Any,
) -> Tensor:
    """Return the cross-entropy between labels and sigmoid of `logits`, in nats.

    Args:
        multi_class_labels: 0 or 1 for each logit.
        logits: ln(p / (1 - p)) for the probabilities p predicted.
        weights: a factor on each loss.
        label_smoothing: which part of the labels is replaced by 1/2.
        how: as in `compute_weighted_loss`.
    """
    with _named(how, "sigmoid_cross_entropy_loss"):
        labels, logits = _matched(multi_class_labels, logits)
        labels = _smoothed(labels, label_smoothing, 2)
        losses = ops.sigmoid_cross_entropy(labels, logits)
        return compute_weighted_loss(losses, weights, **how)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    **how: Any,
) -> Tensor:
    """Return the cross-entropy between labels and softmax of `logits`, in nats.

    Args:
        onehot_labels: for each example a probability of each class.
        logits: unnormalized logarithms of the probabilities predicted.
        weights: a factor on each example's loss.
        label_smoothing: which part of the labels is spread evenly over all classes.
        how: as in `compute_weighted_loss`.

    Shapes:
        onehot_labels: (batch, classes)
        logits: (batch, classes)
        returns: ()
    """
    with _named(how, "softmax_cross_entropy_loss"):
        labels, logits = _matched(onehot_labels, logits)
        classes = ops.cast(ops.shape(labels)[-1], labels.dtype)
        labels = ops.stop_gradient(_smoothed(labels, label_smoothing, classes))
        losses = ops.softmax_cross_entropy(labels, logits)
        return compute_weighted_loss(losses, weights, **how)


def _smoothed(labels: Tensor, part: float, classes: Any) -> Tensor:
    return labels * (1 - part) + part / classes if part else labels


def sparse_softmax_cross_entropy(
    labels: Any, logits: Any, weights: Any = 1.0, **how: Any
) -> Tensor:
    """Return the cross-entropy between numbered classes and softmax of `logits`.

    Shapes:
        labels: (batch) or (batch, 1), integers
        logits: (batch, classes)
        returns: (), in nats
    """
    with _named(how, "sparse_softmax_cross_entropy_loss"):
        labels, logits = as_tensor(labels), as_tensor(logits)
        if labels.ndim is not None and labels.ndim == logits.ndim:
            labels = ops.squeeze(labels, -1)
        losses = ops.sparse_softmax_cross_entropy(labels, logits)
        return compute_weighted_loss(losses, weights, **how)


# -- what the graph has collected ------------------------------------------------------


def add_loss(loss: Tensor, loss_collection: str = GraphKeys.LOSSES) -> None:
    """Enter a loss in a collection of its graph."""
    loss.graph.add_to_collection(loss_collection, loss)


def get_losses(
    scope: str | None = None, loss_collection: str = GraphKeys.LOSSES
) -> list[Tensor]:
    """Return the losses made so far."""
    return current_graph().get_collection(loss_collection, scope)


def get_regularization_losses(scope: str | None = None) -> list[Tensor]:
    """Return the penalties that variables' regularizers have made so far."""
    return get_losses(scope, GraphKeys.REGULARIZATION_LOSSES)


def get_total_loss(
    add_regularization_losses: bool = True, name: str = "total_loss"
) -> Tensor:
    """Return the sum of all losses made so far, with or without the penalties."""
    penalties = get_regularization_losses() if add_regularization_losses else []
    with lazily(name) as request:
        return request.settle(ops.add_n([*get_losses(), *penalties]))
