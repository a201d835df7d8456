"""Several outputs: losses, metrics, targets and weights in every form Keras takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras.training.outputs import Outputs

ROWS = 24


def two_outputs(lib: Any) -> Any:
    """Return a model with the outputs ``value`` and ``kind``."""
    x = lib.Input((4,), name="x")
    hidden = lib.layers.Dense(5, activation="tanh", name="hidden")(x)
    value = lib.layers.Dense(1, name="value")(hidden)
    kind = lib.layers.Dense(3, activation="softmax", name="kind")(hidden)
    model = lib.Model(x, [value, kind])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) * 0.4 for w in model.get_weights()])
    return model


def data() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(ROWS, 4)).astype("float32")
    return x, rng.normal(size=(ROWS, 1)), rng.integers(0, 3, ROWS)


X, VALUE, KIND = data()
WEIGHTS = (np.arange(ROWS) % 4).astype("float32")
CROSSENTROPY = "sparse_categorical_crossentropy"

FORMS = {
    "lists": (
        {
            "loss": ["mse", CROSSENTROPY],
            "loss_weights": [0.3, 2.0],
            "metrics": [["mae"], ["accuracy"]],
        },
        {"y": [VALUE, KIND]},
    ),
    "dicts": (
        {
            "loss": {"kind": CROSSENTROPY, "value": "mse"},
            "loss_weights": {"kind": 2.0, "value": 0.3},
            "metrics": {"kind": "accuracy", "value": ["mae", "mse"]},
        },
        {"y": {"kind": KIND, "value": VALUE}},
    ),
    "one loss for both": (
        {"loss": "mae"},
        {"y": [VALUE, np.eye(3)[KIND]]},
    ),
    "one output without a loss": (
        {"loss": [None, CROSSENTROPY], "metrics": [None, ["accuracy"]]},
        {"y": [VALUE, KIND]},
    ),
    "weights for both": (
        {
            "loss": ["mse", CROSSENTROPY],
            "weighted_metrics": [["mae"], ["accuracy"]],
            "metrics": {"value": ["mae"]},
        },
        {"y": [VALUE, KIND], "sample_weight": WEIGHTS},
    ),
    "weights for each": (
        {"loss": ["mse", CROSSENTROPY]},
        {"y": [VALUE, KIND], "sample_weight": [WEIGHTS, WEIGHTS[::-1].copy()]},
    ),
}


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("form", FORMS)
def test_several_outputs_are_trained_as_in_keras(form: str, keras: Any) -> None:
    results = []
    for lib in (minikeras, keras):
        model = two_outputs(lib)
        compiled, fitted = FORMS[form]
        model.compile("sgd", **compiled, jit_compile=False)
        options = {"epochs": 2, "batch_size": 16, "shuffle": False, "verbose": 0}
        history = model.fit(X, **fitted, **options).history
        listed = model.evaluate(X, **fitted, batch_size=16, verbose=0)
        results.append((history, listed))
    (history, listed), (wanted, wanted_list) = results
    assert list(history) == list(wanted)
    for name, values in history.items():
        np.testing.assert_allclose(values, wanted[name], rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(listed, wanted_list, rtol=1e-4)


def test_outputs_in_a_dict_go_by_its_keys() -> None:
    x = minikeras.Input((4,))
    outputs = {
        "b": minikeras.layers.Dense(1, name="value")(x),
        "a": minikeras.layers.Dense(3, name="kind")(x),
    }
    model = minikeras.Model(x, outputs)
    loss = minikeras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss={"a": loss, "b": "mse"}, metrics={"a": ["accuracy"]})
    history = model.fit(X, {"a": KIND, "b": VALUE}, verbose=0).history
    assert sorted(history) == ["a_accuracy", "a_loss", "b_loss", "loss"]
    predicted = model.predict(X, verbose=0)
    assert {k: v.shape for k, v in predicted.items()} == {
        "b": (ROWS, 1),
        "a": (ROWS, 3),
    }


def test_a_list_has_the_values_of_a_dict() -> None:
    model = two_outputs(minikeras)
    model.compile("sgd", ["mse", CROSSENTROPY], metrics=[["mae"], ["accuracy"]])
    listed = model.evaluate(X, [VALUE, KIND], verbose=0)
    named = model.evaluate(X, [VALUE, KIND], verbose=0, return_dict=True)
    assert sorted(listed) == sorted(named.values())
    assert listed[0] == named["loss"]
    assert model.metrics_names[:2] == ["loss", "compile_metrics"]


def test_several_inputs_by_list_or_by_name(rng: np.random.Generator) -> None:
    a, b = minikeras.Input((2,), name="a"), minikeras.Input((3,), name="b")
    joined = minikeras.layers.Concatenate()([a, b])
    model = minikeras.Model([a, b], minikeras.layers.Dense(1)(joined))
    model.compile("sgd", "mse")
    xa, xb, y = (rng.normal(size=(9, n)).astype("float32") for n in (2, 3, 1))
    listed = model.evaluate([xa, xb], y, verbose=0)
    assert listed == model.evaluate({"a": xa, "b": xb}, y, verbose=0)
    history = model.fit([xa, xb], y, validation_split=0.3, verbose=0).history
    assert list(history) == ["loss", "val_loss"]


# -- what does not fit -----------------------------------------------------------------

PAIR = Outputs([K.placeholder((None, 1)), K.placeholder((None, 3))], ["value", "kind"])


@pytest.mark.parametrize(
    "value, message",
    [
        (["mse"], r"`loss` has 1 entries; the model has 2 outputs: 'value', 'kind'"),
        ({"knd": "mse"}, r"an entry for 'knd'.*Did you mean 'kind'\?"),
    ],
)
def test_what_does_not_fit_the_outputs_names_them(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PAIR.align(value, "loss")


def test_one_array_of_targets_for_two_outputs_is_an_error() -> None:
    model = two_outputs(minikeras)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"`y` has a single entry; the model has 2"):
        model.fit(X, VALUE, verbose=0)


def test_a_single_entry_can_stand_for_all() -> None:
    assert PAIR.align("mse", "loss", for_all=True) == ["mse", "mse"]
    assert PAIR.align(None, "loss_weights") == [None, None]
    assert PAIR.align({"kind": 2.0}, "loss_weights") == [None, 2.0]


def test_outputs_without_names_are_numbered() -> None:
    assert Outputs([1, 2]).names == ["output_1", "output_2"]
    assert Outputs({"z": 1, "a": 2}).names == ["a", "z"]
    assert Outputs({"z": 1, "a": 2}, ["z", "a"]).names == ["z", "a"]
    assert Outputs({"z": 1, "a": 2}, ["dense", "dense_1"]).names == ["a", "z"]


# -- losses in a nesting ---------------------------------------------------------------


def far(y_true: Any, y_pred: Any) -> Any:
    """Add up the distances of two outputs."""
    pairs = zip(K.tree.flatten(y_true), K.tree.flatten(y_pred), strict=True)
    return sum(K.mean(K.abs(y - p)) for y, p in pairs)


NESTED = {
    "a loss of all, then one of each": (
        [far, {"a": "mae", "b": "mse"}],
        {"a_b_loss", "a_loss", "b_loss"},
    ),
    "two losses of one": ({"b": ["mae", "mse"]}, {"b_loss"}),
    "a list in the order of the keys": (["mae", "mse"], {"a_loss", "b_loss"}),
}


@pytest.mark.parametrize("what", NESTED)
def test_losses_may_be_for_one_output_or_for_several(what: str) -> None:
    loss, names = NESTED[what]
    base = two_outputs(minikeras)
    model = minikeras.Model(base.input, {"a": base.outputs[0], "b": base.outputs[1]})
    model.compile("sgd", loss)
    y = {"a": VALUE, "b": np.eye(3)[KIND]}
    p = model.predict(X, verbose=0)
    found = model.evaluate(X, y, verbose=0, return_dict=True)
    mae = {k: np.abs(y[k] - p[k]).mean() for k in y}
    mse_b = np.square(y["b"] - p["b"]).mean()
    wanted = {
        "a loss of all, then one of each": sum(mae.values()) + mae["a"] + mse_b,
        "two losses of one": mae["b"] + mse_b,
        "a list in the order of the keys": mae["a"] + mse_b,
    }
    assert set(found) == {"loss", *names}
    np.testing.assert_allclose(found["loss"], wanted[what], rtol=1e-5)


def test_a_loss_for_a_key_that_no_output_has_is_an_error() -> None:
    base = two_outputs(minikeras)
    model = minikeras.Model(base.input, {"a": base.outputs[0], "b": base.outputs[1]})
    model.compile("sgd", {"a": "mse", "c": "mse"})
    with pytest.raises(KeyError, match=r"'c'.*in the `loss` argument"):
        model.evaluate(X, {"a": VALUE, "b": np.eye(3)[KIND]}, verbose=0)
