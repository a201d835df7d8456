"""What a layer demands of its inputs, and the check that names what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minikeras import backend as K

__all__ = ["InputSpec", "check_inputs", "known_shape"]


def known_shape(x: Any) -> tuple[Any, ...]:
    """Return the shape of `x`, None for unknown sizes.

    Raises:
        ValueError: if not even the number of axes is known.
    """
    if x.shape is None:
        raise ValueError(
            f"the number of axes of {x} is not known: set it by `set_shape`, or give "
            "the placeholder that it comes from a shape"
        )
    return tuple(x.shape)


class InputSpec:
    """The rank, dtype, shape and single sizes that an input must have.

    Args:
        dtype: its kind of number; any if None.
        shape: its sizes, None where any will do.
        ndim: its rank.
        max_ndim: the largest rank.
        min_ndim: the smallest rank.
        axes: from axis to the size there.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing.
        name: the key of the input where inputs come as a dict.
        optional: whether the input may be None.
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def problem(self, x: Any) -> str | None:
        """Return what is wrong with the input `x`, None if nothing is."""
        shape = known_shape(x)
        rank, full = len(shape), f". Full shape received: {shape}"
        if self.ndim not in (None, rank) and not self.allow_last_axis_squeeze:
            return f"expected ndim={self.ndim}, found ndim={rank}{full}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}{full}"
        if self.dtype is not None and K.standardize_dtype(x.dtype) != self.dtype:
            return f"expected dtype={self.dtype}, found dtype={x.dtype}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return (
                    f"expected axis {axis} of input shape to have value {size}, but "
                    f"received input with shape {shape}"
                )
        pairs = zip(*map(self._squeezed, (self.shape or (), shape)), strict=False)
        if any(None not in pair and len(set(pair)) > 1 for pair in pairs):
            return f"expected shape={self.shape}, found shape={shape}"
        return None

    def _squeezed(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (
            shape[:-1] if self.allow_last_axis_squeeze and shape[-1:] == (1,) else shape
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Return a new one made from what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        shown = (f"{n}={getattr(self, n)}" for n in names if getattr(self, n))
        return f"InputSpec({', '.join(shown)})"


def check_inputs(input_spec: Any, inputs: Any, layer_name: str) -> None:
    """Compare a layer's inputs with what it demands.

    Raises:
        ValueError: if one does not fit; the message names the layer and both shapes.
    """
    if not input_spec:
        return
    specs, values = K.tree.flatten(input_spec), K.tree.flatten(inputs)
    if len(specs) != len(values):
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received '
            f"{len(values)} input tensors. Inputs received: {inputs}"
        )
    for i, (spec, x) in enumerate(zip(specs, values, strict=True)):
        if spec is None or (x is None and spec.optional):
            continue
        if not hasattr(x, "shape"):
            raise ValueError(
                f"Inputs to a layer should be tensors. Got '{x}' (of type {type(x)}) "
                f"as input for layer '{layer_name}'."
            )
        problem = spec.problem(x)
        if problem:
            raise ValueError(
                f"Input {i} with name '{spec.name}' of layer '{layer_name}' is "
                f"incompatible with the layer: {problem}"
            )
