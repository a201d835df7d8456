"""Keras's variables: values in the global session, set at once or in a trace."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from threading import local
from typing import Any

import numpy as np

from minikeras.backend import session as sessions
from minikeras.backend.config import floatx
from minikeras.backend.naming import auto_name, current_path
from minikeras.backend.objects import registry_of
from minikeras.backend.shapes import shape_equal, standardize_shape
from minikeras.backend.stateless import get_stateless_scope, in_stateless_scope
from minikeras.backend.tracing import current_trace, init_scope, note_change
from minikeras.engine import devices
from minikeras.engine.allowance import charge_variable
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor, is_symbolic
from minikeras.engine.op import as_array, as_tensor
from minikeras.engine.operators import Operators
from minikeras.engine.ops import (
    add,
    assign,
    cast,
    equal,
    identity,
    logical_and,
    logical_or,
    logical_xor,
    not_equal,
    read,
    subtract,
)
from minikeras.engine.ops.state import Handle
from minikeras.engine.spec import Array

__all__ = [
    "AutocastScope",
    "GraphVariable",
    "Variable",
    "eval",
    "get_autocast_scope",
    "is_variable",
    "recorded",
]

_AGGREGATIONS = ("none", "mean", "sum", "only_first_replica")
_SYNCHRONIZATIONS = ("none", "on_read", "on_write", "auto")


class _Casting(local):
    def __init__(self) -> None:
        self.scopes: list[AutocastScope] = []


_casting = _Casting()


class AutocastScope:
    """Lets floating-point variables be read in `dtype` inside; None: in their own.

    This is mixed precision: values are kept in float32, and computed with in float16.

    Raises:
        ValueError: if `dtype` is not floating-point.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype: DType | None = None if dtype is None else as_dtype(dtype)
        if self.dtype is not None and not self.dtype.is_floating:
            raise ValueError(
                "`AutocastScope` can only be used with a floating-point target dtype, "
                f"such as 'float16'. Received: dtype={dtype}"
            )

    def maybe_cast(self, value: Any) -> Any:
        """Return `value` in the dtype of this scope, if it is floating-point."""
        dtype = as_dtype(value.dtype)
        return cast(value, self.dtype_for(dtype)) if dtype.is_floating else value

    def dtype_for(self, dtype: DType) -> DType:
        """Return as what dtype a variable of this one is read."""
        return self.dtype if self.dtype and dtype.is_floating else dtype

    def __enter__(self) -> AutocastScope:
        _casting.scopes.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _casting.scopes.pop()


def get_autocast_scope() -> AutocastScope | None:
    """Return the innermost `AutocastScope` around, None if there is none."""
    return _casting.scopes[-1] if _casting.scopes else None


def _rule(name: str, doc: str) -> property:
    """Return a property whose value is a function or None."""
    kept = f"_{name}"

    def change(self: Variable, value: Any) -> None:
        if value is not None and not callable(value):
            raise ValueError(
                f"Invalid value for attribute `{name}`. Expected a callable (such as a "
                f"`keras.{name}s.{name.capitalize()}` instance) or `None`. Received: "
                f"{name}={value}"
            )
        setattr(self, kept, value)

    return property(lambda self: getattr(self, kept), change, doc=doc)


