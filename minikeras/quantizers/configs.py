"""How a layer is to be quantized: a mode, and with what."""

from __future__ import annotations

import re
from typing import Any

from minikeras import backend as K
from minikeras.dtype_policies import QUANTIZATION_MODES
from minikeras.quantizers.absmax import AbsMaxQuantizer

__all__ = [
    "AWQConfig",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "is_chosen",
    "validate_and_resolve_config",
]


class QuantizationConfig:
    """Base of quantization configs.

    Args:
        weight_quantizer: of kernels; by default the mode's own.
        activation_quantizer: of inputs; None leaves them as they are.
    """

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = None
    ) -> None:
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer

    @property
    def mode(self) -> str:
        """The name of the mode.

        Raises:
            NotImplementedError: in the base.
        """
        raise NotImplementedError(
            "Subclasses must implement this property. Do not instantiate "
            "QuantizationConfig directly."
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {
            name: K.serialize_keras_object(getattr(self, name))
            for name in ("weight_quantizer", "activation_quantizer")
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a config made from what `get_config` returned."""
        return cls(**K.deserialize_keras_object(config))

    def of_layer(self) -> Any:
        """Return what a quantized layer keeps of it: all but data and a model."""
        return self

    @staticmethod
    def weight_quantizer_or_default(config: Any, default: Any) -> Any:
        """Return a config's quantizer of kernels, or `default` if it has none."""
        own = None if config is None else config.weight_quantizer
        return default if own is None else own

    @staticmethod
    def activation_quantizer_or_default(config: Any, default: Any) -> Any:
        """Return a config's quantizer of inputs, or `default` without a config."""
        return default if config is None else config.activation_quantizer


def _check_weights(config: QuantizationConfig, **wanted: Any) -> None:
    """Demand that the quantizer of kernels, if there is one, has these attributes."""
    quantizer = config.weight_quantizer
    for name, value in wanted.items():
        if quantizer is not None and getattr(quantizer, name) != value:
            raise ValueError(
                f"{type(config).__name__} requires a weight_quantizer with "
                f"{name}={value!r}. Received: {name}={getattr(quantizer, name)}"
            )


class Int8QuantizationConfig(QuantizationConfig):
    """8-bit integers, for kernels and inputs.

    Args:
        weight_quantizer: by default an `AbsMaxQuantizer`.
        activation_quantizer: likewise; None leaves inputs as they are.
    """

    mode = "int8"  # type: ignore[assignment]

    def __init__(
        self, weight_quantizer: Any = None, activation_quantizer: Any = "default"
    ) -> None:
        if activation_quantizer == "default":
            activation_quantizer = AbsMaxQuantizer()
        super().__init__(weight_quantizer, activation_quantizer)
        _check_weights(self, output_dtype="int8")


class Int4QuantizationConfig(QuantizationConfig):
    """4-bit integers for kernels, two of them in a byte.

    Args:
        weight_quantizer: by default an `AbsMaxQuantizer`; none with blocks.
        activation_quantizer: none by default, and none with blocks.
        block_size: how many inputs share a scale and a zero point; None or -1: all, and
            there are no zero points.

    Raises:
        ValueError: if `block_size` is out of range, or there are blocks and quantizers.
    """

    mode = "int4"  # type: ignore[assignment]

    def __init__(
        self,
        weight_quantizer: Any = None,
        activation_quantizer: Any = "default",
        block_size: int | None = 128,
    ) -> None:
        if activation_quantizer == "default":
            activation_quantizer = None
        super().__init__(weight_quantizer, activation_quantizer)
        if block_size is not None and block_size != -1 and block_size <= 0:
            raise ValueError(
                "block_size must be None, -1, or a positive integer. "
                f"Received: block_size={block_size}"
            )
        self.block_size = block_size
        given = (weight_quantizer, activation_quantizer) != (None, None)
        if (block_size or -1) > 0 and given:
            raise ValueError(
                "Int4 sub-channel quantization (block_size > 0) does not support "
                "custom quantizers. Either set block_size to None or -1 for "
                "per-channel quantization, or remove the custom quantizer arguments. "
                f"Received: block_size={block_size}"
            )
        _check_weights(self, value_range=(-8, 7), output_dtype="int8")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "block_size": self.block_size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return super().from_config({"block_size": None, **config})  # as files of old


class Float8QuantizationConfig(QuantizationConfig):
    """Training in 8-bit floats; there is nothing to choose."""

    mode = "float8"  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()

    def get_config(self) -> dict[str, Any]:
        return {}


class Calibrated(QuantizationConfig, K.Configured):
    """Base of configs of algorithms that look at data.

    Their data are no part of files. The algorithms are run by `Model.quantize`.
    """

    weight_bits: int
    group_size: int

    def _check(self, counts: tuple[str, ...], whole: str) -> None:
        """Demand that these numbers are above 0, and a group's size too, or -1."""
        for name in counts:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be a positive integer.")
        if self.group_size < -1 or self.group_size == 0:
            raise ValueError(
                f"Invalid group_size. Supported values are -1 ({whole}) or a positive "
                f"integer, but got {self.group_size}."
            )

    def dtype_policy_string(self) -> str:
        """Return the mode as a dtype policy has it, as in ``"gptq/4/128"``."""
        return f"{self.mode}/{self.weight_bits}/{self.group_size}"

    def of_layer(self) -> Any:
        kept = {**self.get_config(), "quantization_layer_structure": None}
        return type(self)(**kept)

    def get_config(self) -> dict[str, Any]:
        own = {"weight_quantizer", "activation_quantizer"}
        config = K.Configured.get_config(self)
        kept = {name: value for name, value in config.items() if name not in own}
        return {**kept, "dataset": None, "tokenizer": None}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)


class GPTQConfig(Calibrated):
    """What GPTQ is to do: quantize column by column, and make up for it in the rest.

    Args:
        dataset: texts or arrays, for calibration.
        tokenizer: from a text to integers.
        weight_bits: 2, 3, 4 or 8.
        num_samples: how many of the data to use.
        per_channel: whether each output has a scale of its own.
        sequence_length: of a sample.
        hessian_damping: share of the Hessian's mean that is added to its diagonal.
        group_size: how many inputs share a scale; -1 for all.
        symmetric: whether ranges are symmetric around 0.
        activation_order: whether the columns with the largest inputs come first.
        quantization_layer_structure: which layers to calibrate, in which order.

    Raises:
        ValueError: if a number is out of range.

    Source: Frantar et al. 2023, arXiv:2210.17323.
    """

    mode = "gptq"  # type: ignore[assignment]

    def __init__(
        self,
        dataset: Any,
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        per_channel: bool = True,
        sequence_length: int = 512,
        hessian_damping: float = 0.01,
        group_size: int = 128,
        symmetric: bool = False,
        activation_order: bool = False,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.tokenizer = tokenizer
        self.weight_bits = weight_bits
        self.num_samples = num_samples
        self.per_channel = per_channel
        self.sequence_length = sequence_length
        self.hessian_damping = hessian_damping
        self.group_size = group_size
        self.symmetric = symmetric
        self.activation_order = activation_order
        self.quantization_layer_structure = quantization_layer_structure
        if weight_bits not in (2, 3, 4, 8):
            raise ValueError(
                f"Unsupported weight_bits {weight_bits}. Supported values are 2, 3, 4, "
                "and 8."
            )
        if not 0 <= hessian_damping <= 1:
            raise ValueError("hessian_damping must be between 0 and 1.")
        self._check(("num_samples", "sequence_length"), "whole-tensor")


class AWQConfig(Calibrated):
    """What AWQ is to do: scale up what matters to outputs before it is quantized.

    Args:
        dataset: texts or arrays, for calibration.
        tokenizer: from a text to integers.
        weight_bits: 4.
        num_samples: how many of the data to use.
        sequence_length: of a sample.
        group_size: how many inputs share a scale; -1 for all.
        num_grid_points: how many scales to try.
        quantization_layer_structure: which layers to calibrate, in which order.

    Raises:
        ValueError: if a number is out of range.

    Source: Lin et al. 2024, arXiv:2306.00978.
    """

    mode = "awq"  # type: ignore[assignment]

    def __init__(
        self,
        dataset: Any,
        tokenizer: Any,
        *,
        weight_bits: int = 4,
        num_samples: int = 128,
        sequence_length: int = 512,
        group_size: int = 128,
        num_grid_points: int = 20,
        quantization_layer_structure: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.tokenizer = tokenizer
        self.weight_bits = weight_bits
        self.num_samples = num_samples
        self.sequence_length = sequence_length
        self.group_size = group_size
        self.num_grid_points = num_grid_points
        self.quantization_layer_structure = quantization_layer_structure
        if weight_bits != 4:
            raise ValueError(
                "AWQ only supports 4-bit quantization. Received "
                f"weight_bits={weight_bits}."
            )
        counts = ("num_samples", "sequence_length", "num_grid_points")
        self._check(counts, "per-channel")


# -- which one is meant ----------------------------------------------------------------

_DEFAULTS = {
    "int8": Int8QuantizationConfig,
    "int4": Int4QuantizationConfig,
    "float8": Float8QuantizationConfig,
}
_OF_DATA = {"gptq": ("GPTQ", "a", GPTQConfig), "awq": ("AWQ", "an", AWQConfig)}


def validate_and_resolve_config(mode: str | None, config: Any) -> Any:
    """Return the config meant by a mode, a config, or both.

    Raises:
        ValueError: if it is none, or the two contradict each other.
    """
    if isinstance(config, str):
        mode, config = config, None
    _check_mode(mode)
    if config is None and mode in _OF_DATA:
        name, article, kind = _OF_DATA[mode]
        raise ValueError(
            f"For {name}, you must pass {article} `{kind.__name__}` object in the "
            "`config` argument."
        )
    if config is None and mode is None:
        raise ValueError("You must provide either `mode` or `config` to `quantize`.")
    config = _DEFAULTS[mode]() if config is None and mode else config
    if not isinstance(config, QuantizationConfig):
        raise ValueError(
            "Argument `config` must be an instance of `QuantizationConfig`. "
            f"Received: config={config} (of type {type(config)})"
        )
    if mode is not None and config.mode != mode:
        raise ValueError(
            f"Contradictory arguments: mode='{mode}' but config.mode='{config.mode}'"
        )
    _check_mode(config.mode)
    _, _, kind = _OF_DATA.get(config.mode, ("", "", QuantizationConfig))
    if not isinstance(config, kind):
        raise ValueError(
            f"Mode '{config.mode}' requires a valid `config` argument of type "
            f"`{kind.__name__}`. Received: {type(config)}"
        )
    return config


def is_chosen(layer: Any, filters: Any) -> bool:
    """Return whether a layer is among those that `filters` choose.

    Raises:
        ValueError: if that is no pattern, no list of patterns, and no function.
    """
    if filters is None:
        return True
    if callable(filters):
        return bool(filters(layer))
    if not isinstance(filters, (str, list, tuple)):
        raise ValueError(
            "The `filters` argument must be a regex string, a list of regex strings, "
            f"or a callable. Received: {type(filters)}"
        )
    patterns = [filters] if isinstance(filters, str) else filters
    return any(re.search(pattern, layer.name) for pattern in patterns)


def _check_mode(mode: str | None) -> None:
    if mode is not None and mode not in QUANTIZATION_MODES:
        raise ValueError(
            f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. "
            f"Received: mode={mode}"
        )
