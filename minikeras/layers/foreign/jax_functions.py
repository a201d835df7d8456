"""Functions of JAX arrays, as the engine wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.utils.extras import required

__all__ = ["JaxFunction", "library"]


def library(purpose: str) -> Any:
    """Return JAX.

    Raises:
        ImportError: if it is not installed.
    """
    return required("jax", "jax", purpose)


class JaxFunction:
    """A function of several JAX arrays, compiled; `jax.vjp` differentiates it.

    Args:
        function: returns a list of arrays.
    """

    def __init__(self, function: Callable[..., Sequence[Any]]) -> None:
        self._jax = library("A function of JAX arrays")
        self._function = function
        self._compiled = self._jax.jit(function)

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Return the results."""
        return self._compiled(*arrays)

    def specs(self, inputs: Sequence[tuple[Any, str]]) -> Any:
        """Return shape and dtype of each result, given those of the arguments."""
        return K.specs_by_trial(self._evaluated, inputs)

    def _evaluated(self, inputs: Sequence[tuple[Any, str]]) -> Any:
        narrowed = self._jax.dtypes.canonicalize_dtype  # JAX has 32 bits by default
        stand_ins = [
            self._jax.ShapeDtypeStruct(shape, narrowed(dtype))
            for shape, dtype in inputs
        ]
        found = self._jax.eval_shape(self._function, *stand_ins)
        return [(y.shape, y.dtype.name) for y in found]

    def gradient(self, count: int) -> JaxFunction:
        """Return the function of the results' gradients, and of the arguments."""

        def slopes(*arrays: Any) -> Sequence[Any]:
            gs, xs = arrays[:count], arrays[count:]
            smooth = [i for i, x in enumerate(xs) if self._is_smooth(x)]

            def part(*chosen: Any) -> Sequence[Any]:
                given = dict(zip(smooth, chosen, strict=True))
                ys = self._function(*(given.get(i, x) for i, x in enumerate(xs)))
                return [y for y in ys if self._is_smooth(y)]

            ys, back = self._jax.vjp(part, *(xs[i] for i in smooth))
            arrived = [g for g in gs if self._is_smooth(g)]
            pairs = zip(arrived, ys, strict=True)
            return list(back([g.astype(y.dtype) for g, y in pairs]))

        return JaxFunction(slopes)

    def _is_smooth(self, x: Any) -> bool:
        return bool(self._jax.numpy.issubdtype(x.dtype, self._jax.numpy.inexact))
