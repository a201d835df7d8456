"""Runs the tests that come with Keras 3 against minikeras.

    python tools/keras_suite.py                      all of them, and a table
    python tools/keras_suite.py layers/core ops/nn   those whose path begins so
    python tools/keras_suite.py losses -- -x -k mae  what follows goes to pytest

Keras's wheel holds its test files. They import from `keras` and from Keras's private
modules, `keras.src`: here the first is minikeras, and a private module yields whatever
minikeras has of that name. What it has not becomes an object that fails when it is
used, so that one missing name costs the tests that need it and no others.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import minikeras
from minikeras.layers import masks, plain
from minikeras.models.trained import Trained
from minikeras.saving import legacy

# Of Keras, only what the tests themselves are made of is Keras's own.
OWN = re.compile(
    r"keras\.src\.(testing\b.*|utils\.module_utils|backend\.common\.backend_utils|.*_test)"
)
# Tests of what Keras is made of: other backends, its own files, formats of others.
SKIPPED = ("backend/tensorflow", "backend/torch", "backend/jax", "export", "testing")
# Libraries that the tests import and only some of them need, if they are not installed.
OTHERS = [
    name
    for name in ("tensorflow", "torch", "grain")
    if importlib.util.find_spec(name) is None
]
# Seconds that the tests of one file may take, and bytes.
LIMIT, MEMORY = 480, 6 << 30
# What Keras's tests have beside them in its repository.
CONFTEST = """
def skip_if_backend(*names, **reasons):
    return lambda test: test
"""


def source() -> Path:
    """Return the folder of Keras's source, without importing it.

    Raises:
        SystemExit: if Keras is not installed.
    """
    for folder in map(Path, sys.path):
        if (folder / "keras" / "src" / "testing").is_dir():
            return folder / "keras" / "src"
    raise SystemExit("keras_suite: Keras is not installed; pip install keras==3.15.1")


# What all tests ask for before they begin.
STAND_INS = {
    "is_traceback_filtering_enabled": lambda: False,
    "JAXTrainer": Trained,
    "NumpyTrainer": Trained,
    "removesuffix": str.removesuffix,
    "get_keras_mask": masks.mask_of,
    "set_keras_mask": masks.set_mask,
    "save_weights_only": lambda model, *args, **kwargs: model.save_weights(
        *args, **kwargs
    ),
    "load_weights_only": lambda model, *args, **kwargs: model.load_weights(
        *args, **kwargs
    ),
    "save_model_to_hdf5": legacy.save_model_to_hdf5,
    "load_model_from_hdf5": legacy.load_model_from_hdf5,
    "_METADATA_FILENAME": "metadata.json",
    "_CONFIG_FILENAME": "config.json",
    "_VARS_FNAME_H5": "model.weights.h5",
    "join": os.path.join,
    "exists": os.path.exists,
    "isdir": os.path.isdir,
    "listdir": os.listdir,
    "makedirs": os.makedirs,
    "rmtree": shutil.rmtree,
    "remove": os.remove,
    "SUPPORTS_RAGGED_TENSORS": False,
    "SUPPORTS_SPARSE_TENSORS": False,
    "FLOAT8_TYPES": ("float8_e4m3fn", "float8_e5m2"),
    "FLOAT_TYPES": ("bfloat16", "float16", "float32", "float64"),
    "INT_TYPES": ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"),
}
STAND_INS["ALLOWED_DTYPES"] = {
    "bool",
    "string",
    *STAND_INS["FLOAT_TYPES"],
    *STAND_INS["INT_TYPES"],
}


class Missing:
    """Stands for a name that minikeras lacks; only its name can be had."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Fail.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"minikeras has no {self.__name__}")

    def __iter__(self) -> Iterator[Any]:
        """Yield nothing, as tests are made for each of some such lists."""
        return iter(())

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        """Be no base of a class."""
        return ()


def _nothing(x: Any) -> bool:
    """Return False."""
    return False


