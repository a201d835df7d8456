"""The call under way: which layers are being called, and whether to train.

`training` reaches inner layers from the outermost call, so that nobody has to pass it
on by hand; the order of precedence is Keras's: an explicit argument, the call around,
the global learning phase, the default in the signature of `call`.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import BoundArguments, Parameter, Signature
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
def signature(layer: type) -> Signature:
    """Return the signature of a layer class's `call`, without self."""
    found = inspect.signature(layer.call)
    return found.replace(parameters=list(found.parameters.values())[1:])


def bind(
    layer: Any, args: Any, kwargs: Mapping[str, Any]
) -> tuple[BoundArguments, bool | None]:
    """Return the arguments of ``layer.call``, and the value of `training`.

    `training` and `mask` may be given to any layer; one that does not take them goes
    without.

    Raises:
        TypeError: if they do not fit the signature of `call`.
    """
    expected = signature(type(layer))
    takes_any = any(
        p.kind is Parameter.VAR_KEYWORD for p in expected.parameters.values()
    )
    dropped = (
        {"training"} if takes_any else {"training", "mask"} - {*expected.parameters}
    )
    given = {k: v for k, v in kwargs.items() if k not in dropped}
    try:
        bound = expected.bind(*args, **given)
    except TypeError as error:
        name = type(layer).__name__
        raise TypeError(f"{name}.call(): {error} (layer '{layer.name}')") from None
    explicit = bound.arguments.get("training", kwargs.get("training"))
    training = _resolved(explicit, expected.parameters.get("training"))
    if "training" in expected.parameters:
        bound.arguments["training"] = training
    return bound, training


def _resolved(explicit: bool | None, parameter: Parameter | None) -> bool | None:
    """Return the first of the values of `training` that is known.

    While layers are only connected to symbolic inputs it may stay None, and so depend
    on the learning phase at run time.
    """
    phase = True if K.in_train_phase_value() else None
    default = None if parameter is None else parameter.default
    for known in (explicit, *reversed(_calls.training), phase, default):
        if known is not None and known is not Parameter.empty:
            return known
    trace = K.current_trace()
    return None if trace is None or trace.is_symbolic else False


def tensor_arguments(bound: BoundArguments) -> dict[str, Any]:
    """Return those arguments that hold tensors or arrays, in order."""
    return {
        name: value
        for name, value in bound.arguments.items()
        if any(hasattr(x, "shape") for x in K.tree.flatten(value))
    }
