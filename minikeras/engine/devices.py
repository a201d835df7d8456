"""The array library under the engine, NumPy or CuPy: the only file that names CuPy.

The choice is made once, at import: ``MINIKERAS_BACKEND`` in the environment, else
``"backend"`` in ``~/.minikeras/minikeras.json`` (the folder can be moved with
``MINIKERAS_HOME``), else NumPy.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minikeras.engine.spec import Array

__all__ = [
    "BACKENDS",
    "backend",
    "config_file",
    "read_config",
    "to_device",
    "to_host",
    "xp",
]

BACKENDS = ("numpy", "cupy")


def config_file() -> Path:
    """Return the path of the configuration file, which need not exist."""
    home = os.environ.get("MINIKERAS_HOME")
    return (Path(home) if home else Path.home() / ".minikeras") / "minikeras.json"


def read_config() -> dict[str, Any]:
    """Return the settings of the configuration file; empty if there is no file.

    Raises:
        ValueError: if the file exists and is not a JSON object.
    """
    path = config_file()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    try:
        settings = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(settings, dict):
        raise ValueError(
            f"{path} must hold a JSON object; got {type(settings).__name__}"
        )
    return settings


def _choose() -> str:
    name = os.environ.get("MINIKERAS_BACKEND") or read_config().get("backend", "numpy")
    if name not in BACKENDS:
        raise ValueError(
            f"backend {name!r} does not exist; MINIKERAS_BACKEND (or 'backend' in "
            f"{config_file()}) must be one of {', '.join(BACKENDS)}"
        )
    return name


def _load(name: str) -> ModuleType:
    if name == "numpy":
        return np
    advice = (
        "the cupy backend was asked for (MINIKERAS_BACKEND or minikeras.json), but "
        "{problem}. Install the wheel of your CUDA version, `pip install "
        "minikeras[cuda12]` or `pip install minikeras[cuda13]`, or set "
        "MINIKERAS_BACKEND=numpy."
    )
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        raise ImportError(
            advice.format(problem=f"CuPy cannot be imported: {error}")
        ) from error
    if not cupy.is_available():
        raise ImportError(
            advice.format(problem="CuPy finds no usable CUDA device or driver")
        )
    return cupy


_name = _choose()
xp = _load(_name)


def backend() -> str:
    """Return the name of the array library in use: ``"numpy"`` or ``"cupy"``."""
    return _name


def to_device(value: Array) -> Array:
    """Return `value` as an array of the array library in use; text stays as it is."""
    is_text = xp is not np and getattr(value, "dtype", None) == "object"
    return value if is_text else xp.asarray(value)


def to_host(value: Array) -> Array:
    """Return `value` as something NumPy owns, copying from the GPU if need be."""
    return value if isinstance(value, (np.ndarray, np.generic)) else value.get()
