"""What services for records of runs are told: fakes of their modules write it down.

The values are then compared with what `fit` itself says.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from unittest import mock

import numpy as np
import pytest

import minikeras
from minikeras import callbacks

X = np.arange(12, dtype="float32").reshape(6, 2) / 10
Y = X.sum(1, keepdims=True)


@pytest.fixture
def fake(monkeypatch):
    """Return a function that puts a module in the place of a library."""

    def put(name, **contents):
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return put


def fit(callback, epochs=2):
    model = minikeras.Sequential([minikeras.layers.Dense(1)], name="net")
    model.compile(minikeras.optimizers.SGD(0.25), "mse", metrics=["mae"])
    return model.fit(
        X, Y, batch_size=2, epochs=epochs, callbacks=callback, verbose=0
    ).history


def rows(history):
    """Return each epoch's values, with the learning rate."""
    names = ("loss", "mae", "learning_rate")
    history = {**history, "learning_rate": [0.25] * len(history["loss"])}
    each = zip(*(history[name] for name in names), strict=True)
    return [dict(zip(names, values, strict=True)) for values in each]


def test_mlflow(fake):
    params, metrics = [], []
    fake(
        "mlflow",
        log_params=params.append,
        log_metrics=lambda values, step: metrics.append((step, values)),
    )
    history = fit(callbacks.MlflowCallback())
    assert metrics == list(enumerate(rows(history)))
    (found,) = params
    assert found["optimizer"] == "SGD"
    assert found["optimizer_learning_rate"] == 0.25
    assert (found["epochs"], found["steps"], found["model"]) == (2, 3, "net")


def test_wandb(fake):
    logged, defined = [], []
    wandb = fake(
        "wandb",
        run=None,
        log=logged.append,
        define_metric=lambda *args, **kwargs: defined.append((args, kwargs)),
    )
    with pytest.raises(RuntimeError, match=r"call `wandb.init\(\)` before"):
        callbacks.WandbMetricsLogger()
    wandb.run = SimpleNamespace()
    history = fit(callbacks.WandbMetricsLogger(log_freq=2))
    assert (("epoch/*",), {"step_metric": "epoch/epoch"}) in defined
    epochs = [values for values in logged if "epoch/epoch" in values]
    for number, (values, want) in enumerate(zip(epochs, rows(history), strict=True)):
        named = {f"epoch/{name}": value for name, value in want.items()}
        assert values == {**named, "epoch/epoch": number}
    steps = [v["batch/batch_step"] for v in logged if "batch/loss" in v]
    assert steps == [2, 4, 6]


def test_trackio(fake):
    logged = []
    fake("trackio", log=logged.append)
    history = fit(callbacks.TrackioCallback())
    assert [v["epoch/loss"] for v in logged] == history["loss"]
    assert [v["epoch"] for v in logged] == [0, 1]


def test_optuna(fake):
    class TrialPruned(Exception):  # noqa: N818 - Optuna's name
        pass

    fake("optuna", TrialPruned=TrialPruned)
    reported = {}
    trial = SimpleNamespace(
        report=lambda value, step: reported.update({step: value}),
        should_prune=lambda: len(reported) == 2,
    )
    with pytest.raises(TrialPruned, match="pruned at epoch 3"):
        fit(callbacks.OptunaPruningCallback(trial, "loss", interval=2), epochs=9)
    assert list(reported) == [1, 3]
    with pytest.warns(UserWarning, match="'val_mse' is not in the logs"):
        callbacks.OptunaPruningCallback(trial, "val_mse").on_epoch_end(0, {"loss": 1.0})


@pytest.mark.parametrize(
    "make, library",
    [
        (callbacks.MlflowCallback, "mlflow"),
        (callbacks.WandbMetricsLogger, "wandb"),
        (callbacks.TrackioCallback, "trackio"),
        (lambda: callbacks.OptunaPruningCallback(None, "loss"), "optuna"),
        (lambda: callbacks.RemoteMonitor().on_train_begin(), "requests"),
    ],
)
def test_a_library_that_is_not_installed_is_named(make, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"requires {library}: pip install"):
        make()


@pytest.mark.parametrize("freq", ["often", 0, None])
def test_how_often_is_a_number(fake, freq):
    fake("trackio")
    with pytest.raises(ValueError, match="log_freq is 'epoch', 'batch' or a number"):
        callbacks.TrackioCallback(freq)


# -- any server ------------------------------------------------------------------------


def test_a_server_gets_json():
    pytest.importorskip("requests")
    logs = {"loss": np.float32(0.5), "size": np.arange(1), "mae": 2.0}
    sent = {"epoch": 3, "loss": 0.5, "size": 0, "mae": 2.0}
    with mock.patch("requests.post") as post:
        monitor = callbacks.RemoteMonitor(send_as_json=True, headers={"a": "b"})
        monitor.on_epoch_end(3, logs)
        form = callbacks.RemoteMonitor(root="http://here", path="/x", field="f")
        form.on_epoch_end(3, logs)
    as_json, as_form = post.call_args_list
    assert as_json.args == ("http://localhost:9000/publish/epoch/end/",)
    assert as_json.kwargs == {"json": sent, "headers": {"a": "b"}}
    assert as_form.args[0] == "http://here/x"
    assert json.loads(as_form.kwargs["data"]["f"]) == sent


def test_a_server_that_does_not_answer_is_a_warning():
    requests = pytest.importorskip("requests")
    failing = mock.Mock(side_effect=requests.exceptions.ConnectionError)
    with (
        mock.patch("requests.post", failing),
        pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server"),
    ):
        callbacks.RemoteMonitor().on_epoch_end(0, {"loss": 1.0})
