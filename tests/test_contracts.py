"""The import contracts: that the tree keeps them, and that each one can fail.

Each test copies the package, plants one violation and demands that lint-imports name
the contract that it breaks. Rooms that are not built yet are made, empty, in the copy.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIG["contracts"]}
ROOMS = re.findall(r"\w+", " ".join(CONTRACTS["rooms"]["layers"]))

ROOMS_CONTRACT = "Rooms: each may import only what lies below it"
K_CONTRACT = "Layers speak K only"
CUPY_CONTRACT = "CuPy is named in one module"
ENGINE_CONTRACT = "Inside the engine: graph, then ops, then execution"
CYCLES_CONTRACT = "No cycles"

# (contract that must break, file to write, its text)
PLANTS = {
    "a layer imports numpy": (K_CONTRACT, "layers/planted.py", "import numpy as np"),
    "a layer imports the engine": (
        K_CONTRACT,
        "layers/planted.py",
        "from minikeras.engine import planted_name",
    ),
    "an initializer imports numpy": (
        K_CONTRACT,
        "initializers/planted.py",
        "from numpy import linalg",
    ),
    "the engine imports K inside a function": (
        ROOMS_CONTRACT,
        "engine/planted.py",
        "def f():\n    from minikeras import backend\n    return backend",
    ),
    "an op imports cupy": (CUPY_CONTRACT, "engine/ops/planted.py", "import cupy"),
    "a layer imports cupy": (CUPY_CONTRACT, "layers/planted.py", "import cupy as cp"),
    "a lower room imports an upper one": (
        ROOMS_CONTRACT,
        "models/planted.py",
        "import minikeras.serving",
    ),
    "K imports ops": (ROOMS_CONTRACT, "backend/planted.py", "import minikeras.ops"),
    "a room imports its sibling": (
        ROOMS_CONTRACT,
        "saving/planted.py",
        "from minikeras import export",
    ),
    "a new folder has no place": (ROOMS_CONTRACT, "zoo/__init__.py", ""),
    "the graph imports the session": (
        ENGINE_CONTRACT,
        "engine/registry.py",
        "import minikeras.engine.session",
    ),
    "two layers import each other": (
        CYCLES_CONTRACT,
        "layers/planted.py",
        "import minikeras.layers.planted_too",
    ),
}
BESIDE = {"layers/planted_too.py": "import minikeras.layers.planted"}


def copied_tree(folder: Path) -> Path:
    """Copy what lint-imports reads; return the package's folder."""
    package = folder / "minikeras"
    shutil.copytree(
        ROOT / "minikeras", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    for room in ROOMS:
        if not (package / f"{room}.py").exists():
            (package / room).mkdir(exist_ok=True)
            (package / room / "__init__.py").touch()
    (package / "__init__.py").touch()
    (folder / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "contracts.py", folder / "tools")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return package


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run lint-imports on the copy in a process of its own."""
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", script, "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def broken(report: str) -> set[str]:
    """Return the names of the contracts that a report calls broken."""
    return set(re.findall(r"^(.*?)(?: \([^()]*\))? BROKEN$", report, re.MULTILINE))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return copied_tree(tmp_path)


def write(package: Path, file: str, source: str) -> None:
    path = package / file
    path.parent.mkdir(exist_ok=True)
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before}\n{source}\n")


def test_the_tree_keeps_every_contract(tmp_path):
    copied_tree(tmp_path)
    done = lint_imports(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_violation_breaks_its_contract(package, plant):
    contract, file, source = PLANTS[plant]
    write(package, file, source)
    if contract == CYCLES_CONTRACT:
        for beside, text in BESIDE.items():
            write(package, beside, text)
    done = lint_imports(package.parent)
    assert done.returncode == 1, done.stdout + done.stderr
    assert contract in broken(done.stdout), done.stdout
    assert Path(file).parts[0] in done.stdout.split("Broken contracts")[1], done.stdout


def test_every_contract_is_broken_by_a_plant():
    named = {contract["name"] for contract in CONTRACTS.values()}
    assert named == {contract for contract, _, _ in PLANTS.values()}


def test_rooms_that_speak_k_are_rooms():
    """A misspelt source module would make the contract say nothing."""
    rooms = {f"minikeras.{room}" for room in ROOMS}
    assert set(CONTRACTS["layers-speak-k"]["source_modules"]) <= rooms


def test_the_engine_finds_cupy_in_devices_alone():
    """Imports by a string are invisible to lint-imports."""
    guilty = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "minikeras").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in {"import_module", "__import__"}
        and "cupy" in ast.unparse(node)
    ]
    assert set(guilty) <= {str(Path("minikeras/engine/devices.py"))}
