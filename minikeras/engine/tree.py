"""Nested structures: lists, tuples and dicts, at any depth, as one list of leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = [
    "flatten",
    "flatten_up_to",
    "is_nested",
    "keys_of",
    "map_structure",
    "pack_sequence_as",
]


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, tuple or dict."""
    return isinstance(structure, (list, tuple, dict))


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of `structure`; a dict's in the order of its sorted keys.

    Example:
        >>> flatten({"b": 1, "a": [2, (3, None)]})
        [2, 3, None, 1]
    """
    if isinstance(structure, dict):
        return [leaf for key in keys_of(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def keys_of(structure: dict[Any, Any]) -> list[Any]:
    """Return a dict's keys in the order of its leaves: sorted, if they can be."""
    try:
        return sorted(structure)
    except TypeError:
        return list(structure)


def flatten_up_to(form: Any, structure: Any) -> list[Any]:
    """Return what `structure` has where `form` has its leaves.

    Raises:
        ValueError: if `structure` has not the form of `form`.

    Example:
        >>> flatten_up_to(["x", ("y", "z")], [[1.0, 2.0], (3, [4, 5])])
        [[1.0, 2.0], 3, [4, 5]]
    """
    if not is_nested(form):
        return [structure]
    if not is_nested(structure) or len(form) != len(structure):
        raise ValueError(f"a structure like {form!r} is needed; got {structure!r}")
    keys = keys_of(form) if isinstance(form, dict) else range(len(form))
    return [leaf for key in keys for leaf in flatten_up_to(form[key], structure[key])]


def pack_sequence_as(structure: Any, leaves: Iterable[Any]) -> Any:
    """Return `leaves` in the form of `structure`.

    Raises:
        ValueError: if their number differs from that of the leaves of `structure`.
    """
    rest = iter(leaves)
    try:
        packed = _pack(structure, rest)
    except StopIteration:
        raise ValueError(f"too few leaves for the structure {structure!r}") from None
    if next(rest, rest) is not rest:
        raise ValueError(f"too many leaves for the structure {structure!r}")
    return packed


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, dict):
        packed = {key: _pack(structure[key], leaves) for key in keys_of(structure)}
        return type(structure)((key, packed[key]) for key in structure)
    if isinstance(structure, (list, tuple)):
        parts = [_pack(part, leaves) for part in structure]
        return (
            type(structure)(*parts)
            if hasattr(structure, "_fields")
            else type(structure)(parts)
        )
    return next(leaves)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """Return the first structure with `function` applied to each row of leaves.

    Raises:
        ValueError: if the structures differ in their number of leaves.
    """
    columns = [flatten(structure) for structure in structures]
    if len({len(column) for column in columns}) > 1:
        raise ValueError(f"structures of different sizes: {[len(c) for c in columns]}")
    rows = zip(*columns, strict=True)
    return pack_sequence_as(structures[0], [function(*row) for row in rows])
