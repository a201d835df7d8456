"""Models as diagrams of boxes and arrows, by pydot, and by Graphviz as images."""

from __future__ import annotations

import html
import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from minikeras import backend as K
from minikeras.backend.console import say
from minikeras.layers.history import history_of
from minikeras.models import Functional, Sequential

__all__ = ["model_to_dot", "plot_model"]


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Return the diagram of a model, in pydot's form: a box for each layer.

    Args:
        model: built; one that is neither functional nor sequential is a single box.
        show_shapes: whether boxes say the shapes of inputs and outputs.
        show_dtype: whether they say the dtype of outputs.
        show_layer_names: whether they say the names of layers.
        rankdir: "TB" from top to bottom, "LR" from left to right.
        expand_nested: whether models within the model are drawn with their layers.
        dpi: dots per inch, of an image.
        subgraph: whether to return a ``pydot.Cluster``, for another diagram.
        show_layer_activations: whether boxes say the activations.
        show_trainable: whether they say what is trained.
        splines: how arrows run: "ortho", "curved", "polyline", "spline" or "line".
        **kwargs: none.

    Raises:
        ValueError: if the model is not built, or for another argument.
        ImportError: if pydot is not installed.
    """
    _check(model, {})
    pydot = _pydot()
    if pydot is None:
        raise ImportError(_lacking("pydot", "model_to_dot"))
    _check(model, kwargs)
    style = Style(
        show_shapes,
        show_dtype,
        show_layer_names,
        show_layer_activations,
        show_trainable,
        expand_nested,
    )
    if subgraph:
        return _cluster(pydot, model, style)
    dot = pydot.Dot(rankdir=rankdir, concentrate=True, dpi=dpi, splines=splines)
    dot.set_node_defaults(shape="record")
    return _filled(pydot, dot, model, style)


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Write the diagram of a model to a file.

    Args:
        model: built; one that is neither functional nor sequential is a single box.
        to_file: path; what it ends in is the format, such as ``.png`` or ``.svg``.
        show_shapes: whether boxes say the shapes of inputs and outputs.
        show_dtype: whether they say the dtype of outputs.
        show_layer_names: whether they say the names of layers.
        rankdir: "TB" from top to bottom, "LR" from left to right.
        expand_nested: whether models within the model are drawn with their layers.
        dpi: dots per inch.
        show_layer_activations: whether boxes say the activations.
        show_trainable: whether they say what is trained.
        splines: how arrows run: "ortho", "curved", "polyline", "spline" or "line".
        **kwargs: none.

    Returns:
        The image, for a notebook to show, if IPython is installed.

    Raises:
        ValueError: if the model is not built, or for another argument.
        ImportError: if pydot or Graphviz is not installed; in a notebook that is
            printed instead.
    """
    _check(model, {})
    message = _missing()
    if message and "IPython.core.magics.namespace" not in sys.modules:
        raise ImportError(message)
    if message:
        say(message)
        return None
    _check(model, kwargs)
    dot = model_to_dot(
        model,
        show_shapes,
        show_dtype,
        show_layer_names,
        rankdir,
        expand_nested,
        dpi,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
    path = os.fspath(to_file)
    kind = os.path.splitext(path)[1][1:] or "png"
    dot.write(path, format=kind)
    return _shown(path, kind)


def _shown(path: str, kind: str) -> Any:
    """Return an image for a notebook to show; None if it cannot, or there is none."""
    try:
        display = importlib.import_module("IPython.display")
    except ImportError:
        return None
    if kind == "svg":
        return display.SVG(filename=path)
    return (
        display.Image(filename=path, format=kind)
        if kind in ("png", "jpg", "gif")
        else None
    )


def _check(model: Any, kwargs: dict[str, Any]) -> None:
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling "
            "`build()` or by calling the model on a batch of data."
        )
    if kwargs.pop("layer_range", None) is not None:
        raise ValueError("Argument `layer_range` is no longer supported.")
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {kwargs}")


# -- what draws ------------------------------------------------------------------------


def _pydot() -> Any:
    """Return the module pydot, None if it is not installed."""
    try:
        return importlib.import_module("pydot")
    except ImportError:
        return None


def _missing() -> str | None:
    """Return a message if what makes images of diagrams is not installed."""
    pydot = _pydot()
    if pydot is None:
        return _lacking("pydot", "plot_model")
    try:
        pydot.Dot().create()
    except (OSError, pydot.PydotException):
        return _lacking("graphviz", "plot_model")
    return None


def _lacking(library: str, function: str) -> str:
    how = {
        "pydot": "`pip install pydot`, or `pip install 'minikeras[diagrams]'`",
        "graphviz": "see instructions at https://graphviz.gitlab.io/download/",
    }
    return f"You must install {library} ({how[library]}) for `{function}` to work."


# -- boxes and arrows ------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """What the boxes of a diagram say."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool
    nested: bool


