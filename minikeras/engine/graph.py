"""The graph: nodes that remember what to compute, and the tensors between them.

Nothing is computed here. A `Node` is one use of an op: the op's value, its input
tensors, its name, and the line of the user's program that made it. Nodes are kept in
the order of their creation, which is an order in which they can run, and *is* the
order in which effects (assignments) happen.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minikeras.engine.allowance import charge_node
from minikeras.engine.context import (
    entered_graph,
    needed_session,
    pop_graph,
    push_graph,
)
from minikeras.engine.dtypes import DType
from minikeras.engine.errors import GraphError
from minikeras.engine.operators import Operators
from minikeras.engine.registry import find
from minikeras.engine.shapes import merge, show
from minikeras.engine.spec import Spec, TensorShape

if TYPE_CHECKING:
    from minikeras.engine.op import Op

__all__ = [
    "Graph",
    "Node",
    "Source",
    "Subgraph",
    "Tensor",
    "current_graph",
    "is_symbolic",
    "reset_default_graph",
]

PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"


class Source(NamedTuple):
    """A line of the user's program."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def user_line() -> Source | None:
    """Return the innermost calling line that is not in this package."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame and Source(frame.f_code.co_filename, frame.f_lineno)


class Node:
    """One operation in a graph: TensorFlow 1 calls it ``tf.Operation``."""

    __slots__ = (
        "control_inputs",
        "graph",
        "index",
        "inputs",
        "name",
        "op",
        "outputs",
        "several",
        "source",
    )

    def __init__(
        self,
        graph: Graph,
        op: Op,
        inputs: Sequence[Tensor],
        specs: Spec | tuple[Spec, ...],
        name: str,
    ) -> None:
        self.graph = graph
        self.op = op
        self.inputs = tuple(inputs)
        self.control_inputs = graph.control_inputs()
        self.name = name
        self.several = isinstance(specs, tuple)  # so are the op's results, then
        each = specs if isinstance(specs, tuple) else (specs,)
        self.outputs = tuple(Tensor(self, i, spec) for i, spec in enumerate(each))
        self.source = user_line()
        self.index = -1  # set by the graph

    @property
    def type(self) -> str:
        """The kind of op, as in ``MatMul``."""
        return type(self.op).__name__

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run this node in `session`, or in the default one."""
        (session or needed_session()).run(self, feed_dict)

    @property
    def place(self) -> str:
        """Its name and the user's line, for the end of a message."""
        made = f", made at {self.source}" if self.source else ""
        return f"node '{self.name}' ({self.op}){made}"

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"


