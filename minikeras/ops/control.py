"""Branches, loops and conversions, under Keras 3's names."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import shapes, tree
from minikeras.ops.eager import eager

__all__ = [
    "cast",
    "cond",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype",
    "fori_loop",
    "is_tensor",
    "ndim",
    "scan",
    "shape",
    "size",
    "stop_gradient",
    "switch",
    "while_loop",
]

# -- conversions -----------------------------------------------------------------------

cast = eager(K.cast)
convert_to_numpy = K.convert_to_numpy
dtype = K.dtype
is_tensor = K.is_tensor
ndim = K.ndim
size = eager(K.size)
stop_gradient = eager(K.stop_gradient, variable="variables")


@eager
def convert_to_tensor(
    x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """Return `x` as a tensor if it is symbolic, else as an array."""
    return K.convert_to_tensor(x, dtype)


def shape(x: Any) -> tuple[Any, ...]:
    """Return the sizes of `x`: integers, and tensors where they are not known yet.

    Between the layers of a model, as in Keras, None stands for those.
    """
    known = K.known_shape(x)
    of_model = type(x) is K.KerasTensor or hasattr(x, "_keras_history")
    if None not in known or (of_model and K.current_trace() is None):
        return known
    sizes = K.shape(x)
    return tuple(sizes[i] if n is None else n for i, n in enumerate(known))


# -- branches --------------------------------------------------------------------------


@eager
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return ``true_fn()`` if the scalar `pred` holds, else ``false_fn()``.

    Only the branch taken is run; but where that is not known yet, both are traced.

    Raises:
        ValueError: if the branches differ in the structure, dtypes or shapes of what
            they return.
    """
    returned: list[Any] = []

    def noted(branch: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> Any:
            returned.append(branch())
            if len(returned) == 2 and not _alike(*returned):
                raise ValueError(
                    "`true_fn` and `false_fn` should return outputs of the same kind "
                    f"(struct, dtype and shape). Got {returned[0]} and {returned[1]}"
                )
            return returned[-1]

        return call

    return K.cond(pred, noted(true_fn), noted(false_fn))


def _alike(x: Any, y: Any) -> bool:
    """Whether two structures, and the tensors in them, can be of one kind."""
    forms = [tree.map_structure(lambda _: None, value) for value in (x, y)]
    return forms[0] == forms[1] and all(
        K.dtype(a) == K.dtype(b)
        and K.ndim(a) == K.ndim(b)
        and all(map(shapes.compatible, K.int_shape(a) or (), K.int_shape(b) or ()))
        for a, b in zip(tree.flatten(x), tree.flatten(y), strict=True)
    )


@eager
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Return ``branches[index](*operands)``; out of range, the first or the last.

    Raises:
        ValueError: if there are no branches.
    """
    if not branches:
        raise ValueError("switch: there are no branches to choose from")
    last = len(branches) - 1
    if not K.is_symbolic(index):
        return branches[min(max(operator.index(index), 0), last)](*operands)

    def choose(first: int) -> Any:
        if first == last:
            return branches[first](*operands)
        here = K.less_equal(index, first)
        return K.cond(
            here, lambda: branches[first](*operands), lambda: choose(first + 1)
        )

    return choose(0)


# -- loops -----------------------------------------------------------------------------


@eager
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Repeat ``loop_vars = body(*loop_vars)`` as long as ``cond(*loop_vars)`` holds.

    Args:
        cond: returns a scalar boolean.
        body: returns new loop variables of the same structure and dtypes.
        loop_vars: a list or tuple of tensors in any nesting; anything else counts as
            one variable.
        maximum_iterations: a bound on the number of steps.
    """
    start = tree.map_structure(K.convert_to_tensor, loop_vars)
    return K.while_loop(cond, body, start, maximum_iterations)


@eager
def fori_loop(
    lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any
) -> Any:
    """Return ``val`` after ``val = body_fun(i, val)`` for `i` from `lower` to `upper`.

    Args:
        lower: the first `i`.
        upper: one more than the last.
        body_fun: one step; it keeps the structure, shapes and dtypes of `init_val`.
        init_val: any nesting of tensors.
    """
    start = tree.map_structure(K.convert_to_tensor, init_val)
    return K.fori_loop(lower, upper, body_fun, start)


@eager
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: Any = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """Return the last carry and the stacked outputs of ``carry, y = f(carry, x)``.

    Args:
        f: one step; its new carry has the structure, shapes and dtypes of `init`.
        init: the first carry, any nesting of tensors.
        xs: tensors to step through along their first axis, any nesting; None with
            `length` given.
        length: number of steps, needed if there are no `xs`.
        reverse: step from the last to the first; outputs stay in the order of `xs`.
        unroll: accepted; plans decide themselves how loops are run.

    Raises:
        TypeError: if `f` is no function.
        ValueError: if there are neither `xs` nor `length`, or both and they differ, or
            `unroll` is no number of steps.
    """
    if not callable(f):
        raise TypeError(f"scan: f should be a callable; got {f!r}")
    if not isinstance(unroll, int) or (unroll < 1 and unroll is not False):
        raise ValueError(
            "`unroll` must be an positive integer or boolean. "
            f"Received: unroll={unroll}"
        )
    if xs is None and length is None:
        raise ValueError("scan: there are no `xs` to scan over and no `length`")
    rows = None if xs is None else tree.map_structure(K.convert_to_tensor, xs)
    sizes = {K.known_shape(x)[0] for x in tree.flatten(rows)} if xs is not None else ()
    if isinstance(length, int) and not {*sizes, length} <= {length, None}:
        raise ValueError(
            f"scan: a `length` of {length}, and leading axes of sizes {[*sizes]}"
        )
    return K.scan(
        f, tree.map_structure(K.convert_to_tensor, init), rows, length, reverse
    )
