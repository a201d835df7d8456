"""Quantization of a layer's large weight, and what all layers have of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras import dtype_policies
from minikeras.adapters.calibrated import Calibrated
from minikeras.adapters.calls import adapted_call
from minikeras.adapters.float8 import float8_call, make_scales
from minikeras.adapters.forms import Form
from minikeras.adapters.packing import Int4, Int8, Packing
from minikeras.quantizers import (
    AbsMaxQuantizer,
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
            mode: ``"int8"``, ``"int4"``, ``"float8"``, ``"gptq"`` or ``"awq"``; in the
                last two the weight stays until `calibrate` is called.
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
        raise self._not_implemented_error("quantize")

    def quantized_build(self, *args: Any, **kwargs: Any) -> None:
        """Make the variables of a quantized layer.

        Raises:
            NotImplementedError: if the layer cannot be quantized.
        """
        raise self._not_implemented_error("quantized_build")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs of a quantized layer: what its `call` does by then.

        Raises:
            NotImplementedError: if it is not quantized.
        """
        if self.quantization_mode is None:
            modes = dtype_policies.QUANTIZATION_MODES
            raise NotImplementedError(
                f"Invalid quantization mode. Expected one of {modes}. "
                f"Received: quantization_mode={self.quantization_mode}"
            )
        call: Any = getattr(self, "call")  # noqa: B009 - it is the layer that has it
        return call(*args, **kwargs)

    def _not_implemented_error(self, name: str, more: str = "") -> NotImplementedError:
        return NotImplementedError(
            f"Layer {type(self).__name__} does not have a `{name}` method "
            f"implemented.{more and ' '}{more}"
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
    _untrack_variable: Callable[..., Any]
    call: Callable[..., Any]
    bias: Any = None
    packing: Packing | None = None
    inputs_quantizer: Any = None
    _added: list[K.Variable]
    _tracker: Any

    @property
    def kept_weight(self) -> Any:
        """The variable in which the weight is kept."""
        return getattr(self, f"_{self.form.name}")

    @property
    def parts(self) -> list[Any]:
        """The variables in which the weight is kept: itself, scales, zero points."""
        own = self.form.name
        names = self.packing.names if self.packing else [own]
        return [getattr(self, f"_{name}" if name == own else name) for name in names]

    def quantized_build(self, kernel_shape: Any, mode: str, config: Any = None) -> None:
        """Make the variables of a quantized weight of zeros, in place of the weight.

        Raises:
            NotImplementedError: if there is no such mode here.
        """
        self._check_mode(mode)
        self.quantization_config = config
        self._pack(mode, K.zeros(kernel_shape))
        if mode in ("gptq", "awq"):
            self._untrack_variable(self.kept_weight)

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `call` does now that the layer is quantized.

        Raises:
            NotImplementedError: if its mode is none.
        """
        self._check_mode(self.quantization_mode)
        return self.call(*args, **kwargs)

    def _quantize(self, config: QuantizationConfig, type_check: bool) -> None:
        if not self.form.modes or (type_check and "form" not in vars(type(self))):
            super()._quantize(config, type_check)
        self._check_mode(config.mode)
        self.quantization_config = config.of_layer()
        self._pack(config.mode, self.kept_weight.numpy())
        if self.dtype_policy.quantization_mode is None:
            mode, source = self._policy_mode(config), self.dtype_policy.name
            self.dtype_policy = dtype_policies.get(f"{mode}_from_{source}")

    def _policy_mode(self, config: QuantizationConfig) -> str:
        """Return the mode as a dtype policy has it, with its numbers."""
        if config.mode == "int4":
            return f"int4/{getattr(self.packing, 'block', None) or -1}"
        return getattr(config, "dtype_policy_string", lambda: config.mode)()

    def _check_mode(self, mode: str) -> None:
        if mode not in self.form.modes:
            raise NotImplementedError(
                f"Invalid quantization mode. Expected one of {self.form.modes}. "
                f"Received: quantization_mode={mode} (layer '{self.name}' of type "
                f"{type(self).__name__})."
            )

    def _pack(self, mode: str, value: Any) -> None:
        """Put variables that keep `value` in few bits in the place of the weight."""
        if mode == "float8":
            with self._tracker.unlocked():
                make_scales(self)
            self.take_over(partial(float8_call, self))
        else:
            packing = self._packing(mode, value.shape)
            if mode in ("int8", "int4"):
                self._added = [v for v in self._added if v is not self.kept_weight]
            self.packing = packing
            self._make_parts(packing, value)
            self.take_over(partial(adapted_call, self))
        self._is_quantized = True

    def _packing(self, mode: str, shape: Any) -> Packing:
        """Return how the weight is to be kept, and note what rounds the inputs."""
        form = self.form
        default = None if form.takes_over else AbsMaxQuantizer(axis=-1)
        packing: Packing
        if mode == "int8":
            packing, default = Int8(self, form, shape), AbsMaxQuantizer()
        elif mode == "int4":
            self._int4_block_size = self._setting("block_size")
            self._orig_output_dim = shape[-1]
            packing = Int4(self, form, shape, self._int4_block_size)
            self._int4_unpacked_column_size = packing.columns
        else:
            bits, group = self._setting("weight_bits"), self._setting("group_size")
            packing = Calibrated(self, form, shape, mode, bits, group)
            packing.done = False
        if form.rounds_inputs:
            self.inputs_quantizer = QuantizationConfig.activation_quantizer_or_default(
                self.quantization_config, default
            )
        return packing

    def _make_parts(self, packing: Packing, value: Any) -> None:
        """Make the variables of a weight that is kept in parts."""
        for name, part in zip(packing.names, packing.encode(value), strict=True):
            variable = self.keep(
                name.removeprefix("quantized_"),
                tuple(part.shape),
                "zeros",
                dtype=K.standardize_dtype(part.dtype),
                trainable=False,
                attribute=name,
            )
            variable.assign(part)

    def _setting(self, name: str) -> Any:
        """Return a number of the mode, which the config or the policy tells."""
        if hasattr(self.quantization_config, name):
            return getattr(self.quantization_config, name)
        policy = self.dtype_policy
        if isinstance(policy, dtype_policies.DTypePolicyMap):
            policy = policy[self.path]
        return getattr(policy, name, None)

    # -- quantizing by data ------------------------------------------------------------

    def calibrate(self, integers: Any, *others: Any) -> None:
        """Take the quantized weight that an algorithm has found, and drop the other.

        Args:
            integers: a matrix, from 0 up.
            others: scales, zero points, factors if there are any, and groups.
        """
        packing: Any = self.packing
        values = [packing.packed(integers), *others]
        for variable, value in zip(self.parts, values, strict=True):
            variable.assign(value)
        self.finish_calibration()

    def finish_calibration(self) -> None:
        """Compute by the quantized weight from now on, and drop the other."""
        packing: Any = self.packing
        packing.done = True
        kept = vars(self).pop(f"_{self.form.name}", None)
        if kept is not None:
            self._untrack_variable(kept)

    # -- taking a layer over -----------------------------------------------------------

    def keep(
        self, name: str, *args: Any, attribute: str | None = None, **kwargs: Any
    ) -> K.Variable:
        """Return a new weight, which is also to be had as an attribute."""
        with self._tracker.unlocked():
            variable = self.add_weight(*args, name=name, **kwargs)
            setattr(self, attribute or name, variable)
        return variable

    def take_over(self, call: Callable[..., Any]) -> None:
        """Let `call` take the place of the layer's own, if it can."""
        if self.form.takes_over:
            self.call = call
        K.note_change()
