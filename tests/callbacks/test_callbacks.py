"""Hooks, the list of callbacks, and the small callbacks."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest

import minikeras
from minikeras import callbacks
from minikeras.callbacks import Callback, CallbackList, LambdaCallback
from minikeras.layers import Dense
from minikeras.models import Sequential

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
Y = X[:, :1] - 2.0


def trained(*given: Any, epochs: int = 2, **options: Any) -> Any:
    model = Sequential([Dense(1)])
    model.compile(minikeras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    model.fit(X, Y, epochs=epochs, verbose=0, callbacks=list(given), **options)
    return model


# -- the list --------------------------------------------------------------------------


def test_both_names_of_a_hook_are_called() -> None:
    seen: list[str] = []

    class Old(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append("old")

    class New(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append("new")

    trained(Old(), New(), epochs=1)
    assert seen == ["old", "new"]


def test_values_are_computed_once_and_only_for_a_hook_that_is_due() -> None:
    class Third(Callback):
        def due(self, batch: int) -> bool:
            return batch == 3

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append((batch, logs))

    seen: list[Any] = []
    computed: list[int] = []

    def values() -> dict[str, float]:
        computed.append(1)
        return {"loss": 1.0}

    hooks = CallbackList([Third(), Third(), Callback()])
    for batch in range(6):
        hooks.on_train_batch_end(batch, values)
    assert computed == [1]
    assert seen == [(3, {"loss": 1.0})] * 2


def test_a_list_can_be_used_in_a_loop_of_ones_own() -> None:
    calls: list[Any] = []
    hooks = CallbackList(
        LambdaCallback(
            on_epoch_end=lambda epoch, logs: calls.append((epoch, logs)),
            on_test_batch_end=lambda batch, logs: calls.append((batch, logs)),
            on_predict_batch_begin=lambda batch, logs: calls.append((batch, logs)),
        ),
        epochs=3,
    )
    hooks.on_epoch_end(1, {"loss": 2.0})
    hooks.on_test_batch_end(0, {"loss": 3.0})
    hooks.on_predict_batch_begin(4)
    assert calls == [(1, {"loss": 2.0}), (0, {"loss": 3.0}), (4, {})]
    assert hooks.callbacks[0].params == {"epochs": 3}


def test_what_a_callback_adds_later_ones_see() -> None:
    class Adding(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["squared"] = logs["loss"] ** 2

    history = trained(Adding()).history.history
    assert history["squared"] == [loss**2 for loss in history["loss"]]


def test_a_hook_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)


def test_a_callback_knows_its_model_and_the_parameters() -> None:
    note = Callback()
    model = trained(note)
    assert note.model is model
    assert note.params == {"verbose": 0, "epochs": 2, "steps": 1}


def test_a_history_that_is_passed_goes_on() -> None:
    history = callbacks.History()
    trained(history)
    trained(history)
    assert len(history.history["loss"]) == 4


# -- small ones ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule", [lambda epoch, rate: rate * 0.5, lambda epoch: 0.1 * 0.5 ** (epoch + 1)]
)
def test_a_schedule_sets_the_rate_before_each_epoch(schedule: Any) -> None:
    model = trained(callbacks.LearningRateScheduler(schedule), epochs=3)
    rates = model.history.history["learning_rate"]
    assert rates == pytest.approx([0.05, 0.025, 0.0125])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.0125)


def test_a_schedule_says_what_it_sets(capsys: pytest.CaptureFixture[str]) -> None:
    trained(callbacks.LearningRateScheduler(lambda epoch: 0.25, verbose=1), epochs=1)
    said = "Epoch 1: LearningRateScheduler setting learning rate to 0.25."
    assert capsys.readouterr().out.strip() == said


def test_a_schedule_returns_a_float() -> None:
    with pytest.raises(ValueError, match=r"should be a float\. Got: 1"):
        trained(callbacks.LearningRateScheduler(lambda epoch: 1))


def test_a_plateau_really_slows_training_down() -> None:
    plateau = callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=1e9)
    rates = trained(plateau, epochs=4).history.history["learning_rate"]
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_early_stopping_brings_the_best_weights_back() -> None:
    kept: list[Any] = []

    class Keep(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            kept.append((logs["loss"], self.model.get_weights()[0]))

    stopping = callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
    model = Sequential([Dense(1)])
    model.compile(minikeras.optimizers.SGD(0.9), "mae")  # jumps to and fro
    model.fit(X, Y, epochs=50, callbacks=[Keep(), stopping], verbose=0)
    assert len(kept) < 50
    best = min(kept, key=lambda pair: pair[0])[1]
    np.testing.assert_array_equal(model.get_weights()[0], best)


def diverging() -> Any:
    model = Sequential([Dense(1)])
    model.compile(minikeras.optimizers.SGD(1e20), "mse")
    return model


def test_training_ends_at_nan(capsys: pytest.CaptureFixture[str]) -> None:
    model = diverging()
    options = {"batch_size": 4, "epochs": 3, "verbose": 0}
    history = model.fit(X, Y, callbacks=callbacks.TerminateOnNaN(), **options)
    assert history.epoch == [0]
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch"):
        model.fit(X, Y, callbacks=callbacks.TerminateOnNaN(raise_error=True), **options)


def rows(path: Any, separator: str = ",") -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def test_a_csv_file_has_a_row_for_each_epoch(tmp_path: Any) -> None:
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path, separator=";")
    history = trained(logger, validation_split=0.5, validation_freq=2).history.history
    first, second = rows(path, ";")
    assert list(first) == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert (first["epoch"], first["val_loss"]) == ("0", "NA")
    assert float(second["loss"]) == history["loss"][1]
    assert float(second["val_mae"]) == history["val_mae"][0]


def test_a_csv_file_can_be_continued(tmp_path: Any) -> None:
    path = tmp_path / "log.csv"
    trained(callbacks.CSVLogger(path))
    trained(callbacks.CSVLogger(path, append=True))
    assert [row["epoch"] for row in rows(path)] == ["0", "1", "0", "1"]
    trained(callbacks.CSVLogger(path))
    assert len(rows(path)) == 2


HEAD = b"epoch,loss,mae,val_loss,val_mae\r\n"


@pytest.mark.parametrize("half", [b"", b"1", b"1,0.", b'1,"[1', b"1,1,1,NA,NA\r"])
@pytest.mark.parametrize("whole", [b"", HEAD, HEAD + b"0,1.0,1.0,NA,NA\r\n"])
def test_half_a_row_that_a_kill_left_is_dropped(
    whole: bytes, half: bytes, tmp_path: Any
) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(whole + half)
    trained(callbacks.CSVLogger(path, append=True))
    assert path.read_bytes().startswith(whole or HEAD)
    found = [row["epoch"] for row in rows(path)]
    assert found == ["0"] * (whole.count(b"\n") == 2) + ["0", "1"]


def test_only_the_last_line_is_dropped_of_a_long_file(tmp_path: Any) -> None:
    path = tmp_path / "log.csv"
    whole = HEAD + b"".join(b"%d,1,1,NA,NA\r\n" % i for i in range(10_000))
    path.write_bytes(whole + b"1" * 100_000)
    trained(callbacks.CSVLogger(path, append=True))
    assert path.read_bytes().startswith(whole + b"0,")


def test_a_row_is_written_when_its_epoch_ends(tmp_path: Any) -> None:
    path, seen = tmp_path / "log.csv", []
    look = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(path.read_bytes().count(b"\n"))
    )
    trained(callbacks.CSVLogger(path), look, epochs=3)
    assert seen == [0, 2, 3]


def test_a_csv_file_is_closed_after_an_error(tmp_path: Any) -> None:
    logger = callbacks.CSVLogger(tmp_path / "log.csv")

    def fail(epoch: int, logs: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(logger, LambdaCallback(on_epoch_end=fail))
    assert logger._file is None
    assert len(rows(tmp_path / "log.csv")) == 1


def test_functions_get_logs_at_every_hook() -> None:
    seen: list[tuple[str, object]] = []
    names = ("train_begin", "test_begin", "test_end", "train_end")
    hooks = {f"on_{n}": lambda logs, n=n: seen.append((n, type(logs))) for n in names}
    trained(LambdaCallback(**hooks, other=print))
    assert {kind for _, kind in seen} == {dict}
    assert seen[0][0] == "train_begin"
