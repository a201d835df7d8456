"""Masks: which steps of a sequence count. They travel with values between layers.

A mask holds truth values for what it belongs to, without its last axis. How a value
carries it is said in `minikeras.backend.masking`.
"""

from __future__ import annotations

import warnings
from inspect import BoundArguments
from typing import Any

from minikeras import backend as K
from minikeras.backend.masking import any_array_masked, mask_of, set_mask
from minikeras.layers.context import tensor_arguments

__all__ = [
    "mask_of",
    "masks_of",
    "masks_of_arrays",
    "pass_on",
    "positions_apart",
    "set_mask",
    "take_masks",
    "with_mask",
    "without_mask",
]


def with_mask(x: Any, mask: Any) -> Any:
    """Return `x`; if it is a tensor, and has no mask yet, it carries `mask`."""
    if mask is not None and isinstance(x, K.Tensor) and mask_of(x) is None:
        set_mask(x, mask)
    return x


def masks_of(x: Any) -> Any:
    """Return the masks that a nesting of tensors or arrays carries, nested alike."""
    return K.tree.map_structure(mask_of, x)


def masks_of_arrays(x: Any) -> Any:
    """Return the masks that a nesting of arrays carries, or None if no array does."""
    return masks_of(x) if any_array_masked() else None


def without_mask(x: Any) -> Any:
    """Return `x` as a tensor that carries no mask: for layers that take none."""
    return x if mask_of(x) is None else K.identity(x)


def take_masks(bound: BoundArguments) -> Any:
    """Add the masks of its inputs to the arguments of a `call`; return the first one.

    That of `query` is `query_mask`, or if it is the first, and `call` has no such
    argument, `mask`. What `call` does not take, or is given by hand, is not added.
    """
    taken = bound.signature.parameters
    for i, (name, x) in enumerate(tensor_arguments(bound).items()):
        own = f"{name}_mask"
        slot = "mask" if i == 0 and own not in taken else own
        masks = masks_of(x)
        if slot in taken and bound.arguments.get(slot) is None and _some(masks):
            bound.arguments[slot] = masks
    given = bound.arguments.get("mask")
    return (
        masks_of(next(iter(bound.arguments.values()), None)) if given is None else given
    )


def pass_on(layer: Any, inputs: Any, mask: Any, outputs: Any) -> None:
    """Let the outputs carry what ``layer.compute_mask`` makes of the inputs' mask."""
    if not layer.supports_masking:
        if _some(mask):
            warnings.warn(
                f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an "
                "input with a mask attached to it. However, this layer does not "
                "support masking and will therefore destroy the mask information. "
                "Downstream layers will not see the mask.",
                stacklevel=4,
            )
        return
    made = K.tree.flatten(outputs)
    masks = layer.compute_mask(inputs, mask)
    if masks is not None and any(mask_of(y) is None for y in made):
        for y, m in zip(made, K.tree.flatten(masks), strict=False):
            with_mask(y, m)


def positions_apart(x: Any, i: int, y: Any, j: int) -> Any:
    """Return how far each position along axis `i` of `x` lies after each of `y`'s.

    Shapes:
        returns: (1, size of axis i of x, size of axis j of y)
    """
    later, earlier = K.arange(K.shape(x)[i]), K.arange(K.shape(y)[j])
    return K.expand_dims(K.expand_dims(later, -1) - earlier, 0)


def _some(masks: Any) -> bool:
    return any(m is not None for m in K.tree.flatten(masks))
