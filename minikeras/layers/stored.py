"""What of a layer goes into files: its own variables, numbered."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from minikeras import backend as K

__all__ = ["Stored"]


class Stored:
    """Puts variables into stores, and takes them out again.

    A layer with more state than its variables overrides both methods; one that keeps
    files also writes ``save_assets(folder)`` and ``load_assets(folder)``.
    """

    name: str
    built: bool

    @property
    def _own_variables(self) -> list[K.Variable]:
        raise NotImplementedError

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the values of the layer's own variables into a store.

        Args:
            store: a dict from names to arrays; here the names are ``"0"``, ``"1"``, ...
        """
        for i, variable in enumerate(self._own_variables):
            store[str(i)] = variable

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the values of the layer's own variables out of a store.

        Args:
            store: what `save_own_variables` filled.

        Raises:
            ValueError: if it has others than the layer.
        """
        self._check_load_own_variables(store)
        for i, variable in enumerate(self._own_variables):
            try:
                variable.assign(store[str(i)])
            except ValueError as error:
                raise ValueError(f"Layer '{self.name}': {error}") from error

    def _check_load_own_variables(self, store: Mapping[str, Any]) -> None:
        own = self._own_variables
        if len(store) == len(own):
            return
        if not own and not self.built:
            raise ValueError(
                f"Layer '{self.name}' was never built and thus it doesn't have any "
                f"variables. However the weights file lists {len(store)} variables for "
                "this layer. Either the `build()` method of the layer around it does "
                "not build it, or it needs a `build_from_config(config)` method, and "
                "`get_build_config()` for that config."
            )
        raise ValueError(
            f"Layer '{self.name}' expected {len(own)} variables, but received "
            f"{len(store)} variables during loading. Expected: "
            f"{[v.name for v in own]}"
        )
