"""Where in a file the state of subclassed models stands: where Keras has it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np

import minikeras


def subclassed(keras: Any) -> Any:
    class Block(keras.layers.Layer):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.zero = keras.layers.Dense(units)
            self._first = keras.layers.Dense(units)
            self.some = [keras.layers.Dense(units), [keras.layers.LayerNormalization()]]
            self.named = {"b": keras.layers.Dense(units), "a": keras.layers.ReLU()}

        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
            self.count = self.add_weight(shape=(), trainable=False, name="count")
            super().build(input_shape)

        def call(self, x: Any) -> Any:
            x = self.zero(self._first(x)) * self.scale
            x = self.some[1][0](self.some[0](x))
            return self.named["a"](self.named["b"](x))

    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [Block(4), Block(4)]
            self.head = keras.layers.Dense(2)
            self.again = self.head
            self.tail = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])

        def call(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return self.tail(self.again(x))

    model = Net()
    model(np.ones((2, 4), "float32"))
    return model


def paths(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with h5py.File(file) as opened:
        names: list[str] = []
        opened.visit(names.append)
        for name in names:
            found[name] = getattr(opened[name], "shape", "group")
    return found


def test_paths_are_those_of_keras(tmp_path: Path, keras: ModuleType) -> None:
    ours, theirs = subclassed(minikeras), subclassed(keras)
    for name, model in (("ours", ours), ("theirs", theirs)):
        model.compile("adam", "mse")
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
        model.save_weights(tmp_path / f"{name}.weights.h5")
    assert len(paths(tmp_path / "ours.weights.h5")) > 100
    assert paths(tmp_path / "ours.weights.h5") == paths(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    x = np.linspace(-1, 1, 12).reshape(3, 4).astype("float32")
    want = np.asarray(theirs(x))
    np.testing.assert_allclose(ours(x), want, rtol=1e-5, atol=1e-6)


def test_objects_may_be_left_out(tmp_path: Path) -> None:
    layers, saving = minikeras.layers, minikeras.saving
    one, two = (
        minikeras.Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(2)])
        for _ in range(2)
    )
    path = tmp_path / "m.weights.h5"
    saving.save_weights(one, path, objects_to_skip=[one.layers[0]])
    assert {"layers/dense", "layers/dense_1"} & paths(path).keys() == {"layers/dense_1"}
    before = two.layers[0].get_weights()[0]
    one_second = one.layers[1].get_weights()
    one.save_weights(path)
    two.load_weights(path, objects_to_skip=[two.layers[0]])
    np.testing.assert_array_equal(two.layers[0].get_weights()[0], before)
    np.testing.assert_array_equal(two.layers[1].get_weights()[0], one_second[0])
