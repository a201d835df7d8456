"""Functions of functions: derivatives along a direction, and gradients by a rule."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from minikeras.backend.function import TracedFunction
from minikeras.backend.introspection import convert_to_tensor
from minikeras.engine import ops as engine
from minikeras.engine import shapes, tree
from minikeras.engine.autodiff import gradients
from minikeras.engine.context import is_building
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor, graph_of, is_symbolic
from minikeras.engine.op import as_tensor

__all__ = ["custom_gradient", "jvp"]


# -- gradients by a rule ---------------------------------------------------------------


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the values of `f`, and the gradient that `f` says.

    Args:
        f: returns its outputs, and a function that returns the gradient of each of its
            arguments (as a tuple, if there are several), given that of the outputs.

    Example:
        >>> def cut(x):
        ...     return x, lambda upstream: engine.clip(upstream, -1, 1)
        >>> x = placeholder((2,))
        >>> slope, = gradients(custom_gradient(cut)(x) * 5, x)
        >>> function([x], slope)([[1.0, 2.0]])
        array([1., 1.], dtype=float32)
    """

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = inspect.signature(f).bind(*args, **kwargs).args
        xs = tree.flatten(args)
        if not is_symbolic(xs):
            return f(*args)[0]
        with graph_of(xs).as_default():
            y, rule = f(*args)

            def flat(*gs: Tensor) -> list[Any]:
                found = rule(tree.pack_sequence_as(y, gs))
                return tree.flatten(found)

            ys = engine.with_gradient(tree.flatten(y), xs, flat)
        return tree.pack_sequence_as(y, ys)

    return call


# -- derivatives along a direction -----------------------------------------------------


def jvp(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """Return what `fun` is at a point, and how fast it changes along a direction.

    The gradient of ``u · fun(x)`` is linear in u. So its own gradient by u, given the
    direction, is the derivative along that: two sweeps back make one forward.

    Args:
        fun: a function of tensors in any nesting, which returns such.
        primals: its arguments: the point.
        tangents: the direction, of the same structure and shapes.
        has_aux: whether `fun` returns something else besides, to be passed on.

    Raises:
        TypeError: if the arguments are no tuples or lists, or differ in structure.
        ShapeError: if a tangent has another shape than its primal.

    Example:
        >>> x = placeholder((2,))
        >>> _, slope = jvp(lambda x: x**3, (x,), (x,))
        >>> function([x], slope)([[1.0, 2.0]])
        array([ 3., 24.], dtype=float32)
    """
    point, direction = (
        [*map(convert_to_tensor, tree.flatten(x))] for x in (primals, tangents)
    )
    _check_pairs(primals, tangents, point, direction)

    def both(xs: Sequence[Any], ts: Sequence[Any]) -> tuple[Any, ...]:
        xs = [engine.identity(as_tensor(x)) for x in xs]  # what `fun` alone is given
        found = fun(*tree.pack_sequence_as(tuple(primals), xs))
        y, *aux = found if has_aux else (found,)
        slopes = _along(tree.flatten(y), xs, ts)
        return (y, tree.pack_sequence_as(y, slopes), *aux)

    if is_building() or is_symbolic([*point, *direction]):
        with graph_of([*point, *direction]).as_default():
            return both(point, direction)
    return TracedFunction(both, once=True)(point, direction)


def _check_pairs(primals: Any, tangents: Any, point: Any, direction: Any) -> None:
    if not all(isinstance(x, (list, tuple)) for x in (primals, tangents)):
        raise TypeError(
            "jvp: primals and tangents are tuples or lists; got "
            f"{type(primals).__name__} and {type(tangents).__name__}"
        )
    if len(point) != len(direction):
        raise TypeError(
            f"jvp: {len(point)} primals and {len(direction)} tangents: their structure "
            "must be the same"
        )
    for x, t in zip(point, direction, strict=True):
        try:
            shapes.merge(x.shape, t.shape)
        except ShapeError as error:
            raise ShapeError(f"jvp: of a primal and its tangent, {error}") from None


def _along(ys: Sequence[Any], xs: Sequence[Any], ts: Sequence[Any]) -> list[Tensor]:
    """Return the derivatives of `ys` by `xs` along `ts`, 0 where there is none."""
    ys = [as_tensor(y) for y in ys]
    smooth = [y for y in ys if y.dtype.is_differentiable]
    seeds = [engine.zeros_like(y) for y in smooth]
    back = gradients(smooth, list(xs), seeds) if smooth else []
    pairs = [(g, t) for g, t in zip(back, ts, strict=False) if g is not None]
    if not pairs:
        return list(map(engine.zeros_like, ys))
    linear, direction = map(list, zip(*pairs, strict=True))
    found = dict(zip(smooth, gradients(linear, seeds, direction), strict=True))
    slopes = [found.get(y) for y in ys]
    return [
        engine.zeros_like(y) if t is None else t
        for y, t in zip(ys, slopes, strict=True)
    ]
