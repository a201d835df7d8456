"""From graph to callable: `function` over tensors, and over traced functions.

Both end in a `Routine` of the session: a list of fetches and a list of feeds, compiled
into a plan at the first call with arrays of given shapes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from minikeras.backend.session import get_session
from minikeras.backend.stateless import StatelessScope, get_stateless_scope
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

# Traces that a function keeps: one for each form of its arguments.
TRACES = 64


def is_array(value: Any) -> bool:
    """Whether `value` is a concrete array (and not a plain number)."""
    return not hasattr(value, "__as_tensor__") and hasattr(value, "__array__")


class Function:
    """Outputs and updates as a function of inputs; made by `function`.

    Args:
        inputs: tensors to be fed, in order, in any nesting.
        outputs: tensors or variables to compute, in any nesting.
        updates: operations to run as well.
        once: whether it may be called only once; then it is compiled when it is called
            a second time.
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        updates: Iterable[Any] = (),
        once: bool = False,
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        fetches: list[Any] = [_fetch(x) for x in tree.flatten(outputs)]
        self._count = len(fetches)
        effects = [u if isinstance(u, Node) else as_tensor(u).node for u in updates]
        feeds = [x for x in tree.flatten(inputs) if isinstance(x, Tensor)]
        self._fed = [isinstance(x, Tensor) for x in tree.flatten(inputs)]
        self._routine = Routine(get_session(), [*fetches, *effects], feeds, once)

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

    @property
    def plans(self) -> list[Any]:
        """The plans that are kept, one for each set of shapes."""
        return list(self._routine.plans.values())

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


class CompiledTrace:
    """One trace of a Python function, compiled: a function of its arrays.

    Args:
        inputs: the placeholders of the trace.
        outputs: what the Python function returned, in any nesting.
        updates: what it assigned to variables.
        once: see `Function`.
    """

    def __init__(
        self,
        inputs: Sequence[Tensor],
        outputs: Any,
        updates: Iterable[Node],
        once: bool = False,
    ) -> None:
        self.outputs = outputs
        self._leaves = tree.flatten(outputs)
        fetches = [x for x in self._leaves if is_symbolic(x)]
        self._function = Function(inputs, fetches, updates, once)

    @property
    def plans(self) -> list[Any]:
        """The plans that are kept, one for each set of shapes."""
        return self._function.plans

    @property
    def last_run(self) -> int:
        """When it ran last, as its compiled plans know; -1 if it has none."""
        return max((getattr(plan, "step", -1) for plan in self.plans), default=-1)

    @property
    def graphs(self) -> list[Any]:
        """The graph that was made, if there are inputs to it."""
        return [x.graph for x in self._function.inputs[:1]]

    def __call__(self, arrays: Sequence[Any]) -> Any:
        """Return the outputs, with arrays in place of tensors."""
        values = self._function.run(arrays)
        if not tree.is_nested(self.outputs):
            return values[0] if values else self.outputs
        rest = iter(values)
        return tree.pack_sequence_as(
            self.outputs, [next(rest) if is_symbolic(x) else x for x in self._leaves]
        )


@dataclass(frozen=True)
class _Known:
    """Variables whose values a scope knows: a leaf among the results of a trace."""

    variables: tuple[Variable, ...]


