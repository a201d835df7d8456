"""Whether somebody watches while a model trains, and what is printed then."""

from __future__ import annotations

import sys

from minikeras.backend.console import encodable, say

__all__ = ["encodable", "is_interactive", "say"]


def is_interactive() -> bool:
    """Whether somebody watches: output goes to a terminal or a notebook."""
    isatty = getattr(sys.stdout, "isatty", None)
    return "ipykernel" in sys.modules or bool(isatty and isatty())
