"""Fourier transforms, and the frames of a signal which are transformed one by one.

The discrete Fourier transform is a product with a symmetric matrix, so it is its own
transpose: the gradient of a transform is the same transform of the gradient. That of
real numbers keeps half of the frequencies; its transpose adds up their waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from minikeras.engine import shapes
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.elementwise import conjugate
from minikeras.engine.ops.filling import zeros
from minikeras.engine.ops.joining import unstack
from minikeras.engine.ops.reshaping import broadcast_to, operand, shape
from minikeras.engine.ops.selection import ScatterSelected, Selection
from minikeras.engine.ops.state import cast
from minikeras.engine.spec import Array, Spec

__all__ = ["extract_sequences", "fftn", "irfft", "overlap_add", "rfft"]


def _last(x: Spec, op: str) -> int | None:
    """Return the size of the last axis.

    Raises:
        ShapeError: if there is none.
    """
    if not x.known:
        raise ShapeError(f"{op}: a scalar has no axis to transform along")
    return x.known[-1]


# -- complex to complex ----------------------------------------------------------------


class FFT(Op, name="fftn"):
    """y[k] = sum over n of x[n] exp(∓2πi kn/N), along each axis; the inverse by N."""

    axes: tuple[int, ...]
    inverse: bool = False
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        if not x.dtype.is_complex:
            raise DTypeError(f"fftn: complex numbers are transformed; got {x.dtype}")
        if x.shape is not None:
            shapes.axes_of(self.axes, len(x.shape))
        return Spec(x.shape, x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        transform = xp.fft.ifftn if self.inverse else xp.fft.fftn
        return transform(x, axes=self.axes)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (self(g),)


def fftn(x: Any, axes: Sequence[int] = (-1,), inverse: bool = False) -> Tensor:
    """Return the discrete Fourier transform of complex numbers along `axes`.

    Args:
        x: complex numbers.
        axes: along which.
        inverse: whether to undo it instead.
    """
    return FFT(tuple(axes), inverse)(x)


# -- real to complex, and back ---------------------------------------------------------


def _shares(xp: ModuleType, n: int, like: Array) -> Array:
    """Return what each frequency's wave counts for in the inverse transform.

    Those that stand for their mirror image, too, count twice.
    """
    shares = xp.full(n // 2 + 1, 2 / n, like.real.dtype)
    shares[0] = 1 / n
    if n % 2 == 0:
        shares[-1] = 1 / n
    return shares


class RFFT(Op, name="rfft"):
    """y[k] = sum over n of x[n] exp(-2πi kn/N), for k up to N/2.

    With `shares` each y[k] is multiplied by its wave's share in the inverse.
    """

    shares: bool = False
    promotes = True
    floats = True

    def infer(self, x: Spec) -> Spec:
        n = _last(x, "rfft")
        if x.dtype.is_complex:
            raise DTypeError(f"rfft: real numbers are transformed; got {x.dtype}")
        return Spec((*x.known[:-1], n and n // 2 + 1), x.dtype.complex)

    def infer_any_rank(self, x: Spec) -> Spec:
        return Spec(None, x.dtype.complex)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        wide = x.astype(xp.result_type(x.dtype, "float32"), copy=False)
        y = xp.fft.rfft(wide)
        return y * _shares(xp, x.shape[-1], wide) if self.shares else y

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        waves = IRFFT(self.shares)(conjugate(g), shape(x)[-1])
        return (cast(waves, x.dtype),)


def rfft(x: Any) -> Tensor:
    """Return the discrete Fourier transform of real numbers along the last axis.

    Shapes:
        x: (..., n)
        returns: (..., n // 2 + 1), as the other frequencies mirror these
    """
    return RFFT()(x)


class IRFFT(Op, name="irfft"):
    """y[n] = sum over k of the real part of x[k] exp(2πi kn/N), each with its share.

    Without `shares` each wave counts once.
    """

    shares: bool = True

    def infer(self, x: Spec, length: Spec) -> Spec:
        bins, n = _last(x, "irfft"), length.value[0] if length.value else None
        if not x.dtype.is_complex:
            raise DTypeError(f"irfft: complex numbers are transformed; got {x.dtype}")
        if n is not None and not shapes.compatible(bins, n // 2 + 1):
            raise ShapeError(
                f"irfft: {n} numbers have {n // 2 + 1} frequencies; got {bins}"
            )
        return Spec((*x.known[:-1], n), x.dtype.real)

    def infer_any_rank(self, x: Spec, length: Spec) -> Spec:
        return Spec(None, x.dtype.real)

    def kernel(self, xp: ModuleType, x: Array, length: Array) -> Array:
        n = int(length)
        x = x if self.shares else x / _shares(xp, n, x)
        return xp.fft.irfft(x, n)

    def vjp(
        self, g: Tensor, y: Tensor, x: Tensor, length: Tensor
    ) -> tuple[Tensor, None]:
        return conjugate(RFFT(self.shares)(g)), None


def irfft(x: Any, length: Any) -> Tensor:
    """Return the `length` real numbers of which `rfft` makes `x`.

    Shapes:
        x: (..., length // 2 + 1)
        returns: (..., length)
    """
    return IRFFT()(x, length)


# -- frames ----------------------------------------------------------------------------


class Frames(Selection, name="extract_sequences"):
    """y[..., i, j] = x[..., stride i + j]."""

    length: int
    stride: int

    def infer(self, x: Spec) -> Spec:
        n = _last(x, "extract_sequences")
        count = None if n is None else max(0, 1 + (n - self.length) // self.stride)
        return Spec((*x.known[:-1], count, self.length), x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        if x.shape[-1] < self.length:
            return xp.empty((*x.shape[:-1], 0, self.length), x.dtype)
        windows = xp.lib.stride_tricks.sliding_window_view(x, self.length, -1)
        return windows[..., :: self.stride, :]

    def scatter(
        self, xp: ModuleType, g: Array, shape: Sequence[int], *indices: Array
    ) -> Array:
        # x in lines of a stride each: a piece of every frame is added at once.
        n, width, count = shape[-1], self.stride, g.shape[-2]
        lines = xp.zeros((*shape[:-1], -(-n // width), width), g.dtype)
        for i, first in enumerate(range(0, self.length, width)):
            piece = g[..., first : first + width]
            lines[..., i : i + count, : piece.shape[-1]] += piece
        return lines.reshape(*shape[:-1], -1)[..., :n]


def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """Return pieces of `x` along its last axis, which may overlap.

    Shapes:
        x: (..., n)
        returns: (..., 1 + (n - sequence_length) // sequence_stride, sequence_length)
    """
    return Frames(int(sequence_length), int(sequence_stride))(x)


def overlap_add(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """Return the sum of pieces of a signal, each where `extract_sequences` takes it.

    Shapes:
        x: (..., pieces, sequence_length)
        returns: (..., (pieces - 1) * sequence_stride + sequence_length)
    """
    frames = Frames(int(sequence_length), int(sequence_stride))
    x = operand(x)
    *lead, count, _ = unstack(shape(x))
    n = (count - 1) * frames.stride + frames.length
    return ScatterSelected(frames)(x, broadcast_to(zeros((), x.dtype), [*lead, n]))
