"""Hints to a backend that change no result, and that this one has no use for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any, TypeVar

__all__ = ["RematScope", "device", "get_current_remat_mode", "remat"]

F = TypeVar("F", bound=Callable[..., Any])

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


@contextmanager
def device(device_name: str) -> Iterator[None]:
    """Ask for what is inside to be computed on a device, such as ``"cpu:0"``.

    Where it is computed is decided once, before the import, by `MINIKERAS_BACKEND`.

    Raises:
        ValueError: if `device_name` is no string.
    """
    if not isinstance(device_name, str):
        raise ValueError(
            "Invalid value for argument `device_name`. Expected a string like 'gpu:0'. "
            f"Received: device_name='{device_name}'"
        )
    yield


class _Modes(local):
    def __init__(self) -> None:
        self.scopes: list[RematScope] = []


_modes = _Modes()


class RematScope:
    """Asks for values to be computed twice rather than kept, for layers made inside.

    Plans find out by themselves how long a value has to be kept.

    Args:
        mode: for which layers: ``"full"``, ``"activations"``, ``"larger_than"``,
            ``"list_of_layers"``, or None for none.
        output_size_threshold: from how many elements on, for ``"larger_than"``.
        layer_names: which ones, for ``"list_of_layers"``.

    Raises:
        ValueError: if there is no such mode.
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"Invalid mode '{mode}'. Supported modes are: {_MODES}")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = layer_names or []

    def __enter__(self) -> RematScope:
        _modes.scopes.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _modes.scopes.pop()


def get_current_remat_mode() -> RematScope | None:
    """Return the innermost `RematScope` around, None if there is none."""
    return _modes.scopes[-1] if _modes.scopes else None


def remat(f: F) -> F:
    """Return `f`: a plan keeps of its values what it needs, no longer than it needs."""
    return f
