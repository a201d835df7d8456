"""``minikeras inspect FILE``: what a file holds, without making a model of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from minikeras.backend import to_snake_case
from minikeras.cli.graphs import ENDING, graph_contents
from minikeras.cli.outcome import Outcome, table
from minikeras.saving.contents import Contents, StoredTensor, contents_of

__all__ = ["add_arguments", "run"]

HELP = (
    "Show a model's file: layers, shapes, parameters, optimizer and versions. Nothing "
    "in the file is run, and its classes need not be there."
)
PLACES = ("layers", "_layer_checkpoint_dependencies", "model_weights")
OPTIMIZER = ("optimizer", "optimizer_weights")


class Row(NamedTuple):
    """A layer as the config and the tensors have it."""

    name: str
    kind: str
    input_shape: str
    parameters: int
    tensors: list[StoredTensor]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file",
        help="a .keras file or folder, .weights.h5, .weights.json, .h5, .safetensors "
        "or .onnx",
    )
    parser.add_argument("--tensors", action="store_true", help="list every tensor")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> Outcome:
    """Return what is in the file."""
    is_graph = given.file.endswith(ENDING)
    found = graph_contents(given.file) if is_graph else contents_of(given.file)
    rows = [*_layers(found)]
    lines = [*_heading(found), "", _layer_table(rows), "", *_totals(found, rows)]
    if given.tensors:
        cells = [
            (x.path, _shape(x.shape), x.dtype, f"{x.size:,}") for x in found.tensors
        ]
        headings = ("tensor", "shape", "dtype", "numbers")
        lines += ["", table(headings, cells, right=["numbers"])]
    data = found.as_json() | {
        "layers": [row._asdict() | {"tensors": len(row.tensors)} for row in rows],
        "parameters": sum(row.parameters for row in rows),
        "notes": _notes(found),
    }
    return Outcome("\n".join(lines), data)


# -- the model -------------------------------------------------------------------------


def _heading(found: Contents) -> Iterator[str]:
    config = found.config if isinstance(found.config, dict) else {}
    inner = config.get("config")
    name = inner.get("name", "") if isinstance(inner, dict) else ""
    other = "a graph of ops" if found.format == ENDING else "weights alone"
    kind = config.get("class_name", other)
    facts = [("model", f"{kind} {name}".rstrip()), *sorted(found.versions.items())]
    facts += _training(found.training)
    facts += [("asset", name) for name in found.assets]
    facts += [("note", note) for note in _notes(found)]
    width = max(len(key) for key, _ in facts)
    yield f"{found.path}: {found.format}, {found.size:,} bytes"
    for key, value in facts:
        yield f"{key:{width}}  {value}"


def _training(training: Any) -> Iterator[tuple[str, str]]:
    """Yield how the model was compiled."""
    if not isinstance(training, Mapping):
        return
    optimizer = training.get("optimizer", training.get("optimizer_config"))
    for key, value in {**training, "optimizer": optimizer}.items():
        if key in ("optimizer", "loss", "metrics", "weighted_metrics") and value:
            yield key, _brief(value)


def _brief(value: Any) -> str:
    """Return a part of a config in a few words: classes by their names."""
    if isinstance(value, Mapping) and "class_name" in value:
        inner = value.get("config")
        rate = inner.get("learning_rate") if isinstance(inner, Mapping) else None
        name = value["class_name"] if value["class_name"] != "function" else inner
        return f"{name}" if rate is None else f"{name}, learning_rate={_brief(rate)}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_brief(x)}" for key, x in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_brief, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _notes(found: Contents) -> list[str]:
    """Return what somebody who loads the file should know."""
    objects = [*_objects(found.config)]
    custom = {
        str(x.get("registered_name") or x["class_name"])
        for x in objects
        if x.get("registered_name") not in (None, x["class_name"])
        or not str(x.get("module") or "keras").startswith("keras")
    }
    notes = [f"needs the class {name}: see `custom_objects`" for name in sorted(custom)]
    if any(x["class_name"] == "__lambda__" for x in objects):
        notes.append("holds Python code, a lambda, which is never run")
    return notes


def _objects(config: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all parts of a config that describe an object."""
    left = [config]
    while left:
        part = left.pop()
        if isinstance(part, Mapping):
            if "class_name" in part:
                yield part
            left += part.values()
        elif isinstance(part, list):
            left += part


