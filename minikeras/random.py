"""Random numbers, under the names of ``keras.random``.

Each function takes ``seed``: an integer for the same numbers every time, a
`SeedGenerator` for new ones at each call, None for the global generator.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from minikeras import backend as K
from minikeras.backend import SeedGenerator
from minikeras.ops.eager import eager

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


def _checked(
    draw: Callable[..., Any], name: str, kind: str, fits: Callable[[Any], bool]
) -> Callable[..., Any]:
    """Return `draw` as a function that refuses dtypes of another kind."""
    signature = inspect.signature(draw)

    @functools.wraps(draw)
    def checked(*args: Any, **kwargs: Any) -> Any:
        dtype = signature.bind(*args, **kwargs).arguments.get("dtype")
        if dtype and not fits(dtype):
            raise ValueError(
                f"`keras.random.{name}` requires {kind} `dtype`. Received: "
                f"dtype={dtype} "
            )
        return draw(*args, **kwargs)

    return checked


beta = eager(K.random_beta)
binomial = eager(K.random_binomial)
categorical = eager(K.random_categorical)
dropout = eager(K.dropout, inputs="x", rate="level")
gamma = eager(K.random_gamma)
normal = eager(K.random_normal)
randint = _checked(eager(K.random_integers), "randint", "an integer", K.is_int_dtype)
shuffle = eager(K.random_shuffle)
truncated_normal = eager(K.truncated_normal)
uniform = _checked(
    eager(K.random_uniform), "uniform", "a floating point", K.is_float_dtype
)
