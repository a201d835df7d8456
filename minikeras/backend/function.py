"""From graph to callable: `function` over tensors, and over traced functions.

Both end in a `Routine` of the session: a list of fetches and a list of feeds, compiled
into a plan at the first call with arrays of given shapes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minikeras.backend.session import get_session
from minikeras.backend.tracing import current_trace, tracing
from minikeras.backend.variables import Variable
from minikeras.engine import devices, dtypes, tree
from minikeras.engine.autodiff import gradients as engine_gradients
from minikeras.engine.graph import Node, Tensor, is_symbolic
from minikeras.engine.op import as_array, as_tensor
from minikeras.engine.ops import placeholder
from minikeras.engine.session import Routine

__all__ = [
    "Function",
    "TracedFunction",
    "compiled_method",
    "function",
    "gradients",
    "is_array",
]


def is_array(value: Any) -> bool:
    """Whether `value` is a concrete array (and not a plain number)."""
    return not hasattr(value, "__as_tensor__") and hasattr(value, "__array__")


class Function:
    """Outputs and updates as a function of inputs; made by `function`.

    Args:
        inputs: tensors to be fed, in order, in any nesting.
        outputs: tensors or variables to compute, in any nesting.
        updates: operations to run as well.
    """

    def __init__(self, inputs: Any, outputs: Any, updates: Iterable[Any] = ()) -> None:
        self.inputs = inputs
        self.outputs = outputs
        fetches: list[Any] = [_fetch(x) for x in tree.flatten(outputs)]
        self._count = len(fetches)
        effects = [u if isinstance(u, Node) else as_tensor(u).node for u in updates]
        feeds = [x for x in tree.flatten(inputs) if isinstance(x, Tensor)]
        self._fed = [isinstance(x, Tensor) for x in tree.flatten(inputs)]
        self._routine = Routine(get_session(), [*fetches, *effects], feeds)

    def __call__(self, inputs: Any = ()) -> Any:
        """Return the outputs' values, in their nesting, for these inputs' values."""
        if len(self._fed) == 1 and not tree.is_nested(inputs):
            given = [inputs]
        else:
            given = tree.flatten_up_to(self.inputs, inputs)
        self._routine.session = get_session()
        values = self._routine(
            *(x for x, fed in zip(given, self._fed, strict=True) if fed)
        )
        return tree.pack_sequence_as(self.outputs, values[: self._count])

    def run(self, arrays: Sequence[Any]) -> list[Any]:
        """Return the outputs' values, for arrays of the inputs' dtypes; both flat."""
        self._routine.session = get_session()
        values = self._routine.run([devices.to_device(x) for x in arrays])
        return values[: self._count]


def _fetch(x: Any) -> Any:
    return x.handle if isinstance(x, Variable) else as_tensor(x)


def function(
    inputs: Any, outputs: Any = None, updates: Iterable[Any] = (), **kwargs: Any
) -> Any:
    """Compile a computation into a function of arrays.

    With tensors, ``function(inputs, outputs, updates)``: the result takes values for
    `inputs` (in the same nesting) and returns those of `outputs`, having carried out
    `updates`. With a Python function as the only argument (also as a decorator): the
    result traces it once for each set of argument shapes, then runs the compiled plan.

    Example:
        >>> x = placeholder(shape=(None,))
        >>> function([x], [x * 2.0])([[1.0, 2.0]])
        [array([2., 4.], dtype=float32)]
    """
    if callable(inputs) and outputs is None:
        return TracedFunction(inputs)
    return Function(inputs, outputs, updates or ())


class TracedFunction:
    """A Python function, traced once for each set of argument shapes and then compiled.

    Arrays among the arguments (in any nesting) become tensors while `fn` is traced;
    everything else is passed as it is, and a new value of it means a new trace. Updates
    of variables are part of the compiled function.
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.compiled: dict[Any, tuple[Function, Any]] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `fn` returns, with arrays in place of tensors."""
        call = (args, kwargs)
        leaves = tree.flatten(call)
        arrays = [as_array(x) for x in leaves if is_array(x)]
        key = (_signature(call), *((x.shape, x.dtype) for x in arrays))
        compiled = self.compiled.get(key)
        if compiled is None:
            compiled = self.compiled[key] = self._trace(call, leaves, arrays)
        run, outputs = compiled
        values = iter(run(arrays))
        return tree.map_structure(
            lambda x: next(values) if is_symbolic(x) else x, outputs
        )

    def _trace(
        self, call: Any, leaves: Sequence[Any], arrays: Sequence[Any]
    ) -> tuple[Function, Any]:
        """Call `fn` on placeholders; return it compiled, and what it returned."""
        with tracing() as trace:
            inputs = [
                placeholder(dtypes.as_dtype(x.dtype), x.shape, name="arg")
                for x in arrays
            ]
            stand_ins = iter(inputs)
            symbolic = [next(stand_ins) if is_array(x) else x for x in leaves]
            args, kwargs = tree.pack_sequence_as(call, symbolic)
            outputs = self.fn(*args, **kwargs)
            fetches = [as_tensor(x) for x in tree.flatten(outputs) if is_symbolic(x)]
        return Function(inputs, fetches, trace.updates), outputs


def compiled_method(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method that is written in K also work on arrays, at once and fast.

    On tensors, or inside a trace, it is the plain method. On arrays alone it becomes a
    `TracedFunction` of its object: its updates of variables are carried out, and it
    returns arrays.
    """

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if current_trace() is not None or any(
            map(is_symbolic, tree.flatten((args, kwargs)))
        ):
            return method(self, *args, **kwargs)
        traced = self.__dict__.setdefault("_traced_methods", {})
        if method not in traced:
            traced[method] = TracedFunction(functools.partial(method, self))
        return traced[method](*args, **kwargs)

    return call


def _signature(structure: Any) -> Any:
    """Return a hashable picture of `structure` with its arrays left out."""
    if isinstance(structure, dict):
        return ("dict", *((k, _signature(v)) for k, v in structure.items()))
    if isinstance(structure, (list, tuple)):
        return (type(structure).__name__, *map(_signature, structure))
    if is_array(structure):
        return "array"
    return (type(structure), structure)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradients of `loss` with respect to `variables`, as a graph.

    Where the loss does not depend on a variable the gradient is None.
    """
    return engine_gradients(loss, variables)
