"""Which policy is meant: by a name, a dtype, a config or nothing at all."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.dtype_policies.policy import DTypePolicy, dtype_policy, set_global
from minikeras.dtype_policies.quantized import QUANTIZATION_MODES, quantized_policy

__all__ = ["get", "set_dtype_policy"]


def get(identifier: Any) -> DTypePolicy:
    """Return the policy meant by a name, a dtype, a config, None (global) or itself.

    Raises:
        ValueError: if it means none.

    Example:
        >>> get("mixed_bfloat16"), get("int8_from_float32")
        (<DTypePolicy "mixed_bfloat16">, <QuantizedDTypePolicy "int8_from_float32">)
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        identifier = K.deserialize_keras_object(identifier)
        if isinstance(identifier, DTypePolicy):
            return identifier
    if isinstance(identifier, str):
        quantized = identifier.startswith(QUANTIZATION_MODES)
        return (quantized_policy if quantized else DTypePolicy)(str(identifier))
    try:
        return DTypePolicy(K.standardize_dtype(identifier))
    except (TypeError, ValueError):
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of "
            f"DTypePolicy. Received: dtype={identifier}"
        ) from None


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Set the policy of layers that are given none.

    Args:
        policy: a policy, or its name, as in ``"mixed_float16"``.

    Raises:
        ValueError: if it is neither.
    """
    if not isinstance(policy, (str, DTypePolicy)):
        raise ValueError(
            "Invalid `policy` argument. Expected the string name of a policy (such as "
            f"'mixed_float16') or a `DTypePolicy` instance. Received: policy={policy} "
            f"(of type {type(policy)})"
        )
    set_global(get(policy))
