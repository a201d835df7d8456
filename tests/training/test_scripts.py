"""Whole scripts, run on real Keras and on minikeras: the same histories and weights.

A script is a function of the library. Weights are set to fixed numbers, so that nothing
depends on random generators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minikeras

RNG = np.random.default_rng(7)
X = RNG.normal(size=(20, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-1.0], [0.5], [0.0]])).astype("float32")
LABELS = (np.arange(20) % 3).astype("int32")
WEIGHTS = (np.arange(20) % 4 / 2).astype("float32")
STEPS = (np.arange(60).reshape(20, 3) * 7 % 5).astype("int32")  # 0 is masked

SCRIPTS: list[Callable[[Any], Any]] = []


def script(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Enter a function into the table."""
    SCRIPTS.append(function)
    return function


def fixed(model: Any) -> Any:
    """Give all weights numbers that depend on nothing but their shapes."""
    shapes = [w.shape for w in model.get_weights()]
    model.set_weights([np.cos(np.arange(np.prod(s)) + 1).reshape(s) for s in shapes])
    return model


def mlp(lib: Any, units: int = 1, activation: Any = None, base: Any = None) -> Any:
    x = lib.Input((4,), name="x")
    h = lib.layers.Dense(3, activation="tanh", name="body")(x)
    y = lib.layers.Dense(units, activation=activation, name="head")(h)
    return fixed((base or lib.Model)(inputs=x, outputs=y))


def two_headed(lib: Any) -> Any:
    x = lib.Input((4,), name="x")
    h = lib.layers.Dense(3, activation="tanh")(x)
    first = lib.layers.Dense(1, name="a")(h)
    second = lib.layers.Dense(3, activation="softmax", name="b")(h)
    return fixed(lib.Model(x, [first, second]))


