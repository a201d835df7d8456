"""Scopes: `name_scope` prefixes nodes, `variable_scope` lets code share variables.

`get_variable` finds a variable by the names of the variable scopes around it, wherever
the program is in its graph: code that is run twice, in a scope which reuses, gets the
same variables twice.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.graph import Graph, Tensor, current_graph
from minikeras.engine.initializers import glorot_uniform_initializer, zeros_initializer
from minikeras.engine.shapes import show
from minikeras.engine.variables import GraphKeys, Variable

__all__ = [
    "AUTO_REUSE",
    "VariableScope",
    "get_variable",
    "get_variable_scope",
    "name_scope",
    "variable_scope",
]

AUTO_REUSE = "AUTO_REUSE"  # make a variable at first sight, share it afterwards


@contextmanager
def name_scope(
    name: str | None, default_name: str | None = None, values: Any = None
) -> Iterator[str]:
    """Prefix the names of all nodes made inside with ``name/``.

    Args:
        name: made unique, unless it ends in ``/``: that continues a scope. Empty, it
            leaves all scopes.
        default_name: used where `name` is None.
        values: accepted.
    """
    with current_graph().name_scope(default_name if name is None else name) as scope:
        yield scope


@dataclass
class VariableScope:
    """Where `get_variable` looks: a prefix of names, and defaults for new variables.

    Attributes:
        reuse: False if a name can be used once, True if all variables must exist,
            `AUTO_REUSE` if either is fine.
        name: the prefix, without the last ``/``.
        initializer: for variables that are given none.
        regularizer: likewise.
        dtype: likewise.
        original_name_scope: the name scope that was opened with it.
    """

    reuse: bool | str = False
    name: str = ""
    initializer: Any = None
    regularizer: Any = None
    dtype: DType = field(default_factory=lambda: as_dtype("float32"))
    original_name_scope: str = ""

    def reuse_variables(self) -> None:
        """Share variables from now on, and make none."""
        self.reuse = True

    def path(self, name: str) -> str:
        """Return `name` with the prefix."""
        return f"{self.name}/{name}" if self.name else name

    def global_variables(self) -> list[Variable]:
        """Return the global variables made in it."""
        return current_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, self.path(""))

    def trainable_variables(self) -> list[Variable]:
        """Return the trainable variables made in it."""
        return current_graph().get_collection(
            GraphKeys.TRAINABLE_VARIABLES, self.path("")
        )


class VariableStore:
    """The variables of one graph by their names, and the scope that is open."""

    KEY = "variable_store"

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self.scope = VariableScope()
        self.opened: dict[str, int] = {}  # how often each scope was entered

    @classmethod
    def of(cls, graph: Graph) -> VariableStore:
        """Return the store of `graph`."""
        kept = graph.get_collection_ref(cls.KEY)
        if not kept:
            kept.append(cls())
        return kept[0]

    def unique_scope(self, name: str) -> str:
        """Return `name`, with a counter if a scope of the name was entered here."""
        unique, count = name, 0
        while self.opened.get(self.scope.path(unique)):
            count += 1
            unique = f"{name}_{count}"
        return unique

    @contextmanager
    def entered(self, scope: VariableScope) -> Iterator[VariableScope]:
        """Make `scope` the open one; inside, names count from the start each time."""
        outer, self.scope = self.scope, scope
        self.opened[scope.name] = self.opened.get(scope.name, 0) + 1
        try:
            yield scope
        finally:
            self.scope = outer
            for name in self.opened:
                if name.startswith(f"{scope.name}/"):
                    self.opened[name] = 0


def get_variable_scope() -> VariableScope:
    """Return the variable scope that is open."""
    return VariableStore.of(current_graph()).scope


@contextmanager
def variable_scope(
    name_or_scope: str | VariableScope | None,
    default_name: str | None = None,
    values: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    reuse: bool | str | None = None,
    dtype: Any = None,
) -> Iterator[VariableScope]:
    """Prefix variables made by `get_variable`, and nodes, with ``name/``.

    Entering a scope again shares its variables if `reuse` says so; nodes get a name
    scope of their own each time (``name_1/``).

    Args:
        name_or_scope: a name within the scope around, or a scope to enter again.
        default_name: made unique and used where `name_or_scope` is None.
        values: accepted, as are `caching_device`, `partitioner` and `custom_getter`.
        initializer: for variables made inside that are given none.
        regularizer: likewise.
        caching_device: accepted.
        partitioner: accepted.
        custom_getter: accepted.
        reuse: True to share and make no variable, `AUTO_REUSE` to do either; None or
            False to do as the scope around does.
        dtype: of variables made inside that are given none.

    Raises:
        ValueError: if there is neither a name nor a default, or a default is to reuse.
    """
    if name_or_scope is None and (default_name is None or reuse is True):
        raise ValueError("variable_scope: to reuse variables it needs a name")
    graph = current_graph()
    store = VariableStore.of(graph)
    if isinstance(name_or_scope, VariableScope):
        base, label = name_or_scope, name_or_scope.name.rpartition("/")[2]
    else:
        label = name_or_scope or store.unique_scope(default_name or "")
        base = replace(store.scope, name=store.scope.path(label))
    given = {
        "initializer": initializer,
        "regularizer": regularizer,
        "reuse": reuse or None,
        "dtype": None if dtype is None else as_dtype(dtype),
    }
    opened = replace(base, **{k: v for k, v in given.items() if v is not None})
    with graph.name_scope(label or graph.scope) as nodes, store.entered(opened):
        opened.original_name_scope = nodes
        yield opened


def get_variable(
    name: str,
    shape: Iterable[int] | int | None = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Iterable[str] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: Any = None,
    custom_getter: Any = None,
) -> Variable:
    """Return the variable called `name` in the open variable scope.

    Args:
        name: its name within the scope.
        shape: its sizes; left out if `initializer` is a value.
        dtype: its kind of number, by default the scope's: float32.
        initializer: a function of a shape and a dtype, or an initial value. By default
            the scope's, else Glorot's uniform one (zeros for integers).
        regularizer: a function of the variable, whose result is collected as a
            regularization loss.
        trainable: whether optimizers find it when they are given no list.
        collections: graph collections it is entered in, global variables by default.
        caching_device: accepted.
        partitioner: accepted.
        validate_shape: if False, the shape is left open.
        use_resource: accepted.
        custom_getter: accepted.

    Raises:
        ValueError: if it exists and the scope does not reuse; if it does not exist and
            the scope makes none; if it exists with another shape or dtype.
    """
    store = VariableStore.of(current_graph())
    scope = store.scope
    path = scope.path(name)
    sizes = (shape,) if isinstance(shape, int) else shape and tuple(shape)
    kind = None if dtype is None else as_dtype(dtype)
    found = store.variables.get(path)
    if found is not None:
        _check_shared(found, scope.reuse, sizes, kind)
        return found
    if scope.reuse is True:
        raise ValueError(
            f"variable '{path}' does not exist, and its scope has reuse=True: make it "
            "first, with get_variable, or open the scope with reuse=AUTO_REUSE"
        )
    start = scope.initializer if initializer is None else initializer
    made = Variable(
        _initial(path, start, sizes, kind or scope.dtype),
        trainable,
        collections,
        validate_shape,
        name=f"{path}/",
        dtype=kind,
    )
    store.variables[path] = made
    _regularize(made, regularizer or scope.regularizer)
    return made


def _check_shared(
    variable: Variable, reuse: bool | str, shape: Any, dtype: Any
) -> None:
    name, made = variable.op.name, variable.handle.source
    if not reuse:
        raise ValueError(
            f"variable '{name}' exists already, made at {made}; to share it, open its "
            "scope with reuse=True or reuse=AUTO_REUSE"
        )
    if shape is not None and not variable.handle.spec.admits(shape):
        raise ValueError(
            f"variable '{name}', made at {made}, has shape {variable.shape}; asked for "
            f"with shape {show(shape)}"
        )
    if dtype not in (None, variable.dtype):
        raise ValueError(
            f"variable '{name}', made at {made}, is of {variable.dtype}; asked for as "
            f"{dtype}"
        )


def _initial(name: str, initializer: Any, shape: Any, dtype: DType) -> Any:
    """Return a variable's initial value, or the function that makes it."""
    if inspect.isclass(initializer):
        initializer = initializer()
    if initializer is None:
        floats = dtype.is_floating
        initializer = glorot_uniform_initializer() if floats else zeros_initializer()
    if not callable(initializer):
        if shape is not None:
            raise ValueError(
                f"get_variable: '{name}' has an initial value, which has a shape: give "
                "it no other"
            )
        return initializer
    if shape is None:
        return initializer
    if None in shape:
        raise ValueError(f"get_variable: the shape of '{name}' is not known: {shape}")
    return lambda: initializer(list(shape), dtype=dtype)


def _regularize(variable: Variable, regularizer: Any) -> None:
    """Collect the penalty that `regularizer` puts on a variable."""
    if regularizer is None:
        return
    with variable.graph.name_scope(f"{variable.op.name}/Regularizer/"):
        loss = regularizer(variable)
    if isinstance(loss, Tensor):
        variable.graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
