"""The loss of sequences of labels that come without their times."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss

__all__ = ["CTC", "ctc"]


def ctc(y_true: Any, y_pred: Any) -> Any:
    """Return ``-log p`` of the labels, over all ways to align them with the steps.

    Args:
        y_true: labels from 1 on; 0 stands for none, and behind the last label.
        y_pred: logits of the classes at each step, of which 0 is the blank.

    Shapes:
        y_true: (batch, labels)
        y_pred: (batch, steps, classes)
        returns: (batch)

    Raises:
        ValueError: if an argument has another rank.

    Source: Graves et al. 2006, doi:10.1145/1143844.1143891.
    """
    if K.ndim(y_true) != 2:
        raise ValueError(
            "Targets `y_true` are expected to be a tensor of shape `(batch_size, "
            "max_length)` in integer format. Received: y_true.shape="
            f"{K.int_shape(y_true)}"
        )
    if K.ndim(y_pred) != 3:
        raise ValueError(
            "Logits `y_pred` are expected to be a tensor of shape `(batch_size, "
            f"max_length, num_classes)`. Received: y_pred.shape={K.int_shape(y_pred)}"
        )
    labels = K.sum(K.cast(K.not_equal(y_true, 0), "int32"), -1)
    batch, steps = (K.shape(y_pred)[i] for i in (0, 1))
    return K.ctc_loss(y_true, y_pred, labels, K.full([batch], steps, "int32"))


class CTC(FunctionLoss):
    """Connectionist temporal classification: see `ctc`.

    Args:
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(ctc)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
