"""The packages whose names are imported when they are first used."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import minikeras
from minikeras import engine

EVERYTHING = """
import sys
before = set(sys.modules)  # with what the environment loads at the start
import minikeras, minikeras.engine
for package in (minikeras, minikeras.engine):
    for name in dir(package):
        getattr(package, name)
files = {
    n: getattr(m, "__file__", None) or ""
    for n, m in sys.modules.items()
    if n not in before
}
print(*sorted({n.partition(".")[0] for n, f in files.items() if "site-packages" in f}))
print("tqdm" in sys.modules, "h5py" in sys.modules)
"""


def for_type_checkers(package: object) -> dict[str, str]:
    """Return the names that the TYPE_CHECKING block imports, and from where."""
    source = Path(package.__file__).read_text(encoding="utf-8")
    blocks = (node for node in ast.parse(source).body if isinstance(node, ast.If))
    lines = [line for block in blocks for line in block.body]
    return {alias.name: line.module for line in lines for alias in line.names}


def test_what_type_checkers_see_is_what_programs_get() -> None:
    for name, home in for_type_checkers(minikeras).items():
        found = getattr(minikeras, name)
        if home == "minikeras":
            assert found is importlib.import_module(f"minikeras.{name}")
        else:
            assert found is getattr(importlib.import_module(home), name)
    own = {"TYPE_CHECKING", "attach", "engine", "lazy", "version"}
    offered = set(dir(minikeras)) - own
    assert offered <= {*for_type_checkers(minikeras), "training", "data"}


def test_the_engine_offers_tensorflows_names() -> None:
    from minikeras.engine import tf1

    assert for_type_checkers(engine) == {"*": "minikeras.engine.tf1"}
    assert engine.placeholder is tf1.placeholder
    assert {"Session", "constant", "matmul", "train"} <= set(dir(engine))


@pytest.mark.parametrize("package", [minikeras, engine])
def test_an_unknown_name_is_an_attribute_error(package: object) -> None:
    with pytest.raises(
        AttributeError, match=f"module '{package.__name__}' has no attr"
    ):
        _ = package.nothing_of_this_name


def test_all_rooms_together_import_nothing_but_numpy() -> None:
    run = subprocess.run(
        [sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=True
    )
    foreign, lazy = run.stdout.splitlines()
    assert foreign == "numpy"
    assert lazy == "False False"
