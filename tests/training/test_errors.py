"""Mistakes: found before the first step, named, and without harm to the weights."""

from __future__ import annotations

import itertools
import re
import signal
import timeit
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minikeras
from minikeras import backend as K
from minikeras.engine.op import Op
from minikeras.layers import Dense
from minikeras.models import Sequential

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = X[:, :1] - 2.0
LABELS = np.arange(24) % 3
LONG_X, LONG_Y = np.tile(X, (20, 1)), np.tile(Y, (20, 1))
SPARSE = "sparse_categorical_crossentropy"


def model_for(loss: Any = "mse", units: int = 1, name: str | None = "head") -> Any:
    activation = "softmax" if units > 1 else None
    model = Sequential([Dense(5, name="body"), Dense(units, activation, name=name)])
    model.build((None, 4))
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def with_value(array: Any, place: Any, value: Any) -> Any:
    changed = np.array(array)
    changed[place] = value
    return changed


WIDE = np.repeat(Y, 3, axis=1)
CASES = {
    "features": (
        "mse",
        1,
        np.ones((24, 5)),
        Y,
        r"layer 'body' .*expected .* 4, .*\(None, 5\)",
    ),
    "lengths": ("mse", 1, X, Y[:-1], r"cardinality is ambiguous.*'y' sizes: 23"),
    "no rows": ("mse", 1, X[:0], Y[:0], "`x` has no samples"),
    "no targets": ("mse", 1, X, None, "output 'head' has a loss, but no targets"),
    "columns": (
        "mse",
        1,
        X,
        WIDE,
        r"output 'head' has shape \(None, 1\), its targets \(None, 3\).*'mse'.*3 units",
    ),
    "numbers of classes for one-hot": (
        "categorical_crossentropy",
        3,
        X,
        LABELS,
        r"output 'head'.*'sparse_categorical_crossentropy'",
    ),
    "a flat target for three": ("mae", 3, X[:3], Y[:3, 0], r"targets \(None,\)"),
    "label too large": (
        SPARSE,
        3,
        X,
        with_value(LABELS, 7, 5),
        r"output 'head': label 5 in row 7 .* 3 classes, .* 0 to 2 \(1 such label",
    ),
    "labels from 1": (SPARSE, 3, X, LABELS + 1, r"label 3 in row 2 .*\(8 such labels"),
    "negative label": (SPARSE, 3, X, with_value(LABELS, 4, -1), "label -1 in row 4"),
    "half a label": (
        SPARSE,
        3,
        X,
        with_value(LABELS * 1.0, 4, 0.5),
        r"label 0\.5 in row 4",
    ),
    "nan in y": (
        "mse",
        1,
        X,
        with_value(Y, 3, np.nan),
        "NaN or infinite in 1 of 24 rows",
    ),
    "inf in y": ("mse", 1, X, with_value(Y, 3, np.inf), "first in row 3"),
    "text": (
        "mse",
        1,
        X,
        np.array(["a"] * 24),
        "numbers are needed; got an array of dtype",
    ),
    "one number": ("mse", 1, X, 3.0, "one row per sample"),
    "several outputs": (
        "mse",
        1,
        X,
        [Y, Y],
        "`y` has 2 entries; the model has one output",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_what_does_not_fit_is_found_before_the_first_step(what: str) -> None:
    loss, units, x, y, message = CASES[what]
    model = model_for(loss, units)
    before = model.get_weights()
    calls: list[int] = []
    note = minikeras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: calls.append(1)
    )
    with pytest.raises(ValueError, match=re.compile(message, re.DOTALL)):
        model.fit(x, y, callbacks=note, verbose=0)
    assert not calls
    for got, want in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, want)
    good = LABELS if loss == SPARSE else np.eye(3)[LABELS] if units == 3 else Y
    model.fit(X, good, verbose=0)  # nothing is broken


def test_validation_data_are_checked_as_early() -> None:
    with pytest.raises(ValueError, match="label 5 in row 7"):
        model_for(SPARSE, 3).fit(
            X, LABELS, validation_data=(X, with_value(LABELS, 7, 5)), verbose=0
        )


