"""Diagrams of models, line by line beside Keras's."""

import importlib
import re
import shutil
import sys

import numpy as np
import pytest

import minikeras
from minikeras.utils import model_to_dot, plot_model
from minikeras.visualization import diagrams

pytest.importorskip("pydot")

EVERYTHING = {
    "show_shapes": True,
    "show_dtype": True,
    "show_layer_activations": True,
    "show_trainable": True,
}
STYLES = [
    {},
    {"show_layer_names": False, "rankdir": "LR", "dpi": 50, "splines": "curved"},
    EVERYTHING,
    {"expand_nested": True},
    {"expand_nested": True, **EVERYTHING},
    {"subgraph": True},
]


def chain(k):
    layers = [
        k.Input((3,), name="x"),
        k.layers.Dense(2, activation="relu", name="a"),
        k.layers.Dropout(0.5, name="d"),
        k.layers.Dense(1, name="b"),
    ]
    model = k.Sequential(layers, name="chain")
    model.layers[0].trainable = False
    return model


def branches(k):
    i, j = k.Input((3,), name="i"), k.Input((3,), name="j")
    x = k.layers.Add(name="add")([i, j])
    y = chain(k)(x)
    z = k.layers.Concatenate(name="cat")([y, x])
    return k.Model([i, j], [z, k.layers.Activation("tanh", name="t")(x)], name="br")


def shared(k):
    i = k.Input((3,), name="s")
    layer = k.layers.Dense(3, name="twice")
    return k.Model({"s": i}, [layer(i), layer(layer(i))], name="shared")


def nested(k):
    i, j = k.Input((3,), name="u"), k.Input((3,), name="v")
    first, second = branches(k)([i, j])
    out = k.layers.Dense(2, name="last")(first)
    return k.Model([i, j], [out, second, shared(k)({"s": j})], name="nested")


def chain_of_chains(k):
    inner = chain(k)
    layers = [k.Input((3,), name="y"), inner, k.layers.Dense(4, name="e")]
    return k.Sequential(layers, name="outer")


def own(k):
    class Own(k.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = k.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own()
    model(np.ones((1, 2), "float32"))
    return model


MODELS = [chain, branches, shared, nested, chain_of_chains, own]


def lines(dot):
    """A diagram as text, where boxes are numbered instead of named by addresses."""
    numbers = {}
    return re.sub(
        r"\b\d{9,}\b",
        lambda found: numbers.setdefault(found[0], f"box{len(numbers)}"),
        dot.to_string(),
    ).splitlines()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("style", STYLES)
def test_diagrams_are_those_of_keras(keras, model, style):
    ours = lines(model_to_dot(model(minikeras), **style))
    assert ours == lines(keras.utils.model_to_dot(model(keras), **style))
    assert len(ours) > 2


def test_names_cannot_break_a_diagram():
    model = minikeras.Sequential(
        [minikeras.Input((1,)), minikeras.layers.Dense(1, name="<b>&")]
    )
    assert "&lt;b&gt;&amp;" in model_to_dot(model).to_string()


@pytest.mark.parametrize("function", [model_to_dot, plot_model])
def test_a_model_must_be_built(function):
    with pytest.raises(ValueError, match="has not yet been built"):
        function(minikeras.Sequential([minikeras.layers.Dense(1)]))


def test_other_arguments_are_refused():
    with pytest.raises(ValueError, match="`layer_range` is no longer supported"):
        model_to_dot(chain(minikeras), layer_range=["a", "b"])
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        model_to_dot(chain(minikeras), show_names=True)


def test_without_pydot_there_is_a_hint(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pydot", None)
    for function in (model_to_dot, plot_model):
        with pytest.raises(ImportError, match="You must install pydot"):
            function(chain(minikeras))
    monkeypatch.setitem(sys.modules, "IPython.core.magics.namespace", diagrams)
    assert plot_model(chain(minikeras)) is None
    assert "You must install pydot" in capsys.readouterr().out


def test_without_graphviz_there_is_a_hint(monkeypatch):
    def fail(*_, **__):
        raise OSError("no dot")

    monkeypatch.setattr(importlib.import_module("pydot").Dot, "create", fail)
    with pytest.raises(ImportError, match=r"You must install graphviz .* `plot_model`"):
        plot_model(chain(minikeras))


def drawn(diagram, prog=None, format="ps", **_):
    """What stands for Graphviz where there is none."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    return {"png": b"\x89PNG", "svg": svg}.get(format, b"")


def test_diagrams_go_to_files(monkeypatch, tmp_path):
    if not shutil.which("dot"):
        monkeypatch.setattr(importlib.import_module("pydot").Dot, "create", drawn)
    for name, form in (("a.png", b"\x89PNG"), ("b.svg", b"<svg"), ("c", b"\x89PNG")):
        plot_model(branches(minikeras), tmp_path / name, show_shapes=True)
        assert form in (tmp_path / name).read_bytes()
