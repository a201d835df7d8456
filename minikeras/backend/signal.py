"""Signals: window functions, Fourier transforms, and those of short pieces.

As in Keras, complex numbers come and go as pairs (real, imaginary).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minikeras.backend.allocation import check_size
from minikeras.backend.complexes import as_complex, check_rank
from minikeras.backend.introspection import (
    convert_to_tensor,
    dtype,
    known_shape,
    rank,
    standardize_dtype,
)
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor
from minikeras.engine.ops.reshaping import operand

__all__ = [
    "extract_sequences",
    "fft",
    "fft2",
    "get_window",
    "ifft2",
    "irfft",
    "istft",
    "rfft",
    "stft",
]

Pair = tuple[Tensor, Tensor]


# -- window functions ------------------------------------------------------------------


def _cosines(*weights: float) -> Callable[[int], Any]:
    """Return the window that is an alternating sum of cosines of whole periods."""

    def window(size: int) -> Any:
        angle = 2 * np.pi * np.arange(size) / (size - 1)
        return sum((-1) ** k * a * np.cos(k * angle) for k, a in enumerate(weights))

    return window


def _barthann(size: int) -> Any:
    x = np.abs(np.arange(size) / (size - 1) - 0.5)
    return 0.62 - 0.48 * x + 0.38 * np.cos(2 * np.pi * x)


def _bohman(size: int) -> Any:
    x = np.abs(np.linspace(-1, 1, size))
    return (1 - x) * np.cos(np.pi * x) + np.sin(np.pi * x) / np.pi


def _parzen(size: int) -> Any:
    x = np.abs(np.arange(size) - (size - 1) / 2) * 2 / size
    return np.where(x > 0.5, 2 * (1 - x) ** 3, 1 - 6 * x**2 * (1 - x))


def _triang(size: int) -> Any:
    odd = size % 2
    slopes = (2 * np.arange(size) + 1 + odd) / (size + odd)
    return np.minimum(slopes, slopes[::-1])


def _tukey(size: int) -> Any:
    """Return a rectangle whose outer quarters are half a period of a cosine."""
    x = np.abs(np.linspace(-2, 2, size)) - 1
    return (1 + np.cos(np.pi * np.maximum(x, 0))) / 2


# By name, as a function of their size.
WINDOWS: dict[str, Callable[[int], Any]] = {
    "barthann": _barthann,
    "bartlett": np.bartlett,
    "blackman": _cosines(0.42, 0.5, 0.08),
    "blackmanharris": _cosines(0.35875, 0.48829, 0.14128, 0.01168),
    "bohman": _bohman,
    "boxcar": np.ones,
    "cosine": lambda size: np.sin(np.pi / size * (np.arange(size) + 0.5)),
    "flattop": _cosines(0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
    "hamming": _cosines(0.54, 0.46),
    "hann": _cosines(0.5, 0.5),
    "lanczos": lambda size: np.sinc(np.linspace(-1, 1, size)),
    "nuttall": _cosines(0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "parzen": _parzen,
    "triang": _triang,
    "tukey": _tukey,
}


def get_window(name: str, size: int, periodic: bool = True, dtype: Any = None) -> Any:
    """Return the weights of a window function.

    Args:
        name: one of scipy's names that need no parameter.
        size: how many weights there are.
        periodic: whether the next period would begin after them, as the transform of a
            piece supposes; if not, the last weight is the first one.
        dtype: floatx by default.

    Raises:
        ValueError: if there is no such window.

    Example:
        >>> get_window("hann", 4), get_window("bartlett", 3, periodic=False)
        (array([0. , 0.5, 1. , 0.5], dtype=float32), array([0., 1., 0.], dtype=float32))
    """
    if name not in WINDOWS:
        raise ValueError(
            f"Invalid window name {name!r}; known are {', '.join(WINDOWS)}"
        )
    check_size(f"window {name!r}", (size,))
    whole = WINDOWS[name](size + periodic) if size > 1 else np.ones(size)
    return convert_to_tensor(whole[:size], standardize_dtype(dtype))


# -- transforms ------------------------------------------------------------------------


def fft(x: Any) -> Pair:
    """Return the discrete Fourier transform along the last axis.

    Args:
        x: the pair (real, imaginary).
    """
    return _transformed(x, (-1,))


def fft2(x: Any) -> Pair:
    """Return the discrete Fourier transform along the last two axes; see `fft`."""
    return _transformed(x, (-2, -1))


def ifft2(x: Any) -> Pair:
    """Return that of which `fft2` makes `x`."""
    return _transformed(x, (-2, -1), inverse=True)


def _transformed(x: Any, axes: tuple[int, ...], inverse: bool = False) -> Pair:
    z = as_complex(x, len(axes))
    return _parts(engine.fftn(z, axes, inverse), dtype(x[0]))


def _parts(z: Any, kind: str) -> Pair:
    return engine.cast(engine.real(z), kind), engine.cast(engine.imag(z), kind)


def rfft(x: Any, fft_length: int | None = None) -> Pair:
    """Return the discrete Fourier transform of real numbers along the last axis.

    Args:
        x: real numbers.
        fft_length: how many of them to transform; the axis is cut off or filled with
            zeros.

    Shapes:
        x: (..., n)
        returns: (..., fft_length // 2 + 1), twice; the other frequencies mirror these
    """
    x = operand(x)
    check_rank(x, 1)
    kind = dtype(x) if "float" in dtype(x) else standardize_dtype(None)
    return _parts(engine.rfft(_resized(x, fft_length)), kind)


def irfft(x: Any, fft_length: int | None = None) -> Tensor:
    """Return the real numbers of which `rfft` makes the pair `x`.

    Args:
        x: the pair (real, imaginary).
        fft_length: how many numbers they are; by default the even one of the two that
            are possible.

    Shapes:
        x: (..., fft_length // 2 + 1), twice
        returns: (..., fft_length)
    """
    z = as_complex(x, 1)
    if fft_length is not None:
        y = engine.irfft(_resized(z, fft_length // 2 + 1), fft_length)
    else:
        y = engine.irfft(z, 2 * (engine.shape(z)[-1] - 1))
    return engine.cast(y, dtype(x[0]))


def _resized(x: Any, size: int | None) -> Any:
    """Return `x`, cut off or filled with zeros along the last axis."""
    n, others = x.shape[-1], rank(x) - 1
    if size is None or size == n:
        return x
    if n is None or n < size:
        more = size if n is None else size - n
        x = engine.pad(x, [(0, 0)] * others + [(0, more)])
    return engine.slice(x, (0,) * (others + 1), (*(-1,) * others, size))


# -- transforms of short pieces --------------------------------------------------------


def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """Return pieces of `x` along its last axis, which may overlap.

    Args:
        x: a signal.
        sequence_length: the size of a piece.
        sequence_stride: from the beginning of a piece to that of the next one.

    Shapes:
        x: (..., n)
        returns: (..., 1 + (n - sequence_length) // sequence_stride, sequence_length)
    """
    x = operand(x)
    check_rank(x, 1)
    return engine.extract_sequences(x, sequence_length, sequence_stride)


def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Pair:
    """Return the Fourier transforms of short, overlapping pieces of a signal.

    Args:
        x: the signal, along the last axis: float32 or float64.
        sequence_length: the size of the window.
        sequence_stride: from the beginning of a piece to that of the next one.
        fft_length: the size of a piece; the window is in its middle.
        window: "hann" or "hamming", the weights themselves, or None for no window.
        center: whether the signal is mirrored at both ends, so that the first piece has
            its first number in the middle.

    Shapes:
        x: (..., n)
        returns: (..., pieces, fft_length // 2 + 1), twice: real and imaginary parts

    Raises:
        ValueError: if the sizes or the window do not fit.
        TypeError: if `x` is of another dtype.
    """
    x = operand(x)
    _check_stride(sequence_stride)
    if dtype(x) not in ("float32", "float64"):
        raise TypeError(
            "Invalid input type. Expected `float32` or `float64`. "
            f"Received: input type={dtype(x)}"
        )
    weights = _weights(window, sequence_length, fft_length, dtype(x))
    if center:
        border = (fft_length // 2,) * 2
        x = engine.pad(x, [(0, 0)] * (rank(x) - 1) + [border], "reflect")
    pieces = extract_sequences(x, fft_length, sequence_stride)
    return _parts(engine.rfft(engine.multiply(pieces, weights)), dtype(x))


def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """Return the signal of which `stft` makes the pair `x`.

    Where pieces overlap, their sum is divided by that of the squares of the windows:
    of all signals its transform is the closest to `x`. Without a window Keras's result,
    and so this one, is ``fft_length / sequence_stride`` times as large.

    Args:
        x: the pair (real, imaginary).
        sequence_length: the size of the window.
        sequence_stride: from the beginning of a piece to that of the next one.
        fft_length: the size of a piece.
        length: that of the signal: it is cut off, or filled with zeros.
        window: as it was given to `stft`.
        center: whether the signal was mirrored at its ends.

    Shapes:
        x: (..., pieces, fft_length // 2 + 1), twice
        returns: (..., n)

    Raises:
        ValueError: if the sizes or the window do not fit.

    Source: Griffin and Lim 1984, doi:10.1109/TASSP.1984.1164317, equation 6.
    """
    _check_stride(sequence_stride)
    as_complex(x, 2)
    pieces = irfft(x, fft_length)
    weights = _weights(window, sequence_length, fft_length, dtype(pieces))
    squares = engine.broadcast_to(engine.square(weights), engine.shape(pieces)[-2:])
    total, norm = (
        engine.overlap_add(part, fft_length, sequence_stride)
        for part in (engine.multiply(pieces, weights), squares)
    )
    y = engine.divide(total, engine.where(norm > 1e-10, norm, 1))
    if window is None:
        y = engine.multiply(y, fft_length / sequence_stride)
    first = fft_length // 2 if center else 0
    if length is not None:
        return _resized(y[..., first:], length)
    return y[..., first:-first] if first else y


def _check_stride(stride: Any) -> None:
    if not isinstance(stride, int) or stride <= 0:
        raise ValueError(
            "`sequence_stride` must be a positive integer. "
            f"Received: sequence_stride={stride}"
        )


def _weights(window: Any, size: int, fft_length: int, kind: str) -> Any:
    """Return the weights of a window in the middle of `fft_length` numbers."""
    if fft_length < size:
        raise ValueError(
            "`fft_length` must equal or larger than `sequence_length`. "
            f"Received: sequence_length={size}, fft_length={fft_length}"
        )
    if window is None:
        return engine.ones((fft_length,), kind)
    if not isinstance(window, str):
        weights = convert_to_tensor(window, kind)
    elif window in ("hann", "hamming"):
        weights = get_window(window, size, dtype=kind)
    else:
        raise ValueError(
            'If a string is passed to `window`, it must be one of `"hann"`, '
            f'`"hamming"`. Received: window={window}'
        )
    if known_shape(weights) not in ((size,), (None,)):
        raise ValueError(
            "The shape of `window` must be equal to [sequence_length]. "
            f"Received: window shape={weights.shape}"
        )
    before = (fft_length - size) // 2
    return engine.pad(weights, [(before, fft_length - size - before)])
