"""In which dtype a layer keeps its weights, and in which it computes."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = ["DTypePolicy", "FloatDTypePolicy", "dtype_policy", "set_global"]

# Policies with another dtype for computation than for weights, which are float32.
_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class DTypePolicy:
    """A dtype for weights and one for computation, by one name.

    Args:
        name: a dtype, or ``"mixed_float16"`` or ``"mixed_bfloat16"``, which compute in
            the narrow type with float32 weights; the name of the global policy by
            default.

    Raises:
        TypeError: if `name` is no string.
        ValueError: if it is the name of nothing.
    """

    def __init__(self, name: str | None = None) -> None:
        self._take(dtype_policy().name if name is None else name)

    def _take(self, name: str, mode: str | None = None) -> None:
        """Be the policy of this name, quantized by `mode`."""
        self._compute_dtype, self._variable_dtype = _parsed(name)
        self._name = name if mode is None else f"{mode}_from_{name}"
        self._quantization_mode = mode

    @property
    def name(self) -> str:
        """What names it, and how layers' configs describe it."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The dtype in which layers compute, and that of their outputs."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How kernels are quantized, None if they are not."""
        return self._quantization_mode

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """Return `x` as a tensor, in `dtype` if `autocast` and it is floating-point.

        What is neither a tensor nor an array is returned as it is.
        """
        if not hasattr(x, "dtype") and not hasattr(x, "__array__"):
            return x
        x = K.convert_to_tensor(x)
        floating = K.is_float_dtype(K.standardize_dtype(x.dtype))
        return K.cast(x, dtype) if autocast and floating else x

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a policy made from what `get_config` returned."""
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DTypePolicy) or _kind(self) is not _kind(other):
            return False
        return self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<{_kind(self).__name__} "{self.name}">'


class FloatDTypePolicy(DTypePolicy):
    """Another name for `DTypePolicy`."""


def _kind(policy: DTypePolicy) -> type:
    return DTypePolicy if type(policy) is FloatDTypePolicy else type(policy)


def _parsed(name: Any) -> tuple[str, str]:
    """Return the dtypes for computation and for weights."""
    if not isinstance(name, str):
        raise TypeError(
            "'name' must be a string, such as 'mixed_float16'. "
            f"Received: name={name} (of type {type(name)})"
        )
    if name in _MIXED:
        return _MIXED[name], "float32"
    try:
        dtype = K.standardize_dtype(name)
    except (TypeError, ValueError):
        raise ValueError(
            f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies "
            "include 'mixed_float16', 'mixed_bfloat16', and the name of any float "
            "dtype such as 'float32'."
        ) from None
    return dtype, dtype


# -- the global one --------------------------------------------------------------------

_global: list[DTypePolicy] = []

K.on_clear(_global.clear)


def dtype_policy() -> DTypePolicy:
    """Return the policy of layers that are given none: floatx unless it was set."""
    return _global[-1] if _global else DTypePolicy(K.floatx())


def set_global(policy: DTypePolicy) -> None:
    """Let `policy` be that of layers that are given none."""
    _global[:] = [policy]