def test_each_batch_of_an_iterable_is_checked() -> None:
    batches = [(X, LABELS), (X, with_value(LABELS, 7, 5))]
    with pytest.raises(ValueError, match="label 5 in row 7"):
        model_for(SPARSE, 3).fit(iter(batches), verbose=0)


def test_a_label_that_the_loss_ignores_may_be_any_number() -> None:
    loss = minikeras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    model = model_for(loss, 3)
    model.fit(X, with_value(LABELS, 4, -1), verbose=0)


def test_labels_may_stand_in_a_column() -> None:
    model_for(SPARSE, 3).fit(X, LABELS[:, None], verbose=0)


def test_nan_in_inputs_is_a_warning() -> None:
    model = model_for()
    with pytest.warns(UserWarning, match="x has NaN .* 1 of 24 rows, first in row 6"):
        model.evaluate(with_value(X, (6, 2), np.nan), Y, verbose=0)


class Batches(minikeras.utils.PyDataset):
    """Two batches, of which the second one is given."""

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.second = x, y

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        return self.second if index else (X, Y)


NAN_X = with_value(X, (6, 2), np.nan)
FROM_NAN = {
    "arrays": lambda: {"x": NAN_X, "y": Y},
    "a generator": lambda: {"x": iter([(X, Y), (NAN_X, Y)])},
    "a data set": lambda: {"x": Batches(NAN_X, Y)},
    "a data set's targets": lambda: {"x": Batches(X, with_value(Y, 6, np.inf))},
}


@pytest.mark.parametrize("source", FROM_NAN)
def test_nan_never_reaches_the_weights(source: str) -> None:
    model = model_for()
    with pytest.raises(ValueError, match=r"NaN or infinite .* 1 of 24 rows, .* row 6"):
        model.fit(**FROM_NAN[source](), verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert int(model.optimizer.iterations) == (0 if source == "arrays" else 1)
    model.fit(X, Y, verbose=0)


def test_nan_in_one_of_several_inputs_is_found_there() -> None:
    inputs = {name: minikeras.Input((4,), name=name) for name in ("size", "age")}
    joined = minikeras.layers.Add()(list(inputs.values()))
    model = minikeras.Model(inputs, Dense(1)(joined))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"x\['age'\] has NaN .* first in row 6"):
        model.fit({"size": X, "age": NAN_X}, Y, verbose=0)
    with pytest.raises(ValueError, match=r"x\['age'\] has NaN"):
        model.train_on_batch({"size": X, "age": NAN_X}, Y)


def test_nan_that_a_layer_takes_care_of_is_none() -> None:
    class Filled(minikeras.layers.Layer):
        def call(self, x: Any) -> Any:
            return K.where(K.equal(x, x), x, 0.0)

    model = Sequential([Filled(), Dense(1)])
    model.compile("sgd", "mse")
    loss = model.fit(NAN_X, Y, verbose=0).history["loss"]
    assert np.isfinite(loss).all()


def test_terminate_on_nan_is_given_what_it_waits_for() -> None:
    terminate = minikeras.callbacks.TerminateOnNaN()
    for x, y in ((NAN_X, Y), (X, with_value(Y, 3, np.inf))):
        model = model_for()
        history = model.fit(
            x, y, batch_size=8, epochs=3, shuffle=False, callbacks=terminate, verbose=0
        )
        assert not np.isfinite(history.history["loss"]).any()
        assert history.epoch == [0]


def test_one_target_for_several_predictions_is_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"'mae' compares all 3 predictions with the"):
        model_for("mae", 3).fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match=r"output 'head' has shape \(None, 3\)"):
        model_for("categorical_crossentropy", 3).fit(X, Y, verbose=0)


MISTYPED = {
    "optimizer": lambda: model_for().compile("adm", "mse"),
    "loss": lambda: model_for("mse_los"),
    "metric": lambda: model_for().compile("adam", "mse", metrics=["acuracy"]),
    "activation function": lambda: Dense(1, activation="rleu"),
    "initializer": lambda: Dense(1, kernel_initializer="glorot_unifrm"),
    "constraint": lambda: Dense(1, kernel_constraint="nonneg"),
}
MEANT = ["adam", "mse", "accuracy", "relu", "glorot_uniform", "non_neg"]


