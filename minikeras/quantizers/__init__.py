"""Quantizers: floats as few bits, and configs that say which layers get how many."""

import inspect
from typing import Any

from minikeras import backend as K
from minikeras.quantizers.absmax import (
    AbsMaxQuantizer,
    Quantizer,
    abs_max_quantize,
    abs_max_quantize_grouped_with_zero_point,
)
from minikeras.quantizers.configs import (
    AWQConfig,
    Float8QuantizationConfig,
    GPTQConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
)
from minikeras.quantizers.fake import fake_quant_with_min_max_vars
from minikeras.quantizers.float8 import (
    compute_float8_amax_history,
    compute_float8_scale,
    quantize_and_dequantize,
)
from minikeras.quantizers.groups import (
    compute_quantization_parameters,
    dequantize_with_sz_map,
    dequantize_with_zero_point,
    quantize_with_sz_map,
    quantize_with_zero_point,
)
from minikeras.quantizers.int4 import pack_int4, unpack_int4

_registry = K.Registry(
    "keras.quantizers",
    "quantizer",
    [
        AWQConfig,
        AbsMaxQuantizer,
        Float8QuantizationConfig,
        GPTQConfig,
        Int4QuantizationConfig,
        Int8QuantizationConfig,
        QuantizationConfig,
        Quantizer,
    ],
    fold=K.to_snake_case,
    top=[Quantizer],
)
serialize, deserialize = _registry.serialize, _registry.deserialize


def get(identifier: Any, **kwargs: Any) -> Any:
    """Return the quantizer meant: by its name, its config, its class, or itself.

    Args:
        identifier: which one; None means none.
        kwargs: for its constructor, if `identifier` is a name or a class.

    Raises:
        ValueError: if it means none.
    """
    named = isinstance(identifier, str)
    cls = _registry.find(identifier) if named else identifier
    return cls(**kwargs) if inspect.isclass(cls) else _registry.get(identifier)


__all__ = [
    "AWQConfig",
    "AbsMaxQuantizer",
    "Float8QuantizationConfig",
    "GPTQConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "deserialize",
    "fake_quant_with_min_max_vars",
    "get",
    "pack_int4",
    "quantize_and_dequantize",
    "serialize",
    "unpack_int4",
]
