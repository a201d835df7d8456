"""The order of effects, branches and loops by TensorFlow 1's names and rules."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minikeras.engine import ops, tree
from minikeras.engine.context import lazily
from minikeras.engine.facade import graph_function
from minikeras.engine.graph import Node, Tensor, current_graph
from minikeras.engine.op import as_tensor

__all__ = [
    "Assert",
    "Print",
    "case",
    "cond",
    "control_dependencies",
    "foldl",
    "foldr",
    "group",
    "map_fn",
    "no_op",
    "py_func",
    "scan",
    "tuple",
    "while_loop",
]

Function = Callable[..., Any]


# -- the order of effects --------------------------------------------------------------


@contextmanager
def control_dependencies(control_inputs: Iterable[Any] | None) -> Iterator[None]:
    """Make what is built inside run after `control_inputs`; None clears what holds."""
    with current_graph().control_dependencies(control_inputs):
        yield


def group(*inputs: Any, name: str | None = None) -> Node:
    """Return an operation that runs after all `inputs` and has no value."""
    return ops.group(*inputs, name=name or "group_deps")


def no_op(name: str | None = None) -> Node:
    """Return an operation that does nothing, after its control dependencies."""
    return ops.group(name=name or "NoOp")


def tuple(
    tensors: Sequence[Any], name: str | None = None, control_inputs: Iterable[Any] = ()
) -> list[Tensor | None]:
    """Return the tensors, each available only when all are; None among them stays."""
    graph = current_graph()
    present = [x for x in tensors if x is not None]
    everything = graph.control_dependencies([*present, *control_inputs])
    with graph.name_scope(name or "tuple"), everything:
        return [x if x is None else ops.identity(x) for x in tensors]


@graph_function
def Print(  # noqa: N802 - TensorFlow's name
    input_: Any,
    data: Sequence[Any],
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
) -> Tensor:
    """Return `input_`; whenever it is computed, print `data` on standard error.

    Args:
        input_: the value that goes on.
        data: tensors to print.
        message: printed in front.
        first_n: how many times to print; always by default.
        summarize: how many elements of each tensor to print: 3 by default, all if -1.
    """
    return ops.print_values(input_, data, message or "", first_n, summarize)


def Assert(  # noqa: N802 - TensorFlow's name
    condition: Any,
    data: Sequence[Any],
    summarize: int | None = None,
    name: str | None = None,
) -> Node:
    """Return an operation which fails, showing `data`, unless all of `condition` holds.

    It is carried out where it is run itself, or a control dependency.
    """
    with lazily(name) as request:
        return request.settle(ops.assert_true(condition, data, summarize)).op


@graph_function
def py_func(
    func: Function, inp: Sequence[Any], Tout: Any, stateful: bool = True
) -> Any:
    """Return what a Python function of NumPy arrays returns; it has no gradient.

    Args:
        func: called in every run; returns one array or several.
        inp: tensors.
        Tout: the dtype of the result, or the list of the results' dtypes.
        stateful: accepted.
    """
    several = isinstance(Tout, (list, builtins.tuple))
    results = ops.python_function(func, inp, Tout if several else [Tout])
    return results if several else results[0]


# -- branches --------------------------------------------------------------------------


@graph_function
def cond(
    pred: Any,
    true_fn: Function | None = None,
    false_fn: Function | None = None,
    strict: bool = False,
    fn1: Function | None = None,
    fn2: Function | None = None,
) -> Any:
    """Return ``true_fn()`` if the scalar `pred` holds, else ``false_fn()``.

    Only the branch taken is run, its assignments included.

    Args:
        pred: a truth value.
        true_fn: builds the one branch.
        false_fn: builds the other, of the same structure.
        strict: whether a list of one tensor is returned as a list.
        fn1: `true_fn` by its old name.
        fn2: `false_fn` by its old name.
    """
    yes, no = true_fn or fn1, false_fn or fn2
    if yes is None or no is None:
        raise TypeError("cond: needs a true_fn and a false_fn")
    result = ops.cond(as_tensor(pred), yes, no)
    return result if strict else _unpacked(result)


def _unpacked(result: Any) -> Any:
    """Return the one tensor of a list of one."""
    single = isinstance(result, (list, builtins.tuple)) and len(result) == 1
    return result[0] if single else result


@graph_function
def case(
    pred_fn_pairs: Any,
    default: Function | None = None,
    exclusive: bool = False,
    strict: bool = False,
) -> Any:
    """Return the result of the function that stands beside the first true predicate.

    Args:
        pred_fn_pairs: pairs of a truth value and a function, or a dict of such.
        default: used if none is true; by default the last function.
        exclusive: accepted; the first one counts.
        strict: whether a list of one tensor is returned as a list.
    """
    pairs = pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs
    pairs = list(pairs)
    otherwise = pairs.pop()[1] if default is None else default
    for pred, function in reversed(pairs):
        otherwise = functools.partial(ops.cond, as_tensor(pred), function, otherwise)
    result = otherwise()
    return result if strict else _unpacked(result)


# -- loops -----------------------------------------------------------------------------


@graph_function
def while_loop(
    cond: Function,
    body: Function,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: int | None = None,
    return_same_structure: bool = False,
) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` as long as ``cond(*loop_vars)`` holds.

    Args:
        cond: returns a scalar truth value.
        body: returns the new loop variables.
        loop_vars: a list or tuple of (nested) tensors.
        shape_invariants: accepted; a shape may change from pass to pass.
        parallel_iterations: accepted; passes follow one another.
        back_prop: accepted; gradients are always there.
        swap_memory: accepted.
        maximum_iterations: a bound on the number of passes.
        return_same_structure: whether a list of one tensor is returned as a list.
    """
    start = tree.map_structure(as_tensor, loop_vars)
    result = ops.while_loop(cond, body, start, maximum_iterations)
    return result if return_same_structure else _unpacked(result)