@pytest.mark.parametrize("kind, meant", [*zip(MISTYPED, MEANT, strict=True)])
def test_a_mistyped_name_gets_the_nearest_one(kind: str, meant: str) -> None:
    with pytest.raises(
        ValueError,
        match=f"Could not interpret {kind} identifier: .* Did you mean '{meant}'",
    ):
        MISTYPED[kind]()


def test_losses_by_name_are_for_all_outputs() -> None:
    x = minikeras.Input((4,))
    model = minikeras.Model(x, [Dense(1, name="a")(x), Dense(1, name="b")(x)])
    for loss, message in (
        ({"a": "mse"}, r"Expected keys \['a', 'b'\] in loss dict"),
        ({"a": "mse", "c": "mse"}, r"loss.keys\(\)=\['a', 'c'\]"),
    ):
        model.compile("sgd", loss)
        with pytest.raises(ValueError, match=message):
            model.fit(X, [Y, Y], verbose=0)


def test_a_loss_of_ones_own_may_make_sense_of_nan_and_of_shapes() -> None:
    def only_known(y_true: Any, y_pred: Any) -> Any:
        known = K.equal(y_true, y_true)
        return K.mean(K.where(known, K.square(y_true - y_pred), 0.0), axis=-1)

    model = model_for(only_known)
    loss = model.evaluate(X, with_value(WIDE, (3, 1), np.nan), verbose=0)[0]
    assert np.isfinite(loss)


@pytest.mark.parametrize(
    "method", ["fit", "evaluate", "train_on_batch", "test_on_batch"]
)
def test_compile_comes_first(method: str) -> None:
    model = Sequential([Dense(1)], name="late")
    with pytest.raises(
        ValueError, match=rf"`compile\(\)` before using .*`{method}\(\)` .*late"
    ):
        getattr(model, method)(X, Y)


def test_a_model_without_a_loss_says_so() -> None:
    model = Sequential([Dense(1)])
    model.compile("sgd")
    with pytest.raises(ValueError, match="Provide a `loss` argument"):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"batch_size": 0}, "batch_size is an integer above 0; got 0"),
        ({"steps_per_epoch": 1.5}, "steps is an integer above 0"),
        ({"shuffle": "rows"}, "shuffle is True, False or 'batch'"),
        ({"validation_split": 1.5}, "validation_split is between 0 and 1"),
        ({"validation_split": 0.99}, "24 samples, which is not sufficient"),
        ({"validation_freq": "often", "validation_split": 0.5}, "`validation_freq`"),
        ({"class_weight": {0: 2.0}, "sample_weight": Y[:, 0]}, "at the same time"),
        ({"sample_weight": Y[:-2, 0]}, "'sample_weight' sizes: 22"),
    ],
)
def test_wrong_arguments_of_fit(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model_for().fit(X, Y, verbose=0, **arguments)


def test_callbacks_must_be_objects_of_their_class() -> None:
    with pytest.raises(TypeError, match="a class: make an object of it"):
        model_for().fit(X, Y, callbacks=[minikeras.callbacks.History], verbose=0)
    with pytest.raises(TypeError, match="must be Callback objects; got 3"):
        model_for().fit(X, Y, callbacks=[3], verbose=0)


STREAMS = {
    "targets twice": (lambda: iter([(X, Y)]), {"y": Y}, "should not be passed"),
    "nothing": (lambda: iter([]), {}, "yields no batch"),
    "a split": (
        lambda: iter([(X, Y)]),
        {"validation_split": 0.5},
        "only supported for",
    ),
    "forms": (lambda: iter([(X, Y), (X,)]), {}, "batches of different forms"),
    "too many parts": (lambda: iter([(X, Y, Y, Y)]), {}, "found: 4 parts"),
    "lengths": (lambda: iter([(X, Y[1:])]), {}, "cardinality is ambiguous"),
}


@pytest.mark.parametrize("what", STREAMS)
def test_wrong_iterables(what: str) -> None:
    source, arguments, message = STREAMS[what]
    with pytest.raises(ValueError, match=message):
        model_for().fit(source(), verbose=0, **arguments)


# -- errors and interrupts in the middle of training ----------------------------------


def weights_after(steps: int) -> list[Any]:
    """Return a small model's weights after so many batches, all else equal."""
    K.clear_session()
    K.set_random_seed(3)
    model = model_for()
    if steps:
        rows = slice(0, 8 * steps)
        model.fit(X[rows], Y[rows], batch_size=8, shuffle=False, verbose=0)
    return model.get_weights()


class Fails(Op, eq=False):
    """x, but the third run fails."""

    kind: type[BaseException]
    runs: list[int]

    def infer(self, x: Any) -> Any:
        return x

    def kernel(self, xp: Any, x: Any) -> Any:
        y = xp.array(x)  # fails if the compiler only asks what would be done
        self.runs.append(1)
        if len(self.runs) == 3:
            raise self.kind
        return y


class FailingAdam(minikeras.optimizers.Adam):
    """Adam, whose third step fails when all variables but the last have been set."""

    def __init__(self, kind: type[BaseException]) -> None:
        super().__init__()
        self.fails = Fails(kind, [])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if variable is self._trainable_variables[-1]:
            gradient = self.fails(gradient)
        super().update_step(gradient, variable, learning_rate)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError])
