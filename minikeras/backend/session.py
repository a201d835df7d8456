"""The one global session in which Keras's variables live, and the learning phase."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from minikeras.backend.tracing import current_trace, note_change
from minikeras.engine.graph import Tensor, current_graph, reset_default_graph
from minikeras.engine.ops import placeholder_with_default
from minikeras.engine.session import Session

__all__ = [
    "clear_session",
    "get_session",
    "get_uid",
    "in_train_phase_value",
    "learning_phase",
    "manual_variable_initialization",
    "on_clear",
    "reset_uids",
    "set_learning_phase",
    "set_session",
]

_session = Session()
_phase: dict[str, Any] = {}
_uids: dict[str, int] = {}
_on_clear: list[Callable[[], None]] = []


def get_session() -> Session:
    """Return the global session; it runs whatever graph is the default one."""
    _session.graph = current_graph()
    return _session


def set_session(session: Session) -> None:
    """Make `session` the global one; the values of Keras's variables move into it."""
    global _session
    session.values.update(_session.values)
    _session = session


def clear_session(free_memory: bool = True) -> None:
    """Forget the default graph and all automatic names; models keep their weights.

    Args:
        free_memory: whether to collect at once what nobody has any more. Models and
            their graphs refer to each other, and Python is in no hurry with such.
    """
    reset_default_graph()
    get_session()  # which lets go of the old graph
    _phase.clear()
    note_change()
    _uids.clear()
    for reset in _on_clear:
        reset()
    if free_memory:
        gc.collect()


def on_clear(reset: Callable[[], None]) -> Callable[[], None]:
    """Let `clear_session` call `reset` too."""
    _on_clear.append(reset)
    return reset


def get_uid(prefix: str = "") -> int:
    """Return how often `prefix` has been asked for, this time included."""
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def reset_uids() -> None:
    """Let `get_uid` count from 1 again."""
    _uids.clear()


def manual_variable_initialization(value: bool) -> None:
    """Do nothing: a variable has its value from the start. Kept for old programs."""


def set_learning_phase(value: bool | int) -> None:
    """Fix the learning phase: 1 for training, 0 for inference.

    Raises:
        ValueError: if `value` is neither.
    """
    if value not in (0, 1):
        raise ValueError(f"the learning phase is 0 or 1; got {value!r}")
    if _phase.get("value") != value:
        note_change()
    _phase["value"] = int(value)


def learning_phase() -> int | Tensor:
    """Return the learning phase that was set, else a tensor that is 0 unless fed 1.

    Where a trace is made for arrays, nobody can feed it: there it is 0.
    """
    if "value" in _phase:
        return _phase["value"]
    trace = current_trace()
    if trace is not None and not trace.is_symbolic:
        return 0
    graph = current_graph()
    tensor = _phase.get("tensor")
    if tensor is None or tensor.graph is not graph:
        tensor = placeholder_with_default(False, (), name="keras_learning_phase")
        _phase["tensor"] = tensor
    return tensor


def in_train_phase_value() -> bool:
    """Return whether training was chosen by `set_learning_phase`."""
    return bool(_phase.get("value", 0))
