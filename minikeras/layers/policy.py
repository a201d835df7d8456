"""In which dtype a layer keeps its weights, and in which it computes."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K

__all__ = ["DTypePolicy"]


class DTypePolicy:
    """A dtype for weights and one for computation, by one name.

    Args:
        name: a dtype, or ``"mixed_float16"`` or ``"mixed_bfloat16"``, which compute in
            the narrow type with float32 weights.
    """

    def __init__(self, name: str) -> None:
        if name.startswith("mixed_"):
            self.compute_dtype = K.standardize_dtype(name.removeprefix("mixed_"))
            self.variable_dtype = "float32"
        else:
            self.compute_dtype = self.variable_dtype = K.standardize_dtype(name)
        self.name = name if name.startswith("mixed_") else self.compute_dtype

    @classmethod
    def of(cls, value: Any) -> DTypePolicy:
        """Return the policy meant by a name, a policy, its config, or None (floatx)."""
        if isinstance(value, DTypePolicy):
            return value
        if isinstance(value, dict):
            return cls(value["config"]["name"])
        return cls(K.floatx() if value is None else str(value))

    def serialize(self) -> dict[str, Any]:
        """Return the policy in the form in which Keras files hold it."""
        return {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": self.name},
            "registered_name": None,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'
