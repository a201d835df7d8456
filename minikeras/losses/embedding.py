"""Losses of embeddings: near to each other within a class, far from other classes."""

from __future__ import annotations

import math
from typing import Any

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss

__all__ = ["Circle", "circle"]


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Return ``softplus(log sum exp(p) + log sum exp(n))`` of each embedding.

    With d the cosine distance to a reference and m the margin, a reference of the same
    class counts as ``p = gamma (m + d) (d - m)`` and one of another class as
    ``n = gamma max(1 + m - d, 0) (1 - m - d)``: what is far from where it ought to be
    weighs more.

    Args:
        y_true: the class of each embedding.
        y_pred: embeddings of length 1.
        ref_labels: the classes of the references, by default `y_true`.
        ref_embeddings: the references, by default `y_pred`.
        remove_diagonal: whether an embedding is no reference of its own.
        gamma: the scale; above 0.
        margin: m, in [0, 1].

    Shapes:
        y_true: (batch) or (batch, 1)
        y_pred: (batch, units)
        ref_labels: (references)
        ref_embeddings: (references, units)
        returns: (batch)

    Source: Sun et al. 2020, arXiv:2002.10857.
    """
    y_pred = K.convert_to_tensor(y_pred)
    references = y_pred if ref_embeddings is None else ref_embeddings
    labels = K.reshape(K.cast(y_true, "int32"), (-1, 1))
    others = labels if ref_labels is None else K.cast(ref_labels, "int32")
    same = K.equal(labels, K.reshape(others, (1, -1)))
    different = K.logical_not(same)
    if remove_diagonal:
        rows, columns = (K.arange(K.shape(same)[i]) for i in (0, 1))
        same = K.logical_and(same, K.not_equal(K.expand_dims(rows, 1), columns))
    d = K.maximum(1 - K.matmul(y_pred, K.transpose(references)), 0.0)
    near = gamma * (margin + d) * (d - margin)
    far = gamma * K.maximum(1 + margin - d, 0.0) * (1 - margin - d)
    pull = K.logsumexp(K.where(same, near, -math.inf), 1)
    push = K.logsumexp(K.where(different, far, -math.inf), 1)
    return K.softplus(pull + push)


class Circle(FunctionLoss):
    """Circle loss: see `circle`. Embeddings of which it is 0 do not count in a mean.

    Args:
        gamma: the scale; above 0.
        margin: how far apart an embedding and those of its own class may be.
        remove_diagonal: whether an embedding is no reference of its own.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(circle)

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )

    def valid(self, y_true: Any, values: Any) -> Any:
        """Return of which embeddings the loss is not 0."""
        return K.greater(values, 0)
