"""Constructors that take by place what they pass on by name.

A layer whose base, or cell, takes most of its arguments passes ``**kwargs`` on, and
Keras has an order for those as well. `takes` writes it down: the constructor then
looks, and can be called, as if it named them all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, TypeVar

from minikeras import backend as K
from minikeras.layers.arguments import TURNED_OFF

__all__ = ["rules", "takes"]

C = TypeVar("C", bound=type)


def rules(*weights: str, activity: bool = True, between: str = "") -> str:
    """Return Keras's order of the arguments that say how weights start and are held.

    Args:
        weights: their names.
        activity: whether there is an ``activity_regularizer``.
        between: arguments between initializers and regularizers.
    """

    def each(rule: str) -> list[str]:
        return [f"{weight}_{rule}" for weight in weights]

    penalties = [*each("regularizer"), *(["activity_regularizer"] if activity else [])]
    order = [*each("initializer"), between, *penalties, *each("constraint")]
    return " ".join(order)


def takes(*names: str, **defaults: Any) -> Callable[[C], C]:
    """Return a decorator of classes: these are its constructor's arguments, in order.

    Args:
        names: separated by spaces; others can be given by name alone.
        defaults: those that are not the ones of the constructors below.
    """
    order = " ".join(names).split()

    def decorate(cls: C) -> C:
        below = _parameters(getattr(cls, "cell_class", object))
        known = {**TURNED_OFF, **below, **_parameters(cls), **defaults}
        parameters = [
            Parameter(
                name,
                Parameter.POSITIONAL_OR_KEYWORD,
                default=known[name],
            )
            for name in ("self", *order)
        ]
        rest = Parameter("kwargs", Parameter.VAR_KEYWORD)
        signature = Signature([*parameters, rest])
        cls.__init__ = K.with_signature(cls.__init__, signature)  # type: ignore[misc]
        return cls

    return decorate


def _parameters(cls: type) -> dict[str, Any]:
    """Return the defaults of the arguments of a class's constructors, the own last."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            found.update({p.name: p.default for p in parameters})
    return found
