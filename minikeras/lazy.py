"""Packages whose parts are imported when they are first used.

A program that asks for `minikeras.layers` does not wait for the optimizers, and one
that runs a model does not wait for TensorFlow 1's names. The parts are ordinary
modules, and the lists of names stand where an editor reads them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["attach", "homes_in", "selection"]


def homes_in(package: str, table: Mapping[str, str]) -> dict[str, str]:
    """Return from a table of a package's modules in which each name is to be found.

    Args:
        package: its name.
        table: for each module, by its place in the package, the names that it has, with
            blanks between them.

    Example:
        >>> homes_in("minikeras.layers", {"core": "Dense Masking"})["Dense"]
        'minikeras.layers.core'
    """
    return {
        name: f"{package}.{module}"
        for module, names in table.items()
        for name in names.split()
    }


def attach(
    package: str, homes: Mapping[str, str], rest: str | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package.

    Args:
        package: its name.
        homes: in which module each name that it offers is to be found.
        rest: the module of all other names.
    """

    def find(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if name in homes:
            found = getattr(importlib.import_module(homes[name]), name)
        elif importlib.util.find_spec(f"{package}.{name}"):
            found = importlib.import_module(f"{package}.{name}")
        else:
            others = vars(importlib.import_module(rest)) if rest else {}
            if name not in others:
                raise AttributeError(f"module {package!r} has no attribute {name!r}")
            found = others[name]
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        others = vars(importlib.import_module(rest)) if rest else ()
        known = {*vars(sys.modules[package]), *homes, *others}
        return sorted(name for name in known if not name.startswith("_"))

    return find, names


def selection(
    module: str, home: str, names: Sequence[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a module that shows some names again.

    Args:
        module: its name.
        home: the module that has them.
        names: all that it shows.
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home), name)

    return find, lambda: sorted({*names})
