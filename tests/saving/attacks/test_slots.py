"""A slot of a config takes what belongs there: nothing else of the whole package."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras import initializers, layers, losses, metrics, models, saving
from minikeras.saving.durable import atomic_write
from tests.saving.attacks.code import CODE, LAMBDA, function
from tests.saving.attacks.kit import layer, small

ROOMS = [
    name
    for _, name, _ in pkgutil.iter_modules(minikeras.__path__)
    if name not in ("engine", "py")
]


def public() -> dict[str, Any]:
    """All functions and classes of the package's rooms, by their public names."""
    found: dict[str, Any] = {}
    for room in ROOMS:
        module = importlib.import_module(f"minikeras.{room}")
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if callable(value):
                found[f"{room}.{name}"] = value
    return found


PUBLIC = public()
SLOTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    # What reads the slot, and the modules whose objects it may hold.
    "activation": (
        lambda config: layers.Dense.from_config({"units": 2, "activation": config}),
        ("activations", "layers", "models"),
    ),
    "initializer": (
        lambda config: layers.Dense.from_config(
            {"units": 2, "kernel_initializer": config}
        ),
        ("initializers",),
    ),
    "regularizer": (
        lambda config: layers.Dense.from_config(
            {"units": 2, "kernel_regularizer": config}
        ),
        ("regularizers",),
    ),
    "constraint": (
        lambda config: layers.Dense.from_config(
            {"units": 2, "bias_constraint": config}
        ),
        ("constraints",),
    ),
    "loss": (losses.get, ("losses",)),
    "metric": (metrics.get, ("metrics", "losses")),
    "optimizer": (minikeras.optimizers.get, ("optimizers",)),
    "dtype": (
        lambda config: layers.Dense.from_config({"units": 2, "dtype": config}),
        ("dtype_policies", "mixed_precision"),
    ),
}
ATTRIBUTES = {
    "initializer": "kernel_initializer",
    "regularizer": "kernel_regularizer",
    "constraint": "bias_constraint",
    "dtype": "dtype_policy",
}


def in_slot(slot: str, made: Any) -> Any:
    """Return the object in a slot of what was read."""
    return getattr(made, ATTRIBUTES.get(slot, slot), made)


def rooms_of(obj: Any) -> set[str]:
    """The rooms that list an object or its class."""
    kind = obj if inspect.isroutine(obj) else type(obj)
    return {name.partition(".")[0] for name, value in PUBLIC.items() if value is kind}


@pytest.mark.parametrize("slot", SLOTS)
def test_a_slot_takes_its_own_objects_alone(slot: str) -> None:
    read, rooms = SLOTS[slot]
    refused = 0
    for name, value in PUBLIC.items():
        _, short = name.split(".")
        module = f"keras.{name.partition('.')[0]}"
        config = layer(short, module) if inspect.isclass(value) else function(short)
        try:
            with K.SafeModeScope():
                found = in_slot(slot, read(config))
        except (ValueError, TypeError, AttributeError, KeyError, NotImplementedError):
            refused += 1
            continue
        assert found is None or rooms_of(found) & set(rooms), (name, found)
    assert refused > 0.8 * len(PUBLIC)
    assert len(PUBLIC) > 500


@pytest.mark.parametrize("slot", SLOTS)
def test_a_slot_takes_what_users_register(slot: str) -> None:
    bases = {
        "activation": layers.Layer,
        "initializer": initializers.Initializer,
        "regularizer": minikeras.regularizers.Regularizer,
        "constraint": minikeras.constraints.Constraint,
        "loss": losses.Loss,
        "metric": metrics.Mean,
        "optimizer": minikeras.optimizers.SGD,
        "dtype": minikeras.dtype_policies.DTypePolicy,
    }
    given = {"name": "float32"} if slot == "dtype" else {}
    own = type("Own", (bases[slot],), {})
    read, _ = SLOTS[slot]
    with K.SafeModeScope(), saving.custom_object_scope({"Own": own}):
        made = read({**layer("Own", "somewhere", **given), "registered_name": "Own"})
    assert type(in_slot(slot, made)) is own


def test_registered_objects_are_found_by_their_whole_names() -> None:
    @saving.register_keras_serializable("evil")
    class Dense(layers.Dense):
        pass

    try:
        made = layers.deserialize(layer("Dense", units=2))
        assert type(made) is layers.Dense
        with pytest.raises(TypeError, match="Could not locate"):
            K.deserialize_keras_object(layer("evil>Other", units=2))
    finally:
        saving.get_custom_objects().pop("evil>Dense")


def test_there_is_no_reader_of_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not hasattr(models, "model_from_yaml")
    monkeypatch.setitem(sys.modules, "yaml", None)  # nothing needs it
    with pytest.raises(ValueError, match=r"Expecting value|JSON"):
        models.model_from_json("!!python/object/apply:os.system [touch marker]")


def test_a_pickled_model_brings_no_lambda() -> None:
    model = small()
    again = pickle.loads(pickle.dumps(model))
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(again(x), model(x))
    stack = models.Sequential([layers.Lambda(lambda x: x)])
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(stack)


def test_unsafe_is_said_by_a_scope_and_ends_with_it() -> None:
    path = function("relu")
    assert K.in_safe_mode() is None
    with K.SafeModeScope(False):
        K.deserialize_keras_object(path)
        assert K.in_safe_mode() is False
        with pytest.raises(ValueError, match="code execution"):
            K.deserialize_keras_object(LAMBDA)
    assert K.in_safe_mode() is None
    assert CODE


def test_a_vocabulary_outside_is_read_if_asked_for(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("to\nbe\n")
    config = layer("StringLookup", vocabulary=str(tmp_path / "words.txt"))
    with pytest.raises(TypeError, match="outside of the model archive"):
        K.deserialize_keras_object(config)
    made = K.deserialize_keras_object(config, safe_mode=False)
    assert made.get_vocabulary() == ["[UNK]", "to", "be"]


def test_a_planted_link_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.urandom", lambda n: b"\0" * n)
    with atomic_write(tmp_path / "file"):
        (name,) = [p.name for p in tmp_path.iterdir()]
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / name).symlink_to(victim)
    with pytest.raises(FileExistsError), atomic_write(tmp_path / "file") as file:
        file.write(b"evil")
    assert victim.read_text() == "precious"
