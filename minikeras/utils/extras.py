"""Libraries that only some functions need: imported when they do."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["required"]


def required(module: str, extra: str, purpose: str) -> Any:
    """Import and return a module of an optional library.

    Args:
        module: its name.
        extra: of minikeras, which installs it.
        purpose: what needs it, as the beginning of a sentence.

    Raises:
        ImportError: if it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{purpose} requires {module.partition('.')[0]}: "
            f"pip install 'minikeras[{extra}]'"
        ) from error
