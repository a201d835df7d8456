"""Dtype policies: in which dtype layers keep weights, and in which they compute."""

from minikeras import backend as K
from minikeras.dtype_policies.finding import get, set_dtype_policy
from minikeras.dtype_policies.policy import DTypePolicy, FloatDTypePolicy, dtype_policy
from minikeras.dtype_policies.policy_map import DTypePolicyMap
from minikeras.dtype_policies.quantized import (
    QUANTIZATION_MODES,
    AWQDTypePolicy,
    GPTQDTypePolicy,
    Int4DTypePolicy,
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
)

_registry = K.Registry(
    "keras.dtype_policies",
    "dtype policy",
    [
        AWQDTypePolicy,
        DTypePolicy,
        DTypePolicyMap,
        FloatDTypePolicy,
        GPTQDTypePolicy,
        Int4DTypePolicy,
        QuantizedDTypePolicy,
        QuantizedFloat8DTypePolicy,
    ],
    top=[DTypePolicy, FloatDTypePolicy],
)
serialize, deserialize = _registry.serialize, _registry.deserialize

__all__ = [
    "QUANTIZATION_MODES",
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "dtype_policy",
    "get",
    "serialize",
    "set_dtype_policy",
]
