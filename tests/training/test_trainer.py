"""`fit`, `evaluate` and `predict`: what they promise beyond Keras's numbers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras.layers import Dense, Layer
from minikeras.models import Model, Sequential

ROWS = 40


@pytest.fixture
def x(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(ROWS, 4)).astype("float32")


@pytest.fixture
def y(x: np.ndarray) -> np.ndarray:
    return x @ np.array([[1.0], [-2.0], [0.5], [3.0]], "float32")


def regressor(loss: Any = "mse", **arguments: Any) -> Sequential:
    model = Sequential([Dense(8, activation="relu"), Dense(1)])
    model.compile("adam", loss, **arguments)
    return model


def weights_of(model: Any) -> bytes:
    return b"".join(w.tobytes() for w in model.get_weights())


def watched(calls: list[Any], *hooks: str) -> Any:
    """Return a callback that notes the calls of these hooks."""

    def note(hook: str) -> Any:
        return lambda *args, **kwargs: calls.append((hook, *args))

    return minikeras.callbacks.LambdaCallback(**{hook: note(hook) for hook in hooks})


# -- learning and seeds ----------------------------------------------------------------


def test_training_makes_the_loss_smaller(x, y):
    model = regressor(metrics=["mae"])
    model.optimizer.learning_rate = 0.02
    history = model.fit(x, y, epochs=30, batch_size=8, verbose=0)
    assert history.history["loss"][-1] < 0.1 * history.history["loss"][0]
    assert history.epoch == list(range(30))
    assert history.params == {"verbose": 0, "epochs": 30, "steps": 5}
    assert model.history is history


def run(x, y, seed, **options):
    K.clear_session()
    K.set_random_seed(seed)
    model = regressor(metrics=["mae"])
    history = model.fit(x, y, epochs=3, batch_size=16, verbose=0, **options)
    return weights_of(model), history.history


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
def test_the_same_seed_gives_the_same_bits(x, y, shuffle):
    assert run(x, y, 5, shuffle=shuffle) == run(x, y, 5, shuffle=shuffle)


def test_another_seed_gives_other_numbers(x, y):
    assert run(x, y, 5)[0] != run(x, y, 6)[0]


def test_each_epoch_has_an_order_of_its_own(x, y):
    seen: list[Any] = []

    class Watching(Sequential):
        def train_step(self, data):
            return {**super().train_step(data), "first": data[0][0, 0]}

    model = Watching([Dense(1)])
    model.compile("sgd", "mse")
    note = minikeras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["first"])
    )
    model.fit(x, y, epochs=3, batch_size=ROWS, callbacks=note, verbose=0)
    assert len(set(seen)) == 3
    assert set(seen) <= set(x[:, 0].tolist())


# -- forms of data ---------------------------------------------------------------------


def test_lists_of_numbers_are_arrays(x, y):
    model = regressor()
    model.fit(x, y, verbose=0)
    listed = model.evaluate(x.tolist(), y.tolist(), verbose=0)
    assert listed == model.evaluate(x, y, verbose=0)
    assert model.predict(x.tolist(), verbose=0).shape == (ROWS, 1)


def batches(x, y, size=16):
    for start in range(0, len(x), size):
        yield x[start : start + size], y[start : start + size]


class Loader:
    """A source that can be iterated more than once."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __iter__(self):
        return zip(*(np.array_split(a, 3) for a in self.arrays), strict=True)


@pytest.mark.parametrize("source", [Loader, lambda x, y: batches(x, y)])
def test_an_iterable_of_batches_is_as_good_as_arrays(x, y, source):
    by_arrays, by_batches = regressor(), regressor()
    by_batches.build((None, 4))
    by_arrays.build((None, 4))
    by_arrays.set_weights(by_batches.get_weights())
    got = by_batches.fit(source(x, y), verbose=0).history
    size = len(next(iter(source(x, y)))[0])
    wanted = by_arrays.fit(x, y, batch_size=size, shuffle=False, verbose=0).history
    np.testing.assert_allclose(got["loss"], wanted["loss"], rtol=0.02)
    assert by_batches.evaluate(source(x, y), verbose=0) == pytest.approx(
        by_batches.evaluate(x, y, verbose=0), rel=1e-5
    )
    np.testing.assert_allclose(
        by_batches.predict(source(x, y), verbose=0),
        by_batches.predict(x, verbose=0),
        rtol=1e-5,
    )


