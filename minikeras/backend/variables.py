"""Keras's variables: values in the global session, set at once or in a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any

import numpy as np

from minikeras.backend import session as sessions
from minikeras.backend.config import floatx
from minikeras.backend.naming import auto_name, current_path
from minikeras.backend.tracing import current_trace, init_scope, note_change
from minikeras.engine import devices, dtypes
from minikeras.engine.dtypes import as_dtype
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor, is_symbolic
from minikeras.engine.op import as_array
from minikeras.engine.operators import Operators
from minikeras.engine.ops import add, assign, cast, read, subtract
from minikeras.engine.ops.state import Handle
from minikeras.engine.shapes import show
from minikeras.engine.spec import Array

__all__ = [
    "Variable",
    "autocast_scope",
    "batch_get_value",
    "batch_set_value",
    "eval",
    "get_value",
    "is_variable",
    "moving_average_update",
    "set_value",
    "update",
    "update_add",
    "update_sub",
    "variable",
]


class _Casting(local):
    def __init__(self) -> None:
        self.dtypes: list[Any] = []


_casting = _Casting()


@contextmanager
def autocast_scope(dtype: Any) -> Iterator[None]:
    """Let floating-point variables be read in `dtype` inside; None: in their own.

    This is mixed precision: values are kept in float32, and computed with in float16.
    """
    _casting.dtypes.append(None if dtype is None else as_dtype(dtype))
    try:
        yield
    finally:
        _casting.dtypes.pop()


class Variable(Operators):
    """A value that outlives a computation: a weight, a statistic, a counter.

    In an expression it is symbolic, read anew at each use. `assign` sets it at once;
    inside a traced function it records an update that takes effect when the function
    runs, and later reads in the same trace see the new value.

    Args:
        initializer: an array, a number, or a function ``(shape, dtype) -> array``.
        shape: needed with a function.
        dtype: by default that of the array, or floatx for a function.
        trainable: whether optimizers may change it.
        autocast: whether it follows an `autocast_scope`.
        aggregation: accepted; matters to distributed training alone.
        name: the last part of its path.

    Raises:
        ValueError: if there is no way to know its value or shape.
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = name or auto_name("variable")
        if "/" in self.name:
            raise ValueError(f"a variable's name has no '/' in it; got {self.name!r}")
        path = current_path()
        self.path = f"{path}/{self.name}" if path else self.name
        self.born_trainable = self._trainable = bool(trainable)
        self.autocast = autocast
        self.aggregation = aggregation
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False
        with init_scope():
            value = _initial_value(initializer, shape, dtype)
        self.handle = Handle(
            self.path, tuple(value.shape), dtypes.as_dtype(value.dtype)
        )
        self._store(value)

    # -- what it is ----------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes."""
        return self.handle.shape  # type: ignore[return-value]

    @property
    def dtype(self) -> str:
        """The kind of number that it is read as; that of its value, if not autocast."""
        kept: Any = self.handle.dtype
        wanted = _casting.dtypes[-1] if _casting.dtypes else None
        return wanted if wanted and self.autocast and kept.is_floating else kept

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def trainable(self) -> bool:
        """Whether optimizers may change it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if self._trainable != bool(value):
            note_change()
        self._trainable = bool(value)

    # -- reading -------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """Its value: a tensor inside a traced function, an array outside."""
        if current_trace() is not None:
            return self.__as_tensor__()
        copy = sessions.get_session().values[self.handle].copy()
        if isinstance(copy, np.ndarray):
            copy.flags.writeable = False  # it is not the variable that would change
        return copy

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return its value as a NumPy array of its own."""
        stored = sessions.get_session().values[self.handle]
        return np.array(devices.to_host(stored))

    def __as_tensor__(self) -> Tensor:
        value = read(self.handle, name=f"{self.path}/")  # not in the scope around
        return value if self.dtype == value.dtype else cast(value, self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self!r} is a scalar and has no length")
        return self.shape[0]

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    # -- writing -------------------------------------------------------------------

    def assign(self, value: Any) -> Any:
        """Set it to `value`; return the new value.

        Raises:
            ValueError: if the shapes differ.
        """
        trace = current_trace()
        if trace is not None:
            self._check_shape(getattr(value, "shape", ()))
            return _recorded(assign(self.handle, value))
        array = as_array(eval(value) if is_symbolic(value) else value)
        self._check_shape(array.shape)
        self._store(as_array(array, self.handle.dtype))
        return self.value

    def assign_add(self, value: Any) -> Any:
        """Add `value` to it; return the new value."""
        return self.assign(add(self.value, value))

    def assign_sub(self, value: Any) -> Any:
        """Subtract `value` from it; return the new value."""
        return self.assign(subtract(self.value, value))

    def _check_shape(self, shape: Any) -> None:
        if shape is None:
            return
        fits = len(shape) == self.ndim and all(
            n is None or n == m for n, m in zip(shape, self.shape, strict=True)
        )
        if not fits:
            raise ShapeError(
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match. variable.shape={self.shape}, "
                f"Received: value.shape={show(tuple(shape))}. "
                f"Target variable: {self.path}"
            )

    def _store(self, value: Array) -> None:
        sessions.get_session().store(self.handle, value)

    def __repr__(self) -> str:
        value = np.array2string(self.numpy(), separator=" ", threshold=20)
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, "
            f"value={value}>"
        )


