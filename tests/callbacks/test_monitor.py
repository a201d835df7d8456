"""Early stopping and plateaus: the same decisions as Keras on any course of a loss."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minikeras
from minikeras import callbacks, metrics

# Eighths: exact in float32, in which Keras compares.
COURSES = st.lists(st.integers(-16, 16).map(lambda n: n / 8), min_size=1, max_size=12)
MODES = st.sampled_from(["min", "max"])
DELTAS = st.sampled_from([0.0, 0.125, 0.5])


class FakeModel:
    """Has weights that say in which epoch they were, and a learning rate."""

    def __init__(self) -> None:
        self.stop_training = False
        self.weights: Any = None
        self.optimizer = SimpleNamespace(learning_rate=np.float32(1.0))
        self.metrics: list[Any] = []

    def get_weights(self) -> Any:
        return self.weights

    def set_weights(self, weights: Any) -> None:
        self.weights = weights


def course_of(callback: Any, values: list[float], name: str = "val_loss") -> Any:
    """Return what has become of the model when its values took this course."""
    model = FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {name: value})
        rates.append(round(float(model.optimizer.learning_rate), 5))
        if model.stop_training:
            break
    callback.on_train_end()
    return rates, model.weights


@settings(max_examples=60)
@given(
    values=COURSES,
    options=st.fixed_dictionaries(
        {
            "patience": st.integers(0, 3),
            "mode": MODES,
            "min_delta": DELTAS,
            "baseline": st.sampled_from([None, 0.0, 1.0]),
            "restore_best_weights": st.booleans(),
            "start_from_epoch": st.integers(0, 3),
        }
    ),
)
def test_early_stopping_decides_as_keras(keras: Any, values: Any, options: Any) -> None:
    ours = course_of(callbacks.EarlyStopping(**options), values)
    assert ours == course_of(keras.callbacks.EarlyStopping(**options), values)


@settings(max_examples=60)
@given(
    values=COURSES,
    options=st.fixed_dictionaries(
        {
            "patience": st.integers(1, 3),
            "mode": MODES,
            "min_delta": DELTAS,
            "cooldown": st.integers(0, 3),
            "factor": st.sampled_from([0.5, 0.25]),
            "min_lr": st.sampled_from([0.0, 0.2]),
        }
    ),
)
def test_rates_are_reduced_as_in_keras(keras: Any, values: Any, options: Any) -> None:
    ours = course_of(callbacks.ReduceLROnPlateau(**options), values)
    assert ours == course_of(keras.callbacks.ReduceLROnPlateau(**options), values)


def test_a_value_that_is_not_there_is_a_warning() -> None:
    for made in (callbacks.EarlyStopping(), callbacks.ReduceLROnPlateau()):
        with pytest.warns(UserWarning, match="`val_loss` is not available.*loss"):
            course_of(made, [1.0], "loss")


def test_a_loss_that_was_nan_can_improve() -> None:
    stopping = callbacks.EarlyStopping("loss", patience=2)
    rates, _ = course_of(stopping, [float("nan"), 3.0, 2.0, 1.0, 0.5], "loss")
    assert len(rates) == 5


@pytest.mark.parametrize(
    "name, direction, course, epochs",
    [("val_score", "up", [1.0, 2.0, 3.0], 3), ("score", "down", [1.0, 2.0, 3.0], 2)],
)
def test_the_metric_says_which_way_is_better(
    name: str, direction: str, course: Any, epochs: int
) -> None:
    stopping = callbacks.EarlyStopping(name)
    metric = SimpleNamespace(name="score", _direction=direction)
    model = FakeModel()
    model.metrics = [SimpleNamespace(name="several", metrics=[metric])]
    stopping.set_model(model)
    for epoch, value in enumerate(course):
        stopping.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    assert epoch + 1 == epochs


WITH_ARGUMENTS: dict[str, list[Any]] = {
    "IoU": [2, [0]],
    "MeanIoU": [2],
    "OneHotIoU": [2, [0]],
    "OneHotMeanIoU": [2],
    "MeanMetricWrapper": [abs],
    "PrecisionAtRecall": [0.5],
    "RecallAtPrecision": [0.5],
    "SensitivityAtSpecificity": [0.5],
    "SpecificityAtSensitivity": [0.5],
}


def test_metrics_have_the_direction_that_keras_gives_them(keras: Any) -> None:
    classes = [
        kind
        for kind in vars(metrics).values()
        if isinstance(kind, type) and issubclass(kind, metrics.Metric)
    ]
    for kind in classes:
        arguments = WITH_ARGUMENTS.get(kind.__name__, [])
        theirs = getattr(keras.metrics, kind.__name__)(*arguments)
        assert kind._direction == getattr(theirs, "_direction", None), kind


def test_an_unknown_direction_is_an_error() -> None:
    with pytest.raises(ValueError, match="maximized or minimized: pass `mode='max'`"):
        course_of(callbacks.EarlyStopping("score"), [1.0, 2.0], "score")


def test_what_they_do_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    stopping = callbacks.EarlyStopping("loss", verbose=1, restore_best_weights=True)
    course_of(stopping, [1.0, 2.0], "loss")
    course_of(
        callbacks.ReduceLROnPlateau("loss", patience=1, verbose=1), [1, 2], "loss"
    )
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 2: early stopping",
        "Restoring model weights from the end of the best epoch: 1.",
        "",
        "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.1.",
    ]


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="does not support a factor >= 1"):
        callbacks.ReduceLROnPlateau(factor=1.0)
    with pytest.warns(UserWarning, match="mode 'up' is unknown"):
        callbacks.EarlyStopping(mode="up")  # type: ignore[arg-type]


def test_a_metric_with_one_class_can_be_watched() -> None:
    model = minikeras.Sequential([minikeras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[minikeras.metrics.F1Score(name="f1")])
    x, y = np.ones((4, 2)), np.ones((4, 1))
    stop = minikeras.callbacks.EarlyStopping("f1")
    model.fit(x, y, epochs=5, callbacks=stop, verbose=0)
    assert stop.monitor_op is minikeras.ops.greater
    assert stop.stopped_epoch == 1
    assert minikeras.callbacks.MonitorCallback(mode="min").monitor_op is (
        minikeras.ops.less
    )
