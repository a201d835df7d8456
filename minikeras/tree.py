"""Nested structures, under the names of ``keras.tree``.

A structure is nested if it is a list, a tuple, a named tuple, a dict of any kind or a
deque; all else is a leaf, None too. The parts of a dict are taken in the order of its
sorted keys, those of an `OrderedDict` in its own.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from minikeras.engine.tree import (
    flatten,
    is_nested,
    keys_of,
    pack_sequence_as,
    rebuilt,
)

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


class MAP_TO_NONE:  # noqa: N801 - Keras's name
    """What a function given to `traverse` returns to put None in a part's place."""


# -- applying functions ----------------------------------------------------------------


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Apply `func` to a structure, to its parts, to theirs, and so on; return it anew.

    What `func` returns takes the place of the part, unless it is None: then the part
    stays, and from the top down its own parts come next.

    Args:
        func: takes a part, nested or a leaf; `MAP_TO_NONE` from it becomes None.
        structure: any nesting.
        top_down: whether a part comes before its own parts, or after them.

    Example:
        >>> traverse(lambda x: x + 1 if isinstance(x, int) else None, [1, (2, "a")])
        [2, (3, 'a')]
    """
    if top_down:
        result = func(structure)
        return _traversed(func, structure, True) if result is None else _none(result)
    structure = _traversed(func, structure, False)
    result = func(structure)
    return structure if result is None else _none(result)


def _traversed(func: Callable[[Any], Any], structure: Any, top_down: bool) -> Any:
    if not is_nested(structure):
        return structure
    parts = [traverse(func, structure[key], top_down) for key in keys_of(structure)]
    return rebuilt(structure, parts)


def _none(result: Any) -> Any:
    return None if result is MAP_TO_NONE else result


def map_structure(
    func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True
) -> Any:
    """Return the first structure with `func` applied to each row of leaves.

    Args:
        func: takes as many leaves as there are structures.
        structures: of the same nesting, in the sense of `assert_same_structure`.
        none_is_leaf: whether `func` is applied to None, too; it stays None if not.

    Raises:
        ValueError: if the structures differ, or there is none.

    Example:
        >>> map_structure(lambda x, y: x * y, [1, (2, 3)], [4, (5, 6)])
        [4, (10, 18)]
    """
    if not structures:
        raise ValueError("Must provide at least one structure")

    def leaf(*row: Any) -> Any:
        skipped = not none_is_leaf and all(x is None for x in row)
        if not skipped and any(map(is_nested, row)):
            raise ValueError("Structures don't have the same nested structure.")
        return None if skipped else func(*row)

    return _mapped(leaf, structures)


def map_structure_up_to(
    shallow_structure: Any, func: Callable[..., Any], *structures: Any
) -> Any:
    """Apply `func` where `shallow_structure` has its leaves.

    Raises:
        ValueError: if another structure is not as deep, or there is none.

    Example:
        >>> map_structure_up_to([None, None], len, [[1, 1], [2, 2, 2]])
        [2, 3]
    """
    if not structures:
        raise ValueError("Must provide at least one structure")
    return _mapped(lambda _, *row: func(*row), (shallow_structure, *structures))


def _mapped(leaf: Callable[..., Any], structures: tuple[Any, ...]) -> Any:
    """Apply `leaf` where the first structure has its leaves."""
    first, *others = structures
    if not is_nested(first):
        return leaf(*structures)
    for other in others:
        problem = _difference(first, other)
        if problem:
            raise ValueError(problem)
    parts = [_mapped(leaf, tuple(s[k] for s in structures)) for k in keys_of(first)]
    return rebuilt(first, parts)


def _difference(a: Any, b: Any) -> str | None:
    """Return why the parts of `b` cannot be paired with those of `a`, if so."""
    of_dicts = isinstance(a, dict)
    if not (isinstance(b, dict) if of_dicts else type(a) is type(b)):
        return f"Expected an instance of {_kind(a)}, got {b}."
    if of_dicts and set(a) != set(b):
        keys = list(map(list, map(keys_of, (a, b))))
        return f"dictionary key mismatch; expected key(s): {keys[0]}, got: {keys[1]}."
    if len(a) != len(b):
        kind = type(a).__name__
        return f"{kind} arity mismatch; expected: {len(a)}, got: {len(b)}; {kind}: {b}."
    return None


def _kind(structure: Any) -> str:
    if isinstance(structure, dict):
        return "dict, collections.OrderedDict, or collections.defaultdict"
    name = type(structure).__name__
    if hasattr(structure, "_fields"):
        return f"collections.namedtuple, a tuple called {name}"
    return f"collections.{name}" if isinstance(structure, deque) else name


def lists_to_tuples(structure: Any) -> Any:
    """Return `structure` with tuples in place of lists, at any depth."""
    return traverse(
        lambda part: tuple(part) if isinstance(part, list) else None,
        structure,
        top_down=False,
    )


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Return `structure` with `func` applied to each shape, which counts as a leaf.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3), "b": [(1,), (2, 2, 2)]})
        {'a': 2, 'b': [1, 3]}
    """
    if not is_nested(structure) or _is_shape(structure):
        return func(structure)
    parts = [map_shape_structure(func, structure[key]) for key in keys_of(structure)]
    return rebuilt(structure, parts)


def _is_shape(structure: Any) -> bool:
    return isinstance(structure, (list, tuple)) and all(
        n is None or isinstance(n, int) for n in structure
    )


# -- paths and comparison --------------------------------------------------------------


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Return each leaf with its path: the indices and keys that lead to it.

    Example:
        >>> flatten_with_path([{"foo": 42}])
        [((0, 'foo'), 42)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf)
        for key in keys_of(structure)
        for path, leaf in flatten_with_path(structure[key])
    ]


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Check that two structures are nested in the same way.

    Dicts of all kinds are alike if they have the same keys. Lists, tuples, deques and
    different named tuples are not.

    Args:
        a: any nesting.
        b: any nesting.
        check_types: no longer means anything, in Keras neither.

    Raises:
        ValueError: if they differ.
    """
    if check_types is not None:
        warnings.warn(
            "The `check_types` argument is deprecated and no longer has any effect. "
            "For a looser check, use `assert_same_paths()`.",
            DeprecationWarning,
            stacklevel=2,
        )
    map_structure(lambda x, y: None, a, b)


def assert_same_paths(a: Any, b: Any) -> None:
    """Check that the leaves of two structures have the same paths.

    Raises:
        ValueError: if they differ; the message has the paths.
    """
    in_a, in_b = _paths(a), _paths(b)
    if in_a == in_b:
        return
    message = "`a` and `b` don't have the same paths."
    if in_a - in_b:
        message += f"\nPaths in `a` missing in `b`:\n{in_a - in_b}"
    if in_b - in_a:
        message += f"\nPaths in `b` missing in `a`:\n{in_b - in_a}"
    raise ValueError(message)


def _paths(structure: Any) -> set[Iterable[Any]]:
    return {path for path, _ in flatten_with_path(structure)}
