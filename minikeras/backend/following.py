"""Functions that a model follows: called on its symbolic tensors, they join its graph.

A tensor that came out of a layer carries a history. A function of `ops` or an operator
called on such a tensor asks the history first, as NumPy's functions ask
``__array_function__``: so ``x + y`` between two layers becomes an operation of the
model, with a name and a config. Within a layer, where a trace is active, it computes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from minikeras.backend.tracing import current_trace
from minikeras.engine import tree

__all__ = ["followed", "follower"]


def follower(values: Any) -> Any:
    """Return the history that is to make a call on `values`, None to just compute.

    Args:
        values: any nesting of tensors and others.
    """
    if current_trace() is not None:
        return None
    found = (getattr(x, "_keras_history", None) for x in tree.flatten(values))
    return next((history for history in found if history is not None), None)


@functools.cache
def followed(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """Return `function` as one that joins a model's graph when it is called on it.

    It is the same one for the same function.

    Args:
        function: of tensors or arrays.
        name: under which histories know it, by default its own. The function of `ops`
            that has this name may have other defaults.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        history = follower((args, kwargs))
        if history is not None:
            given = inspect.signature(function).bind(*args, **kwargs)
            given.apply_defaults()
            return history.apply(name or call.__name__, function, (), given.arguments)
        return function(*args, **kwargs)

    return call
