"""Constructors that take by place what they pass on by name.

A constructor names what is its own, and passes ``**kwargs`` on to that of its base.
Given a signature it looks, and can be called, as if it named all of them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["with_signature"]


def with_signature(
    function: Callable[..., Any], signature: inspect.Signature
) -> Callable[..., Any]:
    """Return `function` as one that is called, and described, by `signature`.

    Args:
        function: takes all but its first argument by name.
        signature: its last parameter takes what the others do not name.

    Example:
        >>> def scale(x, **factors):
        ...     return x * factors["by"]
        >>> scale = with_signature(scale, inspect.signature(lambda x, by, **rest: 0))
        >>> scale(3, 2), str(inspect.signature(scale))
        (6, '(x, by, **rest)')
    """
    first, *_, rest = signature.parameters

    @functools.wraps(function)
    def complete(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        more = given.pop(rest, {})
        return function(given.pop(first), **given, **more)

    complete.__signature__ = signature  # type: ignore[attr-defined]
    del complete.__wrapped__  # who reads its source would miss what it takes
    return complete