class Variable(Operators):
    """A value that outlives a computation: a weight, a statistic, a counter.

    In an expression it counts as its value, and so the expression is computed at once.
    Inside a traced function, and beside tensors, it is symbolic and read anew at each
    use. `assign` sets it at once; inside a traced function it records an update that
    takes effect when the function runs, and later reads in the same trace see the new
    value.

    Args:
        initializer: an array, a number, a function ``(shape, dtype) -> array``, or the
            name of an initializer.
        shape: needed with a function or a name.
        dtype: by default that of the array, or floatx for a function.
        trainable: whether optimizers may change it.
        autocast: whether it follows an `AutocastScope`.
        aggregation: how replicas would be merged: ``"none"``, ``"mean"``, ``"sum"`` or
            ``"only_first_replica"``; matters to distributed training alone.
        synchronization: likewise: ``"auto"``, ``"none"``, ``"on_read"`` or
            ``"on_write"``.
        name: the last part of its path.
        layout: accepted; matters to distributed training alone.

    Raises:
        ValueError: if there is no way to know its value or shape.

    Example:
        >>> v = Variable([1.0, 2.0])
        >>> v * 2 + 1
        array([3., 5.], dtype=float32)
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        self.name = _checked(name)
        self.path = "/".join(filter(None, (current_path(), self.name)))
        self.born_trainable = self._trainable = bool(trainable)
        self.autocast = bool(autocast)
        self.aggregation = _one_of(_AGGREGATIONS, aggregation, "aggregation")
        self.synchronization = _one_of(
            _SYNCHRONIZATIONS, synchronization, "synchronization"
        )
        self._regularizer = self._constraint = None
        self._overwrite_with_gradient = False
        if isinstance(initializer, str):
            initializer = registry_of("initializer").get(initializer)
        self._initializer = initializer if callable(initializer) else None
        if self._initializer:
            sizes, first = _whole(shape, self), None
        else:
            first = _first_value(initializer, dtype)
            sizes, dtype = first.shape, dtype or first.dtype
        self.handle = Handle(self.path, tuple(sizes), as_dtype(dtype or floatx()))
        charge_variable(self.handle)
        scope = get_stateless_scope()
        if scope is None:
            self._initialize(self._made() if first is None else first)
        else:
            scope.uninitialized.append(self)

    def _made(self) -> Any:
        """Return what its initializer makes."""
        initializer: Any = self._initializer
        with init_scope():
            value = initializer(self.shape, dtype=self.handle.dtype)
            return eval(value) if is_symbolic(value) else value

    def _initialize(self, value: Any) -> None:
        self._store(self._fitting(value))
        self._initializer = None

    def _deferred_initialize(self) -> None:
        """Set its first value, which it did not get in a `StatelessScope`."""
        if self._value is not None:
            raise ValueError(f"Variable {self.path} is already initialized.")
        if in_stateless_scope():
            raise ValueError(
                "You are attempting to initialize a variable while in a stateless "
                "scope. This is disallowed. Make sure that all variables are "
                "initialized before you start using your layer/model objects."
            )
        self._initialize(self._made())

    # -- what it is ----------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes."""
        return self.handle.shape  # type: ignore[return-value]

    @property
    def dtype(self) -> str:
        """The kind of number that it is read as; that of its value, if not autocast."""
        scope = get_autocast_scope() if self.autocast else None
        return scope.dtype_for(self.handle.dtype) if scope else self.handle.dtype

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

    regularizer = _rule("regularizer", "A penalty on it, which layers add to the loss.")
    constraint = _rule("constraint", "A projection that optimizers apply to it.")

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether optimizers replace it by its gradient."""
        return self._overwrite_with_gradient

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(
                f"`overwrite_with_gradient` must be a boolean. Received: {value}"
            )
        self._overwrite_with_gradient = value

    # -- reading -------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """Its value: a tensor inside a traced function, an array outside."""
        if current_trace() is not None:
            return self.__as_tensor__()
        value = self._scoped()
        if value is None:
            value = self._value
            value = self._made() if value is None else value.copy()
        value = value if self.dtype == value.dtype else cast(value, self.dtype)
        if isinstance(value, np.ndarray):
            value = value.view()
            value.flags.writeable = False  # it is not the variable that would change
        return value

    @property
    def _value(self) -> Any:
        """What the session keeps: None until it is initialized."""
        return sessions.get_session().values.get(self.handle)

    def _scoped(self) -> Any:
        """Return the value that a `StatelessScope` around gives it, if one does."""
        scope = get_stateless_scope()
        return None if scope is None else scope.get_current_value(self)

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return its value as a NumPy array of its own."""
        value = self._value if current_trace() is not None else self.value
        return np.array(devices.to_host(value))

    def __as_tensor__(self) -> Tensor:
        value = self._scoped()
        if value is None and self._initializer:
            value = self._made()
        if value is None:
            value = read(self.handle, name=f"{self.path}/")  # not in the scope around
        tensor = as_tensor(value)
        return tensor if self.dtype == tensor.dtype else cast(tensor, self.dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "value": self.numpy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        value = state.pop("value")
        vars(self).update(state)
        self._store(value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"{self!r} is a scalar and has no length")
        return self.shape[0]

    def __float__(self) -> float:
        return float(self._scalar())

    def __int__(self) -> int:
        return int(self._scalar())

    def __bool__(self) -> bool:
        raise TypeError("A Keras Variable cannot be used as a boolean.")

    def _scalar(self) -> Any:
        if self.shape:
            raise TypeError(
                "Only scalar arrays can be converted to Python scalars. Got: "
                f"shape={self.shape}"
            )
        return self.numpy()

    # -- writing -------------------------------------------------------------------

    def assign(self, value: Any) -> Any:
        """Set it to `value`; return the new value.

        Raises:
            ValueError: if the shapes differ.
        """
        fitting = self._fitting(value)
        scope = get_stateless_scope()
        if scope is not None:
            scope.add_update((self, fitting))
        elif current_trace() is not None:
            return recorded(assign(self.handle, fitting))
        else:
            self._store(as_array(eval(fitting) if is_symbolic(fitting) else fitting))
            return self.value
        return fitting

    def assign_add(self, value: Any) -> Any:
        """Add `value` to it; return the new value."""
        return self.assign(add(self.value, _value_of(value)))

    def assign_sub(self, value: Any) -> Any:
        """Subtract `value` from it; return the new value."""
        return self.assign(subtract(self.value, _value_of(value)))

    def _fitting(self, value: Any, misfit: Callable[..., str] | None = None) -> Any:
        """Return `value` as an array or tensor of the variable's own shape and dtype.

        Raises:
            ValueError: if it has another shape; `misfit` makes the message.
        """
        dtype, value = self.handle.dtype, _value_of(value)
        value = (
            as_tensor(value, dtype) if is_symbolic(value) else as_array(value, dtype)
        )
        if value.shape is not None and not shape_equal(value.shape, self.shape):
            raise ShapeError((misfit or _unassignable)(self, value))
        return value

    def _store(self, value: Array) -> None:
        sessions.get_session().store(self.handle, value)

    def __repr__(self) -> str:
        value = "" if self._value is None else f", value={self.numpy()}"
        what = f"path={self.path}, shape={self.shape}, dtype={self.dtype}"
        return f"<Variable {what}{value}>"


class GraphVariable(Variable):
    """A variable as K's classic functions make it: lazy in every expression.

    What is computed from it is a tensor, which `K.function`, `K.eval` and `K.gradients`
    take; it is equal to nothing but itself.
    """

    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__


def is_variable(x: Any) -> bool:
    """Whether `x` is a Keras variable."""
    return isinstance(x, Variable)


def eval(x: Any) -> np.ndarray[Any, Any]:
    """Return the value of a tensor or variable as a NumPy array: force what is lazy."""
    if isinstance(x, Variable):
        return x.numpy()
    if isinstance(x, Tensor):
        session = sessions.get_session()
        session.graph = x.graph
        return np.asarray(session.run(x))
    if is_symbolic(x):
        return eval(as_tensor(x))
    return np.asarray(devices.to_host(x))


def recorded(new: Tensor) -> Tensor:
    """Return an assignment's result, having noted it in the trace under way."""
    trace = current_trace()
    if trace is not None and new.graph is trace.graph:  # else a loop's body keeps it
        trace.updates.append(new.node)
    return new


# -- the parts of a variable's making --------------------------------------------------


def _checked(name: Any) -> str:
    """Return the name of a variable: what was given, if it can be one."""
    if name and (not isinstance(name, str) or "/" in name):
        raise ValueError(
            "Argument `name` must be a string and cannot contain character `/`. "
            f"Received: name={name}"
        )
    return name or auto_name("variable")


def _first_value(value: Any, dtype: Any) -> Array:
    """Return a first value that is no function as an array."""
    if value is None:
        raise ValueError(
            "a variable needs an initializer: an array, or a function of a shape"
        )
    if in_stateless_scope():
        raise ValueError(
            "You are attempting to create a variable while in a stateless scope. This "
            "is disallowed. Make its value by an initializer, with a shape, or make it "
            "before the scope is entered: a layer does so in `build`, by "
            "`self.add_weight`."
        )
    with init_scope():
        value = eval(value) if is_symbolic(value) else value
        return as_array(value, None if dtype is None else as_dtype(dtype))


def _whole(shape: Any, variable: Variable) -> tuple[Any, ...]:
    """Return the shape that an initializer is given."""
    if shape is None:
        raise ValueError(
            "When creating a Variable from an initializer, the `shape` argument should "
            f"be specified. Received: initializer={variable._initializer} and "
            f"shape={shape}"
        )
    sizes = standardize_shape(shape)
    if None in sizes:
        raise ValueError(
            "Shapes used to initialize variables must be fully-defined (no `None` "
            f"dimensions). Received: shape={sizes} for variable path='{variable.path}'"
        )
    return sizes


def _one_of(allowed: Sequence[str], value: str | None, name: str) -> str:
    if value is not None and value not in allowed:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected one of `None`, "
            f"{', '.join(map(repr, allowed))}. Received: {name}={value}"
        )
    return value or "none"


