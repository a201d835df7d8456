"""The arguments that all optimizers share, written once: in their base's constructor.

An optimizer's own constructor names what is its own, and passes ``**kwargs`` on. To a
caller it looks, and can be called, as if it named the shared ones as well: after its
own, and before those that follow a ``*``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter

from minikeras import backend as K

__all__ = ["with_arguments_of"]


def with_arguments_of(base: type, init: Callable[..., None]) -> Callable[..., None]:
    """Return the constructor `init` with the arguments of the one of `base` added.

    One without ``**kwargs`` is returned as it is.
    """
    own = inspect.signature(init).parameters
    rest = [p for p in own.values() if p.kind is Parameter.VAR_KEYWORD]
    if not rest:
        return init
    shared = inspect.signature(base.__init__).parameters
    before = [p for p in own.values() if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    after = [p for p in own.values() if p.kind is Parameter.KEYWORD_ONLY]
    added = [
        p
        for p in shared.values()
        if p.kind is Parameter.POSITIONAL_OR_KEYWORD and p.name not in own
    ]
    if any(p.default is Parameter.empty for p in added):  # a base that has no default
        return init
    plain = [p.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for p in after]
    signature = inspect.Signature([*before, *added, *plain, *rest])
    return K.with_signature(init, signature)
