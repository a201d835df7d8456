"""Sums and means of values, weighted, over all batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.backend.masking import mask_of
from minikeras.losses.base import (
    merged_weight,
    squeeze_or_expand_to_same_rank,
    without,
)
from minikeras.metrics.base import Metric, rank

__all__ = ["FunctionMetric", "Mean", "MeanMetricWrapper", "Sum"]


class Sum(Metric):
    """Sum of all values.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.

    Example:
        >>> total = Sum()
        >>> total.update_state([1, 3, 5])
        >>> float(total.result())
        9.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add `values`, each times its weight."""
        values, _ = per_sample(values, sample_weight, K.sum, self.dtype)
        self.total.assign_add(K.sum(values))

    def result(self) -> Any:
        """Return the sum."""
        return K.convert_to_tensor(self.total)


class Mean(Metric):
    """Mean of all values, weighted.

    Args:
        name: of the metric.
        dtype: of the computation; floatx by default.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
        >>> float(mean.result())
        2.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype=self.dtype, name="total")
        self.count = self.add_variable(dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add `values`, each times its weight, and count the weights.

        Shapes:
            values: (), (batch,) or (batch, ...), of which first a mean is taken
            sample_weight: (), (batch,), or more of the axes of `values`
        """
        values, weight = per_sample(values, sample_weight, K.mean, self.dtype)
        self.total.assign_add(K.sum(values))
        if weight is None:
            samples = K.shape(values)[0] if rank(values) else 1
            self.count.assign_add(K.cast(samples, self.dtype))
        else:
            self.count.assign_add(K.sum(weight))

    def result(self) -> Any:
        """Return the mean; 0 if the weights add up to 0."""
        return K.divide_no_nan(self.total, self.count)


def per_sample(
    values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: Any
) -> tuple[Any, Any]:
    """Return one weighted value, and one weight, for each sample.

    `reduce` is applied to all axes but the first.
    """
    mask = mask_of(values)
    values = K.cast(K.convert_to_tensor(values), dtype)
    if sample_weight is None:
        return _flat(values, reduce, 1), None
    weight = merged_weight(sample_weight, mask, dtype, "sum")
    values, weight = squeeze_or_expand_to_same_rank(values, weight)
    values = _flat(values, reduce, rank(weight))
    weight = K.broadcast_to(weight, K.shape(values))
    return _flat(values * weight, reduce, 1), _flat(weight, reduce, 1)


def _flat(x: Any, reduce: Callable[..., Any], kept: int) -> Any:
    """Return `x`, reduced to its first `kept` axes."""
    axes = range(kept, rank(x))
    return reduce(x, axis=tuple(axes)) if axes else x


class MeanMetricWrapper(Mean):
    """Mean of what a function computes for each sample.

    Args:
        fn: takes `y_true`, `y_pred` and `kwargs`.
        name: of the metric; by default that of the class.
        dtype: of the computation; floatx by default.
        kwargs: further arguments of `fn`; also attributes of the metric.
    """

    fn: Callable[..., Any]

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or K.auto_name(type(self).__name__), dtype)
        self.fn = fn
        self.fn_kwargs = kwargs
        vars(self).update(kwargs)

    def update_state(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Add ``fn(y_true, y_pred)``, weighted."""
        mask = mask_of(y_pred)
        values = self.fn(y_true, y_pred, **self.fn_kwargs)
        super().update_state(
            values, merged_weight(sample_weight, mask, self.dtype, "sum")
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        fn = K.serialize_keras_object(self.fn)
        return {**super().get_config(), "fn": fn, **self.fn_kwargs}


class FunctionMetric(MeanMetricWrapper):
    """Base of metrics that are the mean of one fixed function, their attribute ``fn``.

    Its `not_in_config` are arguments that Keras's configs lack: see `FunctionLoss`.

    Args:
        name: of the metric; by default that of the function.
        dtype: of the computation; floatx by default.
        kwargs: further arguments of the function.
    """

    _direction = "down"  # of most: the functions are losses
    not_in_config: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        K.show_name(cls, cls.fn.__name__)

    def __init__(
        self, name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        fn = self.fn
        super().__init__(fn, name or fn.__name__, dtype, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        config = super().get_config()
        del config["fn"]
        return without(self.not_in_config, config)
