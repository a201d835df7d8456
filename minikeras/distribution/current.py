"""The distribution that is in use, and whether it can be carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikeras.distribution.strategies import Distribution

__all__ = ["distribution", "require_one_device", "set_distribution"]

_current: list[Distribution | None] = [None]


def distribution() -> Distribution | None:
    """Return the current distribution, None if there is none."""
    return _current[-1]


def set_distribution(value: Distribution | None) -> None:
    """Let `value` be the current distribution."""
    _current[-1] = value


def require_one_device() -> None:
    """See that what is asked for can be done by a process on one device.

    Raises:
        NotImplementedError: if the current distribution has more.
    """
    current = distribution()
    if current is not None and current.device_mesh.devices.size > 1:
        raise NotImplementedError(
            f"a model is trained on one device here, and {current} has "
            f"{current.device_mesh.devices.size}: use a mesh of one, or "
            "`set_distribution(None)`"
        )
