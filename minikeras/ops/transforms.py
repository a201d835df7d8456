"""Functions of functions, under Keras 3's names: mapped, scanned, differentiated."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.engine import tree
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = [
    "associative_scan",
    "custom_gradient",
    "map",
    "vectorize",
    "vectorized_map",
]

map = eager(K.map)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with the values of `f`, and the gradient that `f` says.

    Args:
        f: returns its outputs, and a function that returns the gradient of each of its
            arguments (as a tuple, if there are several), given that of the outputs.
    """
    return eager(K.custom_gradient(f))


# -- for each slice --------------------------------------------------------------------


@eager
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Return `function` of each slice of `elements` along their first axis, stacked.

    It is `map`: the function is traced once, and its plan runs slice by slice. So it
    may be any function; one that broadcasts by itself is faster called on all.
    """
    return K.map(function, elements)


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Iterable[int | str] | None = None,
    signature: str | None = None,
) -> Callable[..., Any]:
    """Return a function that applies `pyfunc` to each element, or part, of arrays.

    Args:
        pyfunc: a function of scalars, or of what `signature` says.
        excluded: positions and names of arguments that are passed on as they are.
        signature: the axes of the parts, as in ``"(m,n),(n)->(m)"``; the axes before
            those are looped over, and broadcast.

    Raises:
        ValueError: if `pyfunc` is no function or `signature` cannot be read, and, from
            the function returned, if arguments do not fit it.
    """
    if not callable(pyfunc):
        raise ValueError(
            f"Expected argument `pyfunc` to be a callable. Received: pyfunc={pyfunc}"
        )
    apart = frozenset(excluded or ())
    axes = None if signature is None else _parsed(signature)

    @functools.wraps(pyfunc)
    def call(*args: Any, **kwargs: Any) -> Any:
        loose = [i for i, x in enumerate(args) if x is not None and i not in apart]
        names = [name for name in kwargs if name not in apart]
        given = [args[i] for i in loose] + [kwargs[name] for name in names]

        def one(parts: Sequence[Any]) -> Any:
            positional = dict(zip(loose, parts, strict=False))
            named = dict(zip(names, parts[len(loose) :], strict=True))
            mixed = [positional.get(i, x) for i, x in enumerate(args)]
            return pyfunc(*mixed, **{**kwargs, **named})

        return _vectorized(one, given, axes)

    return eager(call)


_AXES = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
_SIGNATURE = re.compile(rf"\s*{_AXES}(?:\s*,\s*{_AXES})*\s*")

Names = list[tuple[str, ...]]


def _parsed(signature: str) -> tuple[Names, Names]:
    """Return the names of the axes of each argument, and of each result."""
    sides = signature.split("->")
    if len(sides) != 2 or not all(_SIGNATURE.fullmatch(side) for side in sides):
        raise ValueError(f"not a valid gufunc signature: {signature}")
    given, returned = (
        [tuple(re.findall(r"\w+", term)) for term in re.findall(_AXES, side)]
        for side in sides
    )
    return given, returned


def _vectorized(
    one: Callable[[Sequence[Any]], Any],
    args: list[Any],
    axes: tuple[Names, Names] | None,
) -> Any:
    """Return `one` of each part of `args`, which broadcast."""
    given, returned = axes or ([()] * len(args), None)
    if len(given) != len(args):
        raise TypeError(
            "wrong number of positional arguments: "
            f"expected {len(given)}, got {len(args)}"
        )
    xs, sizes = [K.convert_to_tensor(x) for x in args], {}
    for x, names in zip(xs, given, strict=True):
        _check_core(K.known_shape(x), names, sizes)
    split = [K.rank(x) - len(names) for x, names in zip(xs, given, strict=True)]

    def checked(parts: Sequence[Any]) -> Any:
        y = one(parts)
        found = list(y) if isinstance(y, (list, tuple)) else [y]
        wanted = returned or [()] * len(found)
        if len(found) != len(wanted):
            raise TypeError(
                "wrong number of output arguments: "
                f"expected {len(wanted)}, got {len(found)}"
            )
        for part, names in zip(found, wanted, strict=True):
            _check_core(K.known_shape(part), names, dict(sizes), exact=True)
        return y

    if not any(split):
        return checked(xs)
    # The shape that all loops have together is that of a sum.
    loops = [K.zeros(shape(x)[:n], "int8") for x, n in zip(xs, split, strict=True)]
    whole = functools.reduce(K.add, loops)
    loop, count = shape(whole), K.size(whole)
    rows = []
    for x, n in zip(xs, split, strict=True):
        core = shape(x)[n:]
        rows.append(K.reshape(K.broadcast_to(x, (*loop, *core)), (count, *core)))
    ys = K.map(checked, rows)
    return tree.map_structure(lambda y: K.reshape(y, (*loop, *shape(y)[1:])), ys)


def _check_core(
    sizes: Sequence[Any],
    names: Sequence[str],
    known: dict[str, Any],
    exact: bool = False,
) -> None:
    """Compare the last sizes with those that are `known` by name, and add to these."""
    if exact and len(sizes) != len(names):
        raise ValueError(f"output shape {sizes} does not match core dimensions {names}")
    if len(sizes) < len(names):
        raise ValueError(
            f"input with shape {sizes} does not have enough dimensions for all core "
            f"dimensions {names}"
        )
    for name, n in zip(names, sizes[len(sizes) - len(names) :], strict=True):
        if n is not None and known.setdefault(name, n) != n:
            raise ValueError(
                f"inconsistent size for core dimension {name}: {n} vs {known[name]}"
            )


# -- of neighbors ----------------------------------------------------------------------


@eager
def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Return what `f` makes of the first elements along `axis`: of one, of two, of all.

    Neighbors are taken together, then neighbors of those, and so on: each step treats
    all pairs at once. Where the length is not known yet it goes one after the other.

    Args:
        f: of two parts of `elems`, returns what they make together; it is associative,
            and treats each element along `axis` by itself.
        elems: tensors of one length along `axis`, in any nesting.
        reverse: whether to begin with the last one.
        axis: along which.

    Raises:
        ValueError: if the lengths differ.

    Source: Blelloch 1990, "Prefix sums and their applications".
    """
    if not callable(f):
        raise TypeError(f"associative_scan: f should be a callable; got {f!r}")
    xs = [K.convert_to_tensor(x) for x in tree.flatten(elems)]
    lengths = {K.known_shape(x)[axis] for x in xs}
    if len(lengths) > 1:
        raise ValueError(
            "Array inputs to associative_scan must have the same first dimension. "
            f"(saw: {[K.known_shape(x) for x in xs]})"
        )

    def joined(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        return tree.flatten(
            f(tree.pack_sequence_as(elems, a), tree.pack_sequence_as(elems, b))
        )

    (length,) = lengths
    xs = [K.flip(x, axis) for x in xs] if reverse else xs
    if length is None:
        ys = _one_by_one(joined, xs, axis)
    else:
        ys = _prefixes(joined, xs, axis, length)
    ys = [K.flip(y, axis) for y in ys] if reverse else ys
    return tree.pack_sequence_as(elems, ys)


Joined = Callable[[Sequence[Any], Sequence[Any]], list[Any]]


def _part(xs: Sequence[Any], axis: int, *bounds: int | None) -> list[Any]:
    """Return ``x[start:stop:step]`` along `axis` of each x."""
    return [x[(slice(None),) * (axis % K.rank(x)) + (slice(*bounds),)] for x in xs]


def _prefixes(f: Joined, xs: list[Any], axis: int, n: int) -> list[Any]:
    if n < 2:
        return xs
    pairs = f(_part(xs, axis, 0, n - 1, 2), _part(xs, axis, 1, n, 2))
    odd = _prefixes(f, pairs, axis, n // 2)
    even = [_part(xs, axis, 1)]
    if n > 2:
        before = _part(odd, axis, (n - 1) // 2)
        even.append(f(before, _part(xs, axis, 2, n, 2)))
    order = [i // 2 + i % 2 * ((n + 1) // 2) for i in range(n)]
    parts = zip(*even, odd, strict=True)
    return [K.take(K.concatenate(part, axis), order, axis) for part in parts]


def _one_by_one(f: Joined, xs: Sequence[Any], axis: int) -> list[Any]:
    def step(before: Sequence[Any], row: Sequence[Any]) -> tuple[Any, Any]:
        both = f(before, [K.expand_dims(x, axis) for x in row])
        return both, [K.squeeze(y, axis) for y in both]

    rows = [K.moveaxis(x, axis, 0) for x in xs]
    first = _part(xs, axis, 1)
    _, later = K.scan(step, first, [x[1:] for x in rows])
    return [
        K.concatenate([x, K.moveaxis(y, 0, axis)], axis)
        for x, y in zip(first, later, strict=True)
    ]
