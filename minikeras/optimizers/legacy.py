"""The optimizers of Keras 2, which Keras 3 has in name alone."""

from __future__ import annotations

from typing import Any

__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]


class Optimizer:
    """Refuses to be made.

    Raises:
        ImportError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise ImportError(
            "`keras.optimizers.legacy` is not supported in Keras 3: use the optimizers "
            "of `keras.optimizers`."
        )


SGD = Adagrad = Adam = Ftrl = RMSprop = Optimizer
