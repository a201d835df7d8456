"""Kinds of numbers: names, conversion of Python values, and one promotion table.

Promotion follows Keras 3, which follows JAX: a lattice on which the result type of
two operands is their least upper bound. Python scalars are *weak*: ``1`` and ``2.5``
do not widen a float16 operand.

Source: JAX type promotion semantics (jax.readthedocs.io, JEP 9407) and
``keras.backend.result_type``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from minikeras.engine.errors import DTypeError

__all__ = [
    "DType",
    "as_dtype",
    "dtype_of",
    "floatx",
    "result_type",
    "set_floatx",
    "to_float",
]

FLOATS = ("bfloat16", "float16", "float32", "float64")
INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
COMPLEXES = ("complex64", "complex128")
# Forms in which numbers are kept, not computed with: they meet no others.
NARROW = ("float8_e4m3fn", "float8_e5m2")


class DType(str):
    """The name of a kind of number, such as ``"float32"``; equal to that string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<dtype: '{self}'>"

    @property
    def name(self) -> str:
        """The plain name."""
        return str.__str__(self)

    @property
    def base_dtype(self) -> DType:
        """Itself; in TensorFlow 1 a variable's type has one, without its ``_ref``."""
        return self

    @property
    def is_floating(self) -> bool:
        """Whether it is a real floating-point type."""
        return self in FLOATS

    @property
    def is_integer(self) -> bool:
        """Whether it is a signed or unsigned integer type."""
        return self in INTEGERS

    @property
    def is_bool(self) -> bool:
        """Whether it is the boolean type."""
        return self == "bool"

    @property
    def is_complex(self) -> bool:
        """Whether it is a complex type."""
        return self in COMPLEXES

    @property
    def is_differentiable(self) -> bool:
        """Whether derivatives flow through it."""
        return self in FLOATS or self in COMPLEXES

    @property
    def real(self) -> DType:
        """That of its real part: itself, unless it is complex."""
        parts = {"complex64": "float32", "complex128": "float64"}
        return NAMES[parts[self]] if self in parts else self

    @property
    def complex(self) -> DType:
        """That of complex numbers with such parts: complex64, unless too narrow."""
        return NAMES["complex128" if self in ("float64", "complex128") else "complex64"]

    @property
    def as_numpy_dtype(self) -> np.dtype[Any]:
        """The NumPy type object."""
        return _numpy(str(self))

    @property
    def size(self) -> int:
        """Bytes of one element."""
        return self.as_numpy_dtype.itemsize


NAMES = {
    name: DType(name)
    for name in ("bool", *INTEGERS, *FLOATS, *COMPLEXES, *NARROW, "string")
}
ALIASES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "int": "int32",
    "str": "string",
    "object": "string",
}


# NumPy's types as such: looking their names up is slow.
_OF_NUMPY = {
    np.dtype(name): dtype
    for name, dtype in NAMES.items()
    if name not in ("bfloat16", "string", *NARROW)
}


@cache
def _numpy(name: str) -> np.dtype[Any]:
    if name == "bfloat16" or name in NARROW:
        try:
            return np.dtype(getattr(import_module("ml_dtypes"), name))
        except ImportError:
            raise DTypeError(
                f"{name} needs ml_dtypes; pip install 'minikeras[bfloat16]'"
            ) from None
    return np.dtype("object" if name == "string" else name)


_floatx = NAMES["float32"]


def floatx() -> DType:
    """Return the default floating-point type, ``float32`` unless it was set."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the default floating-point type: one of the floating-point names.

    Raises:
        DTypeError: if `value` is not the name of a floating-point type.
    """
    global _floatx
    if value not in FLOATS:
        raise DTypeError(f"floatx must be one of {', '.join(FLOATS)}; got {value!r}")
    _floatx = NAMES[value]


def as_dtype(value: Any) -> DType:
    """Return the `DType` meant by a name, a NumPy or Python type, or an alias.

    Raises:
        DTypeError: if nothing of that name exists.
    """
    found = _known(value)
    if found is None:
        raise DTypeError(f"{value!r} is not a dtype; known: {', '.join(NAMES)}")
    return found


def _known(value: Any) -> DType | None:
    if isinstance(value, DType):
        return value
    if isinstance(value, np.dtype) and value in _OF_NUMPY:
        return _OF_NUMPY[value]
    if isinstance(value, str):
        # "int32_ref" is how TensorFlow 1 prints the type of a variable.
        name = value.removesuffix("_ref").removeprefix("<dtype: '").removesuffix("'>")
        name = ALIASES.get(name, name)
        return NAMES.get(name)
    if value is float:
        return _floatx
    if value is int:
        return NAMES["int32"]
    try:
        dtype = np.dtype(value)
    except TypeError:
        return None
    return NAMES["string"] if dtype.kind in "USOT" else NAMES.get(dtype.name)


def dtype_of(value: Any) -> DType:
    """Return the dtype of an array or tensor, or the default one of a Python scalar."""
    if hasattr(value, "dtype"):
        return as_dtype(value.dtype)
    return as_dtype(type(value))


# The lattice, each type with what lies directly above it. "int" and "float" are the
# weak types of Python scalars.
_ABOVE: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}


def _upper_bounds(name: str) -> set[str]:
    bounds, frontier = {name}, [name]
    while frontier:
        for above in _ABOVE[frontier.pop()]:
            if above not in bounds:
                bounds.add(above)
                frontier.append(above)
    return bounds


_BOUNDS = {name: _upper_bounds(name) for name in _ABOVE}


@cache
def _meeting(kinds: tuple[Any, ...]) -> str:
    """Return the name of the least upper bound of `kinds`, weak or strong."""
    names = {
        "int" if kind is int else "float" if kind is float else str(as_dtype(kind))
        for kind in kinds
    }
    if "string" in names:
        if len(names) > 1:
            raise DTypeError(f"strings and numbers do not mix: {sorted(names)}")
        return "string"
    if not names.isdisjoint(NARROW):
        raise DTypeError(
            "There is no implicit conversions from float8 dtypes to others. You may "
            f"need to cast explicitly. Received: {sorted(names)}"
        )
    common = set.intersection(*(_BOUNDS[name] for name in names))
    # The least element is the common bound below which no other common bound lies.
    least = min(common, key=lambda name: len(_BOUNDS[name] ^ common))
    # As in Keras, 64 bits come of 64 bits alone: uint32 meets int32 in int32.
    return "int32" if least == "int64" and "int64" not in names else least


def result_type(*kinds: Any) -> DType:
    """Return the type in which operands of these `kinds` meet.

    A kind is a dtype (strong), or the Python type ``bool``, ``int`` or ``float``
    (weak: it gives way to any strong type of its kind or a higher one).

    Example:
        >>> result_type("int32", "float16"), result_type("float16", float)
        (<dtype: 'float16'>, <dtype: 'float16'>)
        >>> result_type("int64", "float32"), result_type("int32", float)
        (<dtype: 'float32'>, <dtype: 'float32'>)
    """
    found = _meeting(kinds)
    if found == "float":
        return _floatx
    return NAMES["int32"] if found == "int" else NAMES[found]


def to_float(dtype: DType) -> DType:
    """Return `dtype` if derivatives flow through it, else the default float."""
    return dtype if dtype.is_differentiable else _floatx
