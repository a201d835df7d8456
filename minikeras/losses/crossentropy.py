"""Cross-entropies, in nats.

With ``from_logits=True`` predictions are logits (any real numbers), else probabilities;
these are kept epsilon away from 0 and 1 before a logarithm is taken.
"""

from __future__ import annotations

from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss, alike

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "categorical_generalized_cross_entropy",
    "smoothed",
    "sparse_categorical_crossentropy",
]


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the mean of ``-y log p - (1 - y) log(1 - p)`` over `axis`.

    Args:
        y_true: y, the probability of a yes.
        y_pred: p, or the logit of p.
        from_logits: whether `y_pred` is a logit.
        label_smoothing: how far y is moved towards 1/2, in [0, 1].
        axis: of the mean.

    Example:
        >>> binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])
        array([0.6931472], dtype=float32)
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 2)
    entropy = K.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    return K.mean(entropy, axis=axis)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the sum of ``-y log p`` over the classes.

    Args:
        y_true: y, the probabilities of the classes: mostly one-hot.
        y_pred: p, or logits; probabilities are first divided by their sum.
        from_logits: whether `y_pred` are logits.
        label_smoothing: how far y is moved towards equal probabilities, in [0, 1].
        axis: of the classes.
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, axis=axis)
    return K.categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis
    )


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Return ``-log p[y]``, the cross-entropy of targets that are class numbers.

    Args:
        y_true: y, integers; a last axis of size 1 is dropped.
        y_pred: p, or logits, one for each class.
        from_logits: whether `y_pred` are logits.
        ignore_class: a class number for which the loss is 0.
        axis: of the classes.
    """
    y_true, y_pred = K.convert_to_tensor(y_true), K.convert_to_tensor(y_pred)
    if K.ndim(y_true) == K.ndim(y_pred) and y_true.shape[axis] == 1:
        y_true = K.squeeze(y_true, axis)
    valid = None if ignore_class is None else K.not_equal(y_true, ignore_class)
    if valid is not None:
        y_true = K.where(valid, y_true, 0)
        y_pred = K.where(K.expand_dims(valid, axis), y_pred, 0.0)
    losses = K.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis
    )
    return losses if valid is None else K.where(valid, losses, 0.0)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Return ``(1 - p[y]**q) / q``, which wrong targets disturb less than a logarithm.

    Args:
        y_true: y, integers; a last axis of size 1 is dropped.
        y_pred: p, probabilities, one for each class.
        q: between 0, where it is the cross-entropy, and 1, where it is linear.

    Source: Zhang, Sabuncu 2018, arXiv:1805.07836.
    """
    y_true, y_pred = K.convert_to_tensor(y_true), K.convert_to_tensor(y_pred)
    if K.ndim(y_true) == K.ndim(y_pred) and y_true.shape[-1] == 1:
        y_true = K.squeeze(y_true, -1)
    hot = K.one_hot(K.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
    return (1 - K.power(K.sum(y_pred * hot, -1), q)) / q


def smoothed(y: Any, amount: float, classes: int | None = None, axis: int = -1) -> Any:
    """Return probabilities `y`, moved towards equal ones for all classes by `amount`.

    Args:
        y: probabilities.
        amount: in [0, 1].
        classes: how many; by default the size of `axis`.
        axis: of the classes.
    """
    if not amount:
        return y
    count = classes or y.shape[axis] or K.cast(K.shape(y)[axis], y.dtype)
    return y * (1.0 - amount) + amount / count


class BinaryCrossentropy(FunctionLoss):
    """Cross-entropy of yes or no: see `binary_crossentropy`.

    Args:
        from_logits: whether predictions are logits, not probabilities.
        label_smoothing: how far targets are moved towards 1/2, in [0, 1].
        axis: of the mean that makes one number per sample.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(binary_crossentropy)

    def __init__(
        self,
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
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(FunctionLoss):
    """Cross-entropy of one-hot targets: see `categorical_crossentropy`.

    Args:
        from_logits: whether predictions are logits, not probabilities.
        label_smoothing: how far targets are moved towards equal ones, in [0, 1].
        axis: of the classes.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(categorical_crossentropy)

    def __init__(
        self,
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
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(FunctionLoss):
    """Cross-entropy of class numbers: see `sparse_categorical_crossentropy`.

    Args:
        from_logits: whether predictions are logits, not probabilities.
        ignore_class: a class number whose samples do not count; None if all do.
        reduction: see `Loss`.
        axis: of the classes.
        name: see `Loss`.
        dtype: see `Loss`.
    """

    fn = staticmethod(sparse_categorical_crossentropy)
    not_in_config: ClassVar[dict[str, Any]] = {"axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def valid(self, y_true: Any, values: Any) -> Any:
        """Return which samples are not of the class to be ignored."""
        ignored = self.fn_kwargs["ignore_class"]
        return None if ignored is None else K.not_equal(y_true, ignored)


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """Loss for targets that may be wrong: `categorical_generalized_cross_entropy`.

    Args:
        q: between 0, where it is the cross-entropy, and 1, where it is linear.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.

    Raises:
        ValueError: if `q` is not between 0 and 1.
    """

    fn = staticmethod(categorical_generalized_cross_entropy)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ValueError("q must be in the interval (0, 1)")
        super().__init__(reduction, name, dtype, q=q)
