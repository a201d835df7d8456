"""Layers that can be adapted: their large weight quantized, or given a low-rank sum.

An adapter wraps a layer: it takes the place of `call`, and of the variable in which the
weight was kept. The layer itself is written as if there were no adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from minikeras import backend as K
from minikeras.adapters.calibrated import Calibrated
from minikeras.adapters.calls import merged, shown
from minikeras.adapters.lora import LowRank

__all__ = ["Adaptable", "Weight"]


class Weight:
    """A layer's large weight, under its name: a variable, or what adapters made of it.

    An adapted one can only be read.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        kept = vars(layer).get(f"_{self.name}")
        if layer.packing or layer.lora_enabled:
            return shown(layer)
        if kept is None:
            raise AttributeError(
                f"You must build the layer before accessing `{self.name}`."
            )
        return kept

    def __set__(self, layer: Any, value: Any) -> None:
        setattr(layer, f"_{self.name}", value)


class Adaptable(LowRank):
    """A layer with one large weight, a `Weight`, that adapters may take over."""

    _kept_besides = ("lora_rank", "lora_alpha")  # in configs, if they are set

    def adapt(
        self,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
    ) -> None:
        """Keep the arguments that say how a layer is adapted when it is built."""
        self.quantization_config = quantization_config
        if lora_rank:  # configs have it only then
            self.lora_rank = lora_rank
            self.lora_alpha = lora_rank if lora_alpha is None else lora_alpha

    def on_built(self) -> None:
        """Adapt a layer whose weights have just been made, as its arguments say."""
        if self.quantization_mode and self.form.modes and not self._is_quantized:
            shape = self.kept_weight.shape
            config = self.quantization_config
            self.quantized_build(shape, self.quantization_mode, config)
        if self.lora_rank and not self.lora_enabled:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    # -- files -------------------------------------------------------------------------

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the weights into `store`, the low-rank sum merged into the large one."""
        if not self.built:
            return
        values = [v.numpy() for v in self._stored()]
        if self.lora_enabled:
            whole = merged(self)
            parts = self.packing.encode(whole) if self.packing else [whole]
            bias = values[1:2] if self.bias is not None else []
            values = [parts[0], *bias, *parts[1:]]
        for i, value in enumerate(values):
            store[str(i)] = value

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the weights from `store`; low-rank matrices, merged there, become 0.

        Raises:
            ValueError: if their number is another.
        """
        variables = self._stored() if self.built else []
        if len(store) != len(variables):
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but "
                f"received {len(store)} variables during loading. Expected: "
                f"{[v.name for v in variables]}"
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])
        if isinstance(self.packing, Calibrated):
            self.finish_calibration()
        if self.lora_enabled:
            for matrix in self.lora_pair:
                matrix.assign(K.zeros(matrix.shape))

    def _stored(self) -> list[K.Variable]:
        """Return the variables in the order of files: weight, bias, what it needs."""
        first, *others = self.parts
        bias = [] if self.bias is None else [self.bias]
        head = [first, *bias, *others]
        if isinstance(self.packing, Calibrated):
            head = [*bias, first, *others]
        besides = [vars(self).get(f"_{self.form.name}")]
        known = {*head, *besides, *(self.lora_pair if self.lora_enabled else ())}
        return [*head, *(v for v in self._added if v not in known)]
