"""Axes reordered, joined and taken apart, as a pattern with their names says."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.ops.control import shape
from minikeras.ops.eager import eager

__all__ = ["rearrange"]

Groups = list[list[str]]


@eager
def rearrange(tensor: Any, pattern: str, **axes_lengths: Any) -> Any:
    """Return `tensor` with its axes in the order, and the groups, of a pattern.

    Args:
        tensor: what to rearrange.
        pattern: names of the axes before and after, as in ``"b (h w) c -> b h w c"``;
            parentheses hold those that are one axis together, the last name running
            fastest.
        axes_lengths: sizes of axes by name. In each group one may be left out.

    Raises:
        ValueError: if the pattern cannot be read, or does not fit the tensor.

    Example:
        >>> rearrange(K.placeholder((None, 6, 3)), "b (h w) c -> b c h w", h=2).shape
        (None, 3, 2, 3)
    """
    before, after = _parsed(pattern)
    sizes = _sizes(before, shape(tensor), axes_lengths, pattern)
    names, order = _flat(before), _flat(after)
    if not all(map(_is_single, before)):
        tensor = K.reshape(tensor, [sizes[name] for name in names])
    tensor = K.transpose(tensor, [names.index(name) for name in order])
    if all(map(_is_single, after)):
        return tensor
    return K.reshape(tensor, [_product(sizes[name] for name in g) for g in after])


def _parsed(pattern: str) -> tuple[Groups, Groups]:
    sides = pattern.split("->")
    readable = all(re.fullmatch(r"(\s|\w|\([\s\w]*\))*", side) for side in sides)
    groups = [
        [term.strip("()").split() for term in re.findall(r"\w+|\(.*?\)", side)]
        for side in sides
    ]
    if readable and len(groups) == 2:
        names, order = map(_flat, groups)
        if len(set(names)) == len(names) and sorted(names) == sorted(order):
            return groups[0], groups[1]
    raise ValueError(
        "rearrange: a pattern names each axis once on either side of '->'; "
        f"got {pattern!r}"
    )


def _sizes(
    groups: Groups, shape: Sequence[Any], given: dict[str, Any], pattern: str
) -> dict[str, Any]:
    """Return the size of each named axis."""
    if len(groups) != len(shape):
        raise ValueError(
            f"rearrange: {pattern!r} is of {len(groups)} axes, the tensor has shape "
            f"{tuple(shape)}"
        )
    sizes = dict(given)
    for group, n in zip(groups, shape, strict=True):
        missing = [name for name in group if name not in given]
        known = _product(given[name] for name in group if name in given)
        if len(missing) > 1:
            raise ValueError(
                f"rearrange: sizes of {missing} are unknown; only one can be found"
            )
        whole = isinstance(n, int) and isinstance(known, int)
        if whole and (n % known if missing else n != known):
            raise ValueError(
                f"rearrange: an axis of size {n} cannot be split by {known} in "
                f"{pattern!r}"
            )
        sizes.update((name, n // known) for name in missing)
    return sizes


def _flat(groups: Groups) -> list[str]:
    return [name for group in groups for name in group]


def _is_single(group: Sequence[str]) -> bool:
    return len(group) == 1


def _product(sizes: Iterable[Any]) -> Any:
    return functools.reduce(operator.mul, sizes, 1)
