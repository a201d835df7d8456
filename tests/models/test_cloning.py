"""Clones of models: the same computation with weights of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minikeras import layers
from minikeras.models import Model, Sequential, clone_model, model_from_json

DATA = np.linspace(-1, 1, 12).reshape(4, 3).astype("float32")


def graph() -> Model:
    """Return a model with a layer called twice, and a plain operation."""
    x = layers.Input((3,))
    shared = layers.Dense(3, name="shared")
    return Model(x, layers.Dense(2)(shared(shared(x) * 2.0)), name="graph")


def row() -> Model:
    return Sequential([layers.Input((3,)), layers.Dense(3), layers.Dense(2)])


def nested() -> Model:
    x = layers.Input((3,))
    return Model(x, Sequential([layers.Dense(3), graph()])(x))


@pytest.mark.parametrize("make", [graph, row, nested])
@pytest.mark.parametrize("recursive", [False, True])
def test_a_clone_with_the_weights_computes_the_same(make: Any, recursive: bool) -> None:
    model = make()
    model.compile("adam", "mse")
    clone = clone_model(model, recursive=recursive)
    assert clone.compiled
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    assert len(clone.layers) == len(model.layers)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(clone(DATA), model(DATA), rtol=1e-6)


def test_calls_can_have_others_put_behind_them() -> None:
    def doubled(layer: Any, *args: Any, **kwargs: Any) -> Any:
        y = layer(*args, **kwargs)
        return layers.Rescaling(2.0)(y) if isinstance(layer, layers.Dense) else y

    x = layers.Input((3,))
    model = Model(x, layers.Dense(2)(x))
    clone = clone_model(model, None, lambda layer: layer, doubled)
    np.testing.assert_allclose(clone(DATA), 2 * np.asarray(model(DATA)), rtol=1e-6)
    with pytest.raises(ValueError, match="not supported with Sequential"):
        clone_model(row(), call_function=doubled)


def test_inputs_of_another_nesting_are_refused() -> None:
    a, b = layers.Input((3,)), layers.Input((3,))
    model = Model({"a": a, "b": b}, layers.Add()([a, b]))
    assert set(clone_model(model, {"a": a, "b": b}).input) == {"a", "b"}
    with pytest.raises(ValueError, match="must have the same structure"):
        clone_model(model, (a, b))
    with pytest.raises(ValueError, match="must be KerasTensors"):
        clone_model(model, {"a": a, "b": DATA})


def test_a_model_comes_back_from_its_text() -> None:
    text = row().to_json()
    assert model_from_json(text).to_json() == text


def test_functions_without_a_name_are_cloned_with_their_layers():
    x = np.array([[1.0, -2.0]])
    inner = layers.Lambda(lambda a, factor: a * factor, arguments={"factor": 3.0})
    model = Sequential([layers.Input((2,)), inner, layers.Activation(lambda a: a + 1)])
    np.testing.assert_array_equal(clone_model(model)(x), [[4.0, -5.0]])
    steps = layers.TimeDistributed(layers.Lambda(lambda a: -a))
    clone = clone_model(Sequential([layers.Input((1, 2)), steps]))
    np.testing.assert_array_equal(clone(x[None]), -x[None])
    with pytest.raises(ValueError, match="a lambda has no name"):
        model.get_config()
