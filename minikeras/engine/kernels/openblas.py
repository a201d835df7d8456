"""NumPy's OpenBLAS, where that is what it has.

In NumPy's wheels the library lies in a folder beside it, and its names have a prefix.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["address", "function"]

# Prefix and suffix of names; those of 64 bits take integers of 64.
_FORMS = ("scipy_{}64_", "{}64_", "{}")


@cache
def _library() -> tuple[Any, str] | None:
    for path in Path(np.__file__).parent.parent.glob("numpy.libs/*openblas*"):
        library = ctypes.CDLL(str(path))
        for form in _FORMS:
            if hasattr(library, form.format("openblas_get_num_threads")):
                return library, form
    return None


def function(name: str) -> Any:
    """Return a function of OpenBLAS's own, such as ``set_num_threads``, or None."""
    found = _library()
    if found is None:
        return None
    library, form = found
    return getattr(library, form.format(f"openblas_{name}"), None)


@cache
def address(name: str) -> int:
    """Return where a function such as ``cblas_sgemm`` is; 0 if it is not found.

    Only that of a library whose integers have 64 bits counts.
    """
    library, form = _library() or (None, "")
    found = getattr(library, form.format(name), None) if "64" in form else None
    return 0 if found is None else ctypes.cast(found, ctypes.c_void_p).value or 0
