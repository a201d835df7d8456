"""Configs of Keras 1 and 2, and of ``.h5`` files, in today's layout; and back.

Dictionaries become dictionaries: nothing is made of them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["legacy_config", "modern_config"]

# Arguments that layers and initializers had, and that say nothing any more.
OBSOLETE = frozenset(
    {
        "experimental_run_tf_function",
        "fused",
        "implementation",
        "input_length",
        "time_major",
        "virtual_batch_size",
    }
)
RENAMED = {
    "CuDNNGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
}


def legacy_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's config as an ``.h5`` file has it: without modules.

    Args:
        config: a serialized object: its class, and its own config.
    """
    inner = dict(config["config"])
    if isinstance(inner.get("layers"), list):
        inner["layers"] = [legacy_config(layer) for layer in inner["layers"]]
    graph = {key: config[key] for key in ("name", "inbound_nodes") if key in config}
    name = config.get("registered_name") or config["class_name"]
    return {"class_name": name, "config": inner, **graph}


def modern_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object's config, which may be of any age, in today's layout.

    Raises:
        KeyError: if it is no such config.
    """
    config = dict(config)
    name = config["class_name"] = RENAMED.get(
        config["class_name"], config["class_name"]
    )
    inner: Any = config["config"]
    if isinstance(inner, list):  # a Sequential of Keras 1
        inner = {"layers": inner}
    inner = {key: _modern(value) for key, value in inner.items() if key not in OBSOLETE}
    if name == "InputLayer" and "batch_input_shape" in inner:
        inner["batch_shape"] = inner.pop("batch_input_shape")
    if name == "Lambda" and isinstance(inner.get("function"), list):
        inner["function"] = {"class_name": "__lambda__", "config": {}}
    if name not in ("InputLayer", "Sequential") and "input_layers" in inner:
        config["class_name"] = "Functional" if name == "Model" else name
        _modernize_graph(inner)
    axis = inner.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        inner["axis"] = axis[0]
    return {**config, "config": inner}


def _modern(value: Any) -> Any:
    """Return a value within a config: objects, and lists and dicts of them."""
    if isinstance(value, list):
        return [_modern(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {key: _modern(part) for key, part in value.items()}
    if value.get("module") is not None or not isinstance(value["config"], (dict, list)):
        return value
    if value["class_name"] in ("Policy", "PolicyV1"):
        return dict(value["config"])["name"]
    modern = modern_config(value)
    if "seed" in modern["config"] or modern["config"].keys() == {"dtype"}:
        modern["config"].pop("dtype", None)  # of an initializer
    return modern


# -- graphs ----------------------------------------------------------------------------


def _modernize_graph(inner: dict[str, Any]) -> None:
    """Write the calls of layers in a functional model as today."""
    names = {layer["name"] for layer in inner["layers"]}
    old = any(isinstance(n, list) for x in inner["layers"] for n in x["inbound_nodes"])
    for layer in inner["layers"]:
        layer["inbound_nodes"] = [
            _call(node, names) if isinstance(node, list) else node
            for node in layer["inbound_nodes"]
        ]
    for key in ("input_layers", "output_layers"):
        ends = inner[key]
        if old and len(ends) == 1 and isinstance(ends[0], list):
            inner[key] = ends[0]


def _call(node: list[Any], names: set[str]) -> dict[str, Any]:
    """Return one call, which was a list of ``[layer, call, output, kwargs]``."""
    tensors = [
        part[2] if part[0] == "_CONSTANT_VALUE" else _tensor(part) for part in node
    ]
    kwargs = node[0][3] if len(node[0]) > 3 else {}
    named = {key: _argument(value, names) for key, value in kwargs.items()}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": named}


def _argument(value: Any, names: set[str]) -> Any:
    if not isinstance(value, list):
        return value
    if len(value) == 3 and isinstance(value[0], str) and value[0] in names:
        return _tensor(value)
    return [_argument(part, names) for part in value]


def _tensor(reference: list[Any]) -> dict[str, Any]:
    config = {"shape": None, "dtype": None, "keras_history": reference[:3]}
    return {"class_name": "__keras_tensor__", "config": config}
