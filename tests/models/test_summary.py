"""The table of `summary` is Keras's, character by character."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import minikeras
from minikeras import backend as K


def sequential(keras: ModuleType) -> Any:
    return keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ],
        name="mlp",
    )


def images(keras: ModuleType) -> Any:
    layers = keras.layers
    x = keras.Input((8, 8, 3), name="image")
    h = layers.Flatten(name="flat")(layers.Conv2D(4, 3, name="conv")(x))
    left, right = layers.Dense(3, name="left")(h), layers.Dense(3, name="right")(h)
    return keras.Model(x, layers.Add(name="sum")([left, right]), name="graph")


def nested(keras: ModuleType) -> Any:
    inner = sequential(keras)
    return keras.Sequential(
        [keras.Input((784,)), inner, keras.layers.Dense(2)], name="outer"
    )


def unbuilt(keras: ModuleType) -> Any:
    return keras.Sequential([keras.layers.Dense(3, name="d")], name="open")


def subclassed(keras: ModuleType) -> Any:
    import numpy as np

    class Two(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="two")
            self.a = keras.layers.Dense(3, name="a")
            self.b = keras.layers.Dense(2, name="b")

        def call(self, x: Any) -> Any:
            return self.b(self.a(x))

    model = Two()
    model(np.ones((5, 4), "float32"))
    return model


def frozen(keras: ModuleType) -> Any:
    model = sequential(keras)
    model.layers[0].trainable = False
    return model


def text(model: Any, **kwargs: Any) -> str:
    lines: list[str] = []
    model.summary(print_fn=lambda s, **_: lines.append(s), **kwargs)
    return "\n".join(lines).strip()


@pytest.mark.parametrize(
    "make", [sequential, images, nested, unbuilt, subclassed, frozen]
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"expand_nested": True},
        {"show_trainable": True},
        {"line_length": 70},
    ],
    ids=str,
)
@pytest.mark.parametrize("columns", ["80", "200"])
def test_summary_is_keras(
    make: Callable[[ModuleType], Any],
    options: dict[str, Any],
    columns: str,
    keras: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    keras.utils.clear_session()
    K.clear_session()
    assert text(make(minikeras), **options) == text(make(keras), **options)


def test_a_trained_model_shows_the_state_of_its_optimizer(keras: ModuleType) -> None:
    import numpy as np

    tables = []
    for library in (minikeras, keras):
        library.backend.clear_session()
        model = sequential(library)
        model.compile("adam", "mse")
        model.fit(np.ones((4, 784), "float32"), np.ones((4, 10), "float32"), verbose=0)
        tables.append(text(model))
    assert tables[0] == tables[1]


def test_a_range_of_layers_can_be_shown() -> None:
    shown = text(sequential(minikeras), layer_range=("dense.*", "dropout.*"))
    assert "dropout" in shown
    with pytest.raises(ValueError, match="length 2"):
        text(sequential(minikeras), layer_range=("dense",))
    with pytest.raises(ValueError, match="do not match"):
        text(sequential(minikeras), layer_range=("conv", "dense"))