def test_an_interrupt_leaves_the_weights_of_the_step_before(
    kind: type[BaseException],
) -> None:
    K.clear_session()
    K.set_random_seed(3)
    model = model_for()
    model.compile(FailingAdam(kind), "mse", metrics=["accuracy"])
    ended: list[int] = []
    note = minikeras.callbacks.LambdaCallback(on_exit=lambda: ended.append(1))
    with pytest.raises((kind, RuntimeError)):
        model.fit(X, Y, batch_size=8, shuffle=False, callbacks=note, verbose=0)
    assert ended == [1]
    assert model.optimizer.fails.runs == [1, 1, 1]
    assert int(model.optimizer.iterations) == 2
    for got, want in zip(model.get_weights(), weights_after(2), strict=True):
        np.testing.assert_array_equal(got, want)
    model.fit(X, Y, verbose=0)


@pytest.fixture
def _alarm_is_ctrl_c() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGALRM, before)


def interrupted_fit(note: Callable[[Any], Any] | None = None) -> Any:
    """The model after a `fit` that Ctrl-C may have ended; `note(model)`: a callback."""
    K.clear_session()
    K.set_random_seed(3)
    model = model_for()
    how: dict[str, Any] = {"batch_size": 4, "epochs": 2, "shuffle": False}
    try:
        model.fit(
            LONG_X,
            LONG_Y,
            callbacks=note and note(model),
            validation_data=(X, Y),
            verbose=0,
            **how,
        )
    except KeyboardInterrupt:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return model


def ctrl_c(step: int, seconds: float) -> Any:
    """Ctrl-C so many seconds after that step began; step 0: after training began."""
    begun = itertools.count(1)

    def begin(now: bool) -> None:
        if now:
            signal.setitimer(signal.ITIMER_REAL, seconds)

    return minikeras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: begin(not step),
        on_train_batch_begin=lambda batch, logs: begin(next(begun) == step),
    )


@pytest.mark.slow
@pytest.mark.usefixtures("_alarm_is_ctrl_c")
# Python itself drops an interrupt that comes while it clears away an object.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_moment_leaves_weights_that_training_has_had() -> None:
    states: list[Any] = []

    def noting(model: Any) -> Any:
        states.append(model.get_weights())
        return minikeras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: states.append(model.get_weights())
        )

    interrupted_fit(noting)
    lasted = timeit.timeit(interrupted_fit, number=1)
    # While a plan is compiled, between the epochs and wherever else the time goes ...
    rng = np.random.default_rng(0)
    moments = [(0, seconds) for seconds in rng.uniform(1e-5, lasted, 30)]
    # ... and within a step, or soon after it.
    steps = rng.integers(1, len(states), 30).tolist()
    moments += zip(steps, rng.uniform(1e-5, 5e-3, 30), strict=True)
    reached = set()
    for moment in moments:
        model = interrupted_fit(lambda model, moment=moment: ctrl_c(*moment))
        step = int(model.optimizer.iterations)
        reached.add(step)
        for got, want in zip(model.get_weights(), states[step], strict=True):
            np.testing.assert_array_equal(got, want)
        assert np.isfinite(model.evaluate(X, Y, verbose=0)[0])
        model.train_on_batch(X, Y)
    assert len(reached) > 5
