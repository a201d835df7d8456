"""How a K function becomes one of Keras 3's ``ops``: variables count as their values.

K is lazy on variables, as a graph must read them anew in each run. ``keras.ops``
computes at once wherever it can, and joins the graph of a model when it is called on
the model's tensors; `eager` is the whole difference.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from minikeras.backend.following import follower
from minikeras.backend.tracing import current_trace
from minikeras.backend.variables import Variable
from minikeras.engine import tree
from minikeras.engine.graph import Tensor

__all__ = ["eager"]


def eager(function: Callable[..., Any], **renamed: str) -> Callable[..., Any]:
    """Return `function` as one that computes at once on arrays and variables.

    Among tensors, and inside a traced function, variables stay symbolic. Called on a
    model's tensors it becomes an operation of the model.

    Args:
        function: K's.
        renamed: Keras 3's names of its arguments, each with the name it has in K, as in
            ``x1="x"``.
    """

    def compute(*args: Any, **kwargs: Any) -> Any:
        for theirs in renamed.keys() & kwargs.keys():
            kwargs[renamed[theirs]] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        leaves = tree.flatten((args, kwargs))
        history = follower(leaves)
        if history is not None:
            return history.apply(function.__name__, compute, args, kwargs)
        lazy = current_trace() is not None or any(isinstance(x, Tensor) for x in leaves)
        if not lazy and any(isinstance(x, Variable) for x in leaves):
            args, kwargs = tree.map_structure(_value, (args, kwargs))
        return compute(*args, **kwargs)

    if renamed:
        call.__signature__ = _renamed(function, renamed)  # type: ignore[attr-defined]
    return call


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Variable) else x


def _renamed(
    function: Callable[..., Any], renamed: dict[str, str]
) -> inspect.Signature:
    signature = inspect.signature(function)
    theirs = {ours: name for name, ours in renamed.items()}
    parameters = signature.parameters.values()
    return signature.replace(
        parameters=[p.replace(name=theirs.get(p.name, p.name)) for p in parameters]
    )