class Tensor(Operators):
    """A value to come: output `index` of `node`, with what is known of it.

    A tensor is symbolic: it has a shape, a dtype and a name, and becomes an array
    when a session runs it.
    """

    place = property(lambda self: self.node.place, doc="Its node's name and line.")
    sparse = ragged = False  # all are dense

    def __init__(self, node: Node, index: int, spec: Spec) -> None:
        self.node = node
        self.index = index
        self.spec = spec

    @property
    def op(self) -> Node:
        """The node which computes it, by TensorFlow 1's name."""
        return self.node

    @property
    def graph(self) -> Graph:
        """The graph it is part of."""
        return self.node.graph

    @property
    def name(self) -> str:
        """The node's name and the output's index: ``x:0``."""
        return f"{self.node.name}:{self.index}"

    @property
    def dtype(self) -> DType:
        """The kind of number."""
        return self.spec.dtype

    @property
    def shape(self) -> TensorShape | None:
        """The static shape; an unknown size is None, and so is an unknown rank."""
        return None if self.spec.shape is None else TensorShape(self.spec.shape)

    @property
    def ndim(self) -> int | None:
        """Number of axes; None if unknown."""
        return self.spec.rank

    def get_shape(self) -> TensorShape | None:
        """Return the static shape: TensorFlow 1's name for `shape`."""
        return self.shape

    def set_shape(self, shape: Iterable[int | None]) -> None:
        """Add what the program knows of the shape; nodes made before do not learn it.

        Raises:
            ShapeError: if it contradicts the static shape.
        """
        sizes = tuple(None if n == -1 else n for n in shape)
        merged = merge(self.spec.shape, sizes)
        self.spec = Spec(merged, self.spec.dtype, self.spec.value)

    def reshape(self, newshape: Any) -> Tensor:
        """Return its elements in another shape, as the method of arrays does."""
        sizes = newshape if isinstance(newshape, (tuple, list)) else (newshape,)
        return find("reshape")()(self, list(sizes))

    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> Tensor:
        """Return it without axes of size 1, as the method of arrays does."""
        return find("squeeze")((axis,) if isinstance(axis, int) else axis)(self)

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Compute it in `session`, or in the default one.

        Raises:
            SessionError: if no session is given and none is the default.
        """
        return (session or needed_session()).run(self, feed_dict)

    def __as_tensor__(self) -> Tensor:
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.eval(), dtype)

    def __len__(self) -> int:
        if not self.spec.shape or self.spec.shape[0] is None:
            raise TypeError(f"{self} has no length that is known before the run")
        return self.spec.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self} is symbolic: its truth is known only when a session runs it. "
            "Use cond (K.switch) or where in place of a Python `if`."
        )

    def __str__(self) -> str:
        return (
            f'Tensor("{self.name}", shape={show(self.spec.shape)}, dtype={self.dtype})'
        )

    def __repr__(self) -> str:
        shape = show(self.spec.shape)
        return f"<tf.Tensor '{self.name}' shape={shape} dtype={self.dtype}>"


def is_symbolic(value: Any) -> bool:
    """Whether `value` is a tensor or a variable, or a list with one in it."""
    if isinstance(value, (list, tuple)):
        return any(map(is_symbolic, value))
    return hasattr(value, "__as_tensor__")


class Graph:
    """Nodes with unique names, and collections in which programs look things up."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.collections: dict[str, list[Any]] = {}
        self.seed: int | None = None
        self.finalized = False
        self._by_name: dict[str, Node] = {}
        self._counts: dict[str, int] = {}
        self._scope = ""
        self._controls: list[tuple[Node, ...]] = []

    # -- building ----------------------------------------------------------------

    def add(self, op: Op, inputs: Sequence[Tensor], specs: Any, name: str) -> Node:
        """Append a node; `name` is taken as it is, from `unique_name`."""
        if self.finalized:
            raise GraphError(f"the graph is finalized: '{name}' cannot be added")
        node = Node(self, op, inputs, specs, name)
        charge_node(node)
        node.index = len(self.nodes)
        self.nodes.append(node)
        self._by_name[name] = node
        return node

    def own(self, tensor: Tensor) -> Tensor:
        """Return `tensor` as one of this graph's.

        Raises:
            GraphError: if it belongs to another graph.
        """
        if tensor.graph is not self:
            raise GraphError(
                f"{tensor} belongs to another graph than the one it is used in; "
                f"build both in one `with graph.as_default():`\n  at {tensor.place}"
            )
        return tensor

    def unique_name(self, name: str) -> str:
        """Return `name` in the current scope, with ``_1``, ``_2`` ... if it is taken.

        A name that ends in ``/`` is not put in the scope; that of the scope itself, as
        `name_scope` yields it, goes to the first node that asks for it.
        """
        if name and name == self._scope and name[:-1] not in self._by_name:
            return name[:-1]
        base = name[:-1] if name.endswith("/") else self._scope + name
        counts, key = self._counts, base.lower()  # names that differ in case clash too
        count = counts.get(key, 0)
        counts[key] = count + 1
        if count == 0:
            return base
        while f"{key}_{count}" in counts:
            count += 1
        counts[key] = count + 1
        counts[f"{key}_{count}"] = 1
        return f"{base}_{count}"

    def exchange_names(self, a: Node, b: Node) -> None:
        """Let each of two nodes be called by the other's name."""
        a.name, b.name = b.name, a.name
        self._by_name[a.name], self._by_name[b.name] = a, b

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Prefix the names of all nodes made inside with ``name/``.

        A name that ends in ``/``, as this function yields it, continues that scope; an
        empty one leaves all scopes.
        """
        before = self._scope
        name = name or ""
        new = name and not name.endswith("/")
        self._scope = f"{self.unique_name(name)}/" if new else name
        try:
            yield self._scope
        finally:
            self._scope = before

    @property
    def scope(self) -> str:
        """The current name scope: empty, or ending in ``/``."""
        return self._scope

    @contextmanager
    def control_dependencies(
        self, control_inputs: Iterable[Any] | None
    ) -> Iterator[None]:
        """Make every node built inside run after `control_inputs`; None clears them."""
        before = self._controls
        if control_inputs is None:
            self._controls = []
        else:
            nodes = tuple(self.dependency(item) for item in control_inputs)
            self._controls = [*before, nodes]
        try:
            yield
        finally:
            self._controls = before

    def dependency(self, item: Any) -> Node:
        """Return the node of an operation, tensor or variable that must run first."""
        return _node_of(item)

    def control_inputs(self) -> tuple[Node, ...]:
        """Return the nodes after which a node made now must run."""
        if not self._controls:
            return ()
        return tuple(dict.fromkeys(node for group in self._controls for node in group))

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Build in this graph inside the ``with`` block."""
        push_graph(self)
        try:
            yield self
        finally:
            pop_graph(self)

    def finalize(self) -> None:
        """Refuse new nodes from now on."""
        self.finalized = True

    # -- looking things up ---------------------------------------------------------

    def get_operations(self) -> list[Node]:
        """Return all nodes, in the order of creation."""
        return list(self.nodes)

    def get_operation_by_name(self, name: str) -> Node:
        """Return the node called `name`.

        Raises:
            GraphError: if there is none.
        """
        node = self._by_name.get(name)
        if node is None:
            raise GraphError(f"the graph has no node named {name!r}")
        return node

    def get_tensor_by_name(self, name: str) -> Tensor:
        """Return the tensor called `name`, as in ``"x:0"``.

        Raises:
            GraphError: if there is none, or `name` has no output index.
        """
        base, colon, index = name.rpartition(":")
        if not colon or not index.isdigit():
            raise GraphError(f"{name!r} is not a tensor's name: one looks like 'x:0'")
        outputs = self.get_operation_by_name(base).outputs
        if int(index) >= len(outputs):
            raise GraphError(f"node {base!r} has {len(outputs)} output(s), no '{name}'")
        return outputs[int(index)]

    def as_graph_element(self, value: Any) -> Any:
        """Return the node or tensor meant by a name, a node, a tensor or a variable."""
        if isinstance(value, str):
            by_name = (
                self.get_tensor_by_name if ":" in value else self.get_operation_by_name
            )
            return by_name(value)
        return value

    def add_to_collection(self, name: str, value: Any) -> None:
        """Append `value` to the collection called `name`."""
        self.collections.setdefault(name, []).append(value)

    def get_collection(self, name: str, scope: str | None = None) -> list[Any]:
        """Return a copy of a collection.

        With a `scope` only of items that have a name, the beginning of which matches
        `scope` as a regular expression.
        """
        items = self.collections.get(name, [])
        if scope is None:
            return list(items)
        return [x for x in items if re.match(scope, getattr(x, "name", None) or "\n")]

    def get_collection_ref(self, name: str) -> list[Any]:
        """Return a collection itself: what is appended to it is kept."""
        return self.collections.setdefault(name, [])


