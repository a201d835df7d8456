"""Families X: files that want code to be run. The code would make a file ``marker``."""

from __future__ import annotations

import base64
import json
import marshal
from pathlib import Path
from typing import Any

import numpy as np

from minikeras import layers
from tests.saving.attacks.kit import (
    Attack,
    Json,
    archive,
    config_at,
    dumped,
    grown,
    h5_config_at,
    honest,
    layer,
    sequential,
)

__all__ = ["ATTACKS", "SLOTS", "function"]

REFUSED = r"code execution|Could not locate|Could not interpret|does not describe"
SOURCE = "lambda x: (open('marker', 'w').close(), x)[1]"
_code = compile(SOURCE, "<marker>", "eval").co_consts[0]
CODE = base64.b64encode(marshal.dumps(_code)).decode()

LAMBDA: Json = {
    "class_name": "__lambda__",
    "config": {"code": CODE, "defaults": None, "closure": None},
}
OF_KERAS_2 = [CODE, None, None]


def function(name: str, module: str = "builtins", registered: str = "function") -> Json:
    """The config of a function."""
    return {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": registered,
    }


# Places in a config, what stands in them honestly, and how a payload is put there.
DENSE = "config/layers/1"
SLOTS: dict[str, tuple[str, Any]] = {
    "activation": (f"{DENSE}/config/activation", "relu"),
    "initializer": (
        f"{DENSE}/config/kernel_initializer",
        layer("Zeros", "keras.initializers"),
    ),
    "regularizer": (
        f"{DENSE}/config/kernel_regularizer",
        layer("L2", "keras.regularizers", l2=0.1),
    ),
    "constraint": (
        f"{DENSE}/config/kernel_constraint",
        layer("NonNeg", "keras.constraints"),
    ),
    "units": (f"{DENSE}/config/units", 2),
    "dtype": (f"{DENSE}/config/dtype", layer("DTypePolicy", "keras", name="float32")),
    "layer": (DENSE, layer("Dense", name="dense", units=2)),
    "build_config": (f"{DENSE}/build_config", {"input_shape": [None, 3]}),
    "loss": ("compile_config/loss", layer("Huber", "keras.losses")),
    "metrics": ("compile_config/metrics", [layer("AUC", "keras.metrics")]),
    "optimizer": (
        "compile_config/optimizer",
        layer("SGD", "keras.optimizers", learning_rate=0.1),
    ),
    "compile_config": ("compile_config", {"optimizer": "sgd", "loss": "mse"}),
}


def in_slot(slot: str, payload: Any, family: str, name: str, **how: Any) -> Attack:
    place, benign = SLOTS[slot]
    payload = [payload] if isinstance(benign, list) else payload
    why = how.pop("why", REFUSED)
    return Attack(
        family, f"{name}-{slot}", config_at(place), payload, benign, why, **how
    )


def lambda_layer(folder: Path, config: Any) -> Path:
    """Write a model with a Lambda layer, or in its place another."""
    found = layer("Lambda", name="it", function=config)
    if isinstance(config, dict) and "config" in config and "module" in config:
        found = config
    return sequential(
        folder, [layer("InputLayer", batch_shape=[None, 3], name="x"), found]
    )


def alone(folder: Path, config: Any) -> Path:
    """Write a config without a model file around it."""
    path = folder / "config.json"
    path.write_bytes(dumped(config))
    return path


RELU = layer("ReLU", name="it")


def wrapped(class_name: str, **config: Any) -> Attack:
    """A layer that keeps code of another library in its config."""
    found = {**layer(class_name, name="it"), "config": {"name": "it", **config}}
    return Attack("X10", class_name, lambda_layer, found, RELU, REFUSED)


GRAPH = "config/layers"


def dead_node(folder: Path, config: Any) -> Path:
    """Write a functional model with one layer more, connected to nothing."""
    parts = honest("graph")
    whole = json.loads(parts["config.json"])
    whole["config"]["layers"].append({"name": "dead", "inbound_nodes": [], **config})
    return archive(folder / "m.keras", {**parts, "config.json": dumped(whole)})


def h5_lambda(folder: Path, config: Any) -> Path:
    return h5_config_at("config/layers/1")(folder, config)


def two_layers(folder: Path, first: Any) -> Path:
    """Write a model whose first layer acts, and whose second one profits."""
    start = layer("InputLayer", batch_shape=[None, 3], name="x")
    last = layer("Dense", name="dense", units=2)
    if first != RELU:
        last["config"]["activation"] = LAMBDA
    return sequential(folder, [start, first, last])


def two_files(folder: Path, payload: Any) -> Path:
    """Write a file to be loaded first, and one that is judged."""
    switch = function("enable_unsafe_deserialization", "keras.config")
    other = folder / "first"
    other.mkdir()
    config_at(f"{DENSE}/config/activation")(other, switch).rename(
        folder / "first.keras"
    )
    return config_at(f"{DENSE}/config/activation")(folder, payload)


