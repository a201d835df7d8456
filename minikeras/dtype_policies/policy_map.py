"""Policies by the paths of layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from minikeras import backend as K
from minikeras.dtype_policies.finding import get
from minikeras.dtype_policies.policy import DTypePolicy

__all__ = ["DTypePolicyMap"]


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the paths of layers, or by patterns of whole paths.

    Args:
        default_policy: for paths that nothing fits; the global one by default.
        policy_map: the others, if there are any yet.

    Raises:
        ValueError: if the default is a map itself.
        TypeError: if `policy_map` is no dictionary.
    """

    def __init__(
        self, default_policy: Any = None, policy_map: dict[str, Any] | None = None
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("`default_policy` cannot be a `DTypePolicyMap`.")
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "If specified, `policy_map` must be a dict. Received: "
                f"policy_map={policy_map} of type {type(policy_map)}"
            )
        self._default_policy_arg = default_policy
        default = self._default_policy = get(default_policy)
        self._name = f"map_{default.name}"
        self._compute_dtype = default.compute_dtype
        self._variable_dtype = default.variable_dtype
        self._quantization_mode = default.quantization_mode
        self._policy_map = policy_map or {}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of what nothing fits."""
        return self._default_policy

    def __getitem__(self, key: str) -> DTypePolicy:
        """Return the policy for a path: its own, else that of the pattern it fits.

        Raises:
            ValueError: if it fits several patterns.
        """
        if key in self:
            return self._policy_map[key]
        fitting = [p for p in self._policy_map if re.fullmatch(p, key)]
        if len(fitting) > 1:
            raise ValueError(
                f"Path '{key}' matches multiple dtype policy specification keys: "
                f"{fitting}. Please make sure each path only matches at most one dtype "
                "policy specification key in the DTypePolicyMap."
            )
        return self._policy_map[fitting[0]] if fitting else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        """Let `policy` be that of what fits `key`.

        Raises:
            ValueError: if the key is taken, or `policy` means none.
        """
        if key in self:
            raise ValueError(
                f"{key} already exist in the DTypePolicyMap with value "
                f"{self._policy_map[key]}. Please make sure to not use duplicated keys."
            )
        try:
            self._policy_map[key] = get(policy)
        except (TypeError, ValueError):
            raise ValueError(
                "Cannot interpret the assigned value by `keras.dtype_policies.get`. "
                f"Received: {policy} of type {type(policy)}"
            ) from None

    def __delitem__(self, key: str) -> None:
        del self._policy_map[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policy_map

    def __len__(self) -> int:
        return len(self._policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy_map)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it.

        Without a default of its own, its policies too are relative to the global one.
        """
        policies = K.serialize_keras_object(self._policy_map)
        if self._default_policy_arg is None:
            for policy in policies.values():
                source = "source_name" if "mode" in policy["config"] else "name"
                policy["config"][source] = None
        return {"default_policy": self._default_policy_arg, "policy_map": policies}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Return a map made from what `get_config` returned."""
        return cls(**K.deserialize_keras_object(config, custom_objects))

    def __repr__(self) -> str:
        mapping = [(key, policy.name) for key, policy in self._policy_map.items()]
        return (
            f"<DTypePolicyMap at {hex(id(self))} "
            f"default_policy={self.default_policy.name}, mapping={mapping}>"
        )