def _cluster(pydot: Any, model: Any, style: Style) -> Any:
    """Return a model as a box with boxes in it."""
    dot = pydot.Cluster(style="dashed", graph_name=model.name)
    dot.set("label", model.name)
    dot.set("labeljust", "l")
    return _filled(pydot, dot, model, style)


def _filled(pydot: Any, dot: Any, model: Any, style: Style) -> Any:
    """Return a diagram with the boxes and arrows of a model."""
    if not isinstance(model, (Functional, Sequential)):
        dot.add_node(_node(pydot, model, style))
        return dot
    graph = isinstance(model, Functional)
    for layer in model.operations if graph else model.layers:
        if style.nested and isinstance(layer, (Functional, Sequential)):
            dot.add_subgraph(_cluster(pydot, layer, style))
        else:
            dot.add_node(_node(pydot, layer, style))
    for source, destination in _arrows(model, style.nested):
        ends = str(id(source)), str(id(destination))
        if not dot.get_edge(*ends):
            dot.add_edge(pydot.Edge(*ends, penwidth="2"))
    return dot


def _arrows(model: Any, nested: bool) -> Iterator[tuple[Any, Any]]:
    """Yield which layer feeds which; with `nested`, those within models."""
    if isinstance(model, Sequential):
        arrows = [(a, 0, b, 0) for a, b in pairwise(model.layers)]
    else:
        arrows = [
            (history.operation, history.tensor_index, call.operation, index)
            for call in model._calls
            for index, tensor in enumerate(call.input_tensors)
            if (history := history_of(tensor))
        ]
    for source, output, destination, index in arrows:
        if nested:
            yield _last(source, output), _first(destination, index)
        else:
            yield source, destination


def _last(layer: Any, output: int) -> Any:
    """Return the layer, within models, that makes an output."""
    while isinstance(layer, (Functional, Sequential)):
        history: Any = history_of(layer.outputs[output])
        layer, output = history.operation, history.tensor_index
    return layer


def _first(layer: Any, index: int) -> Any:
    """Return the layer, within models, that takes an input."""
    while isinstance(layer, (Functional, Sequential)):
        if isinstance(layer, Sequential):
            layer = layer.layers[0]
        else:
            history: Any = history_of(layer.inputs[index])
            layer = history.operation
    return layer


def _node(pydot: Any, layer: Any, style: Style) -> Any:
    form = {"fontname": "Helvetica", "border": "0", "margin": "0"}
    return pydot.Node(str(id(layer)), label=_label(layer, style), **form)


def _label(layer: Any, style: Style) -> str:
    """Return what a box says: a table in Graphviz's HTML."""
    kind = type(layer).__name__
    span = max(1, style.dtype + style.trainable + 2 * style.shapes)
    name = (
        f"<b>{html.escape(layer.name)}</b> ({kind})"
        if style.names
        else f"<b>{kind}</b>"
    )
    rows = [
        f'<td colspan="{span}" bgcolor="black"><font point-size="16" color="white">'
        f"{name}</font></td>"
    ]
    activation = getattr(layer, "activation", None)
    if style.activations and activation is not None:
        called = getattr(activation, "name", None) or getattr(
            activation, "__name__", str(activation)
        )
        rows.append(
            f'<td bgcolor="white" colspan="{span}"><font point-size="14">'
            f"Activation: <b>{html.escape(called)}</b></font></td>"
        )
    cells = "".join(_cells(layer, style))
    if cells:
        rows.append(cells)
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        '<<table border="0" cellborder="1" bgcolor="black" cellpadding="10">'
        f"{lines}</table>>"
    )


def _cells(layer: Any, style: Style) -> Iterator[str]:
    """Yield the cells of the last line of a box."""
    if style.shapes:
        if type(layer).__name__ != "InputLayer":
            yield _cell(f"Input shape: <b>{_of_each(layer, 'input', 'shape')}</b>")
        yield _cell(f"Output shape: <b>{_of_each(layer, 'output', 'shape')}</b>")
    if style.dtype:
        yield _cell(f"Output dtype: <b>{_of_each(layer, 'output', 'dtype')}</b>")
    if style.trainable and getattr(layer, "weights", None):
        color, text = (
            ("forestgreen", "Trainable")
            if layer.trainable
            else ("firebrick", "Non-trainable")
        )
        yield (
            f'<td bgcolor="{color}"><font point-size="14" color="white"><b>{text}</b>'
            "</font></td>"
        )


def _cell(text: str) -> str:
    return f'<td bgcolor="white"><font point-size="14">{text}</font></td>'


def _of_each(layer: Any, side: str, what: str) -> str:
    """Return the shapes or dtypes of a layer's inputs or outputs as text."""
    try:
        found = K.tree.map_structure(lambda x: getattr(x, what), getattr(layer, side))
        if what == "dtype":
            found = K.tree.map_structure(str, found)
    except (ValueError, AttributeError):
        return "?"
    if isinstance(found, dict):
        found = ", ".join(f"{key}: {value}" for key, value in found.items())
    return html.escape(str(found).replace("{", "").replace("}", ""), quote=False)
