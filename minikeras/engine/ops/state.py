"""Where values come from and go to: constants, placeholders, variables, casts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine import dtypes, shapes
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import (
    DTypeError,
    FeedError,
    GraphError,
    ShapeError,
    UninitializedError,
)
from minikeras.engine.graph import (
    Graph,
    Node,
    Subgraph,
    Tensor,
    current_graph,
    is_symbolic,
    user_line,
)
from minikeras.engine.op import Op, as_array, as_tensor, no_gradient, spec_of
from minikeras.engine.spec import Array, Shape, Spec

__all__ = [
    "Handle",
    "assign",
    "cast",
    "check_storable",
    "claim",
    "constant",
    "group",
    "identity",
    "placeholder",
    "placeholder_with_default",
    "read",
    "stop_gradient",
]


class Constant(Op, name="constant", eq=False):
    """A fixed array. Two constants are equal only if they are the same object."""

    value: Array

    def infer(self) -> Spec:
        return spec_of(self.value)

    def kernel(self, xp: ModuleType) -> Array:
        return self.value

    def __repr__(self) -> str:
        shape = shapes.show(self.value.shape)
        return f"Constant(shape={shape}, dtype={self.value.dtype})"


def constant(
    value: Any,
    dtype: Any = None,
    shape: Sequence[int] | None = None,
    name: str = "Const",
) -> Tensor:
    """Return a tensor which always has this `value`.

    Args:
        value: a number, nested lists of numbers, or an array.
        dtype: of the result; by default that of an array, float32 for Python floats
            and int32 for Python integers.
        shape: to which `value` is reshaped, or filled if it is a scalar.
        name: of the node.

    Raises:
        DTypeError: if `value` is not made of numbers.
        ShapeError: if `value` does not fill `shape`.
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    if shape is not None:
        array = as_array(value, wanted)
        if array.size not in (1, shapes.product(shape)):
            raise ShapeError(f"constant: {array.size} values do not fill shape {shape}")
        value = (
            np.broadcast_to(array, shape) if array.size == 1 else array.reshape(shape)
        )
    return as_tensor(value, wanted, name=name)


class Placeholder(Op, name="placeholder"):
    """A value that the caller of the run supplies."""

    shape: Shape | None
    dtype: DType
    stateful = True
    any_rank = True

    def infer(self) -> Spec:
        return Spec(self.shape, self.dtype)

    def run(self, run: Any, node: Node) -> Array:
        raise FeedError(
            f"you must feed a value for placeholder '{node.name}' with dtype "
            f"{self.dtype} and shape {shapes.show(self.shape)}: "
            f"session.run(..., feed_dict={{{node.name.split('/')[-1]}: ...}})"
        )


def placeholder(
    dtype: Any = "float32", shape: Any = None, name: str = "Placeholder"
) -> Tensor:
    """Return a tensor whose value each run is given by its ``feed_dict``.

    Args:
        dtype: a dtype or its name; ``"float"`` is float32.
        shape: sizes, None for one that may vary; by default even the rank may.
        name: of the node.
    """
    sizes = (
        None
        if shape is None
        else tuple(None if n in (None, -1) else int(n) for n in shape)
    )
    return Placeholder(sizes, dtypes.as_dtype(dtype))(name=name)


class PlaceholderWithDefault(Op, name="placeholder_with_default"):
    """y = x, unless the run is fed another value of this shape."""

    shape: Shape | None
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        shapes.merge(x.shape, self.shape)
        return Spec(self.shape, x.dtype)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return x

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g,)


def placeholder_with_default(
    input: Any, shape: Any, name: str = "PlaceholderWithDefault"
) -> Tensor:
    """Return a placeholder that is `input` when it is not fed."""
    sizes = (
        None
        if shape is None
        else tuple(None if n in (None, -1) else int(n) for n in shape)
    )
    return PlaceholderWithDefault(sizes)(as_tensor(input), name=name)


class Identity(Op, name="identity"):
    """y = x."""

    any_rank = True

    def infer(self, x: Spec) -> Spec:
        return x

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return x

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g,)


def identity(x: Any) -> Tensor:
    """Return a tensor of the same value: a node of its own to name or depend on."""
    return Identity()(x)


class StopGradient(Op, name="stop_gradient"):
    """y = x, dy/dx = 0."""

    any_rank = True
    vjp = no_gradient

    def infer(self, x: Spec) -> Spec:
        return x

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        return x


def stop_gradient(x: Any) -> Tensor:
    """Return `x` as a value that gradients take for a constant."""
    return StopGradient()(x)


class Cast(Op, name="cast"):
    """y = x in another dtype; complex to real keeps the real part."""

    dtype: DType
    any_rank = True

    def infer(self, x: Spec) -> Spec:
        value = x.value if self.dtype.is_integer else None
        return Spec(x.shape, self.dtype, value)

    def kernel(self, xp: ModuleType, x: Array) -> Array:
        if x.dtype.kind == "c" and not self.dtype.is_complex:
            x = x.real
        return x.astype(self.dtype.as_numpy_dtype)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor | None]:
        return (cast(g, x.dtype) if x.dtype.is_differentiable else None,)


