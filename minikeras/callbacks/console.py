"""What is printed while a model trains."""

from __future__ import annotations

import logging
import sys

from minikeras.backend import is_interactive_logging_enabled

__all__ = ["encodable", "is_interactive", "say"]


def say(message: str) -> None:
    """Print a line, or send it to the logger ``minikeras`` if that is wanted."""
    if not is_interactive_logging_enabled():
        logging.getLogger("minikeras").info(message)
        return
    sys.stdout.write(f"{encodable(message)}\n")
    sys.stdout.flush()


def encodable(message: str) -> str:
    """Return `message` with ``?`` for what the output's encoding does not have."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return message.encode(encoding, "replace").decode(encoding)


def is_interactive() -> bool:
    """Whether somebody watches: output goes to a terminal or a notebook."""
    isatty = getattr(sys.stdout, "isatty", None)
    return "ipykernel" in sys.modules or bool(isatty and isatty())
