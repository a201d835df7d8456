"""The call under way: which layers are being called, and whether to train.

`training` reaches inner layers from the outermost call, so that nobody has to pass it
on by hand; the order of precedence is Keras's: an explicit argument, the call around,
the global learning phase, the default in the signature of `call`. So do other arguments
that layers register.
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

__all__ = [
    "bind",
    "call_depth",
    "check_positions",
    "entered",
    "separate_calls",
    "tensor_arguments",
]


class _Calls(threading.local):
    def __init__(self) -> None:
        self.arguments: list[Mapping[str, Any]] = []


_calls = _Calls()


def call_depth() -> int:
    """Return how many layers' calls are under way."""
    return len(_calls.arguments)


@contextmanager
def entered(arguments: Mapping[str, Any]) -> Iterator[None]:
    """Let calls inside inherit these arguments, and those of the calls around."""
    around = _calls.arguments[-1] if _calls.arguments else {}
    _calls.arguments.append({**around, **arguments})
    try:
        yield
    finally:
        _calls.arguments.pop()


@contextmanager
def separate_calls() -> Iterator[None]:
    """Forget the calls under way inside: layers connect as if nothing were around."""
    before, _calls.arguments = _calls.arguments, []
    try:
        with K.separate_graph():
            yield
    finally:
        _calls.arguments = before


@functools.cache
def signature(layer: type) -> Signature:
    """Return the signature of a layer class's `call`, without self."""
    found = inspect.signature(layer.call)
    return found.replace(parameters=list(found.parameters.values())[1:])


def bind(
    layer: Any, args: Any, kwargs: Mapping[str, Any]
) -> tuple[BoundArguments, dict[str, Any]]:
    """Return the arguments of ``layer.call``, and those that layers inside inherit.

    The latter, and `mask`, may be given to any layer; one that does not take them goes
    without.

    Raises:
        TypeError: if they do not fit the signature of `call`.
    """
    expected = signature(type(layer))
    parameters, inherited = expected.parameters, layer._call_context_args
    dropped = inherited - parameters.keys()
    if not any(p.kind is Parameter.VAR_KEYWORD for p in parameters.values()):
        dropped |= {"mask"} - parameters.keys()
    given = {k: v for k, v in kwargs.items() if k not in dropped}
    try:
        bound = expected.bind(*args, **given)
    except TypeError as error:
        name = type(layer).__name__
        raise TypeError(f"{name}.call(): {error} (layer '{layer.name}')") from None
    found = {}
    for name in inherited:
        explicit = bound.arguments.get(name, kwargs.get(name))
        found[name] = _resolved(name, explicit, parameters.get(name))
        if name in parameters:
            bound.arguments[name] = found[name]
    return bound, found


def _resolved(name: str, explicit: Any, parameter: Parameter | None) -> Any:
    """Return the first of the values of an argument that is known, None if none is.

    Where `training` stays None, it depends on the learning phase.
    """
    around = _calls.arguments[-1].get(name) if _calls.arguments else None
    phase = True if name == "training" and K.in_train_phase_value() else None
    default = None if parameter is None else parameter.default
    for known in (explicit, around, phase, default):
        if known is not None and known is not Parameter.empty:
            return known
    return None


def check_positions(args: Any) -> None:
    """Demand that what is given by place are tensors, or None.

    Raises:
        ValueError: if something is not.
    """
    for x in K.tree.flatten(args):
        if x is not None and not hasattr(x, "shape"):
            raise ValueError(
                "Only input tensors may be passed as positional arguments. The "
                "following argument value should be passed as a keyword argument: "
                f"{x} (of type {type(x)})"
            )


def tensor_arguments(bound: BoundArguments) -> dict[str, Any]:
    """Return those arguments that hold tensors or arrays, in order."""
    return {
        name: value
        for name, value in bound.arguments.items()
        if any(hasattr(x, "shape") for x in K.tree.flatten(value))
    }
