"""Quantization of a layer's large weight, and what all layers have of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras import dtype_policies
from minikeras.adapters.calls import adapted_call
from minikeras.adapters.float8 import float8_call, make_scales
from minikeras.adapters.forms import Form
from minikeras.adapters.packing import Int4, Int8, Packing
from minikeras.quantizers import (
    AbsMaxQuantizer,
    Int4QuantizationConfig,
    QuantizationConfig,
)
from minikeras.quantizers.configs import validate_and_resolve_config

__all__ = ["Quantizable", "Quantized"]


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

    def quantize(
        self, mode: str | None = None, type_check: bool = True, config: Any = None
    ) -> None:
        """Keep the large weight in few bits from now on.

        Args:
            mode: ``"int8"``, ``"int4"`` or ``"float8"``.
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

    def _quantize(self, config: QuantizationConfig, type_check: bool) -> None:
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `quantize` method "
            "implemented."
        )

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

    def on_built(self) -> None:
        """Do what is to be done when the weights have just been made."""


class Quantized(Quantizable):
    """A layer with one large weight, which can be kept in few bits.

    Attributes:
        form: what the layer does with the weight.
        packing: how the weight is kept, None if as it is.
        inputs_quantizer: what rounds inputs, None if nothing does.
    """

    form: ClassVar[Form]
    add_weight: Callable[..., Any]
    call: Callable[..., Any]
    bias: Any = None
    packing: Packing | None = None
    inputs_quantizer: Any = None
    _added: list[K.Variable]

    @property
    def kept_weight(self) -> Any:
        """The variable in which the weight is kept."""
        return getattr(self, f"_{self.form.name}")

    @property
    def parts(self) -> list[Any]:
        """The variables in which the weight is kept: itself, scales, zero points."""
        others = self.packing.names[1:] if self.packing else []
        return [self.kept_weight, *(getattr(self, name) for name in others)]

    def quantized_build(self, kernel_shape: Any, mode: str, config: Any = None) -> None:
        """Make the variables of a quantized weight of zeros, in place of the weight.

        Raises:
            NotImplementedError: if there is no such mode here.
        """
        self._check_mode(mode)
        self.quantization_config = config
        self._pack(mode, K.zeros(kernel_shape))

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `call` does now that the layer is quantized.

        Raises:
            NotImplementedError: if its mode is none.
        """
        self._check_mode(self.quantization_mode)
        return self.call(*args, **kwargs)

    def _quantize(self, config: QuantizationConfig, type_check: bool) -> None:
        if type_check and "form" not in vars(type(self)):
            super()._quantize(config, type_check)
        self._check_mode(config.mode)
        self.quantization_config = config
        self._pack(config.mode, self.kept_weight.numpy())
        if self.dtype_policy.quantization_mode is None:
            block = getattr(self.packing, "block", None)
            mode = f"int4/{block or -1}" if config.mode == "int4" else config.mode
            source = self.dtype_policy.name
            self.dtype_policy = dtype_policies.get(f"{mode}_from_{source}")

    def _check_mode(self, mode: str) -> None:
        if mode not in self.form.modes:
            data = " It takes calibration data." if mode in ("gptq", "awq") else ""
            raise NotImplementedError(
                f"Invalid quantization mode. Expected one of {self.form.modes}. "
                f"Received: quantization_mode={mode} (layer '{self.name}' of type "
                f"{type(self).__name__}).{data}"
            )

    def _pack(self, mode: str, value: Any) -> None:
        """Put variables that keep `value` in few bits in the place of the weight."""
        if mode == "float8":
            with self.own_scope():
                make_scales(self)
            self.take_over(partial(float8_call, self))
        else:
            self._pack_integers(mode, value)
            self.take_over(partial(adapted_call, self))
        self._is_quantized = True

    def _pack_integers(self, mode: str, value: Any) -> None:
        weight, form, default = self.kept_weight, self.form, None
        if mode == "int8":
            packing, default = Int8(self, form, value.shape), AbsMaxQuantizer()
        else:
            self._int4_block_size = self._block_size()
            packing = Int4(self, form, value.shape, self._int4_block_size)
        if form.rounds_inputs:
            self.inputs_quantizer = QuantizationConfig.activation_quantizer_or_default(
                self.quantization_config, default
            )
        self.packing = packing
        self._added = [v for v in self._added if v is not weight]
        for name, part in zip(packing.names, packing.encode(value), strict=True):
            self.keep(
                name,
                tuple(part.shape),
                "zeros",
                dtype=K.standardize_dtype(part.dtype),
                trainable=False,
            ).assign(part)

    def _block_size(self) -> int | None:
        """Return how many inputs share a scale: as the config or the policy says."""
        if isinstance(self.quantization_config, Int4QuantizationConfig):
            return self.quantization_config.block_size
        policy = self.dtype_policy
        if isinstance(policy, dtype_policies.DTypePolicyMap):
            policy = policy[self.path]
        return getattr(policy, "block_size", None)

    # -- taking a layer over -----------------------------------------------------------

    def keep(self, name: str, *args: Any, **kwargs: Any) -> K.Variable:
        """Return a new weight, which is also to be had as an attribute."""
        with self.own_scope():
            variable = self.add_weight(*args, name=name, **kwargs)
        setattr(self, name, variable)
        return variable

    def own_scope(self) -> ExitStack:
        """Return the scopes in which the layer was built, without those around."""
        own, around = self.path or self.name, K.current_path()
        scopes = ExitStack()
        for part in own.removeprefix(f"{around}/").split("/"):
            scopes.enter_context(K.name_scope(part))
        return scopes

    def take_over(self, call: Callable[..., Any]) -> None:
        """Let `call` take the place of the layer's own, if it can."""
        if self.form.takes_over:
            self.call = call
        K.note_change()
