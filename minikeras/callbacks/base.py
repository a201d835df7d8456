"""`Callback`: hooks into training; and `CallbackList`, which calls those of several.

Values of metrics are costly to look at in the middle of an epoch, so the loop offers
them as a function, and the list calls it only if a callback has a hook for batches and
that hook is due.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from minikeras import backend as K

__all__ = ["Callback", "CallbackList", "LambdaCallback"]

Logs = dict[str, Any]
C = TypeVar("C", bound="Callback")

BATCH_HOOKS = tuple(
    f"on_{phase}_batch_{end}"
    for phase in ("train", "test", "predict")
    for end in ("begin", "end")
)


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


def _to_all(hook: str) -> Callable[..., None]:
    """Return a method that calls this hook of each callback, with logs, if empty."""
    count = 2 if "epoch" in hook else 1

    def call(self: CallbackList, *args: Any, logs: Logs | None = None) -> None:
        given = args if len(args) == count else (*args, logs or {})
        for callback in self.callbacks:
            getattr(callback, hook)(*given)

    return call


def _to_due(hook: str) -> Callable[..., None]:
    """Return a method that calls this hook for batches, where it is one and due."""

    def call(self: CallbackList, batch: int, logs: Any = None) -> None:
        due = [callback for callback in self.hooked[hook] if callback.due(batch)]
        if due:
            values = logs() if callable(logs) else logs or {}
            for callback in due:
                getattr(callback, hook)(batch, values)

    return call


class CallbackList(Callback):
    """Several callbacks as one; their order is that of their calls.

    The hooks for batches also take a function in place of `logs`, which is called only
    if somebody is to see the values. Used as a context manager, the list ends with
    every callback's `on_exit`.

    Args:
        callbacks: one, or a list of them.
        model: which is trained.
        params: for each callback's `set_params`.

    Raises:
        TypeError: if something else than a `Callback` is among them.
    """

    def __init__(self, callbacks: Any = None, model: Any = None, **params: Any) -> None:
        self.callbacks: list[Callback] = []
        self.hooked: dict[str, list[Callback]] = {hook: [] for hook in BATCH_HOOKS}
        for callback in K.tree.flatten(callbacks or []):
            self.append(callback)
        self.set_model(model)
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add a callback at the end.

        Raises:
            TypeError: if it is something else.
        """
        if not isinstance(callback, Callback):
            made = (
                " (a class: make an object of it)" if isinstance(callback, type) else ""
            )
            raise TypeError(
                f"callbacks must be Callback objects; got {callback!r}{made}"
            )
        self.callbacks.append(callback)
        for hook, hooked in self.hooked.items():
            if callback.overrides(hook, hook.replace("_train", "")):
                hooked.append(callback)

    def find(self, kind: type[C]) -> C | None:
        """Return the first callback of a class, None if there is none."""
        return next((c for c in self.callbacks if isinstance(c, kind)), None)

    def of_batches(self, phase: str) -> list[Callable[..., None] | None]:
        """Return the hooks at the beginning and end of a batch, None if nobody has one.

        Args:
            phase: ``"train"``, ``"test"`` or ``"predict"``.
        """
        hooks = (f"on_{phase}_batch_begin", f"on_{phase}_batch_end")
        return [getattr(self, hook) if self.hooked[hook] else None for hook in hooks]

    def set_params(self, params: Logs) -> None:
        """Tell all of `fit`'s arguments."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tell all which model is trained."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def on_exit(self) -> None:
        """Call each callback's `on_exit`."""
        for callback in self.callbacks:
            callback.on_exit()

    on_epoch_begin = _to_all("on_epoch_begin")
    on_epoch_end = _to_all("on_epoch_end")
    on_train_begin = _to_all("on_train_begin")
    on_train_end = _to_all("on_train_end")
    on_test_begin = _to_all("on_test_begin")
    on_test_end = _to_all("on_test_end")
    on_predict_begin = _to_all("on_predict_begin")
    on_predict_end = _to_all("on_predict_end")
    on_train_batch_begin = on_batch_begin = _to_due("on_train_batch_begin")
    on_train_batch_end = on_batch_end = _to_due("on_train_batch_end")
    on_test_batch_begin = _to_due("on_test_batch_begin")
    on_test_batch_end = _to_due("on_test_batch_end")
    on_predict_batch_begin = _to_due("on_predict_batch_begin")
    on_predict_batch_end = _to_due("on_predict_batch_end")

    def __enter__(self) -> CallbackList:
        return self

    def __exit__(self, *error: object) -> None:
        self.on_exit()