# -- layers ----------------------------------------------------------------------------


def _layers(found: Contents) -> Iterator[Row]:
    """Yield the layers, of the config if there is one, else of the tensors' paths."""
    below = _tensors_of_layers(found)
    listed = _listed(found.config)
    keys = _keys(listed)
    for layer, key in zip(listed, keys, strict=True):
        name = str(_inner(layer).get("name") or layer.get("name") or key)
        tensors = below.pop(name, None) or below.pop(key, [])
        kind = str(layer.get("class_name"))
        yield Row(name, kind, _input_shape(layer), _parameters(tensors), tensors)
    for name, tensors in below.items():
        if tensors:
            yield Row(name, "", "", _parameters(tensors), tensors)


def _listed(config: Any) -> list[Mapping[str, Any]]:
    inner = config.get("config") if isinstance(config, Mapping) else None
    layers = inner.get("layers") if isinstance(inner, Mapping) else inner
    if not isinstance(layers, list):
        return []
    return [x for x in layers if isinstance(x, Mapping) and "class_name" in x]


def _inner(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = layer.get("config")
    return inner if isinstance(inner, Mapping) else {}


def _keys(layers: list[Mapping[str, Any]]) -> list[str]:
    """Return the names of the layers' groups: those of their classes, counted."""
    counts: dict[str, int] = {}
    keys = []
    for layer in layers:
        key = to_snake_case(str(layer["class_name"]).rpartition(">")[2])
        number = counts[key] = counts.get(key, -1) + 1
        keys.append(f"{key}_{number}" if number else key)
    return keys


def _input_shape(layer: Mapping[str, Any]) -> str:
    built = layer.get("build_config")
    shape = built.get("input_shape") if isinstance(built, Mapping) else None
    inner = _inner(layer)
    shape = shape or inner.get("batch_shape") or inner.get("batch_input_shape")
    is_shape = isinstance(shape, list) and not any(isinstance(n, list) for n in shape)
    return _shape(shape) if is_shape else ""


def _tensors_of_layers(found: Contents) -> dict[str, list[StoredTensor]]:
    """Return the tensors of each layer, by the name that the file has for it."""
    layers: dict[str, list[StoredTensor]] = {}
    for tensor in found.tensors:
        path = tensor.path.split("/")
        if path[0] in OPTIMIZER:
            continue
        depth = 2 if path[0] in PLACES and len(path) > 2 else 1
        group = "/".join(path[:depth])
        name = found.names.get(group, path[depth - 1] if len(path) > 1 else "")
        layers.setdefault(name, []).append(tensor)
    return layers


def _is_state(tensor: StoredTensor) -> bool:
    """Whether a tensor is the state of random numbers, and no parameter."""
    return any(part.startswith("seed_generator") for part in tensor.path.split("/"))


def _parameters(tensors: list[StoredTensor]) -> int:
    return sum(tensor.size for tensor in tensors if not _is_state(tensor))


def _shape(shape: Any) -> str:
    inside = ", ".join(map(str, shape))
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _layer_table(rows: list[Row]) -> str:
    cells = [
        (
            row.name or "(model)",
            row.kind,
            row.input_shape,
            f"{row.parameters:,}",
            " ".join(_shape(x.shape) for x in row.tensors),
        )
        for row in rows
    ]
    headings = ("layer", "class", "input", "parameters", "tensors")
    return table(headings, cells, right=["parameters"])


def _totals(found: Contents, rows: list[Row]) -> Iterator[str]:
    tensors = [x for row in rows for x in row.tensors if not _is_state(x)]
    kinds = sorted({x.dtype for x in tensors})
    total = sum(x.size for x in tensors)
    of = f" of {', '.join(kinds)}" if kinds else ""
    yield f"{total:,} parameters in {len(tensors)} tensors{of}"
    state = [x for x in found.tensors if x.path.split("/")[0] in OPTIMIZER]
    if state:
        size = sum(x.size for x in state)
        yield f"{size:,} numbers of the optimizer's state in {len(state)} tensors"