def cast(x: Any, dtype: Any) -> Tensor:
    """Return `x` in another `dtype`; itself if it has that dtype already."""
    wanted = dtypes.as_dtype(dtype)
    if not (hasattr(x, "dtype") or is_symbolic(x)):
        # By way of the default float, Python's numbers would lose digits.
        x = as_array(x, wanted)
    return x if getattr(x, "dtype", None) == wanted else Cast(wanted)(x)


# -- variables -------------------------------------------------------------------------


class Handle:
    """A variable's identity: the key under which a session keeps its value."""

    place = property(
        lambda self: f"{self}, made at {self.source}", doc="Name and line."
    )

    def __init__(self, name: str, shape: Shape | None, dtype: DType) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.spec = Spec(shape, dtype)
        self.source = user_line()

    def value_in(self, values: Mapping[Handle, Array]) -> Array:
        """Return its value among those of a session.

        Raises:
            UninitializedError: if it has none.
        """
        try:
            return values[self]
        except KeyError:
            pass
        error = UninitializedError(
            f"variable '{self.name}' has no value in this session: run its initializer "
            "first, session.run(global_variables_initializer())"
        )
        error.locate(self.place)
        raise error

    def __repr__(self) -> str:
        return f"variable '{self.name}'"


class ReadVariable(Op, name="read_variable"):
    """y = the variable's value at this point of the run."""

    handle: Handle
    stateful = True
    any_rank = True

    def infer(self) -> Spec:
        return Spec(self.handle.shape, self.handle.dtype)

    def run(self, run: Any, node: Node) -> Array:
        return self.handle.value_in(run.values)

    def vjp(self, g: Tensor, y: Tensor) -> tuple[()]:
        return ()


def read(handle: Handle, name: str | None = None) -> Tensor:
    """Return the value of a variable as of now, in the order of building.

    Inside the body of a loop or branch the variable is read outside and captured, so
    that gradients reach it, unless the body itself assigns it first.
    """
    graph = current_graph()
    if isinstance(graph, Subgraph) and handle not in graph.assigned:
        with graph.parent.as_default():
            outer = read(handle, name)
        graph.captured_reads.add(handle)
        return graph.own(outer)
    return ReadVariable(handle)(name=name)


class Assign(Op, name="assign"):
    """The variable becomes x; y = x."""

    handle: Handle
    stateful = True
    any_rank = True

    def operands(self, inputs: Sequence[Any], graph: Graph, node: str) -> list[Tensor]:
        (x,) = super().operands(inputs, graph, node)
        check_storable(x.dtype, self.handle.dtype, f"variable '{self.handle.name}'")
        return [cast(x, self.handle.dtype)]

    def infer(self, x: Spec) -> Spec:
        try:
            shape = shapes.merge(x.shape, self.handle.shape)
        except ShapeError:
            raise ShapeError(
                f"assign: variable '{self.handle.name}' has shape "
                f"{shapes.show(self.handle.shape)}, the value {shapes.show(x.shape)}"
            ) from None
        return Spec(shape, self.handle.dtype)

    def run(self, run: Any, node: Node, x: Array) -> Array:
        return run.store(self.handle, x)

    def vjp(self, g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
        return (g,)


def check_storable(given: DType, wanted: DType, what: str) -> None:
    """Allow numbers to change width and integers to become floats, nothing else.

    Raises:
        DTypeError: if `given` cannot be stored as `wanted` without changing its kind.
    """
    try:
        allowed = given == wanted or np.can_cast(
            given.as_numpy_dtype, wanted.as_numpy_dtype, "same_kind"
        )
    except TypeError:
        allowed = False
    if not allowed:
        raise DTypeError(
            f"{what} has dtype {wanted}; got {given}, which does not fit into it"
        )


def assign(handle: Handle, value: Any, name: str | None = None) -> Tensor:
    """Return a tensor which, when run, stores `value` in the variable and is it.

    Raises:
        GraphError: in a loop's body that has read the variable from outside.
    """
    claim(handle)
    return Assign(handle)(value, name=name)


def claim(handle: Handle) -> None:
    """Let what is built from now on inside a loop or branch read the variable anew.

    Raises:
        GraphError: in a loop's body that has read the variable from outside.
    """
    graph = current_graph()
    for body in graph.enclosing() if isinstance(graph, Subgraph) else ():
        if body.repeats and handle in body.captured_reads:
            raise GraphError(
                f"variable '{handle.name}' is read and then assigned inside one loop: "
                "pass its value in as a loop variable instead"
            )
        body.assigned.add(handle)


class NoOp(Op, name="no_op"):
    """Compute nothing; run after the control inputs."""

    def infer(self) -> tuple[()]:
        return ()

    def kernel(self, xp: ModuleType) -> tuple[()]:
        return ()


def group(*inputs: Any, name: str = "group_deps") -> Node:
    """Return an operation that runs after all `inputs` and has no value."""
    from_graph = inputs[0].graph if inputs and hasattr(inputs[0], "graph") else None
    graph = from_graph or current_graph()
    with graph.as_default(), graph.control_dependencies(inputs):
        return graph.add(NoOp(), (), (), graph.unique_name(name))
