"""`make_train_function` and its like: called, replaced, made anew."""

import numpy as np
import pytest

import minikeras

X = np.arange(24, dtype="float32").reshape(12, 2) / 24
Y = X.sum(1, keepdims=True)


def made(cls=minikeras.Sequential, **options):
    minikeras.utils.set_random_seed(0)
    model = cls([minikeras.Input((2,)), minikeras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], **options)
    return model


def rows(*numbers):
    return iter([(X[4 * n : 4 * n + 4], Y[4 * n : 4 * n + 4]) for n in numbers])


def test_a_function_takes_batches_of_an_iterator():
    model, twin = made(), made()
    assert model.train_function is None
    model.make_train_function()
    logs = [model.train_function(rows(n)) for n in range(3)]
    history = twin.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history
    assert logs[-1]["loss"] == pytest.approx(history["loss"][0])
    np.testing.assert_allclose(model.get_weights()[0], twin.get_weights()[0], rtol=1e-6)
    model.make_test_function()
    model.reset_metrics()
    assert model.test_function(rows(0)) == pytest.approx(
        model.evaluate(X[:4], Y[:4], return_dict=True, verbose=0)
    )
    predict = model.make_predict_function()
    assert predict is model.predict_function
    np.testing.assert_array_equal(predict(iter([(X,)])), model.predict(X, verbose=0))


def test_several_steps_are_one_execution():
    model, twin = made(steps_per_execution=3), made()
    model.make_train_function()
    batches = rows(0, 1, 2, 0)
    logs = model.train_function(batches)
    assert len(list(batches)) == 1
    found = twin.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history
    assert logs["mae"] == pytest.approx(found["mae"][0])


def test_it_is_made_once_until_it_is_compiled_again():
    model = made()
    model.make_train_function()
    first = model.train_function
    model.make_train_function()
    assert model.train_function is first
    model.make_train_function(force=True)
    assert model.train_function is not first
    model.compile("sgd", "mse")
    assert model.train_function is None


class Own(minikeras.Sequential):
    """Notes what its functions are called with."""

    def __init__(self, *args):
        super().__init__(*args)
        self.seen = []

    def noted(self, kind, function):
        def noting(iterator):
            batch = next(iterator)
            self.seen.append((kind, len(batch[0])))
            return function(iter([batch]))

        return noting

    def make_train_function(self, force=False):
        super().make_train_function(force=True)
        self.train_function = self.noted("train", self.train_function)

    def make_test_function(self, force=False):
        self.test_function = lambda iterator: {"loss": 0.5, "mine": len(next(iterator))}

    def make_predict_function(self, force=False):
        self.predict_function = self.noted("predict", lambda it: next(it)[0] * 2)
        return self.predict_function


def test_own_functions_are_run_by_the_loops():
    model = made(Own)
    held_out = (X[:4], Y[:4])
    history = model.fit(
        X, Y, batch_size=4, shuffle=False, verbose=0, validation_data=held_out
    ).history
    assert model.seen == [("train", 4)] * 3
    assert history["val_mine"] == [2]
    found = made().fit(X, Y, batch_size=4, shuffle=False, verbose=0).history
    assert history["loss"] == pytest.approx(found["loss"])
    assert model.evaluate(X, Y, return_dict=True, verbose=0)["loss"] == 0.5
    np.testing.assert_array_equal(model.predict(X, verbose=0), X * 2)
    model.seen.clear()
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.predict_on_batch(X), X * 2)
    assert model.seen == [("train", 12), ("predict", 12)]


def test_a_function_may_be_set():
    model = made()
    model.train_function = lambda iterator: {"loss": float(len(next(iterator)[0]))}
    assert model.fit(X, Y, batch_size=6, verbose=0).history == {"loss": [6.0]}


def test_the_loss_for_other_values_of_the_variables():

    class Penalized(minikeras.Model):
        def __init__(self):
            super().__init__()
            self.dense = minikeras.layers.Dense(1, kernel_regularizer="l2")

        def call(self, x):
            return self.dense(x)

    model = Penalized()
    model.build((None, 2))
    model.compile("sgd", "mse")
    values = [np.ones((2, 1), "float32"), np.zeros(1, "float32")]
    metrics = [v.numpy() for v in model.metrics_variables]
    loss, after = model.stateless_compute_loss(
        values, [], metrics, x=X, y=Y, y_pred=Y + 1
    )
    assert float(loss) == pytest.approx(1 + 0.01 * 2)
    assert (len(after[0]), len(after[1]), len(after[2])) == (2, 0, len(metrics))
    assert not np.allclose(model.get_weights()[0], 1)


def test_how_steps_run_can_be_read():
    model = made()
    assert (model.run_eagerly, model.jit_compile, model.steps_per_execution) == (
        False,
        True,
        1,
    )
    assert model.get_compile_config()["jit_compile"] is True
    with pytest.warns(UserWarning, match="`jit_compile` cannot also be True"):
        model.compile("sgd", "mse", run_eagerly=True, jit_compile=True)
    assert model.run_eagerly
    assert not model.jit_compile
