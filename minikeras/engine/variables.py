"""Variables of the graph API: values that a session keeps from run to run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minikeras.engine import dtypes
from minikeras.engine.dtypes import DType
from minikeras.engine.graph import Graph, Node, Subgraph, Tensor, current_graph
from minikeras.engine.op import as_tensor
from minikeras.engine.operators import Operators
from minikeras.engine.ops.state import Handle, ReadVariable, claim, group, read
from minikeras.engine.ops.state import assign as store
from minikeras.engine.shapes import show
from minikeras.engine.spec import Spec, TensorShape

__all__ = [
    "GraphKeys",
    "Variable",
    "assign",
    "assign_add",
    "assign_sub",
    "global_variables",
    "global_variables_initializer",
    "initialize_all_variables",
    "local_variables",
    "local_variables_initializer",
    "trainable_variables",
    "variables_initializer",
]


class GraphKeys:
    """Names of the collections in which a graph lists its variables and losses."""

    GLOBAL_VARIABLES = "variables"
    VARIABLES = GLOBAL_VARIABLES
    LOCAL_VARIABLES = "local_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    MODEL_VARIABLES = "model_variables"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    GLOBAL_STEP = "global_step"
    LOSSES = "losses"
    REGULARIZATION_LOSSES = "regularization_losses"
    UPDATE_OPS = "update_ops"
    TRAIN_OP = "train_op"
    SUMMARIES = "summaries"


class Variable(Operators):
    """A value that a session keeps, and that assignments change.

    Each use in an expression reads it anew, and reads and assignments take effect in
    the order in which the program built them.

    Args:
        initial_value: a number, array or tensor, or a function that returns one.
        trainable: whether optimizers find it when they are given no list.
        collections: graph collections it is entered in, global variables by default.
        validate_shape: if False, the shape is left open.
        name: made unique in the graph.
        dtype: by default that of `initial_value`.

    Example:
        >>> y = Variable(constant(100) + 50, name="y")
        >>> print(y)
        <tf.Variable 'y:0' shape=() dtype=int32_ref>
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        collections: Iterable[str] | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
    ) -> None:
        if initial_value is None:
            raise ValueError("Variable: initial_value must be given")
        graph = current_graph()
        while isinstance(graph, Subgraph):
            graph = graph.parent
        with graph.as_default(), graph.control_dependencies(None):
            own_name = graph.unique_name(name or "Variable")
            with graph.name_scope(f"{own_name}/"):
                given = initial_value() if callable(initial_value) else initial_value
                wanted = None if dtype is None else dtypes.as_dtype(dtype)
                initial = as_tensor(given, wanted, name="initial_value")
            shape = initial.spec.shape if validate_shape else None
            self.graph: Graph = graph
            self.handle = Handle(own_name, shape, initial.dtype)
            self.initial_value = initial
            spec = Spec(shape, initial.dtype)
            node = graph.add(ReadVariable(self.handle), (), spec, own_name)
            self._tensor = node.outputs[0]
            self.initializer: Node = store(
                self.handle, initial, f"{own_name}/Assign/"
            ).node
        self.trainable = trainable
        keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None else [*collections]
        for key in [*keys, *([GraphKeys.TRAINABLE_VARIABLES] if trainable else [])]:
            graph.add_to_collection(key, self)

    place = property(lambda self: self.handle.place, doc="Its name and line.")

    @property
    def name(self) -> str:
        """Its name as a tensor: ``y:0``."""
        return self._tensor.name

    @property
    def op(self) -> Node:
        """The node that stands for it in the graph."""
        return self._tensor.node

    @property
    def dtype(self) -> DType:
        """The kind of number."""
        return self.handle.dtype

    @property
    def shape(self) -> TensorShape | None:
        """The static shape."""
        return self._tensor.shape

    def get_shape(self) -> TensorShape | None:
        """Return the static shape: TensorFlow 1's name for `shape`."""
        return self.shape

    def value(self) -> Tensor:
        """Return its value as a tensor."""
        return self.__as_tensor__()

    read_value = value

    def initialized_value(self) -> Tensor:
        """Return the initial value, for use in another variable's initial value."""
        return self.initial_value

    def __as_tensor__(self) -> Tensor:
        with self._home().as_default():
            return read(self.handle, name=f"{self.handle.name}/read/")

    def _home(self) -> Graph:
        """Return where its nodes belong: in its graph, or in a body inside that."""
        graph = current_graph()
        inside = isinstance(graph, Subgraph) and graph.is_inside(self.graph)
        return graph if inside else self.graph

    def _stored(self, value: Any, name: str) -> Tensor:
        with self._home().as_default():
            return store(self.handle, value, name)

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None
    ) -> Tensor:
        """Return a tensor that, when run, sets the variable and is its new value.

        Raises:
            ShapeError: if `value` has another shape.
            DTypeError: if its kind of number does not fit.
        """
        return self._stored(value, name or "Assign")

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None
    ) -> Tensor:
        """Return a tensor that, when run, adds `delta` to the variable."""
        claim(self.handle)
        return self._stored(self + delta, name or "AssignAdd")

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None
    ) -> Tensor:
        """Return a tensor that, when run, subtracts `delta` from the variable."""
        claim(self.handle)
        return self._stored(self - delta, name or "AssignSub")

    def eval(self, session: Any = None) -> Any:
        """Return its value in `session`, or in the default one."""
        return self._tensor.eval(session=session)

    def load(self, value: Any, session: Any = None) -> None:
        """Set its value in `session`, or in the default one, at once."""
        feed = {self.initial_value: value}
        self.initializer.run(feed, session)

    def __iter__(self) -> Any:
        return iter(self.__as_tensor__())

    def __repr__(self) -> str:
        shape = show(self.handle.shape)
        return f"<tf.Variable '{self.name}' shape={shape} dtype={self.dtype}_ref>"


def global_variables(scope: str | None = None) -> list[Variable]:
    """Return the variables of the current graph, in the order of creation."""
    return current_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Variable]:
    """Return the variables of the current graph that a checkpoint leaves out."""
    return current_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Variable]:
    """Return the trainable variables of the current graph, in the order of creation."""
    return current_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def variables_initializer(variables: Iterable[Variable], name: str = "init") -> Node:
    """Return an operation that gives each of `variables` its initial value."""
    return group(*(v.initializer for v in variables), name=name)


def global_variables_initializer() -> Node:
    """Return an operation that gives all global variables their initial values."""
    return variables_initializer(global_variables())


initialize_all_variables = global_variables_initializer


def local_variables_initializer() -> Node:
    """Return an operation that gives all local variables their initial values."""
    return variables_initializer(local_variables())


def assign(
    ref: Variable,
    value: Any,
    validate_shape: bool = True,
    use_locking: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """Return a tensor that, when run, sets the variable `ref` and is its new value."""
    return ref.assign(value, name=name)


def assign_add(
    ref: Variable, value: Any, use_locking: bool | None = None, name: str | None = None
) -> Tensor:
    """Return a tensor that, when run, adds to the variable `ref`."""
    return ref.assign_add(value, name=name)


def assign_sub(
    ref: Variable, value: Any, use_locking: bool | None = None, name: str | None = None
) -> Tensor:
    """Return a tensor that, when run, subtracts from the variable `ref`."""
    return ref.assign_sub(value, name=name)
