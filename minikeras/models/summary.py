"""The table that `Model.summary` prints: Keras's box, drawn without any library."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from minikeras import backend as K
from minikeras.layers import Layer
from minikeras.layers.history import history_of

__all__ = ["summary_text"]


class Column(NamedTuple):
    """A column of the table: its heading, its width and how its text is aligned."""

    heading: str
    width: int
    align: str


def summary_text(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> str:
    """Return the summary of `model` as text; arguments as in `Model.summary`."""
    graph = _is_branched(model)
    headings = ["Layer (type)", "Output Shape", "Param #"]
    ends = list(positions or ((0.3, 0.56, 0.74, 1.0) if graph else (0.45, 0.8, 1.0)))
    width = 108 if graph else 88
    if graph:
        headings.append("Connected to")
    if show_trainable:
        headings.append("Trainable")
        ends = [*(0.9 * end for end in ends), 1.0]
        width += 12
    length = line_length or min(width, shutil.get_terminal_size().columns - 4)
    aligns = {"Param #": "right", "Trainable": "center"}
    widths = _widths(ends, length)
    columns = [
        Column(h, w, aligns.get(h, "left"))
        for h, w in zip(headings, widths, strict=True)
    ]
    layers = _selected(getattr(model, "operations", model.layers), layer_range)
    rows = list(_rows(model, layers, graph, show_trainable, expand_nested, 0))
    return "\n".join(
        [f'Model: "{model.name}"', *_table(columns, rows), *_totals(model)]
    )


def _is_branched(model: Any) -> bool:
    """Whether the layers do not simply stand in one row."""
    calls = getattr(model, "_calls", ())
    if len({node.operation for node in calls}) < len(calls):
        return True
    before = [None, *calls]
    return any(
        node.parent_nodes != ([parent] if parent else [])
        for parent, node in zip(before, calls, strict=False)
    )


def _widths(ends: Sequence[float], length: int) -> list[int]:
    """Return the widths of the columns, borders and padding taken from each in turn."""
    stops = [int(end * length) for end in ends]
    widths = [b - a + 2 for a, b in zip([0, *stops[:-1]], stops, strict=True)]
    excess = sum(widths) + len(widths) + 1 - length
    for i, left in enumerate(range(len(widths), 0, -1)):
        taken = round(excess / left)
        widths[i] -= taken
        excess -= taken
    return [max(width - 2, 1) for width in widths]


def _selected(layers: Sequence[Any], layer_range: Sequence[str] | None) -> list[Any]:
    if layer_range is None:
        return list(layers)
    if len(layer_range) != 2:
        raise ValueError(
            "layer_range must be a list or tuple of length 2. "
            f"Received: layer_range = {layer_range} of length {len(layer_range)}"
        )
    hits = [
        [i for i, x in enumerate(layers) if re.match(p, x.name)] for p in layer_range
    ]
    if not all(hits):
        raise ValueError(
            f"Passed layer_names do not match layers in the model: {layer_range}"
        )
    return list(layers[min(map(min, hits)) : max(map(max, hits)) + 1])


def _rows(
    model: Any,
    layers: Sequence[Any],
    graph: bool,
    trainable: bool,
    nested: bool,
    depth: int,
) -> Iterator[list[str]]:
    for layer in layers:
        lead = "   " * depth + "└ " if depth else ""
        row = [
            f"{lead}{layer.name} ({type(layer).__name__})",
            _output_shape(layer),
            _params(layer),
        ]
        if graph:
            row.append(_connections(model, layer))
        if trainable:
            weights = getattr(layer, "weights", ())
            row.append(("Y" if layer.trainable else "N") if weights else "-")
        yield row
        if nested and getattr(layer, "layers", None):
            yield from _rows(layer, layer.layers, graph, trainable, nested, depth + 1)


def _output_shape(layer: Any) -> str:
    """Return the shape of a layer's output, or ``?`` if it was never called."""
    if layer._inbound_nodes:
        last = layer._inbound_nodes[-1].output_tensors
        shapes = [tuple(y.shape) for y in last]
    elif getattr(layer, "_build_shapes", None):
        made = layer.compute_output_shape(*layer._build_shapes.values())
        shapes = made if isinstance(made, list) else [made]
    else:
        return "?"
    shown = [f"({', '.join(map(str, shape))})" for shape in shapes]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def _params(layer: Any) -> str:
    if not isinstance(layer, Layer):
        return "0"
    if not layer.built:
        return "0 (unbuilt)"
    return f"{layer.count_params():,}"


def _connections(model: Any, layer: Any) -> str:
    """Return what feeds a layer: name, call and output of each."""
    found = []
    for node in layer._inbound_nodes:
        if node in getattr(model, "_calls", ()):
            histories = [history_of(x) for x in node.input_tensors]
            found += [
                f"{h.operation.name}[{h.node_index}][{h.tensor_index}]"
                for h in histories
                if h
            ]
    return ", ".join(found) or "-"


def _totals(model: Any) -> Iterator[str]:
    optimizer = model.optimizer if model.compiled else None
    state = optimizer.variables if optimizer is not None and optimizer.built else []
    yield _total("Total", [*model.weights, *state])
    yield _total("Trainable", model.trainable_weights)
    yield _total("Non-trainable", model.non_trainable_weights)
    if state:
        yield _total("Optimizer", state)


def _total(title: str, weights: Sequence[Any]) -> str:
    count = sum(K.count_params(w) for w in weights)
    size = float(sum(K.count_params(w) * w.handle.dtype.size for w in weights))
    units = iter(("B", "KB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1024 and unit != "TB":
        size, unit = size / 1024, next(units)
    return f" {title} params: {count:,} ({size:.2f} {unit})"


# -- drawing -------------------------------------------------------------------------


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    def rule(left: str, fill: str, cross: str, right: str) -> str:
        return left + cross.join(fill * (c.width + 2) for c in columns) + right

    yield rule("┏", "━", "┳", "┓")
    yield from _lines(columns, [c.heading for c in columns], "┃")
    yield rule("┡", "━", "╇", "┩")
    for i, row in enumerate(rows):
        if i:
            yield rule("├", "─", "┼", "┤")
        yield from _lines(columns, row, "│")
    yield rule("└", "─", "┴", "┘")


def _lines(
    columns: Sequence[Column], cells: Sequence[str], border: str
) -> Iterator[str]:
    """Return one row of the table, as many lines high as its longest cell."""
    wrapped = [_wrapped(cell, c.width) for cell, c in zip(cells, columns, strict=True)]
    for i in range(max(map(len, wrapped))):
        texts = [lines[i] if i < len(lines) else "" for lines in wrapped]
        padded = (_aligned(t, c) for t, c in zip(texts, columns, strict=True))
        yield border + border.join(f" {text} " for text in padded) + border


def _aligned(text: str, column: Column) -> str:
    align = {"right": text.rjust, "center": text.center, "left": text.ljust}[
        column.align
    ]
    return align(column.width)


def _wrapped(text: str, width: int) -> list[str]:
    """Return `text` in lines of at most `width`; a longer word ends in an ellipsis."""
    lines = [""]
    for word in re.findall(r"\s*\S+\s*", text):
        if lines[-1] and len(lines[-1]) + len(word.rstrip()) > width:
            lines.append("")
        lines[-1] += word
    stripped = [line.rstrip() for line in lines]
    return [s if len(s) <= width else s[: width - 1] + "…" for s in stripped]
