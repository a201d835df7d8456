"""`Op`: what every operation declares, and what calling one means.

An op is a frozen value. Its fields are its attributes (an axis, a padding), so that it
compares, hashes and prints by what it does. It declares, in this order:

``infer(*specs)``
    the shape and dtype of its outputs; runs, and raises, when the graph is built.
``kernel(xp, *arrays)``
    the computation, in terms of the array library `xp`; pure.
``vjp(g, y, *inputs)``
    the gradients of its inputs given that of its output, built out of other ops.
    With several outputs `g` and `y` are tuples (an unused output's `g` is None).

A *stateful* op (a variable's read, an assignment, a loop) has ``run(run, *arrays)`` in
place of a kernel: it sees the session through `run`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np

from minikeras.engine import devices, dtypes
from minikeras.engine.allowance import check_values
from minikeras.engine.context import grant_name, is_lazy, requested_name
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import DTypeError, EngineError, GradientError
from minikeras.engine.graph import (
    Graph,
    Node,
    Tensor,
    current_graph,
    graph_of,
    is_symbolic,
)
from minikeras.engine.registry import find, register
from minikeras.engine.spec import Array, Spec
from minikeras.engine.values import Value

__all__ = ["Op", "as_array", "as_tensor", "no_gradient", "promoted", "spec_of"]

# Integer vectors up to this length carry their value in their spec.
_VALUE_LIMIT = 64


def no_gradient(self: Op, g: Any, y: Any, *inputs: Tensor) -> tuple[None, ...]:
    """Serve as the `vjp` of an op through which nothing flows: a step, an index."""
    return (None,) * len(inputs)


def _undefined(self: Op, g: Any, y: Any, *inputs: Tensor) -> tuple[None, ...]:
    """Serve as the `vjp` of an op that defines none."""
    raise GradientError(f"{self.name} has no gradient defined")


def _as_first(self: Op, *specs: Spec) -> Any:
    """Stand in for `infer` when a rank is unknown: so is the result's."""
    return Spec(None, specs[0].dtype)


class Op(Value):
    """Base of all operations: a frozen value with a name in the registry."""

    name: ClassVar[str] = ""
    promotes: ClassVar[bool] = False  # operands meet in one dtype before `infer`
    floats: ClassVar[bool] = False  # ... and that dtype is a floating-point one
    any_rank: ClassVar[bool] = False  # `infer` copes with unknown ranks itself
    stateful: ClassVar[bool] = False
    selective: ClassVar[bool] = False  # `run` is told which of its outputs are wanted
    binds: ClassVar[bool] = False  # it has ``bind(*outputs, *inputs)``: see `MatMul`

    infer: ClassVar[Callable[..., Any]]
    kernel: ClassVar[Callable[..., Any]]
    traced: ClassVar[Callable[..., Any]]  # if need be, a kernel of steps plans can fuse
    vjp: ClassVar[Callable[..., Sequence[Tensor | None]]] = _undefined
    infer_any_rank: ClassVar[Callable[..., Any]] = _as_first

    def __init_subclass__(cls, name: str = "", eq: bool = True) -> None:
        super().__init_subclass__(eq)
        cls.name = name
        if name:
            register(name, cls)

    def __call__(self, *inputs: Any, name: str | None = None) -> Any:
        """Add a node if an input is symbolic; compute at once if none is.

        Raises:
            EngineError: what `infer` finds wrong, with the node and the user's line.
        """
        if not (self.stateful or is_lazy() or is_symbolic(inputs)):
            return self.compute(inputs)
        graph = graph_of(inputs)
        if graph is not current_graph():
            with graph.as_default():
                return self(*inputs, name=name)
        asked = requested_name()
        node = graph.unique_name(asked or name or type(self).__name__)
        tensors = [graph.own(x) for x in self.operands(inputs, graph, node)]
        specs = [x.spec for x in tensors]
        infer = self.rule_for(specs)
        try:
            found = infer(*specs)
        except EngineError as error:
            error.locate(Node(graph, self, tensors, (), node).place)
            raise
        made = graph.add(self, tensors, found, node)
        if asked:
            grant_name(made)
        return made.outputs if made.several else made.outputs[0]

    def rule_for(self, specs: Sequence[Spec]) -> Callable[..., Any]:
        """Return `infer`, or what stands in for it where a rank is unknown."""
        known = self.any_rank or all(spec.shape is not None for spec in specs)
        return self.infer if known else self.infer_any_rank

    def flops(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> int:
        """Return how many floating-point operations it takes, given all shapes.

        Unless an op says else, it is one for each element of its outputs.
        """
        return sum(math.prod(shape) for shape in outputs)

    # -- operands ------------------------------------------------------------------

    def operands(self, inputs: Sequence[Any], graph: Graph, node: str) -> list[Tensor]:
        """Return the inputs as tensors; constants among them are named after `node`."""
        dtype = self.meeting_dtype(inputs)
        return [
            x
            if isinstance(x, Tensor) and dtype in (None, x.spec.dtype)
            else as_tensor(x, dtype, graph, f"{node}/{_parameter(type(self), i)}/")
            for i, x in enumerate(inputs)
        ]

    def arrays(self, inputs: Sequence[Any]) -> list[Array]:
        """Return the inputs, all concrete, as arrays."""
        dtype = self.meeting_dtype(inputs)
        return [as_array(x, dtype) for x in inputs]

    def meeting_dtype(self, inputs: Sequence[Any]) -> DType | None:
        """Return the dtype to which all inputs are brought, None to leave them."""
        if not self.promotes:
            return None
        return dtypes.to_float(promoted(inputs)) if self.floats else promoted(inputs)

    def compute(self, inputs: Sequence[Any]) -> Any:
        """Compute the outputs from concrete inputs, without a graph."""
        arrays = self.arrays(inputs)
        try:
            found = self.infer(*map(spec_of, arrays))
        except EngineError as error:
            error.locate(f"{self}")
            raise
        check_values(self, found)
        with np.errstate(all="ignore"):
            result = self.kernel(devices.xp, *arrays)
        if isinstance(found, tuple):
            return tuple(map(_typed, result, found))
        return _typed(result, found)


def _typed(result: Array, spec: Spec) -> Array:
    return devices.xp.asarray(result, spec.dtype.as_numpy_dtype)


@cache
def _parameters(op: type[Op]) -> tuple[str, ...]:
    code = inspect.unwrap(op.infer).__code__
    return code.co_varnames[1 : code.co_argcount]


def _parameter(op: type[Op], i: int) -> str:
    """Return what `op` calls its input number `i`."""
    names = _parameters(op)
    return names[i] if i < len(names) else f"values_{i}"


# -- from Python values to arrays and tensors ------------------------------------------


def as_array(value: Any, dtype: DType | None = None) -> Array:
    """Return a concrete `value` as an array.

    Python floats become the default float and Python integers int32 (int64 if they do
    not fit); arrays keep their dtype, unless `dtype` says otherwise.

    Raises:
        DTypeError: if it is not made of numbers, or its rows differ in length.
    """
    if isinstance(value, devices.xp.ndarray):
        return value if dtype is None or value.dtype == dtype else _cast(value, dtype)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DTypeError(
            f"rows of different lengths do not make an array: {error}"
        ) from None
    if array.dtype.kind in "USO" and (dtype is None or dtype != "string"):
        text = array.dtype.kind != "O" or all(
            isinstance(x, (str, bytes)) for x in array.flat
        )
        if not text or dtype is not None:
            raise DTypeError(f"{_brief(value)} is not made of numbers")
        return array.astype(object)
    if dtype is None and not _has_dtype(value):
        dtype = _default_dtype(array)
    return devices.to_device(array if dtype is None else _cast(array, dtype))


def _cast(array: Array, dtype: DType) -> Array:
    return array.astype(dtype.as_numpy_dtype)


def _has_dtype(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_dtype, value))
    return hasattr(value, "dtype")