def fit(model: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the history of two epochs in order, and the weights."""
    how = {"epochs": 2, "batch_size": 6, "shuffle": False, "verbose": 0}
    given = {**how, **kwargs}
    if args and not isinstance(args[0], (np.ndarray, dict, list)):
        del given["batch_size"]
    history = model.fit(*args, **given).history
    return history, model.get_weights()


def by_grad(lib: Any, compute: Callable[..., Any]) -> type:
    """Return a model whose step is its own; on JAX, Keras wants it without a state."""

    class Ours(minikeras.Model):
        def train_step(self, data: Any) -> Any:
            x, y = data
            loss = compute(minikeras.ops, self(x, training=True), y)
            variables = self.trainable_variables
            gradients = minikeras.backend.gradients(loss, variables)
            self.optimizer.apply(gradients, variables)
            return {"own": loss}

    class Theirs(lib.Model):
        def train_step(self, state: Any, data: Any) -> Any:
            import jax

            trainable, others, optimizer_state, metrics = state
            x, y = data

            def loss_of(values: Any) -> Any:
                pred, rest = self.stateless_call(values, others, x, training=True)
                return compute(lib.ops, pred, y), rest

            (loss, rest), gradients = jax.value_and_grad(loss_of, has_aux=True)(
                trainable
            )
            trainable, optimizer_state = self.optimizer.stateless_apply(
                optimizer_state, gradients, trainable
            )
            return {"own": loss}, (trainable, rest, optimizer_state, metrics)

    return Ours if lib is minikeras else Theirs


# -- steps and parts of steps of one's own ---------------------------------------------


@script
def a_train_step(lib: Any) -> Any:
    step = by_grad(lib, lambda ops, pred, y: ops.mean(ops.abs(pred - y) ** 1.5))
    model = mlp(lib, base=step)
    model.compile(optimizer=lib.optimizers.Adam(0.05))
    return fit(model, X, Y)


@script
def a_compute_loss(lib: Any) -> Any:
    class Model(lib.Model):
        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            loss = lib.ops.mean(lib.ops.square(y - y_pred)) + lib.ops.mean(x) ** 2
            return loss + lib.ops.cast(not training, "float32")

    model = mlp(lib, base=Model)
    model.compile(optimizer="sgd", metrics=["mae"])
    return fit(model, X, Y, validation_split=0.2)


@script
def a_compute_metrics(lib: Any) -> Any:
    class Model(lib.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            found = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**found, "doubled": 2 * found["mae"], "rows": len(y.shape)}

    model = mlp(lib, base=Model)
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return fit(model, X, Y), model.evaluate(X, Y, verbose=0, return_dict=True)


@script
def a_metric_of_the_model(lib: Any) -> Any:
    class Model(lib.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.own = lib.metrics.Mean(name="own")

        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            loss = lib.ops.mean(lib.ops.square(y - y_pred))
            self.own.update_state(loss * 10)
            return loss

        @property
        def metrics(self):
            return [*super().metrics, self.own]

    model = mlp(lib, base=Model)
    model.compile(optimizer="sgd")
    return fit(model, X, Y, validation_data=(X, Y))


@script
def add_loss_in_a_layer(lib: Any) -> Any:
    class Penalty(lib.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * lib.ops.sum(lib.ops.square(x)))
            return x

    x = lib.Input((4,))
    h = Penalty()(lib.layers.Dense(2, kernel_regularizer="l2")(x))
    model = fixed(lib.Model(x, lib.layers.Dense(1, activity_regularizer="l1")(h)))
    model.compile("sgd", "mse")
    return fit(model, X, Y, validation_data=(X, Y)), model.evaluate(X, Y, verbose=0)


@script
def losses_by_functions(lib: Any) -> Any:
    def own(y_true, y_pred):
        return lib.ops.mean(lib.ops.abs(y_true - y_pred) ** 3, axis=-1)

    class Largest(lib.losses.Loss):
        def call(self, y_true, y_pred):
            return lib.ops.max(lib.ops.abs(y_true - y_pred), axis=-1)

    results = []
    for loss in (own, Largest(), Largest(reduction="sum", name="l")):
        model = mlp(lib)
        model.compile("sgd", loss, metrics=[own, Largest()])
        results.append(fit(model, X, Y, sample_weight=WEIGHTS))
    return results


# -- what is trained -------------------------------------------------------------------


@script
def trainable_is_toggled(lib: Any) -> Any:
    model = mlp(lib)
    model.get_layer("body").trainable = False
    model.compile("adam", "mse")
    first = fit(model, X, Y)
    model.trainable = True
    model.compile("adam", "mse")
    second = fit(model, X, Y)
    counts = len(model.trainable_weights), len(model.non_trainable_weights)
    return first, second, counts


@script
def nested_and_shared_layers(lib: Any) -> Any:
    inner = mlp(lib, 2)
    a, b = lib.Input((4,), name="a"), lib.Input((4,), name="b")
    y = lib.layers.Dense(1)(lib.layers.Subtract()([inner(a), inner(b)]))
    model = fixed(lib.Model({"a": a, "b": b}, y))
    model.compile("rmsprop", "mse")
    return fit(model, {"a": X, "b": X[::-1].copy()}, Y)


@script
def batch_normalization_in_both_modes(lib: Any) -> Any:
    x = lib.Input((4,))
    h = lib.layers.BatchNormalization(momentum=0.5)(lib.layers.Dense(3)(x))
    model = lib.Model(x, lib.layers.Dense(1)(h))
    shapes = [w.shape for w in model.get_weights()]
    model.set_weights([np.cos(np.arange(np.prod(s))).reshape(s) ** 2 for s in shapes])
    model.compile("sgd", "mse")
    return fit(model, X, Y, validation_data=(X, Y)), model.predict(X, verbose=0)


# -- how it is trained -----------------------------------------------------------------


def plainly(lib: Any, compile: Any = (), **how: Any) -> Any:
    model = mlp(lib)
    model.compile("sgd", "mse", metrics=["mae"], **dict(compile))
    return fit(model, X, Y, **how)


@script
def ways_to_run(lib: Any) -> Any:
    return [
        plainly(lib, {"run_eagerly": True}),
        plainly(lib, {"jit_compile": True}),
        plainly(lib, {"jit_compile": False}),
        plainly(lib, {"steps_per_execution": 2}),
        plainly(lib, {"steps_per_execution": 9}),
    ]


@script
def ways_to_validate(lib: Any) -> Any:
    held_out = {"validation_data": (X[:7], Y[:7])}
    return [
        plainly(lib, epochs=5, validation_freq=2, **held_out),
        plainly(lib, epochs=5, validation_freq=[1, 4], **held_out),
        plainly(lib, epochs=5, initial_epoch=3, **held_out),
        plainly(lib, validation_split=0.3, validation_batch_size=2),
        plainly(lib, validation_data=(X, Y, WEIGHTS), validation_steps=2),
    ]


@script
def steps_of_an_epoch(lib: Any) -> Any:
    return [
        plainly(lib, steps_per_epoch=2),
        plainly(lib, steps_per_epoch=3, epochs=3, batch_size=5),
    ]


@script
def weights_of_classes_and_samples(lib: Any) -> Any:
    results = []
    for labels, loss in (
        (LABELS, "sparse_categorical_crossentropy"),
        (np.eye(3, dtype="float32")[LABELS], "categorical_crossentropy"),
    ):
        for how in (
            {"class_weight": {0: 0.5, 1: 2.0}},
            {"sample_weight": WEIGHTS},
        ):
            model = mlp(lib, 3, "softmax")
            model.compile("sgd", loss, metrics=["acc"], weighted_metrics=["accuracy"])
            results.append(fit(model, X, labels, **how))
    return results


@script
def masks_reach_losses_and_metrics(lib: Any) -> Any:
    x = lib.Input((3,), dtype="int32")
    h = lib.layers.Embedding(5, 2, mask_zero=True)(x)
    h = lib.layers.LSTM(3, return_sequences=True)(h)
    model = fixed(lib.Model(x, lib.layers.TimeDistributed(lib.layers.Dense(1))(h)))
    targets = (STEPS[..., None] / 4).astype("float32")
    weights = np.repeat(WEIGHTS[:, None], 3, axis=1)
    model.compile("sgd", "mse")
    fitted = fit(model, STEPS, targets, sample_weight=weights, validation_split=0.25)
    # On JAX, Keras's metrics see masks in evaluation alone.
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    return fitted, [
        model.evaluate(STEPS, targets, sample_weight=w, verbose=0)
        for w in (None, weights)
    ]


@script
def several_outputs(lib: Any) -> Any:
    results = []
    sparse = "sparse_categorical_crossentropy"
    for compile, y, how in (
        (
            {
                "loss": {"a": "mse", "b": sparse},
                "loss_weights": {"a": 0.5, "b": 2.0},
                "metrics": {"b": ["accuracy"]},
            },
            [Y, LABELS],
            {"sample_weight": [WEIGHTS, WEIGHTS[::-1].copy()]},
        ),
        (
            {"loss": ["mae", sparse], "metrics": [["mse"], ["accuracy"]]},
            [Y, LABELS],
            {"validation_split": 0.2},
        ),
        (
            {"loss": ["mse", None], "loss_weights": [3.0, 1.0], "metrics": []},
            [Y, LABELS],
            {},
        ),
        (
            {"loss": ["mse", sparse], "weighted_metrics": [["mae"], None]},
            [Y, LABELS],
            {"sample_weight": [WEIGHTS, WEIGHTS]},
        ),
    ):
        model = two_headed(lib)
        model.compile("sgd", **compile)
        results.append(fit(model, X, y, **how))
        results.append(sorted(model.evaluate(X, y, verbose=0, return_dict=True)))
    return results


# -- where data come from --------------------------------------------------------------


@script
def generators_and_data_sets(lib: Any) -> Any:
    class Rows(lib.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            rows = slice(5 * index, 5 * index + 5)
            return X[rows], Y[rows], WEIGHTS[rows]

    def endless():
        while True:
            for i in range(0, 20, 5):
                yield X[i : i + 5], Y[i : i + 5]

    results = []
    for data, how in (
        (Rows(), {}),
        (Rows(), {"steps_per_epoch": 2}),
        (endless(), {"steps_per_epoch": 3}),
        (endless(), {"steps_per_epoch": 4, "validation_data": Rows()}),
    ):
        model = mlp(lib)
        model.compile("sgd", "mse", weighted_metrics=["mae"])
        results.append(fit(model, data, **how))
    results.append(model.evaluate(Rows(workers=3), verbose=0))
    results.append(model.predict(Rows(), verbose=0))
    return results


# -- batch by batch --------------------------------------------------------------------


@script
def on_batches(lib: Any) -> Any:
    model = two_headed(lib)
    sparse = "sparse_categorical_crossentropy"
    metrics = [["mae"], ["accuracy"]]
    model.compile("adam", ["mse", sparse], metrics=metrics)
    y = [Y, LABELS]
    return [
        model.train_on_batch(X, y),
        model.train_on_batch(X, y, sample_weight=[WEIGHTS, WEIGHTS]),
        model.train_on_batch(X, y, return_dict=True),
        model.test_on_batch(X, y),
        model.test_on_batch(X, y, return_dict=True),
        model.predict_on_batch(X),
        model.evaluate(X, y, verbose=0),
        model.evaluate(X, y, verbose=0, batch_size=7, return_dict=True),
        model.metrics_names,
        model.get_weights(),
    ]


@script
def class_weights_on_a_batch(lib: Any) -> Any:
    model = mlp(lib, 3, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy")
    weights = {0: 1.0, 1: 0.0, 2: 4.0}
    return [model.train_on_batch(X, LABELS, class_weight=weights) for _ in range(3)]


@script
def stateless_calls(lib: Any) -> Any:
    model = mlp(lib)
    trainable = [v.numpy() * 2 for v in model.trainable_variables]
    others = [v.numpy() for v in model.non_trainable_variables]
    outputs, rest = model.stateless_call(trainable, others, X)
    return np.asarray(outputs), [np.asarray(v) for v in rest], model.get_weights()


@script
def a_model_that_is_compiled_anew_goes_on(lib: Any) -> Any:
    model = mlp(lib)
    model.compile("sgd", "mse", metrics=["mae"])
    first = fit(model, X, Y)
    model.compile(lib.optimizers.Nadam(0.1), "mae", metrics=["mse"])
    return first, fit(model, X, Y)


# -- the comparison --------------------------------------------------------------------


def assert_same(got: Any, want: Any, path: str = "") -> None:
    """Compare nestings of numbers and names."""
    if isinstance(want, dict):
        assert list(got) == list(want), path
        for key, value in want.items():
            assert_same(got[key], value, f"{path}[{key!r}]")
    elif isinstance(want, (list, tuple)):
        assert len(got) == len(want), path
        for i, value in enumerate(want):
            assert_same(got[i], value, f"{path}[{i}]")
    elif isinstance(want, str):
        assert got == want, path
    else:
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5, err_msg=path)


@pytest.mark.parametrize("run", SCRIPTS, ids=lambda run: run.__name__)
@pytest.mark.filterwarnings("ignore:.*Your input ran out of data")
@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables")
@pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile=True`")
def test_a_script_does_the_same_on_both(run: Callable[[Any], Any], keras: Any) -> None:
    keras.backend.clear_session()
    minikeras.backend.clear_session()
    assert_same(run(minikeras), run(keras))


def test_the_comparison_sees_a_difference() -> None:
    for other in ([1.0, 2.1], [1.0], {"a": 1.0}):
        with pytest.raises((AssertionError, KeyError, TypeError)):
            assert_same(other, [1.0, 2.0])


def test_gradients_are_those_of_differences() -> None:
    ops = minikeras.ops

    def loss(w):
        return ops.sum(ops.tanh(ops.matmul(X, w)) ** 2)

    w = np.cos(np.arange(4.0))[:, None].astype("float64")
    value, gradient = minikeras.value_and_grad(loss)(w)
    np.testing.assert_allclose(minikeras.grad(loss)(w), gradient)
    for i in range(4):
        step = np.zeros_like(w)
        step[i] = 1e-5
        slope = (np.asarray(loss(w + step)) - np.asarray(loss(w - step))) / 2e-5
        np.testing.assert_allclose(gradient[i], slope, rtol=1e-3)
    np.testing.assert_allclose(minikeras.function(loss)(w), value)
