"""Focal cross-entropies: easy samples, those predicted well, count less."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss, alike
from minikeras.losses.crossentropy import smoothed

__all__ = [
    "BinaryFocalCrossentropy",
    "CategoricalFocalCrossentropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
]


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the binary cross-entropy times ``(1 - q)^gamma``.

    Here q is the probability given to what is true, so that easy samples count less.

    Args:
        y_true: the probability of a yes.
        y_pred: the predicted probability, or its logit.
        apply_class_balancing: whether to weigh a yes by alpha, a no by 1 - alpha.
        alpha: that weight.
        gamma: of the exponent; 0 gives the cross-entropy.
        from_logits: whether `y_pred` is a logit.
        label_smoothing: how far `y_true` is moved towards 1/2, in [0, 1].
        axis: of the mean.

    Source: Lin et al. 2017, arXiv:1708.02002.
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    p = K.sigmoid(y_pred) if from_logits else y_pred
    q = y_true * p + (1 - y_true) * (1 - p)
    focal = K.power(1.0 - q, gamma) * K.binary_crossentropy(y_true, p)
    if apply_class_balancing:
        focal = focal * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return K.mean(focal, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the sum of ``-alpha (1 - p)^gamma y log p`` over the classes.

    Args:
        y_true: y, the probabilities of the classes: mostly one-hot.
        y_pred: p, or logits; probabilities are first divided by their sum.
        alpha: weight of all classes, or a list with one for each.
        gamma: of the exponent; 0 gives alpha times the cross-entropy.
        from_logits: whether `y_pred` are logits.
        label_smoothing: how far y is moved towards equal probabilities, in [0, 1].
        axis: of the classes.

    Source: Lin et al. 2017, arXiv:1708.02002.
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, axis=axis)
    p = K.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = p / K.sum(p, axis=axis, keepdims=True)
    p = K.clip(p, K.epsilon(), 1.0 - K.epsilon())
    focal = alpha * K.power(1.0 - p, gamma) * -y_true * K.log(p)
    return K.sum(focal, axis=axis)


class BinaryFocalCrossentropy(FunctionLoss):
    """Cross-entropy of yes or no, of the hard samples: `binary_focal_crossentropy`.

    Args:
        apply_class_balancing: whether to weigh a yes by alpha, a no by 1 - alpha.
        alpha: that weight.
        gamma: how strongly easy samples are discounted.
        from_logits: whether predictions are logits, not probabilities.
        label_smoothing: how far targets are moved towards 1/2, in [0, 1].
        axis: of the mean that makes one number per sample.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(FunctionLoss):
    """Cross-entropy of one-hot targets, of the hard samples.

    Args:
        alpha: weight of all classes, or a list with one for each.
        gamma: how strongly easy samples are discounted.
        from_logits: whether predictions are logits, not probabilities.
        label_smoothing: how far targets are moved towards equal ones, in [0, 1].
        axis: of the classes.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