def _folded(
    fn: Function, elems: Any, initializer: Any, reverse: bool
) -> builtins.tuple:
    """Return the last result of ``acc = fn(acc, x)``, all of them, and the first `acc`.

    The first element is the first `acc`, if no `initializer` is given.
    """
    elems, first = tree.map_structure(as_tensor, elems), None
    if initializer is None:
        edge = slice(-1, None) if reverse else slice(1)
        rest = slice(-1) if reverse else slice(1, None)
        first = tree.map_structure(lambda x: x[edge], elems)
        initializer = tree.map_structure(lambda x: ops.squeeze(x, 0), first)
        elems = tree.map_structure(lambda x: x[rest], elems)
    start = tree.map_structure(as_tensor, initializer)

    def step(acc: Any, x: Any) -> builtins.tuple:
        new = fn(acc, x)
        return new, new

    last, kept = ops.scan(step, start, elems, reverse=reverse)
    return last, kept, first


@graph_function
def scan(
    fn: Function,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
) -> Any:
    """Return all results of ``acc = fn(acc, x)`` for the slices x of `elems`, stacked.

    Args:
        fn: returns the new `acc`, of the structure and shapes of the old.
        elems: tensors to step through along their first axis, any nesting.
        initializer: the first `acc`; by default the first slice, which is then also the
            first result.
        parallel_iterations: accepted, as are `back_prop`, `swap_memory`, `infer_shape`.
        back_prop: accepted.
        swap_memory: accepted.
        infer_shape: accepted.
        reverse: step from the last to the first; results stay in the order of `elems`.
    """
    _, kept, first = _folded(fn, elems, initializer, reverse)
    if first is None:
        return kept
    ends = (lambda x, y: [y, x]) if reverse else (lambda x, y: [x, y])
    return tree.map_structure(lambda x, y: ops.concatenate(ends(x, y)), first, kept)


@graph_function
def foldl(fn: Function, elems: Any, initializer: Any = None) -> Any:
    """Return the last result of ``acc = fn(acc, x)``, from the first slice x on."""
    return _folded(fn, elems, initializer, reverse=False)[0]


@graph_function
def foldr(fn: Function, elems: Any, initializer: Any = None) -> Any:
    """Return the last result of ``acc = fn(acc, x)``, from the last slice x on."""
    return _folded(fn, elems, initializer, reverse=True)[0]


@graph_function
def map_fn(
    fn: Function,
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
) -> Any:
    """Return ``fn(x)`` for all slices x of `elems` along their first axis, stacked.

    Args:
        fn: of one slice, or of a structure of slices.
        elems: tensors, any nesting.
        dtype: accepted; the results say themselves what they are made of.
        parallel_iterations: accepted, as are the others.
        back_prop: accepted.
        swap_memory: accepted.
        infer_shape: accepted.
    """
    elems = tree.map_structure(as_tensor, elems)
    return ops.scan(lambda acc, x: (acc, fn(x)), [], elems)[1]
