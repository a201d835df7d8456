"""An embedding that is walked both ways: quantized on the way back as well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from minikeras import backend as K
from minikeras.adapters.adaptable import Adaptable
from minikeras.adapters.calls import rounded
from minikeras.adapters.forms import Back
from minikeras.adapters.packing import Int4, Int8, Packing

__all__ = ["Reversible"]


class Reversible(Adaptable):
    """A layer with a table, and maybe another one for the way back.

    Attributes:
        tie_weights: whether the way back uses the same table, transposed.
        reverse_embeddings: the other table.
        back_packing: how it is kept, None if as it is.
    """

    tie_weights: bool
    reverse_embeddings: Any
    back_packing: Packing | None = None

    @property
    def reverse_table(self) -> Any:
        """The table for the way back, in floats."""
        packing = self.back_packing
        if packing is None:
            return self.reverse_embeddings
        names = packing.names
        return packing.decode(*(getattr(self, name).value for name in names))

    def _make_parts(self, packing: Packing, value: Any) -> None:
        super()._make_parts(packing, value)
        if self.tie_weights:
            return
        kept = self.reverse_embeddings
        form, shape = Back(), tuple(kept.shape)
        back: Packing = Int8(self, form, shape)
        if isinstance(packing, Int4):
            back = Int4(self, form, shape, packing.block)
        self._added = [v for v in self._added if v is not kept]
        for name, part in zip(back.names, back.encode(kept.numpy()), strict=True):
            if name != "g_idx":  # both tables have the same groups
                kind = K.standardize_dtype(part.dtype)
                sizes = tuple(part.shape)
                made = self.keep(name, sizes, "zeros", dtype=kind, trainable=False)
                made.assign(part)
        self.back_packing = back

    def take_over(self, call: Callable[..., Any]) -> None:
        super().take_over(call)
        if self.packing:
            self.call = partial(_rounded_back, self)


def _rounded_back(layer: Any, inputs: Any, reverse: bool = False) -> Any:
    """Return what the layer's own `call` does; on the way back, of rounded inputs."""
    x = rounded(layer.inputs_quantizer, inputs, (-1,)) if reverse else inputs
    return type(layer).call(layer, x, reverse=reverse)