class TracedFunction:
    """A Python function, traced once for each form of its arguments and then compiled.

    Arrays among the arguments (in any nesting) become tensors while `fn` is traced;
    everything else is passed as it is, and a new value of it means a new trace; when
    there are `TRACES`, in the place of that whose last run is longest ago. Updates of
    variables are part of the compiled function.

    Args:
        fn: what to trace.
        any_rows: whether one trace serves any size of the arrays' first axes, which
            all of them have then.
        once: see `Function`.
    """

    def __init__(
        self, fn: Callable[..., Any], any_rows: bool = False, once: bool = False
    ) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.fixed = slice(1 if any_rows else 0, None)
        self.once = once
        self.traces: dict[Any, CompiledTrace] = {}

    @property
    def plans(self) -> list[Any]:
        """The plans that are kept; each can `explain` itself."""
        return [plan for trace in self.traces.values() for plan in trace.plans]

    @property
    def graphs(self) -> list[Any]:
        """The graphs of all traces."""
        return [graph for trace in self.traces.values() for graph in trace.graphs]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `fn` returns, with arrays in place of tensors."""
        scope = get_stateless_scope()
        if scope is not None:
            return self._in_scope(scope, args, kwargs)
        traced, arrays = self.traced_for(*args, **kwargs)
        return traced(arrays)

    def _in_scope(self, scope: StatelessScope, args: Any, kwargs: Any) -> Any:
        """Read and assign variables in `scope`: they become arguments and results."""
        given = scope.state_mapping
        traced, arrays = self.pure.traced_for(
            tuple(given), list(given.values()), args, kwargs
        )
        outputs, values, known = traced(arrays)
        for update in zip(known.variables, values, strict=True):
            scope.add_update(update)
        return outputs

    @functools.cached_property
    def pure(self) -> TracedFunction:
        """The same as a function of the values of variables, which it leaves alone."""

        def pure(variables: Any, values: Any, args: Any, kwargs: Any) -> Any:
            with StatelessScope(zip(variables, values, strict=True)) as scope:
                outputs = self.fn(*args, **kwargs)
            after = scope.state_mapping
            return outputs, list(after.values()), _Known(tuple(after))

        return TracedFunction(pure, once=self.once)

    def traced_for(self, *args: Any, **kwargs: Any) -> tuple[CompiledTrace, list[Any]]:
        """Return the trace for arguments of this form, and the arrays among them."""
        arrays: list[Any] = []
        form = self._form(args, arrays)
        if kwargs:
            form = form, self._form(kwargs, arrays)
        traced = self.traces.get(form)
        if traced is None:
            if len(self.traces) >= TRACES:
                oldest, _ = min([*self.traces.items()], key=lambda x: x[1].last_run)
                self.traces.pop(oldest, None)
            traced = self.traces[form] = self._trace((args, kwargs), arrays)
        return traced, arrays

    def _form(self, value: Any, arrays: list[Any]) -> Any:
        """Return what a trace depends on; append the arrays in `value` to `arrays`."""
        if isinstance(value, (list, tuple)):
            return (type(value), *[self._form(part, arrays) for part in value])
        if isinstance(value, dict):
            parts = [self._form(value[key], arrays) for key in tree.keys_of(value)]
            return (type(value), *value, *parts)
        if is_array(value):
            array = as_array(value)
            arrays.append(array)
            return array.shape[self.fixed], array.dtype
        return type(value), value

    def _trace(self, call: Any, arrays: Sequence[Any]) -> CompiledTrace:
        """Call `fn` on placeholders."""
        with tracing() as trace:
            inputs = [self._stand_in(x) for x in arrays]
            rest = iter(inputs)
            args, kwargs = tree.map_structure(
                lambda x: next(rest) if is_array(x) else x, call
            )
            outputs = tree.map_structure(
                lambda y: as_tensor(y) if is_symbolic(y) else y,
                self.fn(*args, **kwargs),
            )
        return CompiledTrace(inputs, outputs, trace.updates, self.once)

    def _stand_in(self, array: Any) -> Tensor:
        shape = (*[None] * self.fixed.start, *array.shape[self.fixed])
        return placeholder(dtypes.as_dtype(array.dtype), shape, name="arg")


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
            bound = functools.partial(method, self)
            traced[method] = TracedFunction(bound, once=True)
        return traced[method](*args, **kwargs)

    return call


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradients of `loss` with respect to `variables`, as a graph.

    Where the loss does not depend on a variable the gradient is None.
    """
    return engine_gradients(loss, variables)
