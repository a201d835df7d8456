"""Nested structures: lists, tuples and dicts, at any depth, as one list of leaves."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

__all__ = [
    "flatten",
    "flatten_up_to",
    "is_nested",
    "keys_of",
    "map_structure",
    "pack_sequence_as",
    "rebuilt",
]


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, tuple, dict or deque."""
    return isinstance(structure, (list, tuple, dict, deque))


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of `structure`; a dict's in the order of its sorted keys.

    An `OrderedDict` has an order of its own.

    Example:
        >>> flatten({"b": 1, "a": [2, (3, None)]})
        [2, 3, None, 1]
    """
    if isinstance(structure, dict):
        return [leaf for key in keys_of(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple, deque)):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def keys_of(structure: Any) -> Sequence[Any]:
    """Return the keys or indices of the parts of `structure`, in order.

    Those of a dict are sorted, if they can be.
    """
    if not isinstance(structure, dict):
        return range(len(structure))
    if isinstance(structure, OrderedDict):
        return list(structure)
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
    return [
        leaf
        for key in keys_of(form)
        for leaf in flatten_up_to(form[key], structure[key])
    ]


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """Return the leaves `flat_sequence` in the form of `structure`.

    Raises:
        ValueError: if their number differs from that of the leaves of `structure`.
    """
    found = list(flat_sequence)
    rest = iter(found)
    try:
        packed = _pack(structure, rest)
    except StopIteration:
        raise _misfit("few", structure, found) from None
    if next(rest, rest) is not rest:
        raise _misfit("many", structure, found)
    return packed


def _misfit(amount: str, structure: Any, leaves: list[Any]) -> ValueError:
    return ValueError(
        f"Too {amount} leaves for the structure {structure!r}; expected: "
        f"{len(flatten(structure))}, got: {len(leaves)}."
    )


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(leaves)
    parts = [_pack(structure[key], leaves) for key in keys_of(structure)]
    return rebuilt(structure, parts)


def rebuilt(structure: Any, parts: Sequence[Any]) -> Any:
    """Return `parts`, in the order of `keys_of`, as a structure of the same kind."""
    kind: Any = type(structure)
    if isinstance(structure, dict):
        packed = dict(zip(keys_of(structure), parts, strict=True))
        items = ((key, packed[key]) for key in structure)
        if isinstance(structure, defaultdict):
            return kind(structure.default_factory, items)
        return kind(items)
    if isinstance(structure, deque):
        return kind(parts, structure.maxlen)
    return kind(*parts) if hasattr(structure, "_fields") else kind(parts)


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