def _unassignable(variable: Variable, value: Any) -> str:
    return (
        "The shape of the target variable and the shape of the target value in "
        f"`variable.assign(value)` must match. variable.shape={variable.shape}, "
        f"Received: value.shape={tuple(value.shape)}. Target variable: {variable}"
    )


# -- operators -------------------------------------------------------------------------


def _at_once(operator: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operator of tensors as one of variables, which count as values."""

    @functools.wraps(operator)
    def apply(*operands: Any) -> Any:
        lazy = current_trace() is not None or any(map(_stays_symbolic, operands))
        return operator(*(operands if lazy else map(_value_of, operands)))

    return apply


def _stays_symbolic(x: Any) -> bool:
    return isinstance(x, (Tensor, GraphVariable))


def _value_of(x: Any) -> Any:
    return x.value if isinstance(x, Variable) else x


def _reflected(operator: Callable[..., Any]) -> Callable[..., Any]:
    return lambda y, x: operator(x, y)


_LIKE_TENSORS = {
    name: operator
    for name, operator in vars(Operators).items()
    if callable(operator) and name != "__array_ufunc__"
}
_BY_TRUTH = {
    "__and__": logical_and,
    "__or__": logical_or,
    "__xor__": logical_xor,
    "__rand__": _reflected(logical_and),
    "__ror__": _reflected(logical_or),
    "__rxor__": _reflected(logical_xor),
    "__eq__": equal,
    "__ne__": not_equal,
    "__pos__": identity,
}
for _name, _operator in (_LIKE_TENSORS | _BY_TRUTH).items():
    setattr(Variable, _name, _at_once(_operator))
Variable.__hash__ = object.__hash__  # type: ignore[method-assign] - its own key
