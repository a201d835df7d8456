"""What the examples in docstrings may name without importing it.

`np`, `K` (minikeras.backend), `tf` (minikeras.engine), `minikeras`, and the public
names of the room that the docstring is in. Each docstring has a graph of its own.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def doctest_namespace(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Names for one docstring; called by pytest for docstrings alone."""
    module = request.node.dtest.globs.get("__name__", "")
    names: dict[str, Any] = {"np": np}
    if not module.startswith("minikeras"):
        yield names
        return
    engine = import_module("minikeras.engine")
    backend = import_module("minikeras.backend")
    names |= {"tf": engine, "K": backend, "minikeras": import_module("minikeras")}
    room = import_module(".".join(module.split(".")[:2]))
    names |= {name: value for name, value in vars(room).items() if name[0] != "_"}
    own = request.node.dtest.globs
    with engine.Graph().as_default():
        yield {name: value for name, value in names.items() if name not in own}