class Room(ModuleType):
    """A module of Keras's, filled with what minikeras has of those names."""

    def __getattr__(self, name: str) -> Any:
        """Return what minikeras has of that name, or what stands for it."""
        if name.startswith("__"):
            raise AttributeError(name)
        if not self.__name__.startswith("keras"):
            # This one minikeras asks of TensorFlow.
            asked = name == "is_symbolic_tensor"
            return _nothing if asked else Missing(f"{self.__name__}.{name}")
        if (source() / self._place() / name).with_suffix("").exists() or (
            source() / self._place() / f"{name}.py"
        ).exists():
            return importlib.import_module(f"{self.__name__}.{name}")
        if plain.homes.get(name) == self.__name__:
            return plain.operation_class(name)
        for home in self._homes():
            if hasattr(home, name):
                return getattr(home, name)
        if name in STAND_INS:
            return STAND_INS[name]
        return Missing(f"{self.__name__}.{name}")

    def _place(self) -> str:
        return (
            self.__name__.removeprefix("keras")
            .removeprefix(".src")
            .strip(".")
            .replace(".", "/")
        )

    def _homes(self) -> Iterator[Any]:
        """Yield where the names of this module may be, the likeliest place first."""
        if "bounding_boxes" in self._place():
            yield minikeras.utils.bounding_boxes
        parts = self._place().split("/") if self._place() else []
        for end in range(len(parts), -1, -1):
            home: Any = minikeras
            for part in parts[:end]:
                home = getattr(home, part, None)
            if home is not None:
                yield home
        for name in sorted(
            minikeras.__all__ if hasattr(minikeras, "__all__") else dir(minikeras)
        ):
            home = getattr(minikeras, name, None)
            if isinstance(home, ModuleType):
                yield home


class Finder(MetaPathFinder, Loader):
    """Finds `keras` and all below it."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """Return how a module of Keras's is made."""
        if name.split(".")[0] not in ("keras", *OTHERS):
            return None
        if OWN.fullmatch(name):
            file = source().parent.parent / name.replace(".", "/")
            file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
            where = [str(file.parent)] if file.name == "__init__.py" else None
            loader = SourceFileLoader(name, str(file))
            return importlib.util.spec_from_file_location(
                name, file, loader=loader, submodule_search_locations=where
            )
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the room that stands for a module."""
        return Room(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: a room is filled as it is asked."""


def pytest_configure(config: pytest.Config) -> None:
    """Let all that is imported as Keras be minikeras."""
    sys.meta_path.insert(0, Finder())
    importlib.import_module("ml_dtypes")  # so that NumPy knows bfloat16, as with JAX
    for mark in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{mark}: one of Keras's")


class Tally:
    """Counts the outcomes of one file."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one test."""
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a file that could not be read."""
        self.counts["unread"] += report.failed


def run_file(file: Path, options: Sequence[str]) -> None:
    """Run one file of tests, in a process that does nothing else; print the counts."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tally = Tally()
    given = ["-q", "-p", "no:cacheprovider", "--tb=short", *options, file.name]
    os.chdir(file.parent)
    pytest.main(given, plugins=[tally, sys.modules[__name__]])
    print(json.dumps(tally.counts))


def counted(file: Path, options: Sequence[str]) -> Counter[str]:
    """Return the outcomes of a file; print what its failures say."""
    command = [sys.executable, __file__, "--file", str(file), *options]
    path = os.pathsep.join(["", *sys.path[1:]])
    try:
        found = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        return Counter(hung=1)
    *said, last = found.stdout.strip().splitlines() or ["{}"]
    print(
        f"== {file.stem.replace('__', '/')}", *said, found.stderr, sep="\n", flush=True
    )
    return Counter(json.loads(last)) if last.startswith("{") else Counter(hung=1)


def table(counts: dict[str, Counter[str]]) -> str:
    """Return the counts, a line for each file."""
    kinds = ("passed", "failed", "unread", "hung", "skipped")
    rows = [(name, *(c[k] for k in kinds)) for name, c in counts.items()]
    rows.append(("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])))
    head = "".join(f"{kind:>9}" for kind in kinds)
    body = (f"{name:60}" + "".join(f"{n:9}" for n in row) for name, *row in rows)
    return "\n".join([" " * 60 + head, *body])


def main(arguments: Sequence[str]) -> None:
    """Run the tests chosen, each file in a process of its own, and print a table."""
    if arguments[:1] == ["--file"]:
        run_file(Path(arguments[1]), arguments[2:])
        return
    split = [*arguments, "--"].index("--")
    wanted, options, root = tuple(arguments[:split]), arguments[split + 1 :], source()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\npython_files = *_test.py\n")
        (folder / "conftest.py").write_text(CONFTEST)
        links: dict[str, Path] = {}
        for file in sorted(root.rglob("*_test.py")):
            place = file.relative_to(root).as_posix()
            if place.startswith(wanted) if wanted else not place.startswith(SKIPPED):
                links[place] = folder / place.replace("/", "__")
                links[place].symlink_to(file)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda link: counted(link, options), links.values())
            counts = dict(zip(links, found, strict=True))
    print(table(counts))


if __name__ == "__main__":
    main(sys.argv[1:])