def _initial_value(initializer: Any, shape: Any, dtype: Any) -> Array:
    """Return the first value of a variable as an array."""
    if initializer is None:
        raise ValueError(
            "a variable needs an initializer: an array, or a function of a shape"
        )
    if not callable(initializer):
        value = eval(initializer) if is_symbolic(initializer) else initializer
        return as_array(value, None if dtype is None else as_dtype(dtype))
    if shape is None:
        raise ValueError(
            "When creating a Variable from an initializer, the `shape` argument should "
            f"be specified. Received: initializer={initializer} and shape={shape}"
        )
    kind = as_dtype(dtype or floatx())
    value = initializer(tuple(shape), dtype=kind)
    return as_array(eval(value) if is_symbolic(value) else value, kind)


def is_variable(x: Any) -> bool:
    """Whether `x` is a Keras variable."""
    return isinstance(x, Variable)


# -- the classic functions ------------------------------------------------------------


def variable(
    value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None
) -> Variable:
    """Return a variable with this initial `value`, in floatx unless `dtype` says else.

    Example:
        >>> get_value(variable([1.0, 2.0]))
        array([1., 2.], dtype=float32)
    """
    made = Variable(value, dtype=dtype or floatx(), name=name)
    made.constraint = constraint
    return made


def eval(x: Any) -> np.ndarray[Any, Any]:
    """Return the value of a tensor or variable as a NumPy array: force what is lazy."""
    if isinstance(x, Variable):
        return x.numpy()
    if isinstance(x, Tensor):
        session = sessions.get_session()
        session.graph = x.graph
        return np.asarray(session.run(x))
    if is_symbolic(x):
        return eval(x.__as_tensor__())
    return np.asarray(devices.to_host(x))


def get_value(x: Any) -> np.ndarray[Any, Any]:
    """Return the value of a variable as a NumPy array."""
    return eval(x)


def batch_get_value(tensors: Iterable[Any]) -> list[np.ndarray[Any, Any]]:
    """Return the values of several variables."""
    return [eval(x) for x in tensors]


def set_value(x: Variable, value: Any) -> None:
    """Set a variable at once.

    Raises:
        ValueError: if the shapes differ.
    """
    x.assign(as_array(value))


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Set several variables at once, from pairs (variable, value)."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Variable, new_x: Any) -> Tensor:
    """Return an update for `function`: when it runs, `x` becomes `new_x`."""
    return _recorded(assign(x.handle, new_x))


def update_add(x: Variable, increment: Any) -> Tensor:
    """Return an update for `function`: when it runs, `x` grows by `increment`."""
    return _recorded(assign(x.handle, x + increment))


def update_sub(x: Variable, decrement: Any) -> Tensor:
    """Return an update for `function`: when it runs, `x` shrinks by `decrement`."""
    return _recorded(assign(x.handle, x - decrement))


def moving_average_update(x: Variable, value: Any, momentum: Any) -> Tensor:
    """Return an update for `function`: `x` moves towards `value`.

    It becomes ``momentum * x + (1 - momentum) * value``.
    """
    return update_sub(x, (x - value) * (1 - momentum))


def _recorded(new: Tensor) -> Tensor:
    trace = current_trace()
    if trace is not None and new.graph is trace.graph:  # else a loop's body keeps it
        trace.updates.append(new.node)
    return new
