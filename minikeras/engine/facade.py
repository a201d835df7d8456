"""How an op's function becomes one of TensorFlow 1's: always lazy, with a ``name=``."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

from minikeras.engine.context import lazily

__all__ = ["graph_function"]


def graph_function(function: Callable[..., Any], **renamed: str) -> Callable[..., Any]:
    """Return `function` as one that builds graph even from plain numbers.

    The result takes ``name=`` besides, which may also be the last of the positional
    arguments, as in ``add(x, y, "total")``.

    Args:
        function: builds nodes, and computes at once if all its arguments are concrete.
        renamed: TensorFlow 1's names of its arguments, each with the name they have
            here, as in ``reduction_indices="axis"``.
    """
    count = _positional(function)

    @functools.wraps(function)
    def build(*args: Any, name: str | None = None, **kwargs: Any) -> Any:
        if len(args) == count + 1 and isinstance(args[-1], str):
            args, name = args[:-1], args[-1]
        for theirs in renamed.keys() & kwargs.keys():
            kwargs[renamed[theirs]] = kwargs.pop(theirs)
        with lazily(name) as request:
            result = function(*args, **kwargs)
        return request.settle(result)

    return build


def _positional(function: Callable[..., Any]) -> float:
    """Return how many positional arguments `function` takes."""
    code = function.__code__
    return math.inf if code.co_flags & inspect.CO_VARARGS else code.co_argcount
