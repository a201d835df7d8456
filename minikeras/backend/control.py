"""Branches and loops: choices made, and steps repeated, when the graph runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras.backend.introspection import ndim, rank
from minikeras.backend.session import learning_phase
from minikeras.backend.variables import eval as evaluate
from minikeras.engine import ops as engine
from minikeras.engine import tree
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import is_symbolic
from minikeras.engine.ops import cond, scan, where, while_loop

__all__ = [
    "cond",
    "foldl",
    "foldr",
    "fori_loop",
    "in_test_phase",
    "in_train_phase",
    "map",
    "map_fn",
    "print_tensor",
    "scan",
    "stop_gradient",
    "switch",
    "where",
    "while_loop",
]


def stop_gradient(variables: Any) -> Any:
    """Return tensors of the same values through which no gradient flows.

    Args:
        variables: a tensor, or any nesting of tensors.
    """
    return tree.map_structure(engine.stop_gradient, variables)


def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Any:
    """Return `x`, whose value is printed whenever it is computed.

    Args:
        x: what to print, on standard error.
        message: in front of the value.
        summarize: how many elements are shown; all if -1.
    """
    printing = engine.print_values(x, [x], message, summarize=summarize)
    return printing if is_symbolic(x) else evaluate(printing)


# -- branches --------------------------------------------------------------------------


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two values, whichever `condition` says at run time.

    Args:
        condition: a scalar, or a tensor that says so for each element; one of fewer
            axes than the values stands for their leading axes.
        then_expression: a value, or a function of no arguments that returns one. With
            a scalar `condition`, only the function chosen is run.
        else_expression: the same, for where `condition` does not hold.

    Raises:
        ShapeError: if `condition` has more axes than the values.
    """
    condition = engine.cast(condition, "bool")
    if not ndim(condition):
        return cond(condition, _deferred(then_expression), _deferred(else_expression))
    then, otherwise = _forced(then_expression), _forced(else_expression)
    n, m = rank(condition), rank(then)
    if n > m:
        raise ShapeError(f"switch: the condition has {n} axes, the values {m}")
    condition = engine.expand_dims(condition, range(n, m))
    return engine.where(condition, then, otherwise)


def _deferred(x: Any) -> Callable[[], Any]:
    return x if callable(x) else lambda: x


def _forced(x: Any) -> Any:
    return x() if callable(x) else x


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` in training, else `alt`.

    Args:
        x: a value, or a function of no arguments that returns one.
        alt: the same, for testing.
        training: True or False, or a scalar tensor; by default the learning phase.
    """
    if training is None:
        training = learning_phase()
    if isinstance(training, (bool, int)):
        return _forced(x) if training else _forced(alt)
    return switch(training, x, alt)


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` in testing, else `alt`; see `in_train_phase`."""
    return in_train_phase(alt, x, training)


# -- loops -----------------------------------------------------------------------------


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
    _, last = while_loop(
        lambda i, _: i < upper,
        lambda i, val: (i + 1, body_fun(i, val)),
        (lower, init_val),
    )
    return last


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Return `f` of each slice of `xs` along their first axis, stacked.

    Args:
        f: a function of one slice, of the structure of `xs`.
        xs: tensors of the same length, in any nesting.
    """
    _, ys = scan(lambda carry, x: (carry, f(x)), (), xs)
    return ys


def map_fn(
    fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None
) -> Any:
    """Return `fn` of each slice of `elems` along their first axis, stacked.

    Args:
        fn: a function of one slice.
        elems: tensors of the same length, in any nesting.
        name: accepted, as in Keras 2.
        dtype: of the result, if `fn` changes it.
    """
    ys = map(fn, elems)
    return (
        ys if dtype is None else tree.map_structure(lambda y: engine.cast(y, dtype), ys)
    )


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    name: str | None = None,
) -> Any:
    """Return ``fn(...fn(fn(initializer, elems[0]), elems[1])..., elems[-1])``.

    Args:
        fn: of the value so far and the next slice.
        elems: tensors of the same length, in any nesting.
        initializer: the first value; by default the first slice.
        name: accepted, as in Keras 2.
    """
    if initializer is None:
        initializer = tree.map_structure(lambda x: x[0], elems)
        elems = tree.map_structure(lambda x: x[1:], elems)
    last, _ = scan(lambda total, x: (fn(total, x), None), initializer, elems)
    return last


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    name: str | None = None,
) -> Any:
    """Return ``fn(...fn(fn(initializer, elems[-1]), elems[-2])..., elems[0])``.

    Args:
        fn: of the value so far and the next slice, from the last to the first.
        elems: tensors of the same length, in any nesting.
        initializer: the first value; by default the last slice.
        name: accepted, as in Keras 2.
    """
    if initializer is None:
        initializer = tree.map_structure(lambda x: x[-1], elems)
        elems = tree.map_structure(lambda x: x[:-1], elems)
    last, _ = scan(
        lambda total, x: (fn(total, x), None), initializer, elems, reverse=True
    )
    return last
