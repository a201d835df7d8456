"""What a layer demands of its inputs, and the check that names what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minikeras import backend as K

__all__ = ["InputSpec", "check_inputs"]


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
        axes: dict[int, int | None] | None = None,
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

    def problem(self, shape: Sequence[int | None]) -> str | None:
        """Return what is wrong with an input of this shape, None if nothing is."""
        rank = len(shape)
        got = f"Full shape received: {tuple(shape)}"
        if self.ndim is not None and rank != self.ndim and not self._squeezes(shape):
            return f"expected ndim={self.ndim}, found ndim={rank}. {got}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}. {got}"
        for axis, size in self.axes.items():
            if size is not None and shape[axis] not in (size, None):
                return (
                    f"expected axis {axis} of input shape to have value {size}, but "
                    f"received input with shape {tuple(shape)}"
                )
        for want, found in zip(self.shape or (), shape, strict=False):
            if want is not None and found is not None and want != found:
                return f"expected shape={self.shape}, found shape={tuple(shape)}"
        return None

    def _squeezes(self, shape: Sequence[int | None]) -> bool:
        if not self.allow_last_axis_squeeze or self.shape is None:
            return False
        return abs(len(shape) - len(self.shape)) == 1 and (self.shape[-1] == 1 or shape[-1] == 1)

    def __repr__(self) -> str:
        fields = {"dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "axes": self.axes}
        shown = (f"{k}={v}" for k, v in fields.items() if v)
        return f"InputSpec({', '.join(shown)})"


def check_inputs(input_spec: Any, inputs: Any, layer_name: str) -> None:
    """Compare a layer's inputs with what it demands.

    Raises:
        ValueError: if one does not fit; the message names the layer and both shapes.
    """
    specs = K.tree.flatten(input_spec)
    values = K.tree.flatten(inputs)
    if len(specs) != len(values):
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received '
            f"{len(values)} input tensors. Inputs received: {inputs}"
        )
    for i, (spec, x) in enumerate(zip(specs, values, strict=True)):
        shape = getattr(x, "shape", None)
        if spec is None or shape is None or (x is None and spec.optional):
            continue
        problem = spec.problem(shape)
        if problem:
            raise ValueError(
                f'Input {i} of layer "{layer_name}" is incompatible with the layer: {problem}'
            )
