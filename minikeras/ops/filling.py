"""Arrays to start from, under Keras 3's names."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.engine import ops as engine
from minikeras.ops.eager import eager

__all__ = [
    "arange",
    "array",
    "copy",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tri",
    "zeros",
    "zeros_like",
]

empty = eager(K.empty)
full = eager(K.full)
full_like = eager(K.full_like)


@eager
def array(x: Any, dtype: Any = None) -> Any:
    """Return `x` as an array."""
    return K.convert_to_tensor(x, dtype)


@eager
def copy(x: Any) -> Any:
    """Return an array of its own with the elements of `x`."""
    return K.add(x, 0) if K.dtype(x) != "bool" else K.logical_or(x, False)


@eager
def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return zeros, floatx by default."""
    return K.zeros(shape, dtype)


@eager
def ones(shape: Any, dtype: Any = None) -> Any:
    """Return ones, floatx by default."""
    return K.ones(shape, dtype)


@eager
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return zeros of the shape of `x`, and of its dtype by default."""
    return K.zeros_like(x, dtype)


@eager
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return ones of the shape of `x`, and of its dtype by default."""
    return K.ones_like(x, dtype)


empty_like = zeros_like


@eager
def eye(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix with ones on its diagonal number `k`, floatx by default.

    Raises:
        TypeError: if a size is no integer.
    """
    for size in (N, M):
        if size is not None and not K.is_int_dtype(K.dtype(size)):
            raise TypeError(f"eye: a size is an integer; got {size!r}")
    return engine.eye(N, M, k, K.standardize_dtype(dtype))


@eager
def identity(n: Any, dtype: Any = None) -> Any:
    """Return the identity matrix of `n` rows, floatx by default."""
    return engine.eye(n, dtype=K.standardize_dtype(dtype))


@eager
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix with ones on and below its diagonal number `k`."""
    return K.tril(K.ones((N, N if M is None else M), dtype), k)


@eager
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Return the numbers from `start` up to, and without, `stop`."""
    return K.arange(start, stop, 1 if step is None else step, dtype)


@eager
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `num` numbers, evenly spaced; with `retstep` also their distance."""
    numbers = K.linspace(start, stop, num, endpoint, dtype, axis)
    if not retstep:
        return numbers
    gaps = num - 1 if endpoint else num
    return numbers, K.divide(K.subtract(stop, start), gaps)


@eager
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `base` to the power of `num` numbers, evenly spaced."""
    powers = K.power(base, K.linspace(start, stop, num, endpoint, None, axis))
    return powers if dtype is None else K.cast(powers, dtype)


@eager
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return `num` numbers, each of which is the one before times the same factor.

    `start` and `stop` have the same sign, and are not 0.
    """
    start = K.multiply(start, 1.0)
    first, last = (K.log(K.abs(x)) for x in (start, stop))
    sizes = K.exp(K.linspace(first, last, num, endpoint, None, axis))
    numbers = K.multiply(sizes, K.sign(K.expand_dims(start, axis)))
    return numbers if dtype is None else K.cast(numbers, dtype)
