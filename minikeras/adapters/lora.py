"""Low-rank adaptation: train two thin matrices in place of a large one."""

from __future__ import annotations

from functools import partial
from typing import Any

from minikeras import backend as K
from minikeras.adapters.calls import adapted_call
from minikeras.adapters.quantizing import Quantized

__all__ = ["LowRank"]


class LowRank(Quantized):
    """A layer to whose weight a product of two thin matrices can be added.

    Attributes:
        lora_enabled: whether it is.
        lora_rank: the width of the matrices.
        lora_alpha: the product is multiplied by ``lora_alpha / lora_rank``.
    """

    lora_enabled = False
    lora_rank: int | None = None
    lora_alpha: float | None = None

    @property
    def lora_pair(self) -> list[Any]:
        """The two matrices."""
        return [getattr(self, f"lora_{self.form.name}_{end}") for end in "ab"]

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Train, in place of the weight, two matrices whose product is added to it.

        Args:
            rank: how many rows or columns they have between them.
            lora_alpha: the product is multiplied by ``lora_alpha / rank``; by default
                by 1.
            a_initializer: how the first one starts.
            b_initializer: how the second one starts.

        Raises:
            ValueError: if the weight has a constraint, the layer is not built, or it
                has such matrices already.

        Source: Hu et al. 2021, arXiv:2106.09685.
        """
        name = self.form.name
        self._check_can_add()
        weight = self.kept_weight
        shape = self.packing.shape if self.packing else tuple(weight.shape)
        sizes = {"a": (*shape[:-1], rank), "b": (rank, shape[-1])}
        for end, start in (("a", a_initializer), ("b", b_initializer)):
            self.keep(
                f"lora_{name}_{end}",
                sizes[end],
                start,
                dtype="float32",
                regularizer=getattr(self, f"{name}_regularizer"),
            )
        weight.trainable = False
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha
        self.lora_enabled = True
        if self.quantization_mode != "float8":
            self.take_over(partial(adapted_call, self))
        K.note_change()

    def _check_can_add(self) -> None:
        name, word = self.form.name, self.form.word
        if getattr(self, f"{name}_constraint"):
            raise ValueError(
                f"Lora is incompatible with {word} constraints. In order to enable "
                f"lora on this layer, remove the `{name}_constraint` argument."
            )
        if not self.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built.")
        if self.lora_enabled:
            raise ValueError(
                "lora is already enabled. This can only be done once per layer."
            )
        if self.quantization_mode in ("gptq", "awq"):
            raise NotImplementedError(
                "lora is not currently supported with "
                f"{self.quantization_mode.upper()} quantization."
            )
