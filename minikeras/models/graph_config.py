"""The form in which the calls of a model's layers are written to a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.layers import Layer
from minikeras.layers.history import CallNode, history_of

__all__ = [
    "call_config",
    "call_indices",
    "dereferenced",
    "references",
    "replay_calls",
]


Indices = Mapping[CallNode, int]


def call_indices(calls: Collection[CallNode]) -> Indices:
    """Return for each call the how-manieth of its layer it is, of those in `calls`."""
    layers = dict.fromkeys(node.operation for node in calls)
    inside = ([n for n in x._inbound_nodes if n in calls] for x in layers)
    return {node: i for nodes in inside for i, node in enumerate(nodes)}


def references(structure: Any, indices: Indices) -> Any:
    """Return tensors as (layer, call, output); a single one stands alone."""

    def reference(tensor: K.Tensor) -> list[Any]:
        layer, node, output = history_of(tensor)  # type: ignore[misc]
        return [layer.name, indices[layer._inbound_nodes[node]], output]

    return K.tree.map_structure(reference, structure)


def dereferenced(structure: Any, layers: Mapping[str, Layer]) -> Any:
    """Return the tensors to which a structure refers."""
    if isinstance(structure, dict):
        return {k: dereferenced(v, layers) for k, v in structure.items()}
    if len(structure) == 3 and isinstance(structure[0], str):
        name, node, index = structure
        if name not in layers:
            raise ValueError(
                f"Invalid Functional model configuration. Missing node: {name}"
            )
        return layers[name]._inbound_nodes[node].output_tensors[index]
    parts = [dereferenced(part, layers) for part in structure]
    return tuple(parts) if isinstance(structure, tuple) else parts


def call_config(node: CallNode, indices: Indices) -> dict[str, Any]:
    """Return the arguments of a call, with references for tensors."""

    def written(x: Any) -> Any:
        if not isinstance(x, K.Tensor):
            return K.serialize_keras_object(x)
        shape = {"shape": list(x.shape or ()), "dtype": str(x.dtype)}
        history = {"keras_history": references(x, indices)}
        return {"class_name": "__keras_tensor__", "config": {**shape, **history}}

    return K.tree.map_structure(
        written, {"args": list(node.args), "kwargs": node.kwargs}
    )


def replay_calls(
    configs: Sequence[dict[str, Any]], layers: Mapping[str, Layer]
) -> None:
    """Call the layers again as a file says, each call when its inputs exist."""
    pending = [(c["name"], node) for c in configs for node in c["inbound_nodes"]]
    while pending:
        waiting = []
        for name, node in pending:
            try:
                args, kwargs = _read_call(node, layers)
            except IndexError:
                waiting.append((name, node))
                continue
            layers[name](*args, **kwargs)
        if len(waiting) == len(pending):
            stuck = sorted({name for name, _ in waiting})
            raise ValueError(
                f"Invalid Functional model configuration: layers {stuck} wait for "
                "inputs that no layer makes. Their calls form loops, or refer to calls "
                "that are not in the config."
            )
        pending = waiting


def _read_call(
    node: dict[str, Any], layers: Mapping[str, Layer]
) -> tuple[Any, dict[str, Any]]:
    def read(x: Any) -> Any:
        if isinstance(x, dict) and x.get("class_name") == "__keras_tensor__":
            return dereferenced(x["config"]["keras_history"], layers)
        if isinstance(x, dict) and "class_name" in x:
            return K.deserialize_keras_object(x)
        if isinstance(x, dict):
            return {k: read(v) for k, v in x.items()}
        return [read(v) for v in x] if isinstance(x, (list, tuple)) else x

    return read(node["args"]), read(node["kwargs"])
