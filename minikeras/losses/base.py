"""What all losses share: matching of ranks, weights and masks, and one reduction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.backend.masking import mask_of

__all__ = [
    "FunctionLoss",
    "Loss",
    "LossFunctionWrapper",
    "alike",
    "matched",
    "squeeze_or_expand_to_same_rank",
    "without",
]

REDUCTIONS = (
    "sum_over_batch_size",
    "sum",
    "mean",
    "mean_with_sample_weight",
    "none",
    None,
)


class Loss(K.Configured):
    """Base of losses: one number per sample from `call`, then their reduction.

    Args:
        name: of the loss, and of the scope of its nodes.
        reduction: ``"sum_over_batch_size"`` or ``"mean"``: the sum over all values,
            divided by how many there are; ``"mean_with_sample_weight"``: divided by the
            sum of the weights; ``"sum"``; ``"none"`` or None: the values themselves.
        dtype: in which it is computed; floatx by default.

    Raises:
        ValueError: if there is no such reduction.
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        if reduction not in REDUCTIONS:
            raise ValueError(
                "Invalid value for argument `reduction`. Expected one of "
                f"{REDUCTIONS}. Received: reduction={reduction}"
            )
        self.name = name or K.auto_name(type(self).__name__)
        self.reduction = reduction
        self._dtype = str(getattr(dtype, "compute_dtype", dtype) or K.floatx())

    @property
    def dtype(self) -> str:
        """In which it is computed."""
        return self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss of predictions `y_pred` for the targets `y_true`.

        Shapes:
            y_true, y_pred: (batch, ...)
            sample_weight: (), (batch,) or the shape of the values that `call` returns
            returns: (), or the shape of these values if there is no reduction
        """
        mask = mask_of(y_pred)
        with K.name_scope(self.name):
            y_true, y_pred = (
                K.tree.map_structure(lambda x: K.convert_to_tensor(x, self.dtype), y)
                for y in (y_true, y_pred)
            )
            values = K.convert_to_tensor(self.call(y_true, y_pred), self.dtype)
            for part in (
                self.valid(y_true, values),
                mask_of(values),
            ):
                if part is not None:
                    mask = part if mask is None else K.logical_and(mask, part)
            return reduced(values, sample_weight, mask, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each sample."""
        raise NotImplementedError(f"{type(self).__name__} has no `call`")

    def valid(self, y_true: Any, values: Any) -> Any:
        """Return which samples count, given the loss of each; None if all do."""
        return None

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        config = super().get_config()
        if config.get("dtype") == K.floatx():
            del config["dtype"]
        return config


class LossFunctionWrapper(Loss):
    """The loss that a function of targets and predictions computes for each sample.

    Args:
        fn: takes `y_true` and `y_pred`, of one rank, and `kwargs`.
        reduction: see `Loss`.
        name: see `Loss`.
        dtype: see `Loss`.
        kwargs: further arguments of `fn`; also attributes of the loss.
    """

    fn: Callable[..., Any]

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn = fn
        self.fn_kwargs = kwargs
        vars(self).update(kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return ``fn(y_true, y_pred)``."""
        if not K.tree.is_nested(y_pred):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        fn = K.serialize_keras_object(self.fn)
        return {**super().get_config(), "fn": fn, **self.fn_kwargs}


class FunctionLoss(LossFunctionWrapper):
    """Base of losses that are one fixed function, their attribute ``fn``.

    Its `not_in_config` are arguments that Keras's configs lack: they are in ours only
    where they differ from the default, as otherwise they would be lost.

    Args:
        reduction: see `Loss`.
        name: see `Loss`; by default that of the function.
        dtype: see `Loss`.
        kwargs: further arguments of the function.
    """

    not_in_config: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        K.show_name(cls, cls.fn.__name__)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        fn = self.fn
        super().__init__(fn, reduction, name or fn.__name__, dtype, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        config = super().get_config()
        del config["fn"]
        return without(self.not_in_config, config)


def without(defaults: Mapping[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Return a config, less the entries that are what these defaults say."""
    missing = object()
    return {k: v for k, v in config.items() if defaults.get(k, missing) != v}


def reduced(values: Any, sample_weight: Any, mask: Any, reduction: str | None) -> Any:
    """Return `values`, weighted and then reduced.

    Where a mask leaves out values, a mean is over those that count.
    """
    weight = merged_weight(sample_weight, mask, values.dtype, reduction)
    if weight is not None:
        values, weight = squeeze_or_expand_to_same_rank(values, weight)
        values = values * weight
    if reduction in (None, "none") or K.ndim(values) == 0:
        return values
    if reduction == "sum":
        return K.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return K.divide_no_nan(K.sum(values), K.sum(weight))
    return K.mean(values)


def merged_weight(sample_weight: Any, mask: Any, dtype: Any, reduction: Any) -> Any:
    """Return the weight of each value, None if all count once.

    For a mean over all values, those that a mask lets through weigh ``all / valid``, so
    that ``sum(w x) / all`` becomes the mean over the valid ones.
    """
    if sample_weight is not None:
        sample_weight = K.convert_to_tensor(sample_weight, dtype)
    if mask is None:
        return sample_weight
    weight = K.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        total = K.sum(K.ones_like(weight))
        weight = weight * K.divide_no_nan(total, K.sum(weight))
    if sample_weight is None:
        return weight
    weight, sample_weight = squeeze_or_expand_to_same_rank(weight, sample_weight)
    return sample_weight * weight


def squeeze_or_expand_to_same_rank(x: Any, y: Any, expand_rank_1: bool = True) -> Any:
    """Return `x` and `y` with one rank where they differ by a last axis of size 1.

    The shorter one gets that axis if it is a vector (and `expand_rank_1`), else the
    longer one loses it. Other differences are left as they are.
    """
    m, n = K.ndim(x), K.ndim(y)
    if m is None or n is None or abs(m - n) != 1:
        return x, y
    if m < n:
        y, x = squeeze_or_expand_to_same_rank(y, x, expand_rank_1)
        return x, y
    if x.shape[-1] != 1:
        return x, y
    if n == 1 and expand_rank_1:
        return x, K.expand_dims(y, -1)
    return K.squeeze(x, -1), y


def matched(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return both as tensors or arrays of one rank and of the dtype of `y_pred`."""
    y_pred = K.convert_to_tensor(y_pred)
    y_true = K.convert_to_tensor(y_true, y_pred.dtype)
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


def alike(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return both as tensors or arrays of the dtype of `y_pred`."""
    y_pred = K.convert_to_tensor(y_pred)
    return K.cast(K.convert_to_tensor(y_true), y_pred.dtype), y_pred
