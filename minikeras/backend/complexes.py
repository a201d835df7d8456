"""Complex numbers, and views of them as pairs of real ones."""

from __future__ import annotations

from typing import Any

from minikeras.backend.introspection import cast, dtype, known_shape, rank
from minikeras.backend.reshaping import stack
from minikeras.engine import ops as engine
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.ops import angle, conjugate, imag, isreal, real
from minikeras.engine.ops.reshaping import operand

__all__ = [
    "angle",
    "as_complex",
    "conj",
    "conjugate",
    "imag",
    "isreal",
    "polar",
    "real",
    "view_as_complex",
    "view_as_real",
]

conj = conjugate


def as_complex(x: Any, least_rank: int = 0) -> Tensor:
    """Return the complex numbers meant by the pair (real, imaginary).

    Raises:
        ValueError: if it is no pair of floating-point numbers in one shape, or has not
            so many axes.
    """
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. "
            f"Received: x={x}"
        )
    parts = real, imag = [operand(part) for part in x]
    if real.shape != imag.shape:
        raise ValueError(
            "Input `x` should be a tuple of two tensors - real and imaginary. Both the "
            "real and imaginary parts should have the same shape. Received: "
            f"x[0].shape = {real.shape}, x[1].shape = {imag.shape}"
        )
    check_rank(real, least_rank)
    if not all("float" in dtype(part) for part in parts):
        raise ValueError(
            f"At least one tensor in input `x` is not of type float. Received: x={x}."
        )
    return engine.complex(real, imag)


def check_rank(x: Any, least: int) -> None:
    """Demand so many axes.

    Raises:
        ShapeError: if there are fewer.
    """
    if rank(x) < least:
        raise ShapeError(
            f"Input should have rank >= {least}. Received: input.shape = {x.shape}"
        )


def polar(abs_: Any, angle: Any) -> Tensor:
    """Return the complex numbers with these absolute values and angles.

    Args:
        abs_: the distances from 0.
        angle: from the real axis, in radians.
    """
    return as_complex(
        (
            engine.multiply(abs_, engine.cos(angle)),
            engine.multiply(abs_, engine.sin(angle)),
        )
    )


def view_as_complex(x: Any) -> Tensor:
    """Return the complex numbers (complex64) whose parts lie along the last axis.

    Shapes:
        x: (..., 2)
        returns: (...)

    Raises:
        ShapeError: if there is no such axis.
    """
    x = operand(x)
    if known_shape(x)[-1:] not in ((2,), (None,)):
        raise ShapeError(
            "Last dimension of input must be size 2 (real and imaginary). "
            f"Received shape: {x.shape}"
        )
    x = cast(x, "float32")
    return engine.complex(x[..., 0], x[..., 1])


def view_as_real(x: Any) -> Tensor:
    """Return the two parts of complex numbers along a new last axis.

    Shapes:
        x: (...)
        returns: (..., 2)
    """
    return stack([real(x), imag(x)], -1)
