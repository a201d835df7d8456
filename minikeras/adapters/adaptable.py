"""Layers that can be adapted: their large weight quantized, or given a low-rank sum.

An adapter wraps a layer: it takes the place of `call`, and of the variable in which the
weight was kept. The layer itself is written as if there were no adapters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras import dtype_policies
from minikeras.adapters.calls import adapted_call, merged
from minikeras.adapters.forms import Form
from minikeras.adapters.packing import Int4, Int8, Packing
from minikeras.dtype_policies import DTypePolicyMap
from minikeras.quantizers import (
    AbsMaxQuantizer,
    Int4QuantizationConfig,
    QuantizationConfig,
)
from minikeras.quantizers.configs import validate_and_resolve_config

__all__ = ["Adaptable", "Quantizable", "Weight"]


class Quantizable:
    """What all layers have of quantization: a method that checks, and refuses."""

    name: str
    built: bool
    path: Any
    dtype_policy: Any
    compute_dtype: Any
    quantization_mode: Any
    quantization_config: Any = None
    _is_quantized = False

    def follow_policy(self) -> None:
        """Quantize a layer that is built, as its dtype policy says.

        Raises:
            ValueError: if that takes data.
        """
        mode = self.quantization_mode
        if mode is None or not self.built or self._is_quantized:
            return
        if mode in ("gptq", "awq"):
            raise ValueError(
                f"Implicitly enabling {mode.upper()} quantization by setting "
                f"`dtype_policy` to '{self.dtype_policy.name}' is not supported: it "
                f"takes data. Please use `.quantize('{mode}', config=...)`."
            )
        self.quantize(mode)

    def quantize(
        self, mode: str | None = None, type_check: bool = True, config: Any = None
    ) -> None:
        """Keep the large weight in few bits from now on.

        Args:
            mode: ``"int8"`` or ``"int4"``.
            type_check: whether a subclass of a layer that can be quantized is refused.
            config: with what to quantize, in place of `mode` or besides.

        Raises:
            ValueError: if the layer is not built, or is quantized already.
            NotImplementedError: if it cannot be quantized, or not so.
        """
        config = validate_and_resolve_config(mode, config)
        if not self.built:
            raise ValueError(
                "Cannot quantize a layer that isn't yet built. Layer "
                f"'{self.name}' (of type '{type(self).__name__}') is not built yet."
            )
        if self._is_quantized:
            raise ValueError(
                f"Layer '{self.name}' is already quantized with "
                f"dtype_policy='{self.dtype_policy.name}'. Received: mode={mode}"
            )
        if config.mode == "int8" and self.compute_dtype == "float16":
            raise ValueError(
                f"Quantization mode='{config.mode}' doesn't work well with "
                "compute_dtype='float16'. Consider loading model/layer with another "
                "dtype policy such as 'mixed_bfloat16' or 'mixed_float16' before "
                "calling `quantize()`."
            )
        self._quantize(config, type_check)

    def on_built(self) -> None:
        """Do what is to be done when the weights have just been made."""

    def _quantize(self, config: QuantizationConfig, type_check: bool) -> None:
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `quantize` method "
            "implemented."
        )


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
        if kept is None:
            raise AttributeError(
                f"You must build the layer before accessing `{self.name}`."
            )
        return merged(layer) if "call" in vars(layer) else kept

    def __set__(self, layer: Any, value: Any) -> None:
        setattr(layer, f"_{self.name}", value)


class Adaptable(Quantizable):
    """A layer with one large weight, a `Weight`, that adapters may take over.

    Attributes:
        form: what the layer does with the weight.
        lora_enabled: whether low-rank matrices are added to it.
        packing: how it is kept in few bits, None if it is not.
    """

    form: ClassVar[Form]
    add_weight: Callable[..., Any]
    bias: Any = None
    lora_enabled = False
    lora_rank: int | None = None
    lora_alpha: float | None = None
    packing: Packing | None = None
    inputs_quantizer: Any = None

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
        if self.quantization_mode and not self._is_quantized:
            self._pack(self.quantization_mode, K.zeros(self.kept_weight.shape))
        if self.lora_rank and not self.lora_enabled:
            self.enable_lora(self.lora_rank, self.lora_alpha)

    # -- the weight and what belongs to it ---------------------------------------------

    @property
    def kept_weight(self) -> Any:
        """The variable in which the weight is kept."""
        return getattr(self, f"_{self.form.name}")

    @property
    def parts(self) -> list[Any]:
        """The variables in which a quantized weight is kept."""
        _, *names = self.packing.names if self.packing else [""]
        return [self.kept_weight, *(getattr(self, name) for name in names)]

    @property
    def lora_pair(self) -> list[Any]:
        """The two low-rank matrices."""
        return [getattr(self, f"lora_{self.form.name}_{end}") for end in "ab"]

    # -- low-rank adaptation -----------------------------------------------------------

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
        weight = self.kept_weight
        shape = self.packing.shape if self.packing else tuple(weight.shape)
        sizes = {"a": (*shape[:-1], rank), "b": (rank, shape[-1])}
        with K.layer_scope(self.name):
            for end, start in (("a", a_initializer), ("b", b_initializer)):
                matrix = self.add_weight(
                    sizes[end],
                    start,
                    dtype="float32",
                    regularizer=getattr(self, f"{name}_regularizer"),
                    name=f"lora_{name}_{end}",
                )
                setattr(self, f"lora_{name}_{end}", matrix)
        weight.trainable = False
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha
        self.lora_enabled = True
        self._take_over()

    def _take_over(self) -> None:
        self.call = partial(adapted_call, self)
        K.note_change()

    # -- quantization ------------------------------------------------------------------

    def _quantize(self, config: QuantizationConfig, type_check: bool) -> None:
        if type_check and "form" not in vars(type(self)):
            super()._quantize(config, type_check)
        self.quantization_config = config
        self._pack(config.mode, self.kept_weight.numpy())
        if self.dtype_policy.quantization_mode is None:
            block = getattr(self.packing, "block", None)
            mode = f"int4/{block or -1}" if config.mode == "int4" else config.mode
            source = self.dtype_policy.name
            self.dtype_policy = dtype_policies.get(f"{mode}_from_{source}")

    def _pack(self, mode: str, value: Any) -> None:
        """Put variables that keep `value` in few bits in the place of the weight."""
        if mode not in ("int8", "int4"):
            raise NotImplementedError(
                f"Layer {type(self).__name__}: quantization mode '{mode}' is not "
                "implemented; 'int8' and 'int4' are."
            )
        weight, form = self.kept_weight, self.form
        default = None
        if mode == "int8":
            packing, default = Int8(self, form, value.shape), AbsMaxQuantizer()
        else:
            packing = Int4(self, form, value.shape, self._block_size())
        if form.rounds_inputs:
            self.inputs_quantizer = QuantizationConfig.activation_quantizer_or_default(
                self.quantization_config, default
            )
        self.packing = packing
        self._added = [v for v in self._added if v is not weight]
        with K.layer_scope(self.name):
            for name, part in zip(packing.names, packing.encode(value), strict=True):
                self._keep(name, part)
        self._is_quantized = True
        self._take_over()

    def _keep(self, name: str, value: Any) -> None:
        """Make a variable of this value that is not trained, also as an attribute."""
        variable = self.add_weight(
            tuple(value.shape),
            "zeros",
            dtype=K.standardize_dtype(value.dtype),
            trainable=False,
            name=name,
        )
        variable.assign(value)
        setattr(self, name, variable)

    def _block_size(self) -> int | None:
        """Return how many inputs share a scale: as the config or the policy says."""
        if isinstance(self.quantization_config, Int4QuantizationConfig):
            return self.quantization_config.block_size
        policy = self.dtype_policy
        if isinstance(policy, DTypePolicyMap):
            policy = policy[self.path]
        return getattr(policy, "block_size", None)