def npz(folder: Path, values: Any) -> Path:
    """Write a checkpoint of sessions; return its path without the ending."""
    np.savez(folder / "m.npz", v=values)
    return folder / "m"


class Payload:
    """Runs code where somebody unpickles it."""

    def __reduce__(self) -> Any:
        return open, ("marker", "w")


def shadow(name: str) -> Json:
    found = layer("Dense", name="dense", units=2)
    return {**found, "registered_name": name}


def vectorization(**changes: Any) -> Json:
    found = layers.TextVectorization(vocabulary=["to"], name="lookup").get_config()
    return layer("TextVectorization", **{**found, **changes})


ENTRIES = ("layer", "deserialize", "from_config", "clone")
HUGE_EINSUM = "__import__('os').system('touch marker')"


ATTACKS: list[Attack] = [
    Attack("X01", "lambda", lambda_layer, LAMBDA, RELU, REFUSED),
    Attack("X01", "unsafe", lambda_layer, LAMBDA, RELU, REFUSED, "unsafe"),
    Attack("X01", "switched", lambda_layer, LAMBDA, RELU, REFUSED, "switched"),
    Attack("X01", "Keras 2", lambda_layer, OF_KERAS_2, RELU, ".", "unsafe"),
    *(
        in_slot(slot, LAMBDA, "X02", "lambda", how=how)
        for slot in SLOTS
        for how in ("load", "unsafe")
    ),
    *(
        in_slot("activation", function(name, module, name), "X03", name)
        for module, name in (
            ("os", "system"),
            ("subprocess", "Popen"),
            ("builtins", "eval"),
            ("importlib", "import_module"),
            ("keras.src.utils.file_utils", "get_file"),
            ("minikeras.saving.api", "load_model"),
        )
    ),
    Attack(
        "X03", "Lambda", lambda_layer, function("system", "os", "system"), RELU, REFUSED
    ),
    *(
        in_slot(slot, layer(name, module, **config), "X04", name)
        for slot in ("layer", "activation", "loss")
        for module, name, config in (
            ("subprocess", "Popen", {"args": ["touch", "marker"]}),
            ("types", "FunctionType", {"code": CODE, "globals": {}}),
            ("builtins", "open", {"file": "marker", "mode": "w"}),
        )
    ),
    Attack("X06", "function", dead_node, function("relu"), RELU, "."),
    Attack("X06", "class", dead_node, layer("Popen", "subprocess"), RELU, REFUSED),
    *(
        Attack(
            "X07",
            entry,
            alone,
            {"function": LAMBDA}
            if entry == "from_config"
            else layer("Lambda", name="it", function=LAMBDA),
            {"name": "it", "function": function("relu")}
            if entry == "from_config"
            else RELU,
            REFUSED,
            entry,
        )
        for entry in ENTRIES
    ),
    Attack(
        "X07",
        "json",
        alone,
        layer(
            "Sequential", "keras", name="m", layers=[layer("Lambda", function=LAMBDA)]
        ),
        layer("Sequential", "keras", name="m", layers=[RELU]),
        REFUSED,
        "json",
    ),
    *(
        Attack(
            "X08",
            name,
            h5_lambda,
            {"class_name": "Lambda", "config": {"name": "it", "function": payload}},
            {"class_name": "Dense", "config": {"name": "dense", "units": 2}},
            REFUSED,
            how,
        )
        for name, payload in (("list", OF_KERAS_2), ("dict", LAMBDA))
        for how in ("load", "unsafe")
    ),
    *(
        Attack("X09", f"two layers-{how}", two_layers, first, RELU, REFUSED, how)
        for how in ("load", "unsafe")
        for first in (
            layer("Lambda", function=function("enable_unsafe_deserialization")),
        )
    ),
    Attack("X09", "two files", two_files, LAMBDA, "relu", REFUSED, "twice"),
    wrapped("TorchModuleWrapper", module=base64.b64encode(b"\x80\x04c").decode()),
    wrapped("TFSMLayer", filepath="outside", call_endpoint="serve"),
    wrapped("FlaxLayer", call_fn=LAMBDA),
    wrapped("JaxLayer", call_fn=LAMBDA),
    Attack(
        "X11",
        "npz of objects",
        npz,
        np.array([Payload(), 1, 2], object),
        np.ones(3, "float32"),
        "[Pp]ickle|allow_pickle",
        "restore",
    ),
    Attack(
        "X15",
        "built-in shadowed",
        config_at(DENSE),
        shadow("evil>Dense"),
        shadow("Dense"),
        "does not use registered names",
    ),
    Attack(
        "X17",
        "einsum",
        grown,
        {
            **layer("EinsumDense", equation=HUGE_EINSUM, output_shape=2),
            "honest": False,
        },
        layer("EinsumDense", equation="ab,bc->ac", output_shape=2),
        ".",
    ),
    Attack(
        "X17",
        "split",
        config_at("config/layers/1", "words"),
        vectorization(split=HUGE_EINSUM),
        vectorization(),
        ".",
    ),
]
