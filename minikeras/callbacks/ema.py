"""`SwapEMAWeights`: evaluation with the weights' moving average."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minikeras import backend as K
from minikeras.callbacks.base import Callback, Logs

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Let the model have the moving average of its weights while it is evaluated.

    The optimizer, or one of those in it, keeps that average: its ``use_ema`` is True.

    Args:
        swap_on_epoch: whether the model has the average from the end of an epoch to the
            beginning of the next one too, so that a `ModelCheckpoint` that comes after
            this callback saves it.

    Raises:
        ValueError: in training, if no optimizer keeps an average.

    Source: Polyak, Juditsky 1992, doi:10.1137/0330046.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._ema_weights_in_model = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Bring back the weights to go on with."""
        if self.swap_on_epoch:
            self._have_average(False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Let the model have the average."""
        if not self.swap_on_epoch:
            return
        self._have_average(True)
        if epoch == (self.params or {}).get("epochs", 0) - 1:
            # `fit` ends with the average in the model: it is to be there as well.
            K.batch_set_value([(ema, v.numpy()) for v, ema in self._pairs()])

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Let the model have the average."""
        self._have_average(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Bring back the weights to go on with."""
        self._have_average(False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Let the model have the average."""
        self._have_average(True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Bring back the weights to go on with."""
        self._have_average(False)

    def on_exit(self) -> None:
        """Bring back the weights if an error ended evaluation."""
        if not self.swap_on_epoch:
            self._have_average(False)

    def _have_average(self, wanted: bool) -> None:
        """Exchange weights and average, unless each is where it should be."""
        if self._ema_weights_in_model is wanted:
            return
        values = [(v, v.numpy(), ema, ema.numpy()) for v, ema in self._pairs()]
        K.batch_set_value([(v, average) for v, _, _, average in values])
        K.batch_set_value([(ema, value) for _, value, ema, _ in values])
        self._ema_weights_in_model = wanted

    def _pairs(self) -> Iterator[tuple[Any, Any]]:
        """Yield each variable and its average."""
        optimizer: Any = getattr(self.model, "optimizer", None)
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        several = getattr(optimizer, "optimizers", None)
        averaging = [o for o in several or [optimizer] if getattr(o, "use_ema", False)]
        if not averaging and several:
            raise ValueError(
                "SwapEMAWeights must be used when at least one inner optimizer has "
                "`use_ema=True` set. Received a MultiOptimizer with all inner "
                "optimizers having `use_ema=False`."
            )
        if not averaging:
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the "
                f"optimizer. Received: use_ema={getattr(optimizer, 'use_ema', None)}"
            )
        for each in averaging:
            yield from zip(
                each._trainable_variables,
                each._model_variables_moving_average,
                strict=True,
            )
