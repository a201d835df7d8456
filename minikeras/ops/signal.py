"""Signals, complex numbers and special functions, under Keras 3's names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.ops.eager import eager

__all__ = [
    "angle",
    "bartlett",
    "blackman",
    "cbrt",
    "conj",
    "conjugate",
    "erfc",
    "erfinv",
    "extract_sequences",
    "fft",
    "fft2",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "hamming",
    "hanning",
    "i0",
    "ifft2",
    "imag",
    "irfft",
    "isreal",
    "istft",
    "kaiser",
    "lcm",
    "nextafter",
    "polar",
    "real",
    "rfft",
    "signbit",
    "sinc",
    "stft",
    "view",
    "view_as_complex",
    "view_as_real",
]

# -- complex numbers -------------------------------------------------------------------

angle = eager(K.angle)
conj = conjugate = eager(K.conjugate)
imag = eager(K.imag)
isreal = eager(K.isreal)
polar = eager(K.polar)
real = eager(K.real)
view_as_complex = eager(K.view_as_complex)
view_as_real = eager(K.view_as_real)

# -- transforms ------------------------------------------------------------------------

extract_sequences = eager(K.extract_sequences)


def _of_known_sizes(function: Callable[..., Any], axes: int) -> Callable[..., Any]:
    """Return a transform that refuses last axes of unknown size, as Keras's does."""

    @functools.wraps(function)
    def call(x: Any) -> Any:
        sizes = K.int_shape(x[0]) if isinstance(x, (tuple, list)) and len(x) else None
        if None in (sizes or ())[-axes:]:
            which = "last dimension" if axes == 1 else "(-2, -1) axes"
            raise ValueError(
                f"Input should have its {which} fully-defined. Received: input.shape "
                f"= {sizes}"
            )
        return function(x)

    return eager(call)


fft = _of_known_sizes(K.fft, 1)
fft2 = _of_known_sizes(K.fft2, 2)
ifft2 = _of_known_sizes(K.ifft2, 2)
irfft = eager(K.irfft)
istft = eager(K.istft)
rfft = eager(K.rfft)
stft = eager(K.stft)

# -- functions of numbers --------------------------------------------------------------

cbrt = eager(K.cbrt)
erfc = eager(K.erfc)
erfinv = eager(K.erfinv)
fmax = eager(K.fmax)
fmin = eager(K.fmin)
fmod = eager(K.fmod)
gcd = eager(K.gcd)
i0 = eager(K.i0)
lcm = eager(K.lcm)
nextafter = eager(K.nextafter)
signbit = eager(K.signbit)
sinc = eager(K.sinc)
view = eager(K.view)

# -- window functions ------------------------------------------------------------------


def _window(function: Callable[..., Any], x: Any, *parameters: Any) -> Any:
    """Return the weights that one of NumPy's windows has at `x` points.

    Raises:
        TypeError: if the number of points is only known during a run.
    """
    if K.is_symbolic(x):
        raise TypeError(
            f"{function.__name__.title()} operation does not support symbolic tensors. "
            f"Received input x = {x} of type {type(x)}"
        )
    return K.convert_to_tensor(function(int(x), *parameters), K.floatx())


@eager
def bartlett(x: Any) -> Any:
    """Return a triangle of `x` weights, 0 at both ends."""
    return _window(np.bartlett, x)


@eager
def blackman(x: Any) -> Any:
    """Return Blackman's window of `x` weights: two cosines, 0 at both ends."""
    return _window(np.blackman, x)


@eager
def hamming(x: Any) -> Any:
    """Return Hamming's window of `x` weights: a cosine, 0.08 at both ends."""
    return _window(np.hamming, x)


@eager
def hanning(x: Any) -> Any:
    """Return von Hann's window of `x` weights: a cosine, 0 at both ends."""
    return _window(np.hanning, x)


@eager
def kaiser(x: Any, beta: Any) -> Any:
    """Return Kaiser's window of `x` weights, the narrower the larger `beta`.

    At 0 it is a rectangle; 5 comes close to Hamming's window, 8.6 to Blackman's.
    """
    return _window(np.kaiser, x, float(beta))
