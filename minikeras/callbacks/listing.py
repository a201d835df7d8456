"""`CallbackList`: several callbacks as one.

Values of metrics are costly to look at in the middle of an epoch, so the loop offers
them as a function, and the list calls it only if a callback has a hook for batches and
that hook is due.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from minikeras import backend as K
from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.history import History
from minikeras.callbacks.progress import ProgbarLogger

__all__ = ["CallbackList"]

C = TypeVar("C", bound=Callback)

BATCH_HOOKS = tuple(
    f"on_{phase}_batch_{end}"
    for phase in ("train", "test", "predict")
    for end in ("begin", "end")
)


def _to_all(hook: str) -> Callable[..., None]:
    """Return a method that calls this hook of each callback, with logs, if empty."""

    def call(self: CallbackList, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(logs or {})

    return call


def _to_all_of_epoch(hook: str) -> Callable[..., None]:
    """Return the same for a hook that is told which epoch it is."""

    def call(self: CallbackList, epoch: int, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(epoch, logs or {})

    return call


def _to_begin(hook: str) -> Callable[..., None]:
    """Return a method that calls this hook for batches, where there is one."""

    def call(self: CallbackList, batch: int, logs: Any = None) -> None:
        for callback in self.hooked[hook]:
            getattr(callback, hook)(batch, logs or {})

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
        add_history: whether a `History` comes last, if there is none yet.
        add_progbar: the same of a `ProgbarLogger`.
        model: which is trained.
        params: for each callback's `set_params`.

    Raises:
        TypeError: if something else than a `Callback` is among them.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Callback] = []
        self.hooked: dict[str, list[Callback]] = {hook: [] for hook in BATCH_HOOKS}
        for callback in K.tree.flatten(callbacks or []):
            self.append(callback)
        for wanted, kind in ((add_history, History), (add_progbar, ProgbarLogger)):
            if wanted and self.find(kind) is None:
                self.append(kind())
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
        """Tell all of `fit`'s arguments, if there are any."""
        self.params = params
        for callback in self.callbacks if params else ():
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Tell all which model is trained."""
        if model is None:
            return
        self.model = model
        history = self.find(History)
        if history is not None:
            model.history = history
        for callback in self.callbacks:
            callback.set_model(model)

    def on_exit(self) -> None:
        """Call each callback's `on_exit`."""
        for callback in self.callbacks:
            callback.on_exit()

    on_epoch_begin = _to_all_of_epoch("on_epoch_begin")
    on_epoch_end = _to_all_of_epoch("on_epoch_end")
    on_train_begin = _to_all("on_train_begin")
    on_train_end = _to_all("on_train_end")
    on_test_begin = _to_all("on_test_begin")
    on_test_end = _to_all("on_test_end")
    on_predict_begin = _to_all("on_predict_begin")
    on_predict_end = _to_all("on_predict_end")
    on_train_batch_begin = on_batch_begin = _to_begin("on_train_batch_begin")
    on_train_batch_end = on_batch_end = _to_due("on_train_batch_end")
    on_test_batch_begin = _to_begin("on_test_batch_begin")
    on_test_batch_end = _to_due("on_test_batch_end")
    on_predict_batch_begin = _to_begin("on_predict_batch_begin")
    on_predict_batch_end = _to_due("on_predict_batch_end")

    def __enter__(self) -> CallbackList:
        return self

    def __exit__(self, *error: object) -> None:
        self.on_exit()