def test_a_loader_is_iterated_anew_in_each_epoch(x, y):
    history = regressor().fit(Loader(x, y), epochs=3, verbose=0)
    assert history.epoch == [0, 1, 2]


def test_a_generator_goes_on_from_epoch_to_epoch(x, y):
    def endless():
        while True:
            yield from batches(x, y)

    history = regressor().fit(endless(), steps_per_epoch=2, epochs=3, verbose=0)
    assert history.params["steps"] == 2
    assert len(history.history["loss"]) == 3


def test_a_generator_that_ends_ends_the_training(x, y):
    with pytest.warns(UserWarning, match="ran out of data before epoch 2"):
        history = regressor().fit(batches(x, y), epochs=5, verbose=0)
    assert history.epoch == [0]


def test_batches_may_carry_weights(x, y):
    weights = np.linspace(0, 2, ROWS).astype("float32")
    model = regressor(weighted_metrics=["mae"])
    model.fit(Loader(x, y, weights), validation_data=Loader(x, y, weights), verbose=0)
    by_batches = model.evaluate(Loader(x, y, weights), verbose=0)
    by_arrays = model.evaluate(x, y, sample_weight=weights, verbose=0)
    assert by_batches[1] == pytest.approx(by_arrays[1], rel=1e-5)


def counted(steps: list[str], *layers: Any) -> Sequential:
    """Return a model that notes each trace of a step."""

    class Counted(Sequential):
        def train_step(self, data):
            steps.append("train")
            return super().train_step(data)

        def test_step(self, data):
            steps.append("test")
            return super().test_step(data)

        def predict_step(self, data):
            steps.append("predict")
            return super().predict_step(data)

    model = Counted(layers or [Dense(3, activation="tanh"), Dense(1)])
    model.compile(minikeras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def test_sequences_of_different_lengths_are_traced_once_for_each():
    class Total(Layer):
        def call(self, inputs):
            return K.sum(inputs, axis=1)

    rng = np.random.default_rng(0)
    lengths = (3, 5, 3, 5)
    source = [rng.normal(size=(6, n, 2)) for n in lengths]
    steps: list[str] = []
    model = counted(steps, minikeras.Input((None, 2)), Dense(1), Total())
    model.fit(((s, np.zeros((6, 1))) for s in source), verbose=0)
    assert steps == ["train", "train"]


def test_the_last_smaller_batch_needs_no_trace_of_its_own(x, y):
    steps: list[str] = []
    counted(steps).fit(x, y, batch_size=16, epochs=2, verbose=0)
    assert steps == ["train"]


def test_a_step_is_traced_once_for_all_calls(x, y):
    steps: list[str] = []
    model = counted(steps)
    for _ in range(2):
        model.fit(x, y, validation_data=(x, y), epochs=2, batch_size=16, verbose=0)
        model.evaluate(x[:3], y[:3], verbose=0)
        model.predict(x, verbose=0)
        model.predict(x[:1], verbose=0)
        model.train_on_batch(x[:5], y[:5])
        model.test_on_batch(x, y)
        model.predict_on_batch(x)
        model(x)
        model.stop_training = True
        model.optimizer.learning_rate = 0.05
    assert steps == ["train", "test", "predict"]


def test_a_model_called_on_arrays_is_traced_once_whatever_is_fitted(x, y):
    calls: list[int] = []

    class Noted(Layer):
        def call(self, inputs):
            calls.append(1)
            return inputs

    model = Sequential([Noted(), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    before = model(x)
    calls.clear()
    model.fit(x, y, verbose=0)
    assert not np.array_equal(model(x), before)
    assert calls == []


def frozen(model: Any) -> None:
    model.layers[0].trainable = False


def frozen_variable(model: Any) -> None:
    model.layers[0].kernel.trainable = False


def without_steps(model: Any) -> None:
    model.optimizer.learning_rate = lambda: 0.0


def compiled_for_the_last_layer(model: Any) -> None:
    model.layers[0].trainable = False
    model.compile(minikeras.optimizers.SGD(0.1), "mae", metrics=["mse"])


@pytest.mark.parametrize(
    "change, trained",
    [
        (frozen, [False, True]),
        (frozen_variable, [False, True]),
        (without_steps, [False, False]),
        (compiled_for_the_last_layer, [False, True]),
    ],
)
def test_a_change_between_two_steps_counts(x, y, change, trained):
    steps: list[str] = []
    model = counted(steps)
    model.train_on_batch(x, y)
    change(model)
    before = [layer.get_weights()[0] for layer in model.layers]
    model.train_on_batch(x, y)
    after = [layer.get_weights()[0] for layer in model.layers]
    assert [not np.array_equal(*w) for w in zip(before, after, strict=True)] == trained
    assert steps == ["train", "train"]


def test_a_layer_that_is_added_or_taken_away_counts(x):
    model = Sequential([Dense(3, activation="tanh")])
    inner = model.predict(x[:2], verbose=0)
    model.add(minikeras.layers.Activation("relu"))
    relu = np.maximum(inner, 0)
    np.testing.assert_array_equal(model.predict(x[:2], verbose=0), relu)
    np.testing.assert_array_equal(model(x[:2]), relu)
    model.pop()
    np.testing.assert_array_equal(model.predict(x[:2], verbose=0), inner)


def test_a_metric_that_a_built_layer_gets_is_reset(x, y):
    model = regressor()
    model.train_on_batch(x, y)
    model.layers[0]._late = minikeras.metrics.Mean(name="late")
    model.layers[0]._late.update_state(7.0)
    assert model.metrics[-1] is model.layers[0]._late
    model.reset_metrics()
    assert model.layers[0]._late.result() == 0.0


def test_arrays_on_disk_are_read_batch_by_batch(x, y, tmp_path):
    on_disk = np.memmap(tmp_path / "x", np.float64, "w+", shape=x.shape)
    on_disk[:] = x
    model = regressor()
    model.fit(on_disk, y, verbose=0)
    assert model.evaluate(on_disk, y, verbose=0) == pytest.approx(
        model.evaluate(x, y, verbose=0)
    )


def test_predict_gives_one_row_for_each_input(x):
    model = Sequential([Dense(3)])
    predicted = model.predict(x, batch_size=7, verbose=0)
    np.testing.assert_allclose(predicted, model(x), rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(x[:5]), predicted[:5], rtol=1e-5)
    predicted[0] = 0.0  # the caller's own


@pytest.mark.parametrize("rows", [1, 7, 32, 33])
def test_one_batch_is_predicted_like_several(x, rows):
    model = Sequential([Dense(3, activation="tanh"), Dense(2)])
    wanted = model.predict(x, batch_size=3, verbose=0)[:rows]
    for inputs in (x[:rows], x[:rows].astype("float64"), x[:rows].tolist(), [x[:rows]]):
        got = model.predict(inputs, verbose=0)
        assert (got.dtype, got.shape) == ("float32", (rows, 2))
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-7)
    got[0] = 0.0  # the caller's own


def test_predictions_follow_the_weights(x):
    model = Sequential([Dense(1, use_bias=False)])
    model.predict(x[:1], verbose=0)
    model.set_weights([np.full((4, 1), 2.0)])
    predicted = model.predict(x[:1], verbose=0)
    np.testing.assert_allclose(predicted[:, 0], 2 * x[:1].sum(1), rtol=1e-5)


@pytest.mark.parametrize("rows, batch_size", [(0, None), (1, 0), (1, -1)])
def test_prediction_refuses_what_it_cannot_do(x, rows, batch_size):
    model = Sequential([Dense(1)])
    with pytest.raises(ValueError, match=r"has no samples|batch_size is an integer"):
        model.predict(x[:rows], batch_size=batch_size, verbose=0)


# -- subclasses ------------------------------------------------------------------------


def test_a_train_step_of_ones_own(x, y):
    class Custom(Sequential):
        def train_step(self, data):
            x, y = data
            loss = K.mean(K.square(self(x, training=True) - y))
            gradients = K.gradients(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"my_loss": loss}

    model = Custom([Dense(1)])
    model.compile("sgd")
    history = model.fit(x, y, epochs=2, batch_size=20, shuffle=False, verbose=0).history
    assert list(history) == ["my_loss"]
    assert history["my_loss"][1] < history["my_loss"][0]


def test_logs_of_metrics_that_no_step_updates_are_not_zero(x, y):
    class Custom(Sequential):
        def train_step(self, data):
            x, y = data
            loss = K.mean(K.square(self(x, training=True) - y))
            self.optimizer.apply(
                K.gradients(loss, self.trainable_variables), self.trainable_variables
            )
            return {"loss": loss}

    model = Custom([Dense(1)])
    model.compile("sgd", "mse")
    assert model.fit(x, y, verbose=0).history["loss"][0] > 0


def test_the_step_of_kerass_guide_works(x, y):
    class Custom(Sequential):
        def train_step(self, data):
            x, y = data
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = K.gradients(loss, self.trainable_weights)
            self.optimizer.apply(gradients, self.trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    model = Custom([Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert list(history) == ["loss", "mae"]


def test_compute_loss_of_ones_own_without_training(x, y):
    class Custom(Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return K.mean(K.abs(y - y_pred)) + 7.0

    model = Custom([Dense(1)])
    model.compile("sgd")
    assert model.fit(x, y, verbose=0).history["loss"][0] > 7.0


def test_metrics_of_layers_and_models_are_reset_and_reported(x, y):
    class Watched(Layer):
        def __init__(self):
            super().__init__()
            self.size = minikeras.metrics.Mean(name="size")

        def call(self, inputs):
            self.size.update_state(K.abs(inputs))
            return inputs

    model = Sequential([Watched(), Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=2, shuffle=False, verbose=0).history
    assert history["size"] == pytest.approx([np.abs(x).mean()] * 2, rel=1e-5)


def test_penalties_of_layers_are_part_of_the_loss(x, y):
    class Penalty(Layer):
        def call(self, inputs):
            self.add_loss(K.constant(3.0))
            return inputs

    plain, more = Sequential([Dense(1)]), Sequential([Penalty(), Dense(1)])
    for model in (plain, more):
        model.build((None, 4))
        model.compile("sgd", "mse")
    more.set_weights(plain.get_weights())
    difference = more.evaluate(x, y, verbose=0) - plain.evaluate(x, y, verbose=0)
    assert difference == pytest.approx(3.0, rel=1e-4)


def test_a_model_that_has_penalties_alone_needs_no_targets(x):
    class Autoencoder(Model):
        def __init__(self):
            super().__init__()
            self.code, self.decode = Dense(2), Dense(4)

        def call(self, inputs):
            outputs = self.decode(self.code(inputs))
            self.add_loss(K.mean(K.square(outputs - inputs)))
            return outputs

    model = Autoencoder()
    model.compile("adam")
    history = model.fit(x, epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_frozen_layers_stay_as_they_are(x, y):
    model = regressor()
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    kernel, last = model.layers[0].get_weights()[0], model.layers[1].get_weights()[0]
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)
    assert (model.layers[1].get_weights()[0] != last).any()


def test_eager_steps_run_python_for_each_batch(x, y):
    calls = []

    class Noted(Layer):
        def call(self, inputs):
            calls.append(1)
            return inputs

    counts = []
    for eager in (False, True):
        calls.clear()
        model = Sequential([Noted(), Dense(1)])
        model.build((None, 4))
        model.compile("sgd", "mse", run_eagerly=eager)
        model.fit(x, y, batch_size=10, epochs=2, verbose=0)
        counts.append(len(calls))
    assert counts[1] - counts[0] >= 7


# -- compile ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, targets, units",
    [
        ("accuracy", "binary", 1),
        ("acc", "sparse", 3),
        ("accuracy", "one-hot", 3),
        ("crossentropy", "binary", 1),
        ("ce", "sparse", 3),
        ("crossentropy", "one-hot", 3),
    ],
)
def test_a_name_stands_for_what_suits_the_targets(x, name, targets, units):
    labels = np.arange(ROWS) % 3
    forms = {
        "binary": labels[:, None] > 0,
        "sparse": labels,
        "one-hot": np.eye(3)[labels],
    }
    activation = "sigmoid" if units == 1 else "softmax"
    model = Sequential([Dense(units, activation=activation)])
    model.compile("sgd", "crossentropy", metrics=[name])
    logs = model.evaluate(x, forms[targets], verbose=0, return_dict=True)
    assert list(logs) == sorted(["loss", name])
    predicted = model.predict(x, verbose=0)
    if name in ("crossentropy", "ce"):
        assert logs[name] == pytest.approx(logs["loss"], rel=1e-4)
    elif units == 1:
        assert logs[name] == pytest.approx(
            ((predicted > 0.5)[:, 0] == (labels > 0)).mean()
        )
    else:
        assert logs[name] == pytest.approx((predicted.argmax(1) == labels).mean())


@pytest.mark.parametrize(
    "arguments, meant",
    [
        ({"optimizer": "adm"}, "adam"),
        ({"loss": "mean_squared_eror"}, "mean_squared_error"),
        ({"metrics": ["acuracy"]}, "accuracy"),
        ({"weighted_metrics": ["mean_absolute_eror"]}, "mean_absolute_error"),
    ],
)
def test_a_misspelt_name_is_found_by_compile(arguments, meant):
    model = Sequential([Dense(1)])
    with pytest.raises(ValueError, match=f"(?i)Did you mean '{meant}'"):
        model.compile(**arguments)
    assert not model.compiled


def test_functions_are_losses_and_metrics(x, y):
    def distance(y_true, y_pred):
        return K.mean(K.abs(y_true - y_pred), axis=-1)

    model = regressor(loss=distance, metrics=[distance, "mae"])
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(logs) == ["distance", "loss", "mae"]
    assert logs["distance"] == logs["mae"] == pytest.approx(logs["loss"], rel=1e-6)


def test_compile_config_makes_the_same_again(x, y):
    model = regressor("huber", metrics=["mae"])
    config = model.get_compile_config()
    other = Sequential([Dense(8), Dense(1)])
    other.compile(**K.deserialize_keras_object(config))
    assert type(other.optimizer) is type(model.optimizer)
    assert (other.loss, other.get_compile_config()) == ("huber", config)


# -- callbacks and the loop ------------------------------------------------------------


def test_hooks_are_called_in_keras_order(x, y):
    calls: list[Any] = []
    begin = ["on_train_begin", "on_epoch_begin"]
    train = ["on_train_batch_begin", "on_train_batch_end"]
    test = ["on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"]
    hooks = [*begin, *train, *test, "on_epoch_end", "on_train_end", "on_exit"]
    model = regressor()
    callback = watched(calls, *hooks)
    model.fit(x, y, batch_size=20, validation_split=0.5, callbacks=callback, verbose=0)
    assert [call[0] for call in calls] == hooks
    assert calls[3][2].keys() == {"loss"}
    assert calls[8][2].keys() == {"loss", "val_loss"}


def test_values_are_read_only_if_somebody_looks(x, y, monkeypatch):
    reads = []
    model = regressor()
    results = type(model._trainer)._logs
    monkeypatch.setattr(
        type(model._trainer), "_logs", lambda *a: reads.append(1) or results(*a)
    )
    model.fit(x, y, batch_size=4, epochs=3, verbose=0)
    assert len(reads) == 3


def test_stopping_ends_after_the_batch(x, y):
    class Stop(minikeras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    model = regressor()
    history = model.fit(x, y, batch_size=4, epochs=3, callbacks=Stop(), verbose=0)
    assert history.epoch == [0]
    assert int(model.optimizer.iterations) == 3
    assert len(model.predict(x, batch_size=4, verbose=0)) == ROWS


def test_a_hook_sees_the_values_up_to_each_batch(x, y):
    seen: list[Any] = []

    class Watching(minikeras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, dict(logs), type(logs["loss"])))

    model = Sequential([Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(minikeras.optimizers.SGD(0.0), "mse", metrics=["mae"])
    options = {"batch_size": 16, "shuffle": False, "verbose": 0}
    model.fit(x, y, callbacks=Watching(), **options)
    for number, rows in enumerate((16, 32, 40)):
        batch, logs, kind = seen[number]
        assert (batch, kind) == (number, float)
        wanted = {"loss": np.mean(y[:rows] ** 2), "mae": np.mean(np.abs(y[:rows]))}
        assert logs == pytest.approx(wanted, rel=1e-5)


def test_hooks_that_nobody_has_are_not_called(x, y, monkeypatch):
    calls: list[str] = []

    def note(self, batch, logs=None):
        calls.append("called")

    for owner in (minikeras.callbacks.Callback, minikeras.callbacks.CallbackList):
        for phase in ("train", "test", "predict"):
            for end in ("begin", "end"):
                monkeypatch.setattr(owner, f"on_{phase}_batch_{end}", note)
    model = regressor()
    only_epochs = minikeras.callbacks.LambdaCallback(on_epoch_end=lambda *args: None)
    model.fit(x, y, validation_data=(x, y), callbacks=only_epochs, verbose=0)
    model.predict(x, callbacks=only_epochs, verbose=0)
    assert calls == []


@pytest.mark.parametrize("together", [1, 2, 3, 10])
def test_several_steps_at_a_time_as_in_keras(keras, x, y, together):
    found = []
    for lib in (minikeras, keras):
        calls: list[Any] = []

        class Watching(lib.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None, calls=calls):
                calls.append(("train from", batch))

            def on_train_batch_end(self, batch, logs=None, calls=calls):
                calls.append(("train to", batch, round(float(logs["loss"]), 4)))

            def on_test_batch_end(self, batch, logs=None, calls=calls):
                calls.append(("test to", batch, round(float(logs["loss"]), 4)))

            def on_predict_batch_end(self, batch, logs=None, calls=calls):
                calls.append(("predict to", batch, logs["outputs"].shape))

        model = lib.Sequential([lib.Input((4,)), lib.layers.Dense(1)])
        model.set_weights([np.full((4, 1), 0.5), np.zeros(1)])
        model.compile("sgd", "mse", steps_per_execution=together, jit_compile=False)
        how = {"batch_size": 8, "verbose": 0, "callbacks": [Watching()]}
        model.fit(x, y, epochs=2, shuffle=False, **how)
        model.evaluate(x[:20], y[:20], **how)
        assert model.predict(x, **how).shape == (ROWS, 1)
        found.append(calls)
    assert found[0] == found[1]


def test_steps_at_a_time_are_at_least_one():
    with pytest.raises(ValueError, match="steps_per_execution"):
        regressor(steps_per_execution=0)


def test_an_interrupt_between_two_steps_leaves_a_model_that_goes_on(x, y):
    steps: list[str] = []
    model = counted(steps)

    def interrupt(batch, logs):
        if batch == 1:
            raise KeyboardInterrupt

    hook = minikeras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=4, callbacks=hook, verbose=0)
    assert int(model.optimizer.iterations) == 2
    loss = model.evaluate(x, y, verbose=0)[0]
    assert model.fit(x, y, epochs=9, verbose=0).history["loss"][-1] < loss
    assert steps == ["train", "test"]


def test_hooks_of_prediction_see_the_outputs(x):
    calls: list[Any] = []
    hooks = (
        "on_predict_begin on_predict_batch_begin on_predict_batch_end on_predict_end"
    )
    model = Sequential([Dense(2)])
    model.predict(x, callbacks=watched(calls, *hooks.split()), verbose=0, batch_size=40)
    assert [call[0] for call in calls] == hooks.split()
    assert calls[2][2]["outputs"].shape == (ROWS, 2)


def test_validation_leaves_no_trace_in_the_training_metrics(x, y):
    plain, watched_too = regressor(), regressor()
    plain.build((None, 4))
    watched_too.build((None, 4))
    watched_too.set_weights(plain.get_weights())
    options = {"epochs": 3, "shuffle": False, "verbose": 0}
    with_validation = watched_too.fit(x, y, validation_data=(x, y), **options).history
    assert plain.fit(x, y, **options).history["loss"] == with_validation["loss"]
    assert with_validation["val_loss"][-1] == watched_too.evaluate(x, y, verbose=0)


def test_evaluate_and_predict_can_be_told_to_stop() -> None:
    model = minikeras.Sequential([minikeras.Input((2,)), minikeras.layers.Dense(1)])
    model.compile("sgd", "mse")

    def batches(flag: str) -> Any:
        for number in itertools.count():
            if number == 2:
                setattr(model, flag, True)
            yield np.ones((3, 2), "float32"), np.ones((3, 1), "float32")

    model.evaluate(batches("stop_evaluating"), verbose=0)
    assert model.stop_evaluating
    found = model.predict((x for x, _ in batches("stop_predicting")), verbose=0)
    assert found.shape[1:] == (1,)
