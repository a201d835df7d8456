"""The packages whose names are imported when they are first used."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import minikeras
from minikeras import engine
from minikeras.backend.objects import find_class

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
    rooms = {"cli", "data", "tensorboard", "training"}  # what others rest on
    assert offered <= {*for_type_checkers(minikeras), *rooms}


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


TABLES = {
    "minikeras.layers": "keras.layers",
    "minikeras.optimizers": "keras.optimizers",
}


def classes_below(room: str) -> dict[str, type]:
    """Return the public classes of all modules of a room, which it imports."""
    package = importlib.import_module(room)
    found = pkgutil.walk_packages(package.__path__, f"{room}.")
    modules = [importlib.import_module(info.name) for info in found]
    named = {n: getattr(m, n) for m in modules for n in getattr(m, "__all__", ())}
    return {n: x for n, x in named.items() if isinstance(x, type) and n[0].isupper()}


@pytest.mark.parametrize("room", TABLES)
def test_each_name_has_its_home_in_the_table(room: str) -> None:
    package = importlib.import_module(room)
    for name, home in package._HOMES.items():
        found = getattr(package, name)
        assert found is vars(importlib.import_module(home))[name]
        assert found.__module__ == home, name


@pytest.mark.parametrize("room", TABLES)
def test_no_public_class_is_missing_in_the_table(room: str) -> None:
    package = importlib.import_module(room)
    theirs = importlib.import_module(room.replace("mini", ""))
    own = classes_below(room)
    public = {n for n in own if n in vars(theirs) and hasattr(own[n], "from_config")}
    assert public <= {*package._HOMES, *package.__all__}
    assert {*package.__all__} <= {*dir(package)}
    for name in public:
        assert find_class(name, TABLES[room], None) is getattr(package, name)


def test_star_imports_show_type_checkers_what_the_room_has() -> None:
    from minikeras import layers

    source = Path(layers.__file__).read_text(encoding="utf-8")
    block = next(x for x in ast.parse(source).body if isinstance(x, ast.If))
    seen = set()
    for line in block.body:
        names = {alias.name for alias in line.names}
        star = names == {"*"}
        seen |= {*importlib.import_module(line.module).__all__} if star else names
    assert seen == {*layers.__all__} - {"Layer", "deserialize", "get", "serialize"}


LATE = """
import sys
from minikeras.backend.objects import find_class, place_of
cls = find_class("Conv2D", "keras.layers", None)
print(cls.__module__, "minikeras.layers.recurrent" in sys.modules)
from minikeras.layers.recurrent import LSTM
print(place_of(LSTM), place_of(find_class("LSTM", None, None)) == place_of(LSTM))
print(find_class("MaxPool2D", "keras.layers", None).__name__)
print(find_class("IndexLookup", "keras.src.layers.preprocessing.index_lookup", None))
import minikeras
layer = minikeras.layers.GroupQueryAttention(2, 2, 2)
print(minikeras.layers.serialize(layer)["class_name"])
print(minikeras.optimizers.get("rmsprop").name)
"""


def test_a_class_is_found_whoever_imports_it_first() -> None:
    run = subprocess.run(
        [sys.executable, "-c", LATE], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [
        "minikeras.layers.conv False",
        "('keras.layers', 'LSTM') True",
        "MaxPooling2D",
        "<class 'minikeras.layers.preprocessing.index_lookup.IndexLookup'>",
        "GroupQueryAttention",
        "rm_sprop",
    ]


PREDICT = """
import sys
import numpy as np
import minikeras
layers = minikeras.layers
model = minikeras.Sequential([layers.Input((3,)), layers.Dense(2, "relu")])
model.predict(np.zeros((1, 3)), verbose=0)
rooms = ["layers.augmentation", "layers.conv", "layers.preprocessing"]
rooms += ["models.feature_space", "optimizers.adam", "callbacks.backup", "saving.api"]
print(*[room for room in rooms if f"minikeras.{room}" in sys.modules])
"""


def test_a_prediction_waits_for_nothing_that_it_does_not_use() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PREDICT], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == ""
