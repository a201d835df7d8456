"""The call under way: which layers are being called, and whether to train.

`training` reaches inner layers from the outermost call, so that nobody has to pass it
on by hand; the order of precedence is Keras's: an explicit argument, the call around,
the global learning phase, the default in the signature of `call`.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minikeras import backend as K

__all__ = ["bind", "call_depth", "entered", "separate_calls", "tensor_arguments"]


class _Calls(threading.local):
    def __init__(self) -> None:
        self.training: list[bool | None] = []


_calls = _Calls()


def call_depth() -> int:
    """Return how many layers' calls are under way."""
    return len(_calls.training)


@contextmanager
def entered(training: bool | None) -> Iterator[None]:
    """Let calls inside inherit `training`."""
    _calls.training.append(training)
    try:
        yield
    finally:
        _calls.training.pop()


@contextmanager
def separate_calls() -> Iterator[None]:
    """Forget the calls under way inside: layers connect as if nothing were around."""
    before, _calls.training = _calls.training, []
    try:
        with K.separate_graph():
            yield
    finally:
        _calls.training = before


@functools.cache
def signature(layer: type) -> inspect.Signature:
    """Return the signature of a layer class's `call`, without self."""
    found = inspect.signature(layer.call)
    return found.replace(parameters=list(found.parameters.values())[1:])


def bind(layer: Any, args: Any, kwargs: dict[str, Any]) -> tuple[dict[str, Any], bool | None]:
    """Return the arguments of ``layer.call`` by name, and the value of `training`.

    Raises:
        TypeError: if they do not fit the signature of `call`.
    """
    expected = signature(type(layer))
    kinds = {p.kind for p in expected.parameters.values()}
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds
    explicit = kwargs.get("training")
    given = {
        k: v
        for k, v in kwargs.items()
        if k not in ("training", "mask") or k in expected.parameters or takes_any
    }
    given.pop("training", None)
    training = _resolve(explicit)
    default = expected.parameters.get("training")
    if training is None and default is not None:
        training = None if default.default is inspect.Parameter.empty else default.default
    if default is not None and not _positional(expected, args, "training"):
        given["training"] = training
    try:
        bound = expected.bind(*args, **given)
    except TypeError as error:
        raise TypeError(f"{type(layer).__name__}.call(): {error} (layer '{layer.name}')") from None
    return bound.arguments, bound.arguments.get("training", training)


def _positional(expected: inspect.Signature, args: Any, name: str) -> bool:
    return name in list(expected.parameters)[: len(args)]


def _resolve(explicit: bool | None) -> bool | None:
    if explicit is not None:
        return explicit
    for training in reversed(_calls.training):
        if training is not None:
            return training
    return True if K.in_train_phase_value() else None


def tensor_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return those arguments that hold tensors or arrays, in order."""
    return {
        name: value
        for name, value in arguments.items()
        if any(hasattr(x, "shape") for x in K.tree.flatten(value))
    }