def _default_dtype(array: np.ndarray[Any, Any]) -> DType:
    if array.dtype.kind == "f":
        return dtypes.floatx()
    if array.dtype.kind != "i":
        return dtypes.as_dtype(array.dtype)
    limits = np.iinfo(np.int32)
    fits = not array.size or (limits.min <= array.min() and array.max() <= limits.max)
    return dtypes.as_dtype("int32" if fits else "int64")


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def as_tensor(
    value: Any,
    dtype: DType | None = None,
    graph: Graph | None = None,
    name: str = "Const",
) -> Tensor:
    """Return `value` as a tensor: itself, a variable's value, or a constant in `graph`.

    Raises:
        DTypeError: if it is not made of numbers.
    """
    if hasattr(value, "__as_tensor__"):
        tensor = value.__as_tensor__()
        return tensor if dtype in (None, tensor.dtype) else find("cast")(dtype)(tensor)
    if is_symbolic(value):  # a list with tensors in it
        parts = [as_tensor(x) for x in value]
        stacked = find("stack")(0)(*parts, name="packed")
        return as_tensor(stacked, dtype)
    array = as_array(value, dtype)
    if array is value:  # which the program may go on to change
        array = array.copy()
    home = graph or current_graph()
    constant = find("constant")(array)
    return home.add(constant, (), spec_of(array), home.unique_name(name)).outputs[0]


def spec_of(value: Array) -> Spec:
    """Return the spec of an array."""
    whole = isinstance(value, np.ndarray) and value.dtype.kind == "i"
    small = whole and value.ndim <= 1 and value.size <= _VALUE_LIMIT
    known = tuple(value.reshape(-1).tolist()) if small else None
    return Spec(tuple(value.shape), dtypes.as_dtype(value.dtype), known)


def promoted(inputs: Sequence[Any]) -> DType:
    """Return the dtype in which `inputs` meet.

    Beside a tensor a plain number or array is weak: it takes the tensor's dtype
    unless it is of a higher kind (float against integer). Among arrays alone only
    Python scalars are weak.
    """
    symbolic = is_symbolic(inputs)
    return dtypes.result_type(*(_kind(x, symbolic) for x in inputs))


_WEAK = {"b": "bool", "i": int, "u": int, "f": float, "c": "complex64"}


def _kind(value: Any, weak: bool) -> Any:
    if isinstance(value, Tensor):
        return value.spec.dtype
    if hasattr(value, "__as_tensor__"):
        return value.dtype
    if is_symbolic(value):
        return dtypes.result_type(*(_kind(x, weak) for x in value))
    if hasattr(value, "dtype") and not weak:
        return value.dtype
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return float if isinstance(value, float) else int
    array = as_array(value)
    kind = array.dtype.kind
    return (
        _WEAK.get(kind, array.dtype) if weak or not _has_dtype(value) else array.dtype
    )