class Subgraph(Graph):
    """The body of a branch or loop: a graph that may use the tensors around it.

    An outside tensor used inside is *captured*: it becomes an extra input of the
    operation that the body belongs to, and a placeholder here.

    Args:
        parent: the graph around it.
        repeats: whether it is run several times, as a loop's body is.
    """

    def __init__(self, parent: Graph, repeats: bool = True) -> None:
        super().__init__()
        self.parent = parent
        self.repeats = repeats
        self.collections = parent.collections
        self.captures: dict[Tensor, Tensor] = {}
        self.captured_reads: set[Any] = set()  # variables whose outside value is used
        self.assigned: set[Any] = set()  # variables that the body itself sets
        self.seed = parent.seed
        self._scope = parent.scope  # so that names inside tell the layer, too

    def own(self, tensor: Tensor) -> Tensor:
        """Return `tensor`, captured if it belongs to a graph around this one."""
        if tensor.graph is self:
            return tensor
        if tensor not in self.captures:
            outer = self.parent.own(tensor)
            stand_in = find("placeholder")(outer.spec.shape, outer.spec.dtype)
            node = self.add(stand_in, (), outer.spec, self.unique_name("capture"))
            self.captures[tensor] = node.outputs[0]
        return self.captures[tensor]

    def dependency(self, item: Any) -> Node:
        """Return the node that stands here for one which must run first.

        Raises:
            GraphError: if that is outside, and has no value to wait for.
        """
        node = _node_of(item)
        if node.graph is self:
            return node
        if not node.outputs:
            raise GraphError(
                "a branch or loop cannot depend on an operation outside that has no "
                f"value: put the dependency around it\n  at {node.place}"
            )
        return self.own(node.outputs[0]).node

    def enclosing(self) -> Iterator[Subgraph]:
        """Yield this body and those around it, from the inside out."""
        graph: Graph = self
        while isinstance(graph, Subgraph):
            yield graph
            graph = graph.parent

    def is_inside(self, graph: Graph) -> bool:
        """Whether `graph` is one of those around this one."""
        return any(body.parent is graph for body in self.enclosing())


# -- which graph is being built --------------------------------------------------------


_default_graph = Graph()


def current_graph() -> Graph:
    """Return the graph to which new nodes are added."""
    return entered_graph() or _default_graph


def graph_of(inputs: Iterable[Any]) -> Graph:
    """Return the graph where a node on `inputs` belongs.

    That is the graph of the first tensor or graph variable among them, wherever one is,
    except inside a `Subgraph` that may capture it.
    """
    graph = current_graph()
    for value in inputs:
        home = getattr(value, "graph", None)
        if home is not None:
            inside = isinstance(graph, Subgraph) and graph.is_inside(home)
            return graph if inside else home
    return graph


def reset_default_graph() -> None:
    """Throw the default graph away and start an empty one.

    Raises:
        GraphError: inside a ``with graph.as_default():`` block.
    """
    global _default_graph
    if entered_graph():
        raise GraphError("reset_default_graph() inside `with graph.as_default():`")
    _default_graph = Graph()


def _node_of(item: Any) -> Node:
    if isinstance(item, Node):
        return item
    return item.__as_tensor__().node
