"""What is said while something takes its time: to whoever watches, or to a logger."""

from __future__ import annotations

import logging
import sys

from minikeras.backend.switches import is_interactive_logging_enabled

__all__ = ["encodable", "say"]


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
