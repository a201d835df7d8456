"""Settings of ``keras.config`` that say how much is shown, and how far a run may go."""

from __future__ import annotations

import os
import warnings

from minikeras.engine import devices

__all__ = [
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "is_interactive_logging_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]

_on = {"interactive_logging": True, "traceback_filtering": False}


def _limit(name: str) -> int | None:
    given = os.environ.get(f"MINIKERAS_{name}") or os.environ.get(f"KERAS_{name}")
    return int(given) if given else None


_limits = {name: _limit(name) for name in ("MAX_EPOCHS", "MAX_STEPS_PER_EPOCH")}


def enable_interactive_logging() -> None:
    """Print the progress of training, as is the default."""
    _on["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Send the progress of training to the logger ``minikeras``, in whole lines."""
    _on["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Whether the progress of training is printed."""
    return _on["interactive_logging"]


def enable_traceback_filtering() -> None:
    """Note that tracebacks are wanted short; they are whole here all the same."""
    _on["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Note that tracebacks are wanted whole, as they always are here."""
    _on["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether `enable_traceback_filtering` has been called."""
    return _on["traceback_filtering"]


def enable_unsafe_deserialization() -> None:
    """Warn: code in files is never run here, and nothing can change that."""
    warnings.warn(
        "enable_unsafe_deserialization() has no effect: a file's code is never run. "
        "Write a lambda as a function, register it, and it can be loaded.",
        stacklevel=2,
    )


def is_nnx_enabled() -> bool:
    """Return False: NNX belongs to Keras on JAX."""
    return False


def set_backend(backend: str) -> None:
    """Check that `backend` is the one in use, which is chosen before the import.

    Raises:
        ValueError: if it is not.
    """
    if backend != devices.backend():
        raise ValueError(
            f"the backend is {devices.backend()!r} and cannot become {backend!r} after "
            f"the import: set the variable MINIKERAS_BACKEND={backend} before it"
        )


def max_epochs() -> int | None:
    """Return how many epochs `fit` may take at most, None for no limit."""
    return _limits["MAX_EPOCHS"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Set how many epochs `fit` may take at most: for quick tests of whole scripts."""
    _limits["MAX_EPOCHS"] = max_epochs


def max_steps_per_epoch() -> int | None:
    """Return how many steps an epoch may have at most, None for no limit."""
    return _limits["MAX_STEPS_PER_EPOCH"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Set how many steps an epoch of `fit`, `evaluate`, `predict` may have at most."""
    _limits["MAX_STEPS_PER_EPOCH"] = max_steps_per_epoch
