"""`Callback`: hooks into training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras import backend as K

__all__ = ["Callback", "LambdaCallback"]

Logs = dict[str, Any]


class Callback:
    """Base of callbacks: a subclass overrides the hooks it needs.

    Each hook gets `logs`: the values of loss and metrics by name. Setting
    ``self.model.stop_training = True`` ends training after the current batch.

    Attributes:
        model: which is trained.
        params: ``verbose``, ``epochs``, and ``steps``, the batches per epoch if known.
    """

    model: Any = None
    params: Logs | None = None

    def set_params(self, params: Logs) -> None:
        """Be told of `fit`'s arguments."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Be told which model is trained."""
        self.model = model

    def due(self, batch: int) -> bool:
        """Whether the hook at the end of this batch is to be called."""
        return True

    def on_exit(self) -> None:
        """Let go of files and the like: called last, after an error too."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Act before an epoch of training."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Act after an epoch; what it adds to `logs`, later callbacks see."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Act before a batch of training: another name for `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Act after a batch of training: another name for `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Act before a batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Act after a batch of training."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Act before a batch of evaluation, or of validation in `fit`."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Act after a batch of evaluation, or of validation in `fit`."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Act before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Act after a batch of prediction; its ``logs["outputs"]`` are the results."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Act before training."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Act after training, unless an error ended it."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Act before evaluation, or validation in `fit`."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Act after evaluation, or validation in `fit`."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Act before prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Act after prediction."""

    def overrides(self, *hooks: str) -> bool:
        """Whether one of these hooks is its own, and not the empty one of the base."""
        own = (getattr(getattr(self, hook), "__func__", None) for hook in hooks)
        return any(
            f is not getattr(Callback, hook) for f, hook in zip(own, hooks, strict=True)
        )


Hook = Callable[..., Any] | None


class LambdaCallback(Callback):
    """A callback made of functions: each argument is a hook.

    Args:
        on_epoch_begin: called with `epoch` and `logs`.
        on_epoch_end: likewise.
        on_train_begin: called with `logs`.
        on_train_end: likewise.
        on_train_batch_begin: called with `batch` and `logs`.
        on_train_batch_end: likewise.
        kwargs: other hooks, by the names of `Callback`'s methods. Other functions are
            merely kept, as attributes.

    Raises:
        ValueError: if a name begins as those of hooks, and there is no such hook.

    Example:
        >>> shown = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))
        >>> shown.on_epoch_end(0, {"loss": 0.5})
        0 {'loss': 0.5}
    """

    def __init__(
        self,
        on_epoch_begin: Hook = None,
        on_epoch_end: Hook = None,
        on_train_begin: Hook = None,
        on_train_end: Hook = None,
        on_train_batch_begin: Hook = None,
        on_train_batch_end: Hook = None,
        **kwargs: Any,
    ) -> None:
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, function in (hooks | kwargs).items():
            if name.startswith("on_") and not hasattr(Callback, name):
                known = [hook for hook in dir(Callback) if hook.startswith("on_")]
                raise ValueError(
                    f"LambdaCallback: no hook {name!r}.{K.did_you_mean(name, known)}"
                )
            if function is not None:
                setattr(self, name, function)
