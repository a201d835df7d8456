"""What a value is: its shape, dtype and kind; and conversions between kinds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minikeras.backend.config import floatx
from minikeras.backend.variables import eval as evaluate
from minikeras.backend.variables import is_variable
from minikeras.engine import devices, dtypes
from minikeras.engine import ops as engine
from minikeras.engine.dtypes import result_type as meeting
from minikeras.engine.errors import DTypeError, ShapeError
from minikeras.engine.graph import Tensor, is_symbolic
from minikeras.engine.op import as_array, as_tensor, promoted
from minikeras.engine.ops import shape, size
from minikeras.engine.spec import Array, Shape

__all__ = [
    "as_integers",
    "cast",
    "cast_to_floatx",
    "convert_to_numpy",
    "convert_to_tensor",
    "count_params",
    "dtype",
    "get_variable_shape",
    "in_one_dtype",
    "int_shape",
    "is_float_dtype",
    "is_int_dtype",
    "is_placeholder",
    "is_sparse",
    "is_symbolic",
    "is_tensor",
    "known_shape",
    "limits",
    "long_as_float",
    "ndim",
    "rank",
    "result_type",
    "shape",
    "size",
    "standardize_dtype",
    "to_dense",
]


# -- shapes ----------------------------------------------------------------------------


def int_shape(x: Any) -> Shape | None:
    """Return the static shape of `x`: None for an unknown size, or for all of it.

    Example:
        >>> int_shape(placeholder((None, 3)))
        (None, 3)
    """
    shape = x.shape if hasattr(x, "shape") else as_array(x).shape
    return None if shape is None else tuple(shape)


get_variable_shape = int_shape


def ndim(x: Any) -> int | None:
    """Return the number of axes of `x`, None if unknown."""
    shape = int_shape(x)
    return None if shape is None else len(shape)


def known_shape(x: Any) -> Shape:
    """Return the static shape of `x`, whose rank must be known.

    Raises:
        ShapeError: if it is not.
    """
    shape = int_shape(x)
    if shape is None:
        raise ShapeError(f"the rank of {x} must be known")
    return shape


def rank(x: Any) -> int:
    """Return the number of axes of `x`, which must be known.

    Raises:
        ShapeError: if it is not.
    """
    return len(known_shape(x))


def count_params(x: Any) -> int:
    """Return the number of elements of a variable or array.

    Example:
        >>> count_params(variable([[1.0, 2.0], [3.0, 4.0]]))
        4
    """
    return math.prod(x.shape)


# -- dtypes ----------------------------------------------------------------------------


def dtype(x: Any) -> str:
    """Return the name of the dtype of `x`.

    Example:
        >>> dtype(placeholder((2, 2))), dtype(1)
        ('float32', 'int32')
    """
    kind = x.dtype if hasattr(x, "dtype") else as_array(x).dtype
    return dtypes.as_dtype(kind).name


def standardize_dtype(dtype: Any) -> str:
    """Return the name meant by a dtype in any form; None means floatx.

    Raises:
        ValueError: if there is no such dtype.

    Example:
        >>> standardize_dtype(np.float64), standardize_dtype(None)
        ('float64', 'float32')
    """
    if dtype is None:
        return floatx()
    if type(dtype).__module__ == "torch":  # torch.float32
        dtype = str(dtype).rpartition(".")[2]
    try:
        return dtypes.as_dtype(dtype).name
    except DTypeError as error:
        raise ValueError(f"Invalid dtype: {dtype}") from error


def result_type(*dtypes: Any) -> str:
    """Return the dtype in which operands of these dtypes meet.

    Args:
        dtypes: each a dtype, or one of the Python types ``int`` and ``float``, which
            give way to any dtype of their kind; None means floatx.

    Raises:
        ValueError: if there is no such dtype, or they do not meet.

    Example:
        >>> result_type("int32", "float16"), result_type("float16", float)
        ('float16', 'float16')
    """
    weak = (int, float)
    kinds = (k if k in weak else standardize_dtype(k) for k in dtypes or (None,))
    try:
        return meeting(*kinds).name
    except DTypeError as error:
        raise ValueError(str(error)) from error


def in_one_dtype(*xs: Any) -> list[Any]:
    """Return numbers, arrays or tensors in the dtype in which they meet.

    Example:
        >>> in_one_dtype(np.float16([1, 2]), 0.5)[1]
        array(0.5, dtype=float16)
    """
    return [engine.cast(x, promoted(xs)) for x in xs]


def as_integers(x: Any) -> Any:
    """Return `x`, whose elements are whole numbers, in a dtype of integers.

    A symbolic tensor is of floats unless it is said of which; so may be indices.
    """
    return x if is_int_dtype(dtype(x)) else engine.cast(x, "int32")


def long_as_float(x: Any) -> Any:
    """Return `x`, integers of 64 bits as floats that keep more of their digits.

    Some functions of Keras do so, others make float32 of them.
    """
    return cast(x, "float64") if dtype(x) == "int64" else x


def is_float_dtype(dtype: Any) -> bool:
    """Whether `dtype` is a real floating-point type."""
    return dtypes.as_dtype(dtype).is_floating


def is_int_dtype(dtype: Any) -> bool:
    """Whether `dtype` is an integer type, signed or not."""
    return dtypes.as_dtype(dtype).is_integer


def limits(dtype: Any) -> tuple[Any, Any]:
    """Return the smallest and the largest finite number of a dtype.

    Example:
        >>> limits("int8"), limits("bool")
        ((-128, 127), (0, 1))
    """
    kind = dtypes.as_dtype(dtype)
    if kind.is_bool:
        return 0, 1
    if kind.is_integer:
        info = np.iinfo(kind.as_numpy_dtype)
        return info.min, info.max
    if kind == "bfloat16":  # which NumPy knows nothing about
        largest = (2 - 2**-7) * 2.0**127
    else:
        largest = float(np.finfo(kind.as_numpy_dtype).max)
    return -largest, largest


def cast(x: Any, dtype: Any) -> Tensor:
    """Return `x` with its elements converted to `dtype`."""
    return engine.cast(x, standardize_dtype(dtype))


def cast_to_floatx(x: Any) -> Tensor | Array:
    """Return `x` in the default float type.

    Example:
        >>> cast_to_floatx(np.array([1.0, 2.0])).dtype
        dtype('float32')
    """
    return engine.cast(x, floatx())


# -- kinds of value --------------------------------------------------------------------


def is_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, or an array of the array library in use."""
    return isinstance(x, (Tensor, devices.xp.ndarray))


def is_placeholder(x: Any) -> bool:
    """Whether `x` is a tensor whose value must be fed."""
    return isinstance(x, Tensor) and x.node.op.name == "placeholder"


def is_sparse(x: Any) -> bool:
    """Return False: there are no sparse tensors here."""
    return False


def to_dense(x: Any) -> Any:
    """Return `x`, which is dense already."""
    return x


def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None
) -> Tensor | Array:
    """Return `x` as a tensor if it is symbolic, as an array if it is concrete.

    Args:
        x: a tensor, variable, array, number, or nested lists of them.
        dtype: of the result; by default that of `x`, floatx for Python floats.
        sparse: accepted; there are no sparse tensors here.
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    if is_symbolic(x):
        tensor = as_tensor(x)
        return tensor if wanted in (None, tensor.dtype) else engine.cast(tensor, wanted)
    return as_array(x, wanted)


def convert_to_numpy(x: Any) -> np.ndarray[Any, Any]:
    """Return the value of `x` as a NumPy array; a tensor is computed."""
    if is_variable(x):
        return evaluate(x)
    return evaluate(as_tensor(x) if is_symbolic(x) else as_array(x))
